"""The steps that move an entry to an application of The Things Stack: devices and history stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
import voluptuous as vol

from ..application import ApplicationStore
from ..client import EndDevice
from ..client.rights import DEVICES_READ
from ..const import (
    CONF_CHOSEN_DEVICES,
    CONF_LEFT_OUT_DEVICES,
    CONF_WEBHOOK_EARLIER_SECRETS,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from ..end_devices import UplinkHistory
from ..issues import escape_markdown
from .base import unique_id_of
from .flow import ConnectFlow
from .probe import http_errors
from .reconfigure import ReconfigureFlow

SHOWN = 50
"""So many end devices are listed by name."""
_OF_WEBHOOK = (CONF_WEBHOOK_ID, CONF_WEBHOOK_SECRET, CONF_WEBHOOK_EARLIER_SECRETS)


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """An end device that Home Assistant has: its name there, its ID and its DevEUI."""

    name: str
    device_id: str
    dev_eui: str | None


@dataclass(slots=True)
class Matches:
    """Which end devices of an entry the other application has."""

    found: list[tuple[KnownDevice, EndDevice]] = field(default_factory=list)
    missing: list[KnownDevice] = field(default_factory=list)
    new: list[EndDevice] = field(default_factory=list)

    @property
    def renamed(self) -> dict[str, str]:
        """Return the IDs that are others, by the present ones."""
        return {
            known.device_id: there.ids.device_id
            for known, there in self.found
            if known.device_id != there.ids.device_id
        }


def match(known: Iterable[KnownDevice], there: Iterable[EndDevice]) -> Matches:
    """Match end devices by DevEUI; by ID those that have none."""
    matches = Matches()
    left = list(there)
    for device in known:
        same = next((item for item in left if _is_same(device, item)), None)
        if same is None:
            matches.missing.append(device)
        else:
            left.remove(same)
            matches.found.append((device, same))
    matches.new = left
    return matches


def _is_same(device: KnownDevice, there: EndDevice) -> bool:
    if device.dev_eui is None:
        return device.device_id == there.ids.device_id
    return device.dev_eui == there.ids.dev_eui


class MoveFlow(ConnectFlow, ReconfigureFlow):
    """Connects another application with an entry: as when it is added, then with a comparison."""

    def __init__(self) -> None:
        """Start without a move."""
        super().__init__()
        self._moving = False
        self._matches: Matches | None = None

    async def async_step_move(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the application is now, as when one is added."""
        self._moving, self._data = True, {}
        return await self.async_step_user()

    @override
    def _abort_if_taken(self, unique_id: str) -> None:
        """Abort where another entry has this application."""
        if self._moving:
            self._abort_if_other_entry(unique_id)
        else:
            super()._abort_if_taken(unique_id)

    @override
    async def _async_connected(self, title: str) -> ConfigFlowResult:
        """Compare the end devices of both applications before anything is changed."""
        if not self._moving:
            return await super()._async_connected(title)
        return await self.async_step_move_sure()

    async def async_step_move_sure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show which end devices were found there and which not; then move the entry."""
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            return await self._async_move(entry)
        step_id = "move_sure"
        placeholders = {**self._placeholders(None), "entry": escape_markdown(entry.title)}
        if DEVICES_READ in (self._granted or self._rights):
            self._matches = await self._async_compare(entry)
            placeholders |= {
                "found": _listed(_arrow(*pair) for pair in self._matches.found),
                "missing": _listed(map(_named, self._matches.missing)),
                "new": _listed(f"{item.name or item.ids.device_id}" for item in self._matches.new),
                "count": str(len(self._matches.found)),
                "missing_count": str(len(self._matches.missing)),
                "new_count": str(len(self._matches.new)),
            }
        else:
            step_id = "move_unseen"
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({}),
            description_placeholders=placeholders,
            last_step=True,
        )

    async def async_step_move_unseen(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that the end devices can't be compared, since the key may not list them."""
        return await self.async_step_move_sure(user_input or {})

    async def _async_compare(self, entry: ConfigEntry) -> Matches:
        with http_errors():
            there = [device async for device in (await self._async_stack()).devices()]
        return match(await async_known_devices(self.hass, entry), there)

    async def _async_move(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Give the entry the other application's data; its stored data stays, so all entities do."""
        renamed = self._matches.renamed if self._matches else {}
        if entry.state is ConfigEntryState.LOADED:
            for old_id, new_id in renamed.items():
                entry.runtime_data.downlinks.hand_over(old_id, new_id)
        # So that a webhook of before is given up in the usual way.
        webhook = {key: entry.data[key] for key in _OF_WEBHOOK if key in entry.data}
        self._data = {**webhook, **self._data}
        result = self.async_update_and_abort(
            entry,
            unique_id=unique_id_of(await self._async_stack()),
            data=self._data,
            options=_options(entry.options, renamed),
            reason="moved",
        )
        if entry.state is not ConfigEntryState.LOADED:
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result


async def async_known_devices(hass: HomeAssistant, entry: ConfigEntry) -> list[KnownDevice]:
    """Return the end devices of an entry that Home Assistant has, also of one that isn't loaded."""
    if entry.state is ConfigEntryState.LOADED:
        store: ApplicationStore = entry.runtime_data.store
    else:
        store = ApplicationStore(hass, entry.entry_id, UplinkHistory.from_stored)
        await store.async_load(entry.title)
    found = []
    for key, ids in store.known_devices.items():
        device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, key), entry.entry_id)
        if device is not None:
            name = device.name_by_user or device.name or ids["device_id"]
            found.append(KnownDevice(name, ids["device_id"], ids.get("dev_eui")))
    return sorted(found, key=lambda device: device.name.casefold())


@callback
def _options(options: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return the options with the new IDs of chosen and left out end devices."""
    lists = {
        name: [renamed.get(device_id, device_id) for device_id in options[name]]
        for name in (CONF_CHOSEN_DEVICES, CONF_LEFT_OUT_DEVICES)
        if name in options
    }
    return {**options, **lists}


def _named(device: KnownDevice) -> str:
    return f"{device.name} ({device.dev_eui or device.device_id})"


def _arrow(device: KnownDevice, there: EndDevice) -> str:
    new_id = there.ids.device_id
    return device.name if new_id == device.device_id else f"{device.name} → {new_id}"


def _listed(names: Iterable[str]) -> str:
    """Return a list in Markdown, of not too many; empty for none."""
    lines = [f"- {escape_markdown(name)}" for name in names]
    if len(lines) > SHOWN:
        lines = [*lines[:SHOWN], f"- … (+{len(lines) - SHOWN})"]
    return "\n".join(lines)
