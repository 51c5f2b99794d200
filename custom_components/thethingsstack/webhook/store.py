"""What is stored of an application's webhook."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..application import StoredData
from ..client import DownlinkAddress
from ..const import DOMAIN

VERSION = 1
SAVE_DELAY = 30.0


class WebhookStore(StoredData):
    """The webhook that was made in The Things Stack, and where downlinks are posted to."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the file of one config entry; only its owner may read it, it has keys."""
        key = f"{DOMAIN}.{entry_id}.webhook"
        super().__init__(hass, key, VERSION, delay=SAVE_DELAY, private=True)
        self.created_at: datetime | None = None
        """When the server made our webhook: tells it from another with the same ID."""
        self.server_id: str | None = None
        """The ID of our webhook on the server."""
        self.proved: str | None = None
        """The address at which messages have arrived."""
        self.changing = asyncio.Lock()
        """Held while the webhook on the server is changed: one does it at a time, over reloads too."""
        self.given_up = False
        """Whether it is deleted, or about to be: nothing makes or changes it any more."""
        self._addresses: dict[str, DownlinkAddress] = {}
        self._loaded = False

    async def async_load(self, title: str) -> None:
        """Read the file, once; unreadable parts are set aside and raise a repair issue."""
        if self._loaded:
            return
        self._loaded = True
        file = self._file
        if await file.async_load():
            self.created_at = file.read("created_at", dt_util.parse_datetime, None)
            self.server_id = file.read("server_id", str, None)
            self.proved = file.read("proved", str, None)
            self._addresses = file.read_items("downlinks", lambda _, stored: _address(stored))
        await file.async_end_reading(title)

    def address(self, device_id: str) -> DownlinkAddress | None:
        """Return where downlinks for an end device are posted to."""
        return self._addresses.get(device_id)

    @callback
    def remember_address(self, device_id: str, address: DownlinkAddress) -> None:
        """Store where downlinks for an end device are posted to."""
        if self._addresses.get(device_id) != address:
            self._addresses[device_id] = address
            self.save_soon()

    @callback
    def forget_address(self, device_id: str) -> None:
        """Delete where downlinks for an end device are posted to, with the key for it."""
        if self._addresses.pop(device_id, None) is not None:
            self.save_soon()

    @callback
    def forget_addresses(self) -> None:
        """Delete where downlinks are posted to, with all keys."""
        if self._addresses:
            self._addresses.clear()
            self.save_soon()

    @override
    def _data(self) -> dict[str, Any]:
        return {
            "created_at": self.created_at.isoformat() if self.created_at else None,
            "server_id": self.server_id,
            "proved": self.proved,
            "downlinks": {
                device_id: asdict(address) for device_id, address in self._addresses.items()
            },
        }


def _address(stored: Mapping[str, Any]) -> DownlinkAddress:
    base = stored.get("base")
    return DownlinkAddress(
        webhook_id=str(stored["webhook_id"]),
        api_key=str(stored["api_key"]),
        base=None if base is None else str(base),
        application_id=str(stored.get("application_id", "")),
    )
