"""The state of the simulated stack: applications, end devices, sessions, queues."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from . import errors, rights
from .encoding import get_path, timestamp, ulid
from .faults import Faults
from .formatters import Formatter
from .rights import ApiKey, random_id, random_secret

if TYPE_CHECKING:
    from .events import EventHub

type Server = Literal["is", "js", "ns", "as"]


@dataclass
class Downlink:
    """A downlink in a device's queue, with what the stack added."""

    message: dict[str, Any]
    correlation_ids: list[str]
    warnings: list[str] = field(default_factory=list)
    attempt: int = 1
    f_cnt: int = 0

    @property
    def confirmed(self) -> bool:
        """Return whether the device must acknowledge it."""
        return bool(self.message.get("confirmed"))

    @property
    def max_attempts(self) -> int:
        """Return how often the Application Server tries a confirmed one."""
        return int(get_path(self.message, "confirmed_retry.max_attempts") or 8)


@dataclass
class Session:
    """A device's session since its last join."""

    dev_addr: str
    key_id: str | None
    f_cnt_up: int = -1
    f_cnt_down: int = 0
    queue: list[Downlink] = field(default_factory=list)
    waiting: Downlink | None = None
    """The confirmed downlink that was sent and not acknowledged yet."""


class Device:
    """An end device: its document on each of the four servers, and its radio."""

    def __init__(self, application_id: str, device_id: str) -> None:
        self.application_id = application_id
        self.device_id = device_id
        self.documents: dict[str, dict[str, Any]] = {}
        self.session: Session | None = None
        self.formatter: Formatter | None = None
        """How its frames are coded, where its document names no formatter."""
        self.battery: float | None = 0.78656125
        """Fraction of the battery as in LoRaWAN's DevStatusAns; None on external power."""
        self.acknowledges = True
        self.sample: Callable[[datetime], dict[str, Any]] | None = None
        """The uplink it would send at a time: see `demo`."""
        self.interval: float = 0.0
        """Seconds between two uplinks; 0 for a silent one."""
        self.state: dict[str, Any] = {}
        """What commands change, for `sample` to read."""
        self.history: deque[dict[str, Any]] = deque(maxlen=50_000)
        """The uplinks sent in this run, oldest first."""
        self.past: Callable[[], list[dict[str, Any]]] | None = None
        """Makes the uplinks from before this run, when they are first asked for."""

    @property
    def ids(self) -> dict[str, Any]:
        """Return the identifiers without DevAddr."""
        for document in self.documents.values():
            return dict(document["ids"])
        return {"device_id": self.device_id, "application_ids": _ids(self.application_id)}

    @property
    def name(self) -> str | None:
        """Return the name in the registry."""
        return self.documents.get("is", {}).get("name")

    @property
    def dev_eui(self) -> str | None:
        """Return the DevEUI, sixteen upper-case hex digits, or None."""
        return self.ids.get("dev_eui")

    @property
    def join_eui(self) -> str | None:
        """Return the JoinEUI, sixteen upper-case hex digits, or None."""
        return self.ids.get("join_eui")

    @property
    def class_c(self) -> bool:
        """Return whether the device listens all the time."""
        return bool(self.documents.get("ns", {}).get("supports_class_c"))

    def stored(self) -> list[dict[str, Any]]:
        """Return the uplinks that the Storage Integration has, oldest first."""
        if self.past is not None:
            self.history.extendleft(reversed(self.past()))
            self.past = None
        return list(self.history)

    def put(self, server: Server, now: datetime, document: dict[str, Any]) -> None:
        """Create a server's document."""
        stamp = timestamp(now, nanoseconds=None if server == "is" else 0)
        self.documents[server] = {
            "ids": {"device_id": self.device_id, "application_ids": _ids(self.application_id)},
            "created_at": stamp,
            "updated_at": stamp,
            **document,
        }

    def touch(self, server: Server, now: datetime) -> None:
        """Note that a server's document changed."""
        stamp = timestamp(now, nanoseconds=None if server == "is" else 0)
        self.documents[server]["updated_at"] = stamp


def _ids(application_id: str) -> dict[str, str]:
    return {"application_id": application_id}


