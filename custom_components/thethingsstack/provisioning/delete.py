"""Delete an end device; every dialogue, action, repair and replacement calls this."""

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from ..client import NotFound, PartlyDeleted, Server
from ..const import DOMAIN
from ..end_devices import forget

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


class AfterDeletion(StrEnum):
    """What happens to a deleted end device in Home Assistant."""

    MARKED = "marked"
    """It is kept with its history, with the status "not registered"."""
    REMOVED = "removed"
    """It is removed with its entities, controls and changes to fields."""
    UNTOUCHED = "untouched"
    """Nothing: the caller replaces it by another end device."""


async def async_delete(
    coordinator: ApplicationCoordinator,
    device_id: str,
    *,
    afterwards: AfterDeletion = AfterDeletion.MARKED,
) -> tuple[Server, ...]:
    """Delete an end device on all servers; return those that had it.

    A claim on the Join Server is given up first. The deletion is completed even if the caller is
    cancelled. Raises StackError; PartlyDeleted if only some servers have deleted it, which also
    raises a repair issue. An end device that no server has is no error.
    """
    work = coordinator.hass.async_create_task(
        _async_delete(coordinator, device_id, afterwards), f"{DOMAIN} delete {device_id}"
    )
    work.add_done_callback(_retrieve_exception)
    await asyncio.wait([work])  # doesn't cancel the work if the caller is cancelled
    return work.result()


def _retrieve_exception(work: asyncio.Task[tuple[Server, ...]]) -> None:
    """Retrieve the exception, so that asyncio doesn't log it if the caller was cancelled."""
    if not work.cancelled():
        work.exception()


async def _async_delete(
    coordinator: ApplicationCoordinator, device_id: str, afterwards: AfterDeletion
) -> tuple[Server, ...]:
    removed: tuple[Server, ...] = ()
    try:
        removed = (await coordinator.stack.end_devices.delete(device_id)).removed
    except NotFound:
        pass  # deleted by somebody else
    except PartlyDeleted as err:
        _current(coordinator).partial_devices.mark_partial(device_id, err.left_on)
        raise
    coordinator = _current(coordinator)
    coordinator.partial_devices.mark_complete(device_id)
    if afterwards is not AfterDeletion.UNTOUCHED:
        _show(coordinator, device_id, remove=afterwards is AfterDeletion.REMOVED)
    return removed


def _current(coordinator: ApplicationCoordinator) -> ApplicationCoordinator:
    """Return the entry's present coordinator: the entry may have been reloaded meanwhile."""
    if coordinator.entry.state is not ConfigEntryState.LOADED:
        return coordinator
    current: ApplicationCoordinator = coordinator.entry.runtime_data
    return current


@callback
def _show(coordinator: ApplicationCoordinator, device_id: str, *, remove: bool) -> None:
    """Mark the end device as not registered, or remove it from Home Assistant."""
    if coordinator.entry.state is not ConfigEntryState.LOADED:
        return  # the next start compares with the list of registered end devices
    coordinator.roster.registrations.pop(device_id, None)
    device = coordinator.roster.by_device_id(device_id)
    if device is None:
        return
    if not remove or device.registry_id is None:
        coordinator.lifecycle.on_deleted(device)
        return
    forget(coordinator.hass, coordinator.entry, device)
    dr.async_get(coordinator.hass).async_remove_device(device.registry_id)
