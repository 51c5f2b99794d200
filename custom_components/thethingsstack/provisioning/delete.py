"""Delete an end device: what every dialogue, action, repair and replacement calls."""

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
    """What becomes of a deleted end device in Home Assistant."""

    MARKED = "marked"
    """It stays with its history, marked as not registered."""
    REMOVED = "removed"
    """It goes, with its entities, controls and changes to fields."""
    UNTOUCHED = "untouched"
    """Another one takes its place."""


async def async_delete(
    coordinator: ApplicationCoordinator,
    device_id: str,
    *,
    afterwards: AfterDeletion = AfterDeletion.MARKED,
) -> tuple[Server, ...]:
    """Delete an end device on all servers; return those that had it, none where it was gone.

    A claim is given up first. The deletion goes on where the caller is cancelled. What is left on
    some servers becomes a partial device, with a repair issue. Raises StackError; PartlyDeleted
    where some servers had removed their part.
    """
    work = coordinator.hass.async_create_task(
        _async_delete(coordinator, device_id, afterwards), f"{DOMAIN} delete {device_id}"
    )
    work.add_done_callback(_retrieve_exception)
    await asyncio.wait([work])  # which doesn't cancel it
    return work.result()


def _retrieve_exception(work: asyncio.Task[tuple[Server, ...]]) -> None:
    """Mark an error as seen, also where the caller was cancelled and won't read it."""
    if not work.cancelled():
        work.exception()


async def _async_delete(
    coordinator: ApplicationCoordinator, device_id: str, afterwards: AfterDeletion
) -> tuple[Server, ...]:
    removed: tuple[Server, ...] = ()
    try:
        removed = (await coordinator.stack.end_devices.delete(device_id)).removed
    except NotFound:
        pass  # somebody was faster
    except PartlyDeleted as err:
        _current(coordinator).partial_devices.mark_partial(device_id, err.left_on)
        raise
    coordinator = _current(coordinator)
    coordinator.partial_devices.mark_complete(device_id)
    if afterwards is not AfterDeletion.UNTOUCHED:
        _show(coordinator, device_id, remove=afterwards is AfterDeletion.REMOVED)
    return removed


def _current(coordinator: ApplicationCoordinator) -> ApplicationCoordinator:
    """Return the application as it is now: it may have been set up anew meanwhile."""
    if coordinator.entry.state is not ConfigEntryState.LOADED:
        return coordinator
    current: ApplicationCoordinator = coordinator.entry.runtime_data
    return current


@callback
def _show(coordinator: ApplicationCoordinator, device_id: str, *, remove: bool) -> None:
    """Mark the end device as not registered, or take it out of Home Assistant."""
    if coordinator.entry.state is not ConfigEntryState.LOADED:
        return  # the next start shows it
    coordinator.roster.registrations.pop(device_id, None)
    device = coordinator.roster.by_device_id(device_id)
    if device is None:
        return
    if not remove or device.registry_id is None:
        coordinator.lifecycle.on_deleted(device)
        return
    forget(coordinator.hass, coordinator.entry, device)
    dr.async_get(coordinator.hass).async_remove_device(device.registry_id)
