"""The Fields dialogue: shows how each decoded field is used, and lets the user change it."""

from collections.abc import Mapping
import re
from typing import TYPE_CHECKING, Any

from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow, UnknownFlow
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig
import voluptuous as vol

from ..const import DOMAIN
from ..dialogs import ApplicationOptionsFlow, searchable, unchosen
from ..end_devices import LOCATION
from ..payload import Kind
from .apply_overrides import async_apply_overrides
from .descriptions import device_class_of
from .edit_form import (
    CONF_PATTERN,
    CONF_PLATFORM,
    CONF_SCOPE,
    HIDDEN,
    KINDS,
    FieldEdit,
    FieldError,
    check_imported,
    shown_value,
)
from .overrides import OverrideError, read_yaml
from .texts import FieldTexts, escaped, field_label, fields_list, value_in_both_units

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

CONF_DEVICE = "device"
CONF_FIELD = "field"
CONF_TEXT = "text"
FEW = 12
# Key in the flow's context under which the preview finds the field.
EDITED = "edited_field"


class FieldsFlow(ApplicationOptionsFlow):
    """Steps: end device, field, form with a live preview; each change applies at once."""

    _key: str
    _path: str
    _kind: Kind
    _typed: Mapping[str, Any] | None = None
    _choices: Mapping[str, str] = {}

    @staticmethod
    async def async_setup_preview(hass: HomeAssistant) -> None:
        """Register the websocket command for the form's preview."""
        websocket_api.async_register_command(hass, ws_start_preview)

    @property
    def _device(self) -> EndDeviceState:
        if (device := self._coordinator.roster.states.get(self._key)) is None:
            raise AbortFlow("field_gone")
        return device

    @property
    def _edit(self) -> FieldEdit:
        if self._path not in self._device.decisions:
            raise AbortFlow("field_gone")
        return self._edit_of(self._path)

    def _edit_of(self, path: str) -> FieldEdit:
        coordinator = self._coordinator
        return FieldEdit(coordinator.fields, self._device, path, coordinator.names)

    async def async_step_fields(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the end device."""
        devices = {
            device.key: device
            for device in sorted(
                self._coordinator.roster.states.values(), key=lambda device: device.name.casefold()
            )
            if device.decisions.keys() - {LOCATION}
        }
        if not devices:
            return self.async_abort(reason="no_fields")
        errors = {}
        if user_input is not None:
            chosen = self._chosen(user_input[CONF_DEVICE])
            if chosen in devices:
                self._key = chosen
                return await self.async_step_field()
            errors[CONF_DEVICE] = "choose_from_list"
        self._choices = labels = {_device_label(device): key for key, device in devices.items()}
        schema = vol.Schema({unchosen(CONF_DEVICE): searchable(labels)})
        return self.async_show_form(
            step_id="fields", data_schema=schema, errors=errors, last_step=False
        )

    async def async_step_field(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show how each field is used, and ask for one."""
        decisions = {p: m for p, m in self._device.decisions.items() if p != LOCATION}
        errors = {}
        if user_input is not None:
            if (path := self._chosen(user_input[CONF_FIELD])) in decisions:
                self._path, self._typed = path, None
                meaning = decisions[path]
                self._kind = meaning.kind if meaning.kind in KINDS else Kind.SENSOR
                if meaning.kind is Kind.DEVICE_TRACKER:
                    return await self.async_step_tracker()
                return await self.async_step_edit()
            errors[CONF_FIELD] = "choose_from_list"
        edits = [self._edit_of(path) for path in decisions]
        edits.sort(key=lambda edit: (edit.meaning.kind is Kind.IGNORE, _in_order(edit.path)))
        listed = sorted(edits, key=_priority, reverse=True)[:FEW]
        texts = await FieldTexts.async_load(self.hass)
        self._choices = labels = {field_label(edit, texts): edit.path for edit in edits}
        schema = vol.Schema({unchosen(CONF_FIELD): searchable(labels)})
        return self.async_show_form(
            step_id="field",
            data_schema=schema,
            errors=errors,
            last_step=False,
            description_placeholders={
                "device": self._device.name,
                "count": str(len(edits)),
                "listed": str(len(listed)),
                "table": fields_list(listed, texts),
                "left_out": texts.left_out(self._device.skipped),
            },
        )

    async def async_step_tracker(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain that a position can't be changed here; go back to the fields."""
        if user_input is not None:
            return await self.async_step_field()
        return self.async_show_form(
            step_id="tracker",
            data_schema=vol.Schema({}),
            last_step=False,
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_edit(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change a field; the preview shows its last value with the change."""
        edit, kind = self._edit, self._kind
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            wanted = user_input[CONF_PLATFORM]
            if wanted not in (kind, HIDDEN):
                self._kind = Kind(wanted)
                self._typed = {
                    key: user_input[key]
                    for key in (CONF_PLATFORM, CONF_SCOPE, CONF_PATTERN)
                    if key in user_input
                }
                return await self.async_step_edit()
            try:
                change = edit.answer(kind, user_input)
                override = edit.kept(change, user_input)
            except FieldError as error:
                errors[error.field] = error.key
                placeholders = error.placeholders
                self._typed = user_input
            else:
                fields, key = self._coordinator.fields, edit.device.key
                fields.overrides.settle(override, key, fields.model_of(key), edit.path)
                await async_apply_overrides(self.hass, self._coordinator)
                return await self.async_step_kept()
        _context(self)[EDITED] = (edit.device.key, edit.path, kind)
        suggested = edit.suggested(kind) | dict(self._typed or {})
        return self.async_show_form(
            step_id="edit",
            data_schema=self.add_suggested_values_to_schema(edit.schema(kind), suggested),
            errors=errors,
            description_placeholders=await self._async_placeholders() | placeholders,
            preview=DOMAIN,
            last_step=False,
        )

    async def async_step_kept(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The change is already applied: go on or close."""
        return self.async_show_menu(
            step_id="kept",
            menu_options=["edit_again", "field", "fields", "done"],
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_edit_again(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the same field again."""
        meaning = self._edit.meaning
        self._kind = meaning.kind if meaning.kind in KINDS else Kind.SENSOR
        self._typed = None
        return await self.async_step_edit()

    async def async_step_done(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Close the dialogue; all changes are already stored."""
        return self.async_create_entry(data=dict(self.config_entry.options))

    async def async_step_overrides(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show all overrides as one text, to copy or to replace."""
        fields = self._coordinator.fields
        ids = {
            key: known.get("device_id")
            for key, known in self._coordinator.store.known_devices.items()
        }
        keys = {device_id: key for key, device_id in ids.items()}
        keys |= {state.device_id: key for key, state in self._coordinator.roster.states.items()}
        text = fields.overrides.as_yaml(ids.get)
        errors: dict[str, str] = {}
        problem: dict[str, str] = {}
        if user_input is not None:
            text = user_input.get(CONF_TEXT, "")
            try:
                read = await self.hass.async_add_executor_job(read_yaml, text, keys.get)
                check_imported(read)
            except OverrideError as error:
                errors[CONF_TEXT] = f"override_{error.key}"
                problem = error.placeholders
            else:
                fields.overrides.replace(iter(read))
                await async_apply_overrides(self.hass, self._coordinator)
                return await self.async_step_done()
        selector = TextSelector(TextSelectorConfig(multiline=True))
        return self.async_show_form(
            step_id="overrides",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Optional(CONF_TEXT): selector}), {CONF_TEXT: text}
            ),
            errors=errors,
            description_placeholders={"count": str(len(fields.overrides)), **problem},
            last_step=True,
        )

    def _chosen(self, answer: str) -> str:
        return self._choices.get(answer, answer)

    async def _async_placeholders(self) -> dict[str, str]:
        """Return the placeholders for the texts about the field."""
        edit = self._edit
        texts = await FieldTexts.async_load(self.hass)
        raw = self._device.raw_values().get(edit.path)
        reported = "-" if raw is None else str(raw)
        return {
            "device": self._device.name,
            "field": escaped(edit.path),
            "reported": escaped(reported),
            "value": escaped(value_in_both_units(self.hass, edit)),
            "decision": escaped(texts.what(edit)),
            "reason": escaped(f"{texts.source(edit)}: {edit.meaning.reason}", 400),
        }


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/start_preview",
        vol.Required("flow_id"): str,
        vol.Required("flow_type"): str,
        vol.Required("user_input"): dict,
    }
)
@websocket_api.async_response
async def ws_start_preview(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the preview of a field's last value with the form's current answers."""
    try:
        flow = hass.config_entries.options.async_get(msg["flow_id"])
    except UnknownFlow:  # the dialogue was closed meanwhile
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "no such dialogue")
        return
    entry = hass.config_entries.async_get_entry(flow["handler"])
    edited = dict(flow["context"]).get(EDITED)
    connection.subscriptions[msg["id"]] = lambda: None
    connection.send_result(msg["id"])
    body: dict[str, Any] | None = None
    if entry is not None and entry.state is ConfigEntryState.LOADED and edited is not None:
        texts = await FieldTexts.async_load(hass)
        body = _preview(entry.runtime_data, texts, edited, msg["user_input"])
    if body is not None:
        connection.send_message(websocket_api.event_message(msg["id"], body))


def _preview(
    coordinator: ApplicationCoordinator,
    texts: FieldTexts,
    edited: Any,
    answers: Mapping[str, Any],
) -> dict[str, Any] | None:
    key, path, kind = edited
    device = coordinator.roster.states.get(key)
    if device is None or path not in device.decisions:
        return None
    edit = FieldEdit(coordinator.fields, device, path, coordinator.names)
    try:
        meaning = edit.answer(kind, answers).apply(edit.automatic)
    except FieldError as error:
        return {"error": texts.error(error.key).format(**error.placeholders)}
    value = edit.preview(meaning)
    state = "unknown" if value is None else shown_value(value)
    return {
        "state": texts.platform(HIDDEN) if meaning.kind is Kind.IGNORE else state,
        "attributes": {
            "friendly_name": answers.get("name") or edit.name,
            "unit_of_measurement": meaning.unit,
            "device_class": device_class_of(meaning),
        },
    }


def _context(flow: OptionsFlow) -> dict[str, Any]:
    return flow.context  # type: ignore[return-value]


def _device_label(device: EndDeviceState) -> str:
    model = device.version_ids.model_id if device.version_ids else None
    return " · ".join(dict.fromkeys(filter(None, (device.name, model, device.device_id))))


def _priority(edit: FieldEdit) -> int:
    """Return the sort order: fields with odd values, changed ones, unknown ones, others."""
    if edit.contradiction is not None:
        return 3
    if edit.override is not None:
        return 2
    meaning = edit.meaning
    unknown = meaning.quantity is None and meaning.enabled and meaning.kind in KINDS
    return int(unknown or meaning.is_undecided)


def _in_order(path: str) -> str:
    """Return a sort key that puts numbers in paths in numeric order: 2 before 10."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(6), path.casefold())
