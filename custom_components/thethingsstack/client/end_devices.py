"""Register, read, change, reset and delete end devices on their servers.

Four servers keep a part each. One is created in the order Identity, Join, Network, Application
Server, and removed in the opposite order: a part without the Identity Server's is stranded, and
may block the EUIs.
https://www.thethingsindustries.com/docs/hardware/devices/adding-devices/
"""

from base64 import b64encode
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
import itertools
from typing import Any

from . import json_values
from .api import PAGE, Calls, Pages
from .claiming import Claiming
from .connection import is_loopback
from .deletion import Deletion, PartlyDeleted, RollbackFailed, remove
from .device_changes import ORDER, DeviceChanges, difference
from .errors import Conflict, MissingRight, NotFound, StackError, unknown_device
from .field_masks import (
    APPLICATION_FIELDS,
    APPLICATION_SERVER_FIELDS,
    BATTERY_FIELDS,
    DEVICE_FIELDS,
    JOIN_SERVER_FIELDS,
    NETWORK_SERVER_FIELDS,
    merge,
)
from .models import Application, BatteryStatus, EndDevice
from .parts_writer import PartsWriter, Steps, wrong_cluster
from .registration import Addresses, Part, Registration, Server, Session, parts
from .server_parts import ServerParts, session_of
from .version_changes import check_plan, check_versions

