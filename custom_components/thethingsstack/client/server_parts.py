"""Read and write the part of an end device that one server has."""

from collections.abc import Mapping, Sequence
from typing import Any

from . import json_values
from .api import Calls
from .errors import NotFound
from .field_masks import DEVICE_FIELDS
from .models import EndDevice
from .registration import SESSION_COUNTERS, SESSION_KEYS, Part, Server, Session

_ROOTS = {Server.IDENTITY: "", Server.JOIN: "js/", Server.NETWORK: "ns/", Server.APPLICATION: "as/"}


class ServerParts:
    """The parts of end devices on the four servers."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    def path(self, server: Server, device_id: str) -> str:
        """Return the path of an end device on a server."""
        return _ROOTS[server] + self._calls.device_path(device_id)

    async def get(
        self, server: Server, device_id: str, field_mask: Sequence[str] = ()
    ) -> Mapping[str, Any] | None:
        """Return a server's part of an end device; None if it has none."""
        params = {"field_mask": field_mask or None}
        try:
            return await self._calls.object("GET", self.path(server, device_id), params=params)
        except NotFound:
            return None

    async def put(
        self, server: Server, device_id: str, part: Part, *, create: bool = False
    ) -> None:
        """Write a server's part of an end device; with `create`, it is a new one."""
        if create and server is Server.IDENTITY:
            path = f"{self._calls.application_path}/devices"
            await self._calls.request("POST", path, json=part.as_json())
        else:
            await self._calls.request("PUT", self.path(server, device_id), json=part.as_json())

    async def registered(self, device_id: str) -> EndDevice:
        """Return an end device as the Identity Server has it; raises NotFound."""
        params = {"field_mask": DEVICE_FIELDS}
        path = self.path(Server.IDENTITY, device_id)
        with self._calls.device_registered(device_id):
            return EndDevice.from_json(await self._calls.object("GET", path, params=params))


def session_of(network: Mapping[str, Any], application: Mapping[str, Any]) -> Session | None:
    """Return the session in two servers' parts; None where its address or a key is missing."""
    sessions = [json_values.mapping(part.get("session")) for part in (network, application)]
    keys: dict[str, str] = {}
    counters: dict[str, int] = {}
    for session in sessions:
        held = json_values.mapping(session.get("keys"))
        for name in SESSION_KEYS:
            if key := json_values.hexadecimal(json_values.mapping(held.get(name)).get("key")):
                keys[name] = key
        for name in SESSION_COUNTERS:
            if counter := json_values.integer(session.get(name)):
                counters[name] = counter
    address = json_values.hexadecimal(sessions[0].get("dev_addr"))
    if address is None or not {"app_s_key", "f_nwk_s_int_key"} <= set(keys):
        return None
    return Session(dev_addr=address, counters=counters, **keys)