class Application:
    """An application with its devices."""

    def __init__(self, application_id: str, document: dict[str, Any], now: datetime) -> None:
        self.application_id = application_id
        self.devices: dict[str, Device] = {}
        self.link: dict[str, Any] | None = None
        self.associations: dict[int, dict[str, Any]] = {}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.document = {
            "ids": _ids(application_id),
            "created_at": timestamp(now),
            "updated_at": timestamp(now),
            **document,
        }

    @property
    def stores_uplinks(self) -> bool:
        """Return whether the Storage Integration is switched on for this application."""
        names = [association.get("package_name") for association in self.associations.values()]
        return "storage-integration" in names

    def associate(self, package: str, f_port: int, now: datetime) -> dict[str, Any]:
        """Use a package on a port; return the association."""
        stamp = timestamp(now, nanoseconds=0)
        association = self.associations.setdefault(
            f_port,
            {"ids": {"application_ids": self.document["ids"], "f_port": f_port}},
        )
        association.setdefault("created_at", stamp)
        association.update({"updated_at": stamp, "package_name": package})
        return association

    def registered(self) -> list[Device]:
        """Return the devices of the Identity Server, by id."""
        return [device for _, device in sorted(self.devices.items()) if "is" in device.documents]

    def forget(self, device: Device) -> None:
        """Drop a device when no server has it any longer."""
        if not device.documents:
            self.devices.pop(device.device_id, None)


class Stack:
    """Everything that the servers know, with the clock and the dice they use."""

    def __init__(
        self, tenant: str | None, clock: Callable[[], datetime], random: Random, faults: Faults
    ) -> None:
        self.tenant = tenant
        self.faults = faults
        self.now = clock
        self.random = random
        self.applications: dict[str, Application] = {}
        self.keys: dict[str, ApiKey] = {}
        self.gateways: dict[str, dict[str, Any]] = {}
        """The registry's documents of gateways by id."""
        self.connections: dict[str, dict[str, Any]] = {}
        """The statistics of the gateways that are connected."""
        self.claimable: dict[tuple[str, str], str] = {}
        """JoinEUI and DevEUI to the claim authentication code."""
        self.dev_euis: list[str] | None = None
        """What can still be issued; None where issuing isn't set up."""
        self.tolerated_failures = 0
        """After so many failures in a row a webhook isn't tried for a while; 0: they aren't noted."""
        self.retry_interval = timedelta(minutes=1)
        """For how long it isn't tried."""
        self.events: EventHub  # set by the simulator
        self.recent_fields = tenant is not None
        """Whether messages have what v3.33 to v3.36 added."""

    def uid(self, application_id: str) -> str:
        """Return the application's id as topics and user names have it."""
        return f"{application_id}@{self.tenant}" if self.tenant else application_id

    def ulid(self) -> str:
        """Return a new identifier that sorts by time."""
        return ulid(self.now(), self.random)

    def correlation(self, kind: str) -> str:
        """Return a new correlation id such as `gs:uplink:…`."""
        return f"{kind}:{self.ulid()}"

    def add_application(self, application_id: str, document: dict[str, Any]) -> Application:
        """Create an application; its id must be free."""
        application = Application(application_id, document, self.now())
        self.applications[application_id] = application
        return application

    def add_key(
        self,
        name: str,
        granted: list[str],
        *,
        application_id: str | None = None,
        user_id: str | None = None,
        expires_at: datetime | None = None,
        gateway_id: str | None = None,
    ) -> ApiKey:
        """Create an API key of an application, of a user or of a gateway."""
        now = self.now()
        key = ApiKey(
            random_id(self.random),
            random_secret(self.random),
            name,
            granted,
            now,
            now,
            application_id,
            user_id,
            expires_at,
            gateway_id,
        )
        self.keys[key.key_id] = key
        return key

    def find_key(self, token: str) -> ApiKey:
        """Return the key that belongs to a token; raises the stack's errors."""
        key_id, secret = rights.split_token(token)
        key = self.keys.get(key_id)
        if key is None or self.faults.keys_refused:
            raise errors.unknown_key(key_id)
        if key.secret != secret:
            raise errors.wrong_secret()
        if key.expired(self.now()):
            raise errors.expired_key()
        return key

    def granted(self, key: ApiKey | None, application_id: str) -> frozenset[str]:
        """Return the rights of a key on an application, none if there is no such application."""
        if key is None or application_id not in self.applications or self.faults.rights_empty:
            return frozenset()
        return key.application_rights(application_id)

    def devices(self) -> Iterator[Device]:
        """Return all devices of all applications."""
        for application in self.applications.values():
            yield from application.devices.values()


def versions(
    brand: str, model: str, hardware: str = "1.0", firmware: str = "1.0"
) -> dict[str, str]:
    """Return `version_ids` of the Device Repository for Europe."""
    return {
        "brand_id": brand,
        "model_id": model,
        "hardware_version": hardware,
        "firmware_version": firmware,
        "band_id": "EU_863_870",
    }
