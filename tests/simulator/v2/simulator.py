"""The v2 simulator as tests and demos use it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, ClassVar, override

from .. import demo
from ..faults import Faults
from ..formatters import FormatterError
from ..running import HOST, Running
from ..traffic import UNSET
from . import world as worlds
from .accounts import User
from .broker import Broker, Kind
from .discovery import Discovery
from .handler import Handler
from .integration import HttpIntegration, Process
from .model import Application, Device, Stack
from .traffic import Traffic
from .web import WebServer


def _now() -> datetime:
    return datetime.now(UTC)


class Simulator(Running):
    """One v2 stack with its world; an asynchronous context manager that starts and stops it.

    `world` is `garden`, `demo` or `empty`; `broker` is `mosquitto` or `rabbitmq`. `live` lets the
    demo's devices send by themselves. `clock`, `sleep` and `seed` make it repeatable.
    """

    endured: ClassVar[tuple[type[Exception], ...]] = (KeyError, FormatterError)

    def __init__(
        self,
        world: str = "demo",
        live: bool = False,
        *,
        broker: Kind = "mosquitto",
        seed: int = 1,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(sleep, seed)
        self.faults = Faults()
        self.requests: list[tuple[str, str]] = []
        """Method and path of each HTTP request seen."""
        self.stack = Stack(clock, Random(seed), self.faults)
        self.broker = Broker(self.stack.accounts, self.faults, broker)
        self.traffic = Traffic(self.stack)
        self.traffic.send = self.broker.deliver
        self.traffic.commanded = self._commanded
        self.broker.downlink = self.traffic.downlink
        self.integration = HttpIntegration(self.stack, self.traffic, lambda: self.integrations_url)
        self.user = User("gardener", {"unregistered-garden"})
        self._live = live
        self._keys: dict[tuple[str, str], str] = {}
        worlds.build(world, self.stack)
        self.user.applications |= set(self.stack.applications)
        self._token = self.stack.accounts.add_token(self.user, clock() + timedelta(days=3650))

    # Life

    @property
    @override
    def _mqtt(self) -> Broker:
        return self.broker

    @override
    async def start(self, *, port: int = 0, mqtt_port: int = 0, discovery_port: int = 0) -> None:
        """Listen on free loopback ports, or on those given."""
        certificate = await self._start_mqtt(mqtt_port)
        pem = certificate.cert_chain_pems[0].bytes().decode()
        handler = Handler(self.stack, self.traffic, self._sleep)
        discovery = Discovery(self.stack, pem, self._addresses)
        routes = [handler.routes(), discovery.routes(), self.integration.routes()]
        self._servers = [
            WebServer(part, self.faults, self.stack.now, self.requests) for part in routes
        ]
        self._ports = [
            await server.start(HOST, self._tls, wanted)
            for server, wanted in zip(self._servers, (port, discovery_port, 0), strict=True)
        ]
        if self._live:
            for application in self.stack.applications.values():
                for device in application.devices.values():
                    if device.sample is not None and device.interval:
                        self._spawn(self._send_by_itself(device.device_id))

    @override
    async def close(self) -> None:
        """Stop at once, whatever clients do."""
        await self._end_tasks()
        await self.integration.close()
        await self.broker.close()
        await asyncio.gather(*(server.close() for server in self._servers))

    # Addresses

    @property
    def handler_url(self) -> str:
        """Return the address of the Handler's HTTP API, without TLS."""
        return f"http://{HOST}:{self._ports[0][0]}"

    @property
    def https_handler_url(self) -> str:
        """Return the address of the Handler's HTTP API, with the private CA's certificate."""
        return f"https://{HOST}:{self._ports[0][1]}"

    @property
    def discovery_url(self) -> str:
        """Return the address of the discovery server, without TLS."""
        return f"http://{HOST}:{self._ports[1][0]}"

    @property
    def https_discovery_url(self) -> str:
        """Return the address of the discovery server, with the private CA's certificate."""
        return f"https://{HOST}:{self._ports[1][1]}"

    @property
    def integrations_url(self) -> str:
        """Return where the HTTP integration takes downlinks."""
        return f"http://{HOST}:{self._ports[2][0]}"

    def _addresses(self) -> tuple[str, str]:
        return self.handler_url, f"{self.mqtt_host}:{self.mqtt_port}"

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
    def devices(self) -> dict[str, Device]:
        """Return the devices of the first application by id."""
        return self.application.devices

    def device(self, device_id: str) -> Device:
        """Return a device of any application; raises KeyError."""
        return self._device(device_id)[1]

    def add_device(self, device_id: str, *, joined: bool = True, **fields: Any) -> Device:
        """Register a device in the first application; `fields` as in `world.add_device`."""
        device = worlds.add_device(self.stack, self.application, device_id, joined=joined, **fields)
        self.traffic.event(device, "create", {**device.location, "update_at": self.stack.time()})
        return device

    def update_device(self, device_id: str, **fields: Any) -> None:
        """Change a device in the registry, as in the console."""
        device = self.device(device_id)
        for name, value in fields.items():
            setattr(device, name, value)
        self.traffic.event(device, "update", {"update_at": self.stack.time()})

    def remove_device(self, device_id: str) -> None:
        """Delete a device."""
        application, device = self._device(device_id)
        del application.devices[device_id]
        self.traffic.event(device, "delete", None)

    # Keys

    def key(self, role: str = "default", application_id: str | None = None) -> str:
        """Return the access key of a role, one of `accounts.ROLES`, for an application.

        `wrong` is no key at all, `other` one of the application `neighbour`.
        """
        if role == "wrong":
            return "ttn-account-v2.wrong"
        if role == "other":
            return self.key("default", "neighbour")
        name = (role, application_id or self.application_id)
        if name not in self._keys:
            self._keys[name] = self.stack.accounts.add_key(name[1], role).token
        return self._keys[name]

    @property
    def token(self) -> str:
        """Return an access token of the user to whom all applications belong."""
        return self._token

    def token_until(self, expires_at: datetime) -> str:
        """Return another access token of the user."""
        return self.stack.accounts.add_token(self.user, expires_at)

    def revoke(self, role: str = "default", application_id: str | None = None) -> None:
        """Delete an access key; open MQTT sessions go on."""
        self.stack.accounts.keys.pop(self.key(role, application_id), None)

    def set_rights(self, role: str, *granted: str, application_id: str | None = None) -> None:
        """Change the rights of an access key; open MQTT sessions keep what they had."""
        token = self.key(role, application_id)
        self.stack.accounts.keys[token].rights = frozenset(granted)

    # Traffic

    @override
    async def uplink(
        self,
        device_id: str,
        decoded: Any = UNSET,
        port: int | None = None,
        payload: bytes | None = None,
        **options: Any,
    ) -> dict[str, Any] | None:
        """Let a device send; return the message as published, None if it is dropped.

        Without `decoded` and `payload` it sends what it would at this time. `decoded` stands in
        for what the payload functions make of the payload, None for functions that failed.
        `options` as in `Traffic.uplink`.
        """
        application, device = self._device(device_id)
        sample: dict[str, Any] = {}
        if decoded is UNSET and payload is None and device.sample is not None:
            sample = device.sample(self.stack.now())
        message = self.traffic.uplink(
            application,
            device,
            port=sample.get("port", 2) if port is None else port,
            payload=sample.get("payload", b"\x01\x02") if payload is None else payload,
            decoded=sample.get("decoded", decoded),
            **{"metadata": sample.get("metadata"), **options},
        )
        await asyncio.sleep(0)
        return message

    async def simulate(
        self, device_id: str, port: int = 1, payload: bytes = b"\x01", decoded: Any = UNSET
    ) -> dict[str, Any] | None:
        """Send a simulated uplink; return the message, None if the validator doesn't take it."""
        application, device = self._device(device_id)
        message = self.traffic.simulate(application, device, port, payload, decoded)
        await asyncio.sleep(0)
        return message

    async def join(self, device_id: str) -> dict[str, Any]:
        """Let a device join; return the message as published."""
        application, device = self._device(device_id)
        message = self.traffic.join(application, device)
        await asyncio.sleep(0)
        return message

    async def join_failed(
        self, device_id: str, error: str = "Activation DevNonce not valid: already used"
    ) -> None:
        """Let the network refuse a join."""
        self.traffic.join_failed(self.device(device_id), error)
        await asyncio.sleep(0)

    async def register_on_join(self, template_id: str, dev_eui: str) -> Device | None:
        """Let a device join that only a template knows; None where the application forbids it."""
        application, template = self._device(template_id)
        key = application.register_on_join_access_key
        if self.stack.accounts.find_key(key, application.application_id) is None:
            return None
        device = self.traffic.register_on_join(application, template, dev_eui)
        await asyncio.sleep(0)
        return device

    async def publish(self, topic: str, payload: bytes) -> int:
        """Publish anything on any topic; return how many copies were sent."""
        copies = self.broker.deliver(topic, payload)
        await asyncio.sleep(0)
        return copies

    async def restart_handler(self) -> None:
        """Let the Handler start anew: it schedules retained downlinks again."""
        self.broker.repeat_retained()
        await asyncio.sleep(0)

    def integrate(
        self,
        url: str,
        application_id: str | None = None,
        process_id: str = "home-assistant",
        headers: dict[str, str] | None = None,
    ) -> Process:
        """Post an application's uplinks to an address of this machine, as an HTTP integration."""
        return self.integration.add(application_id or self.application_id, process_id, url, headers)

    def _device(self, device_id: str) -> tuple[Application, Device]:
        for application in self.stack.applications.values():
            if device_id in application.devices:
                return application, application.devices[device_id]
        raise KeyError(device_id)

    def _commanded(self, device: Device, port: int, payload: bytes) -> None:
        """Let a device of the demo obey; it shows with its next uplink."""
        demo.command(device.state, port, payload)
