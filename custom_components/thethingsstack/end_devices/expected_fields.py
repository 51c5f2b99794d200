"""Entities before the first uplink: fields that examples of the model's formatter have.

Their state is unknown until the end device reports them, and what it reports decides on them
anew. What it never reports is removed again.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..fields import Awaited
from ..payload import expected_fields
from .listeners import LOCATION
from .state import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator


class ExpectedFields:
    """Adds the fields that are expected of end devices, and removes those that never come."""

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        async_drop: Callable[[EndDeviceState], Coroutine[Any, Any, None]],
    ) -> None:
        """Keep the coordinator, and what removes an end device's expected fields."""
        self._coordinator = coordinator
        self._async_drop = async_drop

    async def async_add(
        self, device: EndDeviceState, examples: Sequence[Mapping[str, Any]]
    ) -> None:
        """Add the fields that these decoded payloads have, if nothing was reported yet."""
        hass, fields = self._coordinator.hass, self._coordinator.fields
        if not examples or not self._is_waiting(device):
            return
        if (versions := device.version_ids) is not None:
            await fields.library.async_load(hass, [versions.brand_id])
            device.update_context()
        found = await hass.async_add_executor_job(expected_fields, examples, device.context)
        if not fields.plain_enabled:
            found = {path: m for path, m in found.items() if m.quantity is not None}
        if not found or not self._is_waiting(device):
            return
        new = fields.remember(device.key, found)
        device.note_fields(new)
        async_dispatcher_send(hass, self._coordinator.signals.new_fields, device, new)

    def _is_waiting(self, device: EndDeviceState) -> bool:
        """Return whether it is known and has reported no field yet, nor got any."""
        is_known = self._coordinator.roster.states.get(device.key) is device
        return is_known and not device.taken_over and not device.decisions.keys() - {LOCATION}

    @callback
    def on_uplink(self, device: EndDeviceState, *, decoded: bool) -> None:
        """Count an uplink; remove what was expected for long and never came."""
        coordinator = self._coordinator
        if not device.expected:
            coordinator.fields.awaited.pop(device.key, None)
            return
        if not decoded:
            return
        now = dt_util.utcnow()
        awaited = coordinator.fields.awaited.setdefault(device.key, Awaited(now))
        awaited.uplinks += 1
        coordinator.fields.save_soon()
        if awaited.is_over(now):
            del coordinator.fields.awaited[device.key]
            coordinator.entry.async_create_background_task(
                coordinator.hass, self._async_drop(device), f"{DOMAIN} expected fields"
            )
