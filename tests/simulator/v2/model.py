"""The state of the simulated v2 stack: applications, devices, queues."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from ..encoding import timestamp
from ..faults import Faults
from ..formatters import Formatter
from . import errors
from .accounts import AccountServer
from .functions import NAMES, Functions
from .limits import Limits


@dataclass
class Downlink:
    """A downlink in the Handler's queue."""

    port: int = 0
    confirmed: bool = False
    payload_raw: bytes = b""
    payload_fields: dict[str, Any] = field(default_factory=dict)

    def shown(self, device: Device | None = None) -> dict[str, Any]:
        """Return the message as events have it, with the device's ids where one is given."""
        message: dict[str, Any] = {}
        if device is not None:
            message = {"app_id": device.application_id, "dev_id": device.device_id}
        message["port"] = self.port
        if self.confirmed:
            message["confirmed"] = True
        if self.payload_raw:
            message["payload_raw"] = base64.b64encode(self.payload_raw).decode()
        if self.payload_fields:
            message["payload_fields"] = dict(sorted(self.payload_fields.items()))
        return message


@dataclass(frozen=True)
class Received:
    """What a device's radio received."""

    f_port: int
    payload_hex: str
    confirmed: bool
    counter: int
    ack: bool


@dataclass(eq=False)
class Device:
    """A device: what Handler and Network Server know of it, and its radio."""

    application_id: str
    device_id: str
    app_eui: str = ""
    dev_eui: str = ""
    app_key: str = ""
    description: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    altitude: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    dev_addr: str = ""
    nwk_s_key: str = ""
    app_s_key: str = ""
    f_cnt_up: int = 0
    """The Network Server's counters, which an edit without them sets to 0."""
    f_cnt_down: int = 0
    disable_f_cnt_check: bool = False
    uses32_bit_f_cnt: bool = False
    activation_constraints: str = "local"
    last_seen: int = 0
    """Nanoseconds; 0 for never."""
    # What the Handler keeps for itself
    last_counter: int = 0
    queue: list[Downlink] = field(default_factory=list)
    waiting: Downlink | None = None
    """The confirmed downlink that is sent with each uplink until it is acknowledged."""
    # Its radio
    counter: int = -1
    """The last uplink's counter, -1 before the first one of a session."""
    acknowledges: bool = True
    received: list[Received] = field(default_factory=list)
    sample: Callable[[datetime], dict[str, Any]] | None = None
    """The uplink that it would send at a time: `port`, `payload`, `decoded`, `metadata`."""
    interval: float = 0.0
    """Seconds between two uplinks; 0 for a silent one."""
    state: dict[str, Any] = field(default_factory=dict)
    """What commands change, for `sample` to read."""
    formatter: Formatter | None = None
    """Stands in for the application's functions."""

    @property
    def joined(self) -> bool:
        """Return whether the device has a session."""
        return bool(self.dev_addr)

    @property
    def location(self) -> dict[str, Any]:
        """Return the place in the registry, without what is 0."""
        place = {name: getattr(self, name) for name in ("latitude", "longitude", "altitude")}
        return {name: value for name, value in place.items() if value}

    def document(self, *, counters: bool) -> dict[str, Any]:
        """Return the device as the Handler answers it; lists have no counters."""
        lorawan: dict[str, Any] = {"app_eui": self.app_eui, "dev_eui": self.dev_eui}
        lorawan |= {"app_id": self.application_id, "dev_id": self.device_id}
        # These are there also when they are empty.
        names = ("dev_addr", "nwk_s_key", "app_s_key", "app_key")
        lorawan |= {name: getattr(self, name) for name in names}
        kept = ["disable_f_cnt_check", "uses32_bit_f_cnt", "activation_constraints"]
        if counters:
            kept = ["f_cnt_up", "f_cnt_down", *kept]
        lorawan |= {name: getattr(self, name) for name in kept if getattr(self, name)}
        if counters and self.last_seen:
            lorawan["last_seen"] = str(self.last_seen)
        document = {
            "app_id": self.application_id,
            "dev_id": self.device_id,
            "lorawan_device": lorawan,
            **self.location,
        }
        if self.attributes:
            document["attributes"] = dict(sorted(self.attributes.items()))
        if self.description:
            document["description"] = self.description
        return document


@dataclass(eq=False)
class Application:
    """An application on the Handler."""

    application_id: str
    announced: bool = True
    """Whether Discovery and Broker know it; without that no uplink arrives."""
    functions: Functions = field(default_factory=Functions)
    register_on_join_access_key: str = ""
    devices: dict[str, Device] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the application as the Handler answers it."""
        document = {"app_id": self.application_id, "payload_format": self.functions.payload_format}
        document |= {name: self.functions.scripts.get(name, "") for name in NAMES}
        document["register_on_join_access_key"] = self.register_on_join_access_key
        return {name: value for name, value in document.items() if value}


class Stack:
    """Everything that the servers know, with the clock and the dice they use."""

    def __init__(self, clock: Callable[[], datetime], random: Random, faults: Faults) -> None:
        self.now = clock
        self.random = random
        self.faults = faults
        self.accounts = AccountServer(clock, random)
        self.limits = Limits()
        self.applications: dict[str, Application] = {}

    def application(self, application_id: str) -> Application:
        """Return a registered application; raises the refusal of an unknown one."""
        if application_id not in self.applications:
            raise errors.application_not_found(application_id)
        return self.applications[application_id]

    def find_euis(self, app_eui: str, dev_eui: str) -> Device | None:
        """Return the device with these EUIs, of any application."""
        for application in self.applications.values():
            for device in application.devices.values():
                if (device.app_eui, device.dev_eui) == (app_eui, dev_eui):
                    return device
        return None

    def time(self) -> str:
        """Return the present as the stack writes it: up to nine decimals, zeros cut."""
        text = timestamp(self.now(), nanoseconds=self.random.randrange(1000))
        return text.removesuffix("Z").rstrip("0").rstrip(".") + "Z"

    def hexadecimal(self, size: int) -> str:
        """Return so many bytes of the dice, in capitals."""
        return self.random.randbytes(size).hex().upper()
