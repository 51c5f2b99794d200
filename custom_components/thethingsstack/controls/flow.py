"""Add control: a switch, valve, thermostat … for one end device, by preset or by hand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import Platform
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..client.rights import TRAFFIC_DOWN_WRITE
from ..const import DOMAIN
from ..dialogs import running, searchable
from ..end_devices import EndDeviceState
from ..issues import escape_markdown
from .form import (
    FieldError,
    commands_schema,
    commands_shown,
    fields_of,
    read_commands,
    read_reports,
    report_schema,
    reports_shown,
)
from .kinds import KINDS
from .model import SHOWS_REQUESTED, Control, InvalidControlError
from .preset import Preset, async_presets, presets_of
from .preview import ControlPreview
from .subentries import add_controls, title_of

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

# Braces mark placeholders in translations: examples with braces are passed as placeholders.
_EXAMPLES = {
    "value": "{value}",
    "scaled": "{value*10:2}",
    "object": '`{"socket": "on"}`',
    "template": "`0E {{ '%02X' | format(value | int) }}`",
}

# Optional only in the schema: a required select preselects the first of its list.
_DEVICE = vol.Optional("device")


class ControlFlow(ConfigSubentryFlow):
    """Device → preset, or platform → commands → reports → preview → done."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._data: dict[str, Any] = {}
        self._presets: dict[str, Preset] = {}
        self._preset: Preset | None = None
        self._given: dict[str, dict[str, Any]] = {}
        """The answers of each step, to fill in its form when the user comes back."""

    # Which end device

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the end device."""
        if (abort := self._not_ready()) is not None:
            return abort
        errors = {}
        if user_input is not None:
            if (device := self._device_named(user_input.get("device"))) is not None:
                self._data["device"] = device.key
                self._presets = await async_presets(self.hass)
                return await self.async_step_source()
            errors["device"] = "device_unknown"
        return self.async_show_form(
            step_id="user",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({_DEVICE: self._device_selector()}), user_input
            ),
            description_placeholders={"warning": await self._warning()},
            errors=errors,
        )

    async def _warning(self) -> str:
        """Return a warning if something keeps all controls from working; else an empty text."""
        if not self._coordinator.rights or TRAFFIC_DOWN_WRITE in self._coordinator.rights:
            return ""
        return "⚠ " + (await self._texts("preview"))["no_right"].format(right=TRAFFIC_DOWN_WRITE)

    def _not_ready(self) -> SubentryFlowResult | None:
        """Return the abort result if there is no end device to control; else None."""
        if not self._coordinator.roster.states:
            return self.async_abort(reason="no_devices")
        return None

    @property
    def _coordinator(self) -> ApplicationCoordinator:
        return running(self._get_entry())

    @property
    def _device(self) -> EndDeviceState:
        return self._coordinator.roster.states[self._data["device"]]

    def _device_selector(self) -> SelectSelector:
        labels = map(_label, self._coordinator.roster.states.values())
        return searchable(sorted(labels, key=str.casefold))

    def _device_named(self, label: str | None) -> EndDeviceState | None:
        states = self._coordinator.roster.states.values()
        return next(
            (device for device in states if label in (_label(device), device.device_id)), None
        )

    async def async_step_source(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Let the user choose between a preset and a manually defined control."""
        fitting = self._fitting()
        options = ["preset", "by_hand"]
        if len(fitting) == 1:
            self._preset = fitting[0]
            options.insert(0, "preset_controls")
        none = (await self._texts("preview"))["none"]
        return self.async_show_menu(
            step_id="source",
            menu_options=options,
            description_placeholders={
                "device": self._device.name,
                "preset": ", ".join(preset.name for preset in fitting) or none,
            },
        )

    # By preset

    def _fitting(self) -> list[Preset]:
        """Return the presets for the end device's model."""
        return presets_of(self._device.version_ids, self._presets)

    async def async_step_preset(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the preset; the one for the end device's model is preselected."""
        errors = {}
        if user_input is not None:
            self._preset = self._presets.get(user_input.get("preset", ""))
            if self._preset is not None:
                return await self.async_step_preset_controls()
            errors["preset"] = "preset_missing"
        fitting = self._fitting()
        # A required select would preselect the first of the list, whatever the model is.
        key = vol.Required("preset", default=fitting[0].id) if fitting else vol.Optional("preset")
        options = [
            SelectOptionDict(value=preset.id, label=preset.name)
            for preset in sorted(self._presets.values(), key=lambda preset: preset.name)
        ]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
        )
        return self.async_show_form(
            step_id="preset",
            last_step=False,
            data_schema=vol.Schema({key: selector}),
            description_placeholders={"device": self._device.name},
            errors=errors,
        )

    async def async_step_preset_controls(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which of a preset's controls to add, and add them all at once."""
        assert self._preset is not None
        controls = self._preset.controls_of(self._data["device"])
        errors = {}
        if user_input is not None:
            wanted = [control for control in controls if control.name in user_input["controls"]]
            if wanted:
                return self._create(wanted)
            errors["controls"] = "no_controls"
        platforms = await self._texts("platform")
        options = [
            SelectOptionDict(
                value=control.name,
                label=f"{control.name} ({platforms[control.platform]})",
            )
            for control in controls
        ]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        default = [control.name for control in controls]
        return self.async_show_form(
            step_id="preset_controls",
            data_schema=vol.Schema({vol.Required("controls", default=default): selector}),
            description_placeholders={
                "device": self._device.name,
                "preset": self._preset.name,
                "source": self._preset.source,
            },
            errors=errors,
            last_step=True,
        )

    def _create(self, controls: list[Control]) -> SubentryFlowResult:
        """Add a subentry for each control; the flow's end names them all."""
        if len(controls) == 1:
            (control,) = controls
            return self.async_create_entry(title=self._title(control), data=control.as_dict())
        add_controls(self.hass, self._get_entry(), self._device.name, controls)
        return self.async_abort(
            reason="controls_added",
            description_placeholders={
                "device": escape_markdown(self._device.name),
                "controls": "\n".join(f"- {escape_markdown(c.name)}" for c in controls),
            },
        )

    def _new_title(self, control: Control) -> str:
        """Return the title of a changed control; keeps a title set by the user."""
        subentry = self._get_reconfigure_subentry()
        name = subentry.data["name"]
        automatic = subentry.title.startswith(f"{name} · ") or subentry.title.endswith(f" · {name}")
        return self._title(control) if automatic else subentry.title

    def _title(self, control: Control) -> str:
        return title_of(control, self._device.name)

    # Manually

    async def async_step_by_hand(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what kind of control it is."""
        errors = {}
        if user_input is not None:
            if name := user_input["name"].strip():
                self._data |= {"platform": user_input["platform"], "name": name}
                return await self.async_step_commands()
            errors["name"] = "name_empty"
        schema = vol.Schema(
            {
                vol.Required("platform"): SelectSelector(
                    SelectSelectorConfig(
                        options=[str(platform) for platform in KINDS],
                        translation_key="platform",
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
                vol.Required("name"): TextSelector(),
            }
        )
        return self.async_show_form(
            step_id="by_hand",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            description_placeholders={"device": self._device.name},
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for device and name of an existing control; its platform can't change."""
        if (abort := self._not_ready()) is not None:
            return abort
        subentry = self._get_reconfigure_subentry()
        errors = {}
        if user_input is not None:
            device = self._device_named(user_input.get("device"))
            if device is None:
                errors["device"] = "device_unknown"
            elif not user_input["name"].strip():
                errors["name"] = "name_empty"
            else:
                self._take_over(subentry.data)
                self._data |= {"device": device.key, "name": user_input["name"].strip()}
                return await self.async_step_commands()
        device = self._coordinator.roster.states.get(subentry.data["device"])
        shown = user_input or {
            "device": _label(device) if device else None,
            "name": subentry.data["name"],
        }
        schema = vol.Schema(
            {
                _DEVICE: self._device_selector(),
                vol.Required("name"): TextSelector(),
            }
        )
        return self.async_show_form(
            step_id="reconfigure",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
        )

    def _take_over(self, data: Mapping[str, Any]) -> None:
        """Fill the forms with the control's current values."""
        self._data = dict(data)
        try:
            control = Control.from_dict(data)
        except InvalidControlError:
            return
        self._given = {
            "commands": commands_shown(control),
            "reports": {**reports_shown(control), SHOWS_REQUESTED: control.shows_requested},
        }

    async def async_step_commands(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the frames of the commands."""
        platform = Platform(self._data["platform"])
        errors, detail = {}, ""
        if user_input is not None:
            self._given["commands"] = user_input
            try:
                for key in ("unit", "minimum", "maximum", "step"):
                    self._data.pop(key, None)
                self._data |= read_commands(platform, user_input)
                await self._async_preview()
            except FieldError as err:
                errors[err.field], detail = err.key, err.detail
            else:
                if KINDS[platform].reports:
                    return await self.async_step_reports()
                return await self.async_step_preview()
        uplink = self._device.last_data_uplink
        # Most end devices take downlinks on the f_port of their uplinks.
        shown = self._given.get("commands") or {"f_port": uplink.f_port if uplink else None}
        return self.async_show_form(
            step_id="commands",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(commands_schema(platform), shown),
            description_placeholders={
                **_EXAMPLES,
                "name": self._data["name"],
                "device": self._device.name,
                "detail": detail,
            },
            errors=errors,
        )

    async def async_step_reports(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the decoded fields that report the state."""
        platform = Platform(self._data["platform"])
        errors, detail = {}, ""
        if user_input is not None:
            self._given["reports"] = user_input
            try:
                self._data["reports"] = read_reports(platform, self._data["choices"], user_input)
                self._data[SHOWS_REQUESTED] = user_input[SHOWS_REQUESTED]
            except FieldError as err:
                errors[err.field], detail = err.key, err.detail
            else:
                return await self.async_step_preview()
        return self.async_show_form(
            step_id="reports",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(
                report_schema(platform, self._fields()), self._given.get("reports")
            ),
            description_placeholders={
                "name": self._data["name"],
                "device": self._device.name,
                "detail": detail,
            },
            errors=errors,
        )

    def _fields(self) -> dict[str, str]:
        """Return labels by field: those of the newest uplink with values, and other known ones."""
        device = self._device
        uplink = device.last_data_uplink
        fields = {path: path for path in device.decisions}
        for path, value in fields_of(uplink.decoded_payload if uplink else None):
            fields[path] = f"{path} = {value}"
        return fields

    async def async_step_preview(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what will be sent, then store the control."""
        control = Control.from_dict(self._data)
        if user_input is not None:
            if self.source == "user":
                return self._create([control])
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=self._new_title(control),
                data=control.as_dict(),
            )
        return self.async_show_form(
            step_id="preview",
            data_schema=vol.Schema({}),
            description_placeholders={
                "name": control.name,
                "device": self._device.name,
                "frames": await self._async_preview(),
                "reports": "\n".join(f"- {report.path}" for report in control.reports.values())
                or f"- {(await self._texts('preview'))['assumed']}",
            },
            last_step=True,
        )

    async def _async_preview(self) -> str:
        """Return a table of what the commands send; raises FieldError for an invalid one."""
        preview = ControlPreview(
            self.hass,
            self._coordinator,
            self._device,
            await self._texts("command"),
            await self._texts("preview"),
        )
        return await preview.async_table(self._data)

    async def _texts(self, selector: str) -> dict[str, str]:
        """Return the translated options of a select, by key."""
        prefix = f"component.{DOMAIN}.selector.{selector}.options."
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "selector", [DOMAIN]
        )
        return {k.removeprefix(prefix): text for k, text in texts.items() if k.startswith(prefix)}


def _label(device: EndDeviceState) -> str:
    """Return the label of an end device in a list: name, id and model, all searchable."""
    versions = device.version_ids
    parts = [device.name, device.device_id]
    if versions and versions.model_id:
        parts.append(versions.model_id.upper())
    return " · ".join(dict.fromkeys(parts))
