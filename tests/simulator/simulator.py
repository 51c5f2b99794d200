"""The simulator as tests and demos use it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, override

from aiohttp import web

from . import demo, formatting, messages, rights, traffic, world as worlds
from .application_server import ApplicationServer
from .broker import Broker
from .cluster import Cluster
from .device_repository import DeviceRepository
from .encoding import encode_bytes, merge
from .events import EventHub
from .faults import Faults
from .gateways import GatewayRegistry, GatewayServer, add_gateway
from .http_server import Call, Handler, HttpServer
from .identity_server import IdentityServer
from .model import Application, Device, Server, Stack
from .network import Network
from .onboarding import Claiming, qr_routes
from .rights import ApiKey
from .running import HOST, Running
from .storage import F_PORT, PACKAGE
from .traffic import UNSET, envelope_ids, nanoseconds, uplink_correlation
from .validation import check
from .webhooks import Webhooks


def _full_name(right: str) -> str:
    return right if right.startswith("RIGHT_") else f"RIGHT_APPLICATION_{right}"


def _now() -> datetime:
    return datetime.now(UTC)


class Simulator(Running):
    """One stack with its world; an asynchronous context manager that starts and stops it.

    `world` is `demo`, `garden` or `empty`. With a `tenant`, user names and topics have
    `application@tenant`. `live` lets the demo's devices send by themselves. `single_host` puts
    Identity Server and cluster behind one address. `clock`, `sleep` and `seed` make it repeatable.
    """

    def __init__(
        self,
        world: str = "demo",
        tenant: str | None = None,
        live: bool = False,
        *,
        single_host: bool = False,
        seed: int = 1,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(sleep, seed)
        self.faults = Faults(storage=world == "demo")
        self.requests: list[tuple[str, str]] = []
        """Method and path of each HTTP request seen."""
        self.stack = Stack(tenant, clock, Random(seed), self.faults)
        self.stack.events = self.events = EventHub(self.stack)
        self.stack.recent_fields = world == "demo" or tenant is not None
        self.application_server = ApplicationServer(self.stack, self.faults)
        self.application_server.commanded = self._commanded
        self.webhooks = Webhooks(self.stack, self.application_server, lambda: self.server_url)
        self._live = live
        self._single_host = single_host
        self._keys: dict[str, ApiKey | str] = {}
        worlds.build(world, self.stack)
        if world == "demo":
            self.stack.dev_euis = [f"70B3D57ED007{number:04X}" for number in range(1, 50)]
        for gateway in (traffic.ROOF, *demo.GATEWAYS[:1]) if self.stack.applications else ():
            self.add_gateway(**gateway)
        if world == "demo":  # a neighbour's, who keeps its status private
            self.add_gateway(**demo.GATEWAYS[1], status_public=False, location_public=False)
        self._add_roles()

    # Life

    @property
    @override
    def _mqtt(self) -> Broker:
        return self.application_server.broker

    @override
    async def start(self, *, port: int = 0, mqtt_port: int = 0) -> None:
        """Listen on free loopback ports, or on those given for the cluster."""
        await self._start_mqtt(mqtt_port)
        cluster = Cluster(
            self.stack, self.faults, self.application_server, self._mqtt_addresses
        ).routes()
        cluster += self.webhooks.routes() + formatting.routes() + Network(self.stack).routes()
        cluster += GatewayServer(self.stack).routes() + Claiming(self.stack).routes()
        cluster.append(("POST", "/events", self._stream(registry=self._single_host)))
        identity = IdentityServer(self.stack).routes() + GatewayRegistry(self.stack).routes()
        self.repository = DeviceRepository(self.stack)
        identity += self.repository.routes() + qr_routes()
        if not self._single_host:
            identity.append(("POST", "/events", self._stream(registry=True, cluster=False)))
        routes = [cluster + identity] if self._single_host else [cluster, identity]
        self._hosts = [HttpServer(self.stack, self.faults, part, self.requests) for part in routes]
        self._ports = [
            await host.start(HOST, self._tls, port if index == 0 else 0)
            for index, host in enumerate(self._hosts)
        ]
        if self._live:
            for device in self.stack.devices():
                if device.sample is not None and device.interval:
                    self._spawn(self._send_by_itself(device.device_id))

    @override
    async def close(self) -> None:
        """Stop at once, whatever clients do."""
        self.events.close()
        self.application_server.close()
        await self._end_tasks()
        await self.webhooks.close()
        await self.application_server.broker.close()
        await asyncio.gather(*(host.close() for host in self._hosts))

    # Addresses

    @property
    def server_url(self) -> str:
        """Return the cluster's address, without TLS."""
        return f"http://{HOST}:{self._ports[0][0]}"

    @property
    def identity_server_url(self) -> str:
        """Return the Identity Server's address, without TLS."""
        return f"http://{HOST}:{self._ports[-1][0]}"

    @property
    def https_server_url(self) -> str:
        """Return the cluster's address, with the private CA's certificate."""
        return f"https://{HOST}:{self._ports[0][1]}"

    @property
    def https_identity_server_url(self) -> str:
        """Return the Identity Server's address, with the private CA's certificate."""
        return f"https://{HOST}:{self._ports[-1][1]}"

    def _mqtt_addresses(self) -> tuple[str, str]:
        return f"localhost:{self.mqtt_port}", f"localhost:{self.mqtts_port}"

    # World

    @property
    def application(self) -> Application:
        """Return the world's first application."""
        return next(iter(self.stack.applications.values()))

    @property
    def application_id(self) -> str:
        """Return the id of the world's first application."""
        return self.application.application_id

    @property
    def uid(self) -> str:
        """Return the id as user names and topics have it."""
        return self.stack.uid(self.application_id)

    @property
    def devices(self) -> dict[str, Device]:
        """Return the devices of the first application by id."""
        return self.application.devices

    def add_device(self, device_id: str, *, joined: bool = True, **fields: Any) -> Device:
        """Register a device on all servers; `fields` as in `world.add_device`."""
        device = worlds.add_device(self.stack, self.application, device_id, joined=joined, **fields)
        for server in device.documents:
            self.events.registry(server, "create", device)
        return device

    def remove_device(self, device_id: str) -> None:
        """Delete a device from all servers."""
        device = self.application.devices.pop(device_id)
        for server in reversed(device.documents):
            self.events.registry(server, "delete", device)

    def remove_parts(self, device_id: str, *servers: Server) -> None:
        """Let servers lose a device that others keep, as a deletion that ends half-way does."""
        device = self.devices[device_id]
        for server in servers:
            del device.documents[server]
            self.events.registry(server, "delete", device)
        if {"ns", "as"} & set(servers):
            device.session = None

    def update_device(self, device_id: str, **fields: Any) -> None:
        """Change a device in the registry, as in the Console; None removes a field."""
        device = self.devices[device_id]
        document = deepcopy(device.documents["is"])
        merge(document, fields)
        check(messages.UPDATE_END_DEVICE, {"end_device": document})
        device.documents["is"] = document
        device.touch("is", self.stack.now())
        self.events.registry("is", "update", device, data=list(fields))

    def switch_storage(self, *, on: bool) -> None:
        """Switch the first application's Storage Integration on or off, as in the Console.

        What comes while it is off is not kept; what was kept before can be read again later.
        Whether the server has it at all is `faults.storage`.
        """
        if on:
            self.application.associate(PACKAGE, F_PORT, self.stack.now())
        else:
            self.application.associations.pop(F_PORT, None)

    def add_gateway(
        self, ids: dict[str, Any], *, location: dict[str, Any] | None = None, **fields: Any
    ) -> None:
        """Register a gateway that everybody may see, and connect it."""
        now = nanoseconds(self.stack)
        document = {
            "ids": ids,
            "name": ids["gateway_id"].replace("-", " ").capitalize(),
            "gateway_server_address": "localhost",
            "frequency_plan_ids": ["EU_863_870_TTN"],
            "antennas": [{"gain": 2, **({"location": location} if location else {})}],
            "status_public": True,
            "location_public": True,
        }
        add_gateway(self.stack, {**document, **fields})
        self.stack.connections[ids["gateway_id"]] = {
            "connected_at": now,
            "protocol": "udp",
            "last_status_received_at": now,
            "last_uplink_received_at": now,
            "uplink_count": "28",
            "downlink_count": "18",
            "round_trip_times": {"min": "0.02s", "max": "0.08s", "median": "0.03s", "count": 18},
            "sub_bands": [
                {
                    "min_frequency": "868000000",
                    "max_frequency": "868600000",
                    "downlink_utilization_limit": 0.01,
                    "downlink_utilization": 0.0003,
                }
            ],
        }

    def _stream(self, *, registry: bool, cluster: bool = True) -> Handler:
        async def stream(call: Call) -> web.StreamResponse:
            return await self.events.stream(call, registry=registry, cluster=cluster)

        return stream

    # Keys

    def key(self, role: str) -> str:
        """Return the API key of a role.

        read, control, manage, traffic, info, down, link, all: of the first application.
        other: of the second. user: of the user who reaches all. expiring: in ten days.
        expired, wrong, unknown, deleted: keys that don't work.
        """
        key = self._keys[role]
        return key if isinstance(key, str) else key.token

    def application_key(self, application_id: str, role: str = "read") -> str:
        """Return a key of any application, one per role."""
        if application_id == self.application_id:
            return self.key(role)
        name = f"{application_id}/{role}"
        if name not in self._keys:
            self._keys[name] = self.stack.add_key(
                role, list(_ROLES[role]), application_id=application_id
            )
        return self.key(name)

    def gateway_key(
        self,
        gateway_id: str,
        granted: Sequence[str] = ("INFO", "STATUS_READ", "LOCATION_READ"),
    ) -> str:
        """Return a new key of a gateway; its role is `gateway/` and the id."""
        role = f"gateway/{gateway_id}"
        key = self.stack.add_key(
            role, [f"RIGHT_GATEWAY_{right}" for right in granted], gateway_id=gateway_id
        )
        self._keys[role] = key
        return key.token

    def revoke(self, role: str) -> None:
        """Delete a key; open MQTT sessions go on."""
        self.stack.keys.pop(self._api_key(role).key_id, None)

    def restore(self, role: str) -> None:
        """Take a deletion back."""
        key = self._api_key(role)
        self.stack.keys[key.key_id] = key

    def add_rights(self, role: str, *granted: str) -> None:
        """Give a key more rights; open MQTT sessions don't get them."""
        self.set_rights(role, [*self._api_key(role).rights, *granted])

    def remove_rights(self, role: str, *taken: str) -> None:
        """Take rights from a key, as written with or without RIGHT_APPLICATION_.

        Open MQTT sessions keep them.
        """
        names = {_full_name(right) for right in taken}
        self.set_rights(role, [item for item in self._api_key(role).rights if item not in names])

    def set_rights(self, role: str, granted: list[str]) -> None:
        """Change a key's rights; open MQTT sessions keep what they had."""
        self._api_key(role).rights = [_full_name(right) for right in granted]

    def expire(self, role: str, at: datetime | None = None) -> None:
        """Let a key's time end, now or at a given time."""
        self._api_key(role).expires_at = at or self.stack.now()

    def _api_key(self, role: str) -> ApiKey:
        key = self._keys[role]
        assert isinstance(key, ApiKey), f"{role} is no key of the stack"
        return key

    def _add_roles(self) -> None:
        add, now = self.stack.add_key, self.stack.now()
        self._keys["user"] = user = add("lab", ["RIGHT_ALL"], user_id="admin")
        self._keys["unknown"] = f"NNSXS.{'A' * 39}.{'A' * 52}"
        if not self.stack.applications:
            self._keys["wrong"] = f"NNSXS.{user.key_id}.{'A' * 52}"
            return
        first, *others = self.stack.applications
        for role, granted in _ROLES.items():
            self._keys[role] = add(role, list(granted), application_id=first)
        for application_id in others[:1]:
            self._keys["other"] = add("other", [rights.ALL], application_id=application_id)
        self._keys["expiring"] = add(
            "expiring", rights.READ, application_id=first, expires_at=now + timedelta(days=10)
        )
        self._keys["expired"] = add(
            "expired", rights.READ, application_id=first, expires_at=now - timedelta(seconds=1)
        )
        read, deleted = self._api_key("read"), add("deleted", rights.READ, application_id=first)
        self._keys["deleted"] = deleted
        del self.stack.keys[deleted.key_id]
        self._keys["wrong"] = f"NNSXS.{read.key_id}.{'A' * 52}"

    # Traffic

    @override
    async def uplink(
        self,
        device_id: str,
        decoded: Any = UNSET,
        f_port: int | None = None,
        payload: bytes | None = None,
        *,
        simulated: bool = False,
        envelope: dict[str, Any] | None = None,
        **overrides: Any,
    ) -> dict[str, Any]:
        """Let a device send; return the envelope as published.

        Without `decoded` and `payload` it sends what it would at this time. `decoded` stands in
        for what the formatter makes of the payload, None for a formatter that failed. Keyword
        arguments change `uplink_message`, `envelope` all of it, both deeply; None removes.
        """
        device, application = self._device(device_id)
        sample = self._sample(device) if decoded is UNSET and payload is None else {}
        if "decoded" in sample:
            decoded = sample.pop("decoded")
        payload = sample.pop("payload", payload if payload is not None else b"\x01\x02")
        f_port = sample.pop("f_port", 2) if f_port is None else f_port
        if simulated:
            message = {"f_port": f_port, "frm_payload": encode_bytes(payload), **overrides}
            published = self.application_server.simulate(application, device, message, decoded)
        else:
            published = self.application_server.uplink(
                application,
                device,
                f_port=f_port,
                payload=payload,
                decoded=decoded,
                overrides={**sample.get("message", {}), **overrides},
                envelope_overrides=envelope,
            )
        for reception in published["uplink_message"].get("rx_metadata", []):
            self._count(reception["gateway_ids"]["gateway_id"])
        await asyncio.sleep(0)
        return published

    def _count(self, gateway_id: str) -> None:
        """Count a reception in a gateway's statistics."""
        if (stats := self.stack.connections.get(gateway_id)) is not None:
            stats["uplink_count"] = str(int(stats["uplink_count"]) + 1)
            stats["last_uplink_received_at"] = nanoseconds(self.stack)

    async def repeat(self, envelope: dict[str, Any]) -> None:
        """Publish a message once more, as retried deliveries inside the stack do."""
        device, application = self._device(envelope["end_device_ids"]["device_id"])
        self.application_server.forward(application, device, envelope)
        await asyncio.sleep(0)

    async def join(self, device_id: str) -> dict[str, Any]:
        """Let a device join; return the envelope as published."""
        device, application = self._device(device_id)
        envelope = self.application_server.join(application, device)
        await asyncio.sleep(0)
        return envelope

    async def normalized(self, device_id: str, measurement: dict[str, Any]) -> dict[str, Any]:
        """Publish a normalized measurement by itself; return the envelope."""
        body = {
            "f_port": 2,
            "normalized_payload": measurement,
            "received_at": nanoseconds(self.stack),
        }
        return await self._message(device_id, "up/normalized", "uplink_normalized", body)

    async def location_solved(
        self, device_id: str, location: dict[str, Any], service: str = "frm-payload"
    ) -> dict[str, Any]:
        """Publish a solved location; return the envelope."""
        body = {"service": service, "location": {"source": "SOURCE_GPS", **location}}
        return await self._message(device_id, "location/solved", "location_solved", body)

    async def service_data(self, device_id: str, service: str, data: Any) -> dict[str, Any]:
        """Publish data of an application package; return the envelope."""
        body = {"service": service, "data": data}
        return await self._message(device_id, "service/data", "service_data", body)

    async def publish(self, topic: str, payload: bytes) -> int:
        """Publish anything on any topic; return how many copies were sent."""
        copies = self.application_server.broker.deliver(topic, payload)
        await asyncio.sleep(0)
        return copies

    async def _message(
        self, device_id: str, kind: str, key: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        device, application = self._device(device_id)
        envelope = {
            "end_device_ids": envelope_ids(device),
            "correlation_ids": uplink_correlation(self.stack),
            "received_at": nanoseconds(self.stack),
            key: body,
        }
        self.application_server.publish(application, device_id, kind, envelope)
        await asyncio.sleep(0)
        return envelope

    def _device(self, device_id: str) -> tuple[Device, Application]:
        for application in self.stack.applications.values():
            if device_id in application.devices:
                return application.devices[device_id], application
        raise KeyError(device_id)

    def _sample(self, device: Device) -> dict[str, Any]:
        return device.sample(self.stack.now()) if device.sample is not None else {}

    def _commanded(self, device: Device, message: dict[str, Any], payload: bytes) -> None:
        """Let a demo device obey, and a class C device report it."""
        if not demo.command(device.state, message.get("f_port", 0), payload):
            return
        if device.class_c and self._live:
            self._spawn(self._answer(device))

    async def _answer(self, device: Device) -> None:
        await self._sleep(0.5)
        await self.uplink(device.device_id)


_ROLES = {
    "read": rights.READ,
    "control": rights.CONTROL,
    "manage": [*rights.MANAGE, rights.TRAFFIC_UP_WRITE],
    "traffic": [rights.TRAFFIC_READ],
    "info": [rights.INFO],
    "down": [rights.TRAFFIC_DOWN_WRITE],
    "link": [rights.LINK],
    "all": [rights.ALL],
}
