"""The repair that adds the controls of a known model."""

from typing import TYPE_CHECKING

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..const import DOMAIN
from ..dialogs import form, running
from ..issues import escape_markdown
from .model import Control
from .preset import async_presets
from .subentries import add_controls
from .suggestions import without_controls

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry


class PresetRepairFlow(RepairsFlow):
    """Which controls are added to which end devices → added."""

    def __init__(self, entry: TtsConfigEntry, preset_id: str) -> None:
        """Keep the application and the preset."""
        self._entry = entry
        self._preset_id = preset_id

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what is going to be added."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Add all controls of the preset; the end names them."""
        running(self._entry)
        presets = await async_presets(self.hass)
        devices = without_controls(self._entry, presets).get(self._preset_id)
        if not devices:
            return self.async_abort(reason="nothing_to_add")
        preset = presets[self._preset_id]
        controls = {device.key: preset.controls_of(device.key) for device in devices}
        placeholders = {
            "preset": escape_markdown(preset.name),
            "source": preset.source,
            "devices": "\n".join(f"- {escape_markdown(device.name)}" for device in devices),
            "controls": await self._async_named(controls[devices[0].key]),
        }
        if user_input is None:
            return form(self, "confirm", vol.Schema({}), None, None, placeholders=placeholders)
        for device in devices:
            add_controls(self.hass, self._entry, device.name, controls[device.key])
        return self.async_abort(reason="controls_added", description_placeholders=placeholders)

    async def _async_named(self, controls: list[Control]) -> str:
        """Return the controls as a list in Markdown, each with its kind if its name isn't that."""
        prefix = f"component.{DOMAIN}.selector.platform.options."
        language = self.hass.config.language
        texts = await async_get_translations(self.hass, language, "selector", [DOMAIN])
        lines = []
        for control in controls:
            name, kind = escape_markdown(control.name), texts[prefix + control.platform]
            same = control.name.casefold() == kind.casefold()
            lines.append(f"- {name}" if same else f"- {name} ({kind})")
        return "\n".join(lines)
