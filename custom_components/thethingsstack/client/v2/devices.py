"""Register, read, change and delete end devices on a Handler."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
import re
from typing import Any, Never

from .. import json_values
from ..api import Calls
from ..configuration import parse_lorawan_version
from ..deletion import Deletion
from ..device_changes import DeviceChanges
from ..end_devices import Presence, RootKeys
from ..errors import Conflict, NotFound, NotSupported, ServerFailed
from ..field_masks import DEVICE_FIELDS
from ..identifiers import InvalidIdentifier, parse_dev_addr, parse_eui, parse_key
from ..keys import KEY_NAMES, missing
from ..models import BatteryStatus, EndDevice
from ..registration import Registration, Server, Session
from . import registry
from .export import USUAL_VERSION, for_import
from .http import HandlerTransport

PAGE = 250
MAX_PAGES = 2_000
FEW = 5
"""Up to so many end devices are read one by one: only single answers say when one was seen."""
_ID = re.compile(r"[0-9a-z](?:[_-]?[0-9a-z]){1,35}")
_TOTAL = "Grpc-Metadata-Total"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKeys:
    """The keys of an end device: AppKey, and the session's; its `repr` doesn't contain them."""

    app_key: str | None = field(default=None, repr=False)
    nwk_s_key: str | None = field(default=None, repr=False)
    app_s_key: str | None = field(default=None, repr=False)


def check_device_id(text: str) -> str:
    """Return an end device's ID if version 2 allows it: it may have underscores.

    Raises InvalidIdentifier `invalid_device_id`.
    """
    if len(text) > 36 or not _ID.fullmatch(text):
        raise InvalidIdentifier(
            "device ID",
            "2 to 36 lower-case letters or digits, with single dashes or underscores between"
            " them, are needed",
            value=text,
        )
    return text


class HandlerDevices:
    """Registers, changes, finds and deletes end devices (right `devices`)."""

    def __init__(
        self,
        calls: Calls,
        transport: HandlerTransport,
        *,
        learn: Callable[[EndDevice], None] = lambda _device: None,
    ) -> None:
        """Make requests with `calls`, lists over `transport`; `learn` gets each device read."""
        self._calls = calls
        self._transport = transport
        self._learn = learn

    # Registering

    def checked(self, registration: Registration) -> Registration:
        """Return it with ID, EUIs and keys in the server's spelling; makes no request.

        LoRaWAN version and frequency plan are the network's here. Raises InvalidRequest for
        missing or invalid values, NotSupported for what version 2 doesn't have.
        """
        check_device_id(registration.device_id)
        if registration.claimed:
            raise NotSupported("claiming")
        if registration.formatters is not None:
            raise NotSupported("device_formatters")
        joins = registration.session is None
        dev_eui, join_eui = registration.dev_eui, registration.join_eui
        if joins and not dev_eui:
            raise missing("dev_eui")
        if joins and not join_eui:
            raise missing("join_eui")
        return replace(
            registration,
            dev_eui=parse_eui(dev_eui, "DevEUI") if dev_eui else None,
            join_eui=parse_eui(join_eui, "JoinEUI") if join_eui else None,
            app_key=_key(registration.app_key, "app_key") if joins else None,
            session=None if registration.session is None else _session(registration.session),
        )

    async def check(self, registration: Registration) -> Registration:
        """Return the registration in the server's spelling, if it can be registered.

        Changes nothing. Raises what `checked` raises, and Conflict if the ID or the EUIs are taken
        in this application.
        """
        checked = self.checked(registration)
        await self._check_id_free(checked.device_id)
        async for device in self.all():
            ids = device.ids
            if checked.dev_eui is not None and (ids.dev_eui, ids.join_eui) == (
                checked.dev_eui,
                checked.join_eui,
            ):
                raise Conflict(
                    f"the EUIs are taken by device `{ids.device_id}`",
                    name="end_device_euis_taken",
                    attributes={
                        "device_id": ids.device_id,
                        "application_id": self._calls.application_id,
                    },
                )
        return checked

    async def register(self, registration: Registration) -> EndDevice:
        """Register an end device, and return it.

        Raises what `checked` raises, and Conflict if the ID or the EUIs are taken.
        """
        checked = self.checked(registration)
        await self._check_id_free(checked.device_id)
        body = registry.new_device(checked, self._calls.application_id)
        await self._calls.request("POST", self._path(checked.device_id), json=body)
        return await self.get(checked.device_id)

    async def _check_id_free(self, device_id: str) -> None:
        # Registering under the ID of another end device would change that one.
        try:
            await self._read(device_id)
        except NotFound:
            return
        raise Conflict(
            f"the device ID `{device_id}` is taken",
            name="id_taken",
            attributes={"device_id": device_id, "application_id": self._calls.application_id},
        )

    async def complete(
        self, registration: Registration, servers: Collection[Server] | None = None
    ) -> EndDevice:
        """Raise NotSupported: an end device is registered as a whole."""
        raise NotSupported("several_servers")

    # Changing

    async def update(self, device_id: str, changes: DeviceChanges) -> EndDevice:
        """Change an end device, and return it; what `changes` doesn't name stays as it is.

        Name and description are one text here. Keys and frame counters are written back as they
        were read just before: the Handler would set missing counters to 0, and end devices would
        ignore all downlinks from then on. Where an uplink came between reading and writing, a
        downlink may have been sent: its counter is passed over.
        """
        before = await self._read(device_id)
        body = registry.changed(before, changes)
        if body == registry.complete(before):
            return self._learned(before)
        await self._calls.request("PUT", self._path(device_id), json=body)
        after = await self._read(device_id)
        if registry.is_uplink_overwritten(before, after):
            body = registry.with_next_downlink_counter(body)
            await self._calls.request("PUT", self._path(device_id), json=body)
            after = await self._read(device_id)
        return self._learned(after)

    async def reset(self, device_id: str) -> None:
        """Raise NotSupported: the Handler keeps the session's keys whatever is written."""
        raise NotSupported("session_reset")

    async def delete(self, device_id: str) -> Deletion:
        """Delete an end device with its keys; raises NotFound."""
        await self._calls.request("DELETE", self._path(device_id))
        return Deletion(removed=(Server.APPLICATION,))

    # Reading

    async def get(self, device_id: str) -> EndDevice:
        """Return one end device, with when it was seen last; raises NotFound."""
        return self._learned(await self._read(device_id))

    async def all(self) -> AsyncGenerator[EndDevice]:
        """Yield the end devices in the server's order, that of their IDs.

        When they were seen last is not in it.
        """
        path = f"{self._calls.application_path}/devices"
        previous: str | None = None
        offset = 0
        for _ in range(MAX_PAGES):
            params = {"limit": PAGE, "offset": offset}
            answer = await self._transport.request(
                "GET", path, params=params, timeout=20, max_wait=30
            )
            items = json_values.objects(json_values.mapping(answer.data).get("devices"))
            if items and items[0].get("dev_id") == previous:
                raise ServerFailed(
                    "the server answers the same page of a list again and again",
                    name="pages_repeated",
                )
            previous = json_values.text(items[0].get("dev_id")) if items else None
            for item in items:
                yield self._learned(item)
            offset += len(items)
            total = json_values.integer(answer.headers.get(_TOTAL))
            if len(items) < PAGE if total is None else (offset >= total or not items):
                return
        raise ServerFailed(f"the list has more than {MAX_PAGES} pages", name="too_many_pages")

    async def battery(self, _device_id: str) -> BatteryStatus | None:
        """Return None: the network keeps no battery level."""
        return None

    async def presence(self, device_id: str) -> Presence:
        """Return that the one server has an end device, or doesn't."""
        try:
            await self._read(device_id)
        except NotFound:
            return Presence(identity=False, join=False, network=False, application=False)
        return Presence(identity=True, join=True, network=True, application=True)

    async def details(self, device_id: str, *, stranded: bool = False) -> dict[str, Any]:
        """Return the JSON object of an end device, without keys; raises NotFound."""
        data = await self._read(device_id)
        self._learned(data)
        return registry.details(data, self._calls.application_id)

    async def root_keys(self, device_id: str) -> RootKeys:
        """Return a device's AppKey; raises NotFound for one that has none."""
        keys = await self.keys(device_id)
        if keys.app_key is None:
            raise NotFound(
                f"device `{device_id}` has no AppKey: it doesn't join", name="no_root_keys"
            )
        return RootKeys(app_key=keys.app_key)

    async def keys(self, device_id: str) -> DeviceKeys:
        """Return all keys of an end device; raises NotFound."""
        data = json_values.mapping((await self._read(device_id)).get("lorawan_device"))
        return DeviceKeys(**{name: json_values.text(data.get(name)) for name in registry.SECRETS})

    async def export(
        self,
        *,
        with_keys: bool = False,
        frequency_plan_id: str | None = None,
        lorawan_version: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return all end devices as version 3 imports them, by their present IDs.

        Each is read by itself, since only then its frame counters are said. Raises InvalidRequest
        `missing_frequency_plan_id` without one; the LoRaWAN version is 1.0.2 unless it is given.
        """
        if frequency_plan_id is None:
            raise missing("frequency_plan_id")
        version = parse_lorawan_version(lorawan_version or USUAL_VERSION)
        found: dict[str, dict[str, Any]] = {}
        for device_id in [device.ids.device_id async for device in self.all()]:
            found[device_id] = for_import(
                await self._read(device_id),
                taken={device["ids"]["device_id"] for device in found.values()},
                frequency_plan_id=frequency_plan_id,
                lorawan_version=version,
                with_keys=with_keys,
            )
        return found

    async def search(
        self,
        query: str | None = None,
        *,
        field_mask: Sequence[str] = DEVICE_FIELDS,
        **contains: str,
    ) -> AsyncGenerator[EndDevice]:
        """Yield the devices in whose IDs, EUIs or description the query occurs.

        Or by field: `id_contains`, `name_contains`, `description_contains`, `dev_eui_contains`,
        `join_eui_contains`, `dev_addr_contains`. The list is searched here.
        """
        async for device in self.all():
            ids = device.ids
            texts = {
                "id_contains": ids.device_id,
                "name_contains": device.name,
                "description_contains": device.description,
                "dev_eui_contains": ids.dev_eui,
                "join_eui_contains": ids.join_eui,
                "dev_addr_contains": ids.dev_addr,
            }
            if query is not None and not any(_occurs(query, text) for text in texts.values()):
                continue
            if all(_occurs(wanted, texts.get(name)) for name, wanted in contains.items()):
                yield device

    async def batch(
        self, device_ids: Iterable[str], field_mask: Sequence[str] = DEVICE_FIELDS
    ) -> list[EndDevice]:
        """Return the end devices with these IDs that exist."""
        wanted = list(dict.fromkeys(device_ids))
        if len(wanted) > FEW:
            return [device async for device in self.all() if device.ids.device_id in wanted]
        found = []
        for device_id in wanted:
            try:
                found.append(await self.get(device_id))
            except NotFound:
                continue
        return found

    def updated_since(self, *_arguments: object, **_named: object) -> Never:
        """Raise NotSupported: the Handler doesn't tell when an end device was changed."""
        raise NotSupported("changed_since")

    # More

    async def issue_dev_eui(self) -> str:
        """Raise NotSupported: the Handler gives no DevEUIs."""
        raise NotSupported("dev_eui_issuing")

    async def simulate_uplink(
        self, device_id: str, *, f_port: int, payload: bytes, rssi: float = -42, snr: float = 4.2
    ) -> None:
        """Raise NotSupported: the Handler simulates uplinks over gRPC only."""
        raise NotSupported("simulated_uplinks")

    async def _read(self, device_id: str) -> dict[str, Any]:
        data = await self._calls.object("GET", self._path(device_id))
        lorawan = json_values.mapping(data.get("lorawan_device"))
        if data.get("dev_id") != device_id or not lorawan:
            # Written back, such an answer would lose what it lacks.
            raise ServerFailed("the answer is no end device", name="invalid_device")
        return dict(data)

    def _learned(self, data: Any) -> EndDevice:
        device = registry.end_device(data, self._calls.application_id)
        self._learn(device)
        return device

    def _path(self, device_id: str) -> str:
        return self._calls.device_path(check_device_id(device_id))


def _key(value: str | None, name: str) -> str:
    if not value:
        raise missing(name)
    return parse_key(value, KEY_NAMES[name])


def _session(session: Session) -> Session:
    return Session(
        dev_addr=parse_dev_addr(session.dev_addr),
        app_s_key=_key(session.app_s_key, "app_s_key"),
        f_nwk_s_int_key=_key(session.f_nwk_s_int_key, "nwk_s_key"),
    )


def _occurs(wanted: str, text: str | None) -> bool:
    return wanted.casefold() in (text or "").casefold()
