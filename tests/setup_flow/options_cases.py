"""Walking through the dialogues behind an application's gear."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant


async def go(hass: HomeAssistant, result: ConfigFlowResult, **given: Any) -> ConfigFlowResult:
    """Fill in a form, or choose from the menu."""
    result = await hass.config_entries.options.async_configure(result["flow_id"], given)
    await hass.async_block_till_done()
    return result
