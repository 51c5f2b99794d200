"""Walking through dialogues as the frontend does: one set of steps for all kinds of them.

A flow's manager is found by the flow itself, so that options, subentries and repairs look alike.
"""

from collections.abc import Iterator
from typing import Any

from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType, UnknownFlow

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.dialogs.background import HEAD_START
from tests.ha_fixtures import until

type Result = Any
"""What a flow manager returns: its members differ between the kinds of flows."""


def without_head_start(hass: HomeAssistant, seconds: float = 0.01) -> None:
    """Let work in the background begin at once: no frontend needs time to listen."""
    hass.data[HEAD_START] = seconds


async def start_options(hass: HomeAssistant, entry: ConfigEntry, step: str | None = None) -> Result:
    """Open the options, and choose from their menu."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    return result if step is None else await go(hass, result, next_step_id=step)


async def start_subentry(
    hass: HomeAssistant, entry: ConfigEntry, kind: str, **context: Any
) -> Result:
    """Open the dialogue that adds a subentry, or another one that `context` names."""
    opened: Any = {"source": SOURCE_USER, **context}
    return await hass.config_entries.subentries.async_init((entry.entry_id, kind), context=opened)


async def start_repair(hass: HomeAssistant, issue_id: str) -> Result:
    """Open the repair of an issue."""
    manager = repairs_flow_manager(hass)
    assert manager is not None
    return await manager.async_init(DOMAIN, data={"issue_id": issue_id})


async def go(hass: HomeAssistant, result: Result, /, **given: Any) -> Result:
    """Fill in a form, or choose from a menu with `next_step_id`."""
    return await manager_of(hass, result).async_configure(result["flow_id"], given)


async def submit(hass: HomeAssistant, result: Result, /, **given: Any) -> Result:
    """Fill in a form like `go`, and wait until Home Assistant shows what it changes."""
    result = await go(hass, result, **given)
    await hass.async_block_till_done()
    return result


async def finish(hass: HomeAssistant, result: Result) -> Result:
    """Wait for the end of what a dialogue shows the progress of, and return what follows."""
    assert result["type"] is FlowResultType.SHOW_PROGRESS, result.get("errors")
    manager, flow_id = manager_of(hass, result), result["flow_id"]
    await until(hass, lambda: manager.async_get(flow_id)["step_id"] != result["step_id"])
    return await manager.async_configure(flow_id)


def manager_of(hass: HomeAssistant, result: Result) -> FlowManager[Any, Any, Any]:
    """Return the manager of the flow that a result belongs to."""
    for manager in _managers(hass):
        try:
            manager.async_get(result["flow_id"])
        except UnknownFlow:
            continue
        return manager
    raise AssertionError(f"the dialogue has ended: {result}")


def _managers(hass: HomeAssistant) -> Iterator[FlowManager[Any, Any, Any]]:
    yield hass.config_entries.options
    yield hass.config_entries.subentries
    yield hass.config_entries.flow
    if (repairs := repairs_flow_manager(hass)) is not None:
        yield repairs


def suggested(result: Result) -> dict[str, Any]:
    """Return what a form is filled in with."""
    return {
        str(key): key.description["suggested_value"]
        for key in result["data_schema"].schema
        if key.description and "suggested_value" in key.description
    }


def fields(result: Result) -> set[str]:
    """Return the fields of a form."""
    return {str(key) for key in result["data_schema"].schema}


def options(result: Result, field: str) -> list[Any]:
    """Return the options of a select."""
    selector = next(v for k, v in result["data_schema"].schema.items() if k == field)
    return list(selector.config["options"])