_BATCH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKeys:
    """The root keys of an end device; its `repr` doesn't contain them."""

    app_key: str | None = field(default=None, repr=False)
    nwk_key: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return them as the servers' JSON object, without those that are missing."""
        keys = {"app_key": self.app_key, "nwk_key": self.nwk_key}
        return {name: {"key": key} for name, key in keys.items() if key is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Which servers have an end device.

    `join` is None if it needs no root keys here: it doesn't join, or it is claimed.
    """

    identity: bool
    join: bool | None
    network: bool
    application: bool

    @property
    def missing(self) -> tuple[Server, ...]:
        """The servers that don't have it, although it needs them."""
        return tuple(server for server in Server if getattr(self, server) is False)

    @property
    def complete(self) -> bool:
        """Whether it is on all servers that it needs."""
        return not self.missing

    @property
    def stranded(self) -> bool:
        """Whether it is on other servers, but not on the Identity Server."""
        return not self.identity and any((self.join, self.network, self.application))


class EndDevices:
    """Registers, changes, finds and deletes end devices."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls
        self._parts = ServerParts(calls)
        self._writer = PartsWriter(calls, self._parts)

    # -- Registering ------------------------------------------------------------------------------

    async def check(self, registration: Registration) -> Registration:
        """Return the registration in the servers' spelling, if it can be registered.

        Changes nothing. Raises InvalidRequest for invalid values, Conflict if the ID or the EUIs
        are taken in this application (attributes `device_id`, `application_id`), and
        InvalidRequest `wrong_cluster` if the application is on another cluster.
        """
        checked = registration.checked()
        await self._addresses(checked)
        if await self._parts.get(Server.IDENTITY, checked.device_id) is not None:
            raise Conflict(
                f"the device ID `{checked.device_id}` is taken",
                name="id_taken",
                attributes=self._whose(checked.device_id),
            )
        if checked.dev_eui is not None:
            async for device in self.search(dev_eui_contains=checked.dev_eui):
                if device.ids.join_eui in (None, checked.join_eui):
                    raise Conflict(
                        f"the EUIs are taken by device `{device.ids.device_id}`",
                        name="end_device_euis_taken",
                        attributes=self._whose(device.ids.device_id),
                    )
        return checked

    async def register(self, registration: Registration) -> EndDevice:
        """Register an end device on all servers that it needs, and return it.

        Needs DEVICES_WRITE and DEVICES_WRITE_KEYS. If a server refuses, or the caller is
        cancelled, everything is rolled back. Raises InvalidRequest for invalid values before any
        request, Conflict if ID or EUIs are taken, and RollbackFailed if a part is left.
        """
        checked = registration.checked()
        addresses = await self._addresses(checked)
        if await self._parts.get(Server.IDENTITY, checked.device_id) is not None:
            raise Conflict(
                "ID already taken, choose a different one and try again",
                name="id_taken",
                attributes=self._whose(checked.device_id),
            )
        wanted = parts(checked, addresses)
        steps = Steps(wanted=wanted, shown=wanted[Server.IDENTITY])
        return await self._writer.write(checked.device_id, steps)

    async def complete(
        self, registration: Registration, servers: Collection[Server] | None = None
    ) -> EndDevice:
        """Write the missing parts of a half created end device; existing parts are not changed.

        With `servers`, only their parts are written. Server addresses that the Identity Server
        lacks are added. If a server refuses, what this call wrote is rolled back.
        """
        checked = registration.checked()
        addresses = await self._addresses(checked)
        missing = (await self.presence(checked.device_id)).missing
        all_parts = parts(checked, addresses)
        wanted = {
            server: part
            for server, part in all_parts.items()
            if server in missing and (servers is None or server in servers)
        }
        lacking = None
        if wanted and Server.IDENTITY not in wanted:
            lacking = await self._lacking(checked.device_id, addresses)
        steps = Steps(wanted=wanted, shown=all_parts[Server.IDENTITY], last=lacking)
        return await self._writer.write(checked.device_id, steps)

    async def _lacking(self, device_id: str, addresses: Addresses) -> Part | None:
        """Return the server addresses that the Identity Server lacks; None if it has all."""
        present = (await self._parts.registered(device_id)).raw
        fields = {key: text for key, text in addresses.as_json().items() if not present.get(key)}
        ids = {"device_id": device_id}
        return Part(device={"ids": ids, **fields}, paths=tuple(fields)) if fields else None

    async def _addresses(self, registration: Registration) -> Addresses:
        """Return the server addresses for the application's end devices."""
        host = self._calls.connection.server_host
        params = {"field_mask": APPLICATION_FIELDS}
        try:
            answer = await self._calls.object("GET", self._calls.application_path, params=params)
        except MissingRight as error:
            if error.name == "no_application_rights":
                raise
            answer = {}  # the key lacks the right INFO
        application = Application.from_json(answer)
        network = application.network_server_address or host
        name = network.partition(":")[0]
        if name != host and not (is_loopback(host) or is_loopback(name)):
            raise wrong_cluster(host, network)
        join = application.join_server_address or host
        return Addresses(
            network=network,
            application=application.application_server_address or host,
            join=join if registration.supports_join and not registration.claimed else None,
        )

    def _whose(self, device_id: str) -> dict[str, str]:
        return {"device_id": device_id, "application_id": self._calls.application_id}

    # -- Changing ---------------------------------------------------------------------------------

    async def update(self, device_id: str, changes: DeviceChanges) -> EndDevice:
        """Change an end device on the servers concerned, and return it.

        If a server refuses, changes on earlier ones are undone. Raises NotFound, for a half created
        one with the server in its name (`not_on_network_server`). Raises InvalidRequest for
        versions that don't fit together or need missing keys (see `check_versions`), and for a
        frequency plan of another band (see `check_plan`).
        """
        changes.check()
        await check_versions(self._calls, device_id, changes)
        await check_plan(self._calls, device_id, changes)
        steps: list[tuple[Server, Part, Part]] = []
        for server in ORDER:
            if fields := changes.fields(server):
                present = await self._parts.get(server, device_id, fields)
                if present is None:
                    raise self._calls.not_on(server, device_id)
                if found := difference(changes, server, present):
                    steps.append((server, *found))
        done: list[tuple[Server, Part]] = []
        try:
            for server, after, before in steps:
                await self._parts.put(server, device_id, after)
                done.append((server, before))
        except StackError as error:
            await self._put_back(device_id, done, error)
            raise
        return await self._parts.registered(device_id)

    async def _put_back(
        self, device_id: str, done: Sequence[tuple[Server, Part]], cause: StackError
    ) -> None:
        remaining: list[Server] = []
        for server, before in reversed(done):
            try:
                await self._parts.put(server, device_id, before)
            except StackError:
                remaining.append(server)
        if remaining:
            raise RollbackFailed(device_id, cause=cause, left_on=tuple(remaining)) from cause

    async def reset(self, device_id: str) -> None:
        """Delete an end device's session and MAC state, so that it must join (DEVICES_WRITE).

        One that doesn't join keeps its keys; its frame counters restart. Raises NotFound if the
        Network Server doesn't have it.
        """
        with self._calls.device_known(Server.NETWORK, device_id):
            await self._calls.request("PATCH", self._parts.path(Server.NETWORK, device_id), json={})

    async def has_session(self, device_id: str) -> bool:
        """Return whether an end device has a session (DEVICES_READ): it has joined, or never joins.

        Raises NotFound if the Network Server doesn't have it.
        """
        path = self._parts.path(Server.NETWORK, device_id)
        with self._calls.device_known(Server.NETWORK, device_id):
            present = await self._calls.object(
                "GET", path, params={"field_mask": ["session.dev_addr"]}
            )
        return bool(json_values.mapping(present.get("session")))

    async def battery(self, device_id: str) -> BatteryStatus | None:
        """Return the battery level that an end device last reported to the network (DEVICES_READ).

        None if it has reported none, or runs on external power. Raises NotFound if the Network
        Server doesn't have it.
        """
        path = self._parts.path(Server.NETWORK, device_id)
        with self._calls.device_known(Server.NETWORK, device_id):
            present = await self._calls.object("GET", path, params={"field_mask": BATTERY_FIELDS})
        return BatteryStatus.from_registry(present)

    async def delete(self, device_id: str) -> Deletion:
        """Delete an end device on all servers; its keys are lost (DEVICES_WRITE).

        It may be half created. A claim is given up first. Raises NotFound if no server has it, and
        PartlyDeleted if it could be deleted on some of its servers only.
        """
        await Claiming(self._calls).release(device_id)
        found = await remove(
            self._calls,
            [(server, self._parts.path(server, device_id)) for server in Server],
            tries=1,
        )
        if found.error is not None:
            if not found.removed:
                raise found.error
            raise PartlyDeleted(device_id, found) from found.error
        if not found.removed:
            raise unknown_device(device_id, self._calls.application_id)
        return Deletion(removed=found.removed)

    # -- Reading ----------------------------------------------------------------------------------

    async def presence(self, device_id: str) -> Presence:
        """Return which servers have an end device (DEVICES_READ)."""
        identity = await self._parts.get(
            Server.IDENTITY, device_id, ("join_server_address", "network_server_address")
        )
        network = await self._parts.get(Server.NETWORK, device_id, ("supports_join",))
        application = await self._parts.get(Server.APPLICATION, device_id)
        join = await self._parts.get(Server.JOIN, device_id) is not None
        kept_here = join
        if identity is not None and not join:
            address = json_values.text(identity.get("join_server_address"))
            joins = EndDevice.from_json(identity).ids.join_eui is not None
            # Without any address, registering has only begun, and the root keys are still missing.
            kept_here = (
                joins
                and address == identity.get("network_server_address")
                and (address is not None or network is None)
            )
        if network is not None and network.get("supports_join") is not True:
            kept_here = join
        return Presence(
            identity=identity is not None,
            join=join if kept_here else None,
            network=network is not None,
            application=application is not None,
        )

    async def details(self, device_id: str, *, stranded: bool = False) -> dict[str, Any]:
        """Return the JSON object of an end device, merged from all servers, without keys.

        Raises NotFound if the Identity Server doesn't have it, unless `stranded`: then the object
        is that of the other servers.
        """
        merged = {} if stranded else dict((await self._parts.registered(device_id)).raw)
        for server, fields in (
            (Server.NETWORK, NETWORK_SERVER_FIELDS),
            (Server.APPLICATION, APPLICATION_SERVER_FIELDS),
            (Server.JOIN, JOIN_SERVER_FIELDS),
        ):
            # Half created, activated by personalization, or on another cluster.
            merge(merged, await self._parts.get(server, device_id, fields) or {})
        return merged

    async def root_keys(self, device_id: str) -> RootKeys:
        """Return a device's root keys (DEVICES_READ_KEYS).

        Raises NotFound `not_on_join_server` for one that doesn't join, or whose keys are elsewhere.
        """
        path = self._parts.path(Server.JOIN, device_id)
        with self._calls.device_known(Server.JOIN, device_id):
            answer = await self._calls.object("GET", path, params={"field_mask": ["root_keys"]})
        keys = json_values.mapping(answer.get("root_keys"))

        def key(name: str) -> str | None:
            return json_values.hexadecimal(json_values.mapping(keys.get(name)).get("key"))

        return RootKeys(app_key=key("app_key"), nwk_key=key("nwk_key"))

    async def session(self, device_id: str) -> Session:
        """Return address, keys and frame counters of a device's session (DEVICES_READ_KEYS).

        Raises NotFound `no_session` without one, or if a server doesn't give out its keys.
        """
        network = await self._parts.get(Server.NETWORK, device_id, ("session",)) or {}
        application = await self._parts.get(Server.APPLICATION, device_id, ("session",)) or {}
        found = session_of(network, application)
        if found is None:
            raise NotFound(f"device `{device_id}` has no session", name="no_session")
        return found

    async def export(
        self,
        *,
        with_keys: bool = False,
        frequency_plan_id: str | None = None,
        lorawan_version: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return all end devices as an import takes them, by their IDs (DEVICES_READ).

        With keys (DEVICES_READ_KEYS) they have their root keys, or their session where they don't
        join. Frequency plan and version are their own here, not those that are given.
        """
        found: dict[str, dict[str, Any]] = {}
        path = f"{self._calls.application_path}/devices"
        pages = self._calls.pages(path, "end_devices", ("ids",), params={"order": "device_id"})
        async for item in pages:
            device_id = EndDevice.from_json(item).ids.device_id
            with suppress(NotFound):  # deleted meanwhile
                device = await self.details(device_id)
                device.pop("session", None)
                if with_keys:
                    device |= await self._with_keys(device_id, joins=device.get("supports_join"))
                found[device_id] = device
        return found

    async def _with_keys(self, device_id: str, *, joins: object) -> dict[str, Any]:
        """Return the members of an end device that have its keys; none if they are elsewhere."""
        try:
            if joins is True:
                return {"root_keys": (await self.root_keys(device_id)).as_json()}
            return {"session": (await self.session(device_id)).as_json()}
        except NotFound:
            return {}

    async def search(
        self,
        query: str | None = None,
        *,
        field_mask: Sequence[str] = DEVICE_FIELDS,
        **contains: str,
    ) -> AsyncGenerator[EndDevice]:
        """Yield the devices in whose ids, name or description the query occurs.

        Or by field: `id_contains`, `name_contains`, `description_contains`, `dev_eui_contains`,
        `join_eui_contains`, `dev_addr_contains`.
        """
        path = f"search/{self._calls.application_path}/devices"
        pages = self._calls.pages(
            path, "end_devices", field_mask, params={"query": query, **contains}
        )
        async for item in pages:
            yield EndDevice.from_json(item)

    async def batch(
        self, device_ids: Iterable[str], field_mask: Sequence[str] = DEVICE_FIELDS
    ) -> list[EndDevice]:
        """Return the end devices with these IDs that exist, in few requests."""
        path = f"{self._calls.application_path}/devices/batch"
        ids = list(device_ids)
        found: list[EndDevice] = []
        for start in range(0, len(ids), _BATCH):
            params = {"device_ids": ids[start : start + _BATCH], "field_mask": field_mask}
            answer = await self._calls.object("GET", path, params=params)
            found += map(EndDevice.from_json, json_values.objects(answer.get("end_devices")))
        return found

    async def updated_since(
        self, time: datetime, field_mask: Sequence[str] = DEVICE_FIELDS
    ) -> AsyncGenerator[EndDevice]:
        """Yield the end devices whose registration changed after a time, without deleted ones."""
        path = f"{self._calls.application_path}/devices/filter"
        since = time.astimezone(UTC).isoformat().replace("+00:00", "Z")
        pages = Pages()
        for page in itertools.count(1):
            body = {
                "filters": [{"updated_since": since}],
                "field_mask": {"paths": list(field_mask)},
                "limit": PAGE,
                "page": page,
            }
            answer = await self._calls.object("POST", path, json=body)
            items = json_values.objects(answer.get("end_devices"))
            pages.check(items)
            for item in items:
                yield EndDevice.from_json(item)
            if len(items) < PAGE:
                return

    # -- More -------------------------------------------------------------------------------------

    async def issue_dev_eui(self) -> str:
        """Return a new DevEUI from the network's own block (DEVICES_WRITE).

        Raises InvalidRequest `dev_eui_issuing_not_enabled` where the server has none to give, and
        `application_dev_eui_limit_reached`.
        """
        path = f"{self._calls.application_path}/dev-eui"
        answer = await self._calls.object("POST", path, json={})
        return json_values.hexadecimal(answer.get("dev_eui")) or ""

    async def simulate_uplink(
        self,
        device_id: str,
        *,
        f_port: int,
        payload: bytes,
        rssi: float = -42,
        snr: float = 4.2,
    ) -> None:
        """Simulate an uplink (TRAFFIC_UP_WRITE): the message is marked as simulated.

        RSSI in dBm, SNR in dB. Raises NotFound if the Application Server doesn't have the end
        device; that is only checked with DEVICES_READ, since the server accepts any device ID.
        """
        path = self._parts.path(Server.APPLICATION, device_id)
        with suppress(MissingRight), self._calls.device_known(Server.APPLICATION, device_id):
            await self._calls.request("GET", path)
        reception = {"gateway_ids": {"gateway_id": "test"}, "rssi": rssi, "snr": snr}
        settings = {
            "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 7}},
            "frequency": "868000000",
        }
        message = {
            "f_port": f_port,
            "frm_payload": b64encode(payload).decode(),
            "rx_metadata": [reception],
            "settings": settings,
        }
        body = {"uplink_message": message}
        await self._calls.request("POST", f"{path}/up/simulate", json=body)
