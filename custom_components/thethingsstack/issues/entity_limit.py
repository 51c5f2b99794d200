"""The issue that Home Assistant leaves out, or soon will, entities of an application."""

from typing import TYPE_CHECKING

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from ..const import ENTITY_LIMIT, ENTITY_LIMIT_WARNING
from .report import application_name, clear_issue, raise_issue

if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry


@callback
def async_watch_entity_limit(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Keep the issue up to date while entities come and go, until the entry is unloaded.

    Home Assistant takes 10,000 enabled entities of a config entry; further ones are left out with
    one line in the log.
    """
    entities, issue_id = er.async_get(hass).entities, f"too_many_entities_{entry.entry_id}"
    shown = ""

    @callback
    def update(_event: Event[er.EventEntityRegistryUpdatedData] | None = None) -> None:
        nonlocal shown
        enabled = entities.get_enabled_count_for_config_entry_id(entry.entry_id)
        full = enabled >= ENTITY_LIMIT
        key = ""
        if enabled >= ENTITY_LIMIT_WARNING:
            key = "entities_left_out" if full else "too_many_entities"
        if key == shown:
            return  # nothing else is done for each new entity
        shown = key
        if not key:
            clear_issue(hass, issue_id)
            return
        raise_issue(
            hass,
            issue_id,
            "entities_left_out" if full else "too_many_entities",
            {
                "application": application_name(entry),
                "count": str(ENTITY_LIMIT_WARNING),
                "limit": str(ENTITY_LIMIT),
            },
            severity=ir.IssueSeverity.ERROR if full else ir.IssueSeverity.WARNING,
        )

    entry.async_on_unload(hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, update))
    update()
