"""Events on Home Assistant's bus for the logbook: joins, and what becomes of downlinks."""

from datetime import datetime
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .state import EndDeviceState

EVENT_FOR_LOGBOOK: Final = f"{DOMAIN}_event"
ATTR_TYPE: Final = "type"
TEXTS: Final = "logbook"
"""The selector in the translations whose options are the logbook's words."""


@callback
def async_fire_for_logbook(
    hass: HomeAssistant,
    device: EndDeviceState,
    kind: str,
    context: Context | None = None,
    *,
    entity_id: str | None = None,
    **details: Any,
) -> None:
    """Fire an event of an end device, or of one of its entities, that the logbook puts in words."""
    if device.registry_id is None:
        return
    data = {ATTR_DEVICE_ID: device.registry_id, ATTR_TYPE: kind, **details}
    if entity_id is not None:
        data[ATTR_ENTITY_ID] = entity_id
    hass.bus.async_fire(EVENT_FOR_LOGBOOK, data, context=context)


@callback
def async_words(hass: HomeAssistant, key: str, **placeholders: str) -> str:
    """Return one of the logbook's texts in Home Assistant's language."""
    texts = async_get_cached_translations(hass, hass.config.language, "selector", DOMAIN)
    return texts[f"component.{DOMAIN}.selector.{TEXTS}.options.{key}"].format(**placeholders)


@callback
def async_waiting_words(
    hass: HomeAssistant, what: str, until: datetime | None, *, at_once: bool = False
) -> str:
    """Return that a command waits, and until about when; `until` is None where that is unknown.

    With `at_once`, the end device always listens (class C), so that nothing is waited for.
    """
    if at_once:
        return async_words(hass, "queued", what=what)
    if until is None:
        return async_words(hass, "waiting", what=what)
    until = dt_util.as_local(until)
    today = until.date() == dt_util.now().date()
    time = f"{until:%H:%M}" if today else f"{until:%Y-%m-%d %H:%M}"
    return async_words(hass, "waiting_until", what=what, time=time)
