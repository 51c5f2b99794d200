"""Choose an end device's payload formatter: tried on its last uplink before it is saved."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..application import Refusal, error_text, lacking, refusal
from ..client import EndDevice, Formatter, Formatters, MissingRight, StackError
from ..client.formatters import CAYENNE_LPP, JAVASCRIPT, REPOSITORY
from ..client.rights import SETTINGS_BASIC
from ..const import DOMAIN
from ..dialogs import form
from ..end_devices import EndDeviceState
from ..issues import escape_markdown
from .local_decoding_flow import LocalDecodingFlow
from .trial import ANOTHER_FIELD, CONF_ANOTHER, NEEDED, FormatterChoice

CONF_FORMATTER = "formatter"
CONF_SCOPE = "scope"
CONF_SCRIPT = "script"
DEFAULT = "application_default"
NONE = "none"
SCRIPT = "javascript"
HERE = "home_assistant"
KINDS = {REPOSITORY: "repository", CAYENNE_LPP: "cayennelpp", JAVASCRIPT: SCRIPT}
ONE, ALL = "device", "model"


class FormatterFlow(LocalDecodingFlow):
    """Which formatter, for which devices → its script → what it decodes → saved."""

    _to_change: EndDevice
    _choice: FormatterChoice
    _present_formatter: str = ""
    _present_kind: str = ""
    _formatter_kind: str = ""
    _formatter: Formatter | None = None
    _formatter_answers: Mapping[str, Any] | None = None

    async def async_step_formatter(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the present formatter, and ask for the new one and its end devices."""
        refused = None
        if user_input is None:
            if rights := lacking(self._coordinator.rights, NEEDED):
                return self._formatter_abort("missing_rights", rights=rights)
            try:
                await self._async_read_present()
            except StackError as err:
                return self._formatter_abort("formatter_unknown", because=error_text(err))
        else:
            self._formatter_answers = user_input
            self._choice.devices = self._devices_in(user_input.get(CONF_SCOPE, ONE))
            self._formatter_kind = user_input[CONF_FORMATTER]
            if self._formatter_kind == SCRIPT:
                return await self.async_step_formatter_script()
            if self._formatter_kind == HERE:
                return await self._async_decode_locally(self._choice.devices)
            try:
                return await self._async_try()
            except Refusal as err:
                refused = err
        return await self._async_formatter_form(refused)

    async def _async_formatter_form(self, refused: Refusal | None) -> ConfigFlowResult:
        kinds = [DEFAULT, "cayennelpp", SCRIPT, NONE]
        if self._coordinator.roster.by_device_id(self._to_change.ids.device_id) is not None:
            kinds.append(HERE)
        if self._present_kind == "repository" or await self._choice.async_in_repository():
            kinds.insert(1, "repository")
        schema: dict[Any, Any] = {
            vol.Required(CONF_FORMATTER): _select("device_formatter", kinds),
        }
        same_model = self._devices_in(ALL)
        if len(same_model) > 1:
            schema[vol.Required(CONF_SCOPE, default=ONE)] = _select("formatter_scope", [ONE, ALL])
        return self._formatter_form(
            "formatter",
            vol.Schema(schema),
            self._formatter_answers or {CONF_FORMATTER: self._present_kind},
            refused,
            alike=", ".join(sorted(escape_markdown(device.name) for device in same_model)),
        )

    async def async_step_formatter_script(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the script, filled in with the present one."""
        refused = None
        if user_input is not None:
            self._choice.script = user_input[CONF_SCRIPT]
            if user_input.get(CONF_ANOTHER):
                return await self._async_formatter_form(None)
            try:
                return await self._async_try()
            except Refusal as err:
                refused = err
        text = TextSelector(TextSelectorConfig(multiline=True))
        schema = vol.Schema({vol.Required(CONF_SCRIPT): text, **ANOTHER_FIELD})
        return self._formatter_form(
            "formatter_script", schema, {CONF_SCRIPT: self._choice.script}, refused
        )

    # The present one

    async def _async_read_present(self) -> None:
        """Read which formatter applies, the device's or the application's; raises StackError."""
        device = self._to_change
        self._choice = FormatterChoice(self.config_entry, [self._state()])
        self._formatter_answers = None
        formatters = self._coordinator.stack.formatters
        own: Formatters | None = await formatters.of_device(device.ids.device_id)
        applying, owner = own, "own"
        if own is None:
            owner = "default"
            try:
                applying = await formatters.of_application()
            except MissingRight:
                owner = "default_unseen"
        up = applying.up if applying else None
        kind = NONE if up is None else KINDS.get(up.kind, "other")
        script = up.parameter if up is not None and kind == SCRIPT else None
        if kind == "repository" and await self._choice.async_in_repository():
            script = self._choice.repository_script
        self._choice.script = script or self._choice.script
        texts = await self._async_present_texts()
        self._present_formatter = texts[owner].format(formatter=texts[kind])
        self._present_kind = DEFAULT if own is None else kind

    async def _async_present_texts(self) -> dict[str, str]:
        prefix = f"component.{DOMAIN}.selector.present_formatter.options."
        language = self.hass.config.language
        texts = await async_get_translations(self.hass, language, "selector", [DOMAIN])
        return {k.removeprefix(prefix): text for k, text in texts.items() if k.startswith(prefix)}

    def _state(self) -> EndDeviceState:
        """Return the live state of the end device; an empty state if the options exclude it."""
        ids = self._to_change.ids
        state = self._coordinator.roster.by_device_id(ids.device_id)
        if state is None:
            state = EndDeviceState(
                "",
                ids,
                {},
                {},
                self._coordinator.stack.not_in_future,
                known_fields=self._coordinator.fields.library.fields_of,
                observations={},
            )
            state.update_registration(self._to_change)
        return state

    def _devices_in(self, scope: str) -> list[EndDeviceState]:
        """Return the end device, or all end devices of its model."""
        mine = self._state()
        if scope == ONE or mine.model is None:
            return [mine]
        return [mine] + [
            other
            for other in self._coordinator.roster.states.values()
            if other.model == mine.model and other is not mine and not other.vanished
        ]

    # The new one

    async def _async_try(self) -> ConfigFlowResult:
        """Try the chosen formatter, and show what it decodes; raises Refusal."""
        field = CONF_SCRIPT if self._formatter_kind == SCRIPT else CONF_FORMATTER
        self._choice.results = ""
        try:
            self._formatter = await self._async_wanted()
            fits = self._formatter is None or await self._choice.async_try(self._formatter)
        except StackError as err:
            raise refusal(err) from err
        if not fits:
            raise Refusal(field, "formatter_failed", reason=self._choice.reason)
        if self._formatter is None:
            return await self.async_step_formatter_none()
        if not self._choice.results:
            return await self.async_step_formatter_untried()
        return await self.async_step_formatter_result()

    async def _async_wanted(self) -> Formatter | None:
        """Return the formatter that was chosen; raises Refusal and StackError."""
        match self._formatter_kind:
            case "repository":
                return Formatter(kind=REPOSITORY)
            case "cayennelpp":
                return Formatter(kind=CAYENNE_LPP)
            case "javascript":
                return Formatter(kind=JAVASCRIPT, parameter=self._choice.script)
            case "application_default":
                if rights := lacking(self._coordinator.rights, (SETTINGS_BASIC,)):
                    raise Refusal(CONF_FORMATTER, "default_unseen", rights=rights)
                found = await self._coordinator.stack.formatters.of_application()
                return found.up if found else None
        return None

    async def async_step_formatter_result(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the last uplinks decoded with the new formatter, and ask whether to save it."""
        return await self._async_confirmed("formatter_result", user_input)

    async def async_step_formatter_untried(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that there is no uplink to try the formatter on, and ask whether to save it."""
        return await self._async_confirmed("formatter_untried", user_input)

    async def async_step_formatter_none(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that uplinks won't be decoded, and ask whether to save that."""
        return await self._async_confirmed("formatter_none", user_input)

    async def _async_confirmed(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask, and save for all chosen end devices."""
        refused = None
        if user_input is not None:
            if user_input.get(CONF_ANOTHER):
                return await self._async_formatter_form(None)
            try:
                if self._formatter_kind == DEFAULT:
                    await self._choice.async_save_default()
                else:
                    await self._choice.async_save(self._formatter)
            except StackError as err:
                refused = Refusal("base", "formatter_not_saved", reason=error_text(err))
            else:
                return self._formatter_abort("formatter_saved")
        return self._formatter_form(step_id, vol.Schema({**ANOTHER_FIELD}), None, refused)

    def _formatter_form(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        refused: Refusal | None,
        **more: str,
    ) -> ConfigFlowResult:
        """Show a form with the typed values and the refusal."""
        return form(
            self,
            step_id,
            schema,
            suggested,
            refused,
            placeholders={
                **self._choice.placeholders(),
                "device": escape_markdown(self._choice.devices[0].name),
                "present": self._present_formatter,
                **more,
            },
            last_step=step_id not in ("formatter", "formatter_script"),
        )

    def _formatter_abort(self, reason: str, **names: str) -> ConfigFlowResult:
        device = escape_markdown(self._to_change.name or self._to_change.ids.device_id)
        return self.async_abort(reason=reason, description_placeholders={"device": device, **names})


def _select(translation_key: str, options: list[str]) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options, translation_key=translation_key, mode=SelectSelectorMode.LIST
        )
    )
