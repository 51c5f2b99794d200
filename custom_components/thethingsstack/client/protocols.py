"""What is needed of a stack's client, whatever its version: typing protocols.

`Stack` is that of version 3. A part that a stack doesn't have is there, too, but its methods raise
NotSupported (`capabilities.lacking`); what is missing stands in its `capabilities`.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from .administration import ApiKey, Collaborator
from .capabilities import Capabilities
from .configuration import FrequencyPlan
from .deletion import Deletion
from .device_changes import DeviceChanges
from .downlinks import DeviceClass, Downlink, EncodedDownlink, QueuedDownlink
from .end_devices import Presence, RootKeys
from .events import Event, EventItem
from .field_masks import DEVICE_FIELDS
from .formatters import Decoded, Direction, Formatters
from .gateways import Gateway, GatewayConnection
from .messages import Message
from .models import (
    Application,
    BatteryStatus,
    EndDevice,
    EndDeviceIds,
    Formatter,
    KeyInfo,
    MqttAddress,
    VersionIds,
)
from .registration import Registration, Server
from .repository import Brand, Codec, DeviceModel, DeviceTemplate, RepositoryFormatter
from .stream import StreamItem
from .webhook_downlinks import Delivery, DownlinkAddress
from .webhooks import Webhook


class ServerConnection(Protocol):
    """The addresses, IDs and key that a client was made with."""

    @property
    def server(self) -> str:
        """The server's base URL."""

    @property
    def server_host(self) -> str:
        """The server's host name."""

    @property
    def identity_server(self) -> str:
        """The base URL of the server that knows the applications; it makes their IDs unique."""

    @property
    def application_id(self) -> str | None:
        """The application."""

    @property
    def tenant_id(self) -> str | None:
        """The tenant; None where there is none."""

    @property
    def uid(self) -> str:
        """The application's ID, unique on the server; raises InvalidRequest without one."""

    @property
    def api_key(self) -> str:
        """The key; empty where there is none."""


class DownlinkCalls(Protocol):
    """The downlinks of an application's end devices.

    A call queues all of its downlinks or none. Their reports come over the stream with the
    correlation IDs that they were given.
    """

    @property
    def reads_queue(self) -> bool:
        """Whether the queue can be read now (`queue`), and emptied."""

    async def push(
        self,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        *,
        max_wait: float = 30,
    ) -> None:
        """Append to the queue; a rate limit is waited out for at most `max_wait` seconds."""

    async def push_first(
        self, device_id: str, downlinks: Sequence[Downlink], *, max_wait: float = 30
    ) -> None:
        """Put before all that are queued (capability `downlink_first`)."""

    async def replace(
        self,
        device_id: str,
        downlinks: Sequence[Downlink | QueuedDownlink],
        *,
        max_wait: float = 30,
    ) -> None:
        """Replace all downlinks in the queue by these; none empties it (`downlink_queue`)."""

    async def queue(self, device_id: str, *, max_wait: float = 30) -> list[QueuedDownlink]:
        """Return the queued downlinks in order (`downlink_queue`)."""

    def expect(
        self, device_id: str, names: Sequence[str], *, f_port: int, confirmed: bool, sent: bool
    ) -> None:
        """Take a downlink of an earlier run for queued, or for `sent` and not acknowledged.

        Its reports then have its correlation IDs, `names`, also where the server knows none.
        """

    async def formatter(self, device_id: str) -> Formatter | None:
        """Return the downlink formatter that applies; None where there is none."""

    async def encode(
        self,
        device_id: str,
        downlink: Downlink,
        formatter: Formatter,
        *,
        version_ids: VersionIds | None = None,
    ) -> EncodedDownlink:
        """Return what the formatter makes of the object, unsent (`formatter_trial`)."""

    async def device_class(self, device_id: str) -> DeviceClass:
        """Return when the device listens: "A" after its uplinks, "B" at times, "C" always."""


class EndDeviceCalls(Protocol):
    """Registering, changing, finding and removing end devices."""

    async def check(self, registration: Registration) -> Registration:
        """Return the registration in the servers' spelling, if it can be registered.

        Changes nothing. Raises InvalidRequest for invalid values, Conflict if the ID or the EUIs
        are taken.
        """

    async def register(self, registration: Registration) -> EndDevice:
        """Register an end device, and return it."""

    async def complete(
        self, registration: Registration, servers: Collection[Server] | None = None
    ) -> EndDevice:
        """Write the missing parts of a half created end device (`several_servers`)."""

    async def update(self, device_id: str, changes: DeviceChanges) -> EndDevice:
        """Change an end device, and return it; what `changes` doesn't name stays as it is."""

    async def reset(self, device_id: str) -> None:
        """Delete an end device's session (`session_reset`)."""

    async def delete(self, device_id: str) -> Deletion:
        """Delete an end device; raises NotFound."""

    async def presence(self, device_id: str) -> Presence:
        """Return which servers have an end device (`several_servers`)."""

    async def battery(self, device_id: str) -> BatteryStatus | None:
        """Return the battery level that the network keeps; None where it has none."""

    async def details(self, device_id: str, *, stranded: bool = False) -> dict[str, Any]:
        """Return the JSON object of an end device, without keys."""

    async def root_keys(self, device_id: str) -> RootKeys:
        """Return a device's root keys; raises NotFound where none are kept."""

    def search(
        self,
        query: str | None = None,
        *,
        field_mask: Sequence[str] = DEVICE_FIELDS,
        **contains: str,
    ) -> AsyncGenerator[EndDevice]:
        """Yield the devices in whose IDs, name or description the query occurs."""

    async def batch(
        self, device_ids: Iterable[str], field_mask: Sequence[str] = DEVICE_FIELDS
    ) -> list[EndDevice]:
        """Return the end devices with these IDs that exist."""

    async def export(
        self,
        *,
        with_keys: bool = False,
        frequency_plan_id: str | None = None,
        lorawan_version: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return all end devices as version 3 imports them, by their present IDs.

        Plan and version are for end devices that have none of their own (not `frequency_plans`).
        """

    async def issue_dev_eui(self) -> str:
        """Return a new DevEUI from the network's own block (`dev_eui_issuing`)."""

    async def simulate_uplink(
        self, device_id: str, *, f_port: int, payload: bytes, rssi: float = -42, snr: float = 4.2
    ) -> None:
        """Simulate an uplink; RSSI in dBm, SNR in dB (`simulated_uplinks`)."""


class FormatterCalls(Protocol):
    """Payload formatters: the application's, and those of end devices (`device_formatters`)."""

    async def of_application(self) -> Formatters | None:
        """Return the application's formatters; None where none were set."""

    async def set_of_application(self, formatters: Formatters) -> None:
        """Replace the application's formatters."""

    async def of_device(self, device_id: str) -> Formatters | None:
        """Return an end device's own formatters; None where the application's apply."""

    async def set_of_device(self, device_id: str, formatters: Formatters | None) -> None:
        """Replace an end device's own formatters; None for those of the application."""

    async def change(
        self, device_id: str | None, wanted: Mapping[Direction, Formatter | None]
    ) -> Formatters:
        """Change the formatters of some directions, of an end device or the application."""

    async def decode(
        self,
        device_id: str,
        *,
        f_port: int,
        payload: bytes,
        formatter: Formatter,
        version_ids: VersionIds | None = None,
    ) -> Decoded:
        """Return what a formatter makes of a payload (`formatter_trial`)."""


class TemplateCalls(Protocol):
    """The templates of models (`repository`)."""

    async def template(
        self, brand_id: str, model_id: str, firmware_version: str, band_id: str
    ) -> DeviceTemplate:
        """Return the template of a model."""

    async def template_of_profile(self, vendor_id: int, vendor_profile_id: int) -> DeviceTemplate:
        """Return the template for the numbers in a QR code."""


class RepositoryCalls(TemplateCalls, Protocol):
    """Brands, models and templates (`repository`)."""

    def brands(self, search: str | None = None) -> AsyncGenerator[Brand]:
        """Yield the brands."""

    def models(
        self, brand_id: str | None = None, search: str | None = None
    ) -> AsyncGenerator[DeviceModel]:
        """Yield the models of a brand, or of all."""

    async def model(self, brand_id: str, model_id: str) -> DeviceModel:
        """Return a model."""

    async def formatter(self, version_ids: VersionIds, codec: Codec) -> RepositoryFormatter:
        """Return the formatter of a model."""


class ConfigurationCalls(Protocol):
    """Frequency plans and defaults (`frequency_plans`)."""

    async def frequency_plans(self, band_id: str | None = None) -> list[FrequencyPlan]:
        """Return the frequency plans, of a band or all."""

    async def check_frequency_plan(
        self, frequency_plan_id: str, band_id: str | None, whose: str = "the model is"
    ) -> None:
        """Raise InvalidRequest for a frequency plan that isn't of the band."""

    async def default_join_eui(self) -> str:
        """Return the JoinEUI that the server has for end devices without one of their own."""

    async def dev_addr(self) -> str:
        """Return a new device address of the network."""


class ClaimingCalls(Protocol):
    """Claiming end devices (`claiming`)."""

    async def supports(self, join_eui: str) -> bool:
        """Return whether end devices with this JoinEUI can be claimed."""

    async def claim(
        self, *, dev_eui: str, join_eui: str, authentication_code: str, device_id: str
    ) -> EndDeviceIds:
        """Claim an end device with its claim code."""

    async def claim_by_qr_code(self, text: str, *, device_id: str) -> EndDeviceIds:
        """Claim an end device with its QR code."""

    async def unclaim(self, device_id: str) -> None:
        """Give up a claim."""


class QrCodeCalls(Protocol):
    """QR codes on end devices (`claiming`)."""

    async def parse(self, text: str) -> DeviceTemplate:
        """Return what a QR code says of its end device."""


class AdministrationCalls(Protocol):
    """The application itself (`application_settings`), API keys and collaborators (`api_keys`)."""

    async def show(self) -> Application:
        """Return the application with all that is known of it."""

    async def create(
        self,
        application_id: str,
        *,
        user_id: str | None = None,
        organization_id: str | None = None,
        name: str | None = None,
    ) -> Application:
        """Create an application of a user or an organization, and return it."""

    async def update(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        attributes: Mapping[str, str | None] | None = None,
    ) -> Application:
        """Change the application; an attribute None is removed."""

    def api_keys(self) -> AsyncGenerator[ApiKey]:
        """Yield the API keys, without the keys themselves."""

    async def create_api_key(
        self, name: str, rights: Sequence[str], *, expires_at: datetime | None = None
    ) -> ApiKey:
        """Create an API key."""

    async def delete_api_key(self, key_id: str) -> None:
        """Delete an API key."""

    async def collaborators(self) -> list[Collaborator]:
        """Return the users and organizations with rights on the application."""


class GatewayCalls(Protocol):
    """Gateways (`gateways`)."""

    async def get(self, gateway_id: str) -> Gateway:
        """Return a gateway."""

    async def connection(self, gateway_id: str) -> GatewayConnection | None:
        """Return a gateway's connection; None where it isn't connected."""


class EventCalls(Protocol):
    """The event stream of the HTTP API (`event_stream`), and its history (`event_history`)."""

    def stream(
        self,
        names: Sequence[str] = (),
        *,
        device_ids: Iterable[str] = (),
        host: Literal["identity", "cluster"] | None = None,
        idle: float = ...,
    ) -> AsyncGenerator[EventItem]:
        """Yield events without end, of the application or these end devices; and of the connection."""

    def past(
        self, names: Sequence[str] = (), *, after: datetime, quiet: float = ...
    ) -> AsyncGenerator[Event]:
        """Yield the events after a time that the server still has, and end."""


class MessageEventCalls(Protocol):
    """The messages over the event stream (`event_stream`)."""

    async def check(self) -> None:
        """Connect once; raises StackError."""

    def stream(self, *, since: datetime | None = None) -> AsyncGenerator[StreamItem]:
        """Yield messages without end, and what happens to the connection."""

    def reconnect(self) -> None:
        """Let a running stream connect again at once; does nothing without one."""


class StorageCalls(Protocol):
    """Whether the server keeps uplinks for `stored_uplinks` (`storage`)."""

    async def enabled(self) -> bool:
        """Return whether uplinks are kept."""

    async def enable(self) -> None:
        """Let the server keep uplinks from now on."""


class WebhookCalls(Protocol):
    """The application's webhooks (`webhooks`)."""

    async def list(self) -> Sequence[Webhook]:
        """Return the webhooks."""

    async def get(self, webhook_id: str) -> Webhook:
        """Return a webhook."""

    async def create(self, webhook: Webhook) -> Webhook:
        """Create a webhook."""

    async def replace(self, webhook: Webhook) -> Webhook:
        """Change a webhook."""

    async def reactivate(self, webhook_id: str) -> None:
        """Let a paused webhook deliver again."""

    async def tolerated_failures(self) -> int | None:
        """Return after how many failures in a row the server pauses a webhook."""

    async def delete(self, webhook_id: str) -> None:
        """Delete a webhook."""


class RegistrationClient(Protocol):
    """What completing an end device's data asks the network."""

    @property
    def capabilities(self) -> Capabilities:
        """What the stack can do."""

    @property
    def end_devices(self) -> EndDeviceCalls:
        """Checking a registration, issuing DevEUIs."""

    @property
    def repository(self) -> TemplateCalls:
        """Templates of models."""

    @property
    def configuration(self) -> ConfigurationCalls:
        """Frequency plans and defaults."""

    @property
    def claiming(self) -> ClaimingCalls:
        """Claiming end devices."""

    @property
    def qr_codes(self) -> QrCodeCalls:
        """QR codes on end devices."""


class ApplicationClient(Protocol):
    """The client of one application: requests, and the stream of its messages."""

    @property
    def connection(self) -> ServerConnection:
        """The addresses, IDs and key."""

    @property
    def capabilities(self) -> Capabilities:
        """What the stack can do."""

    # Parts

    @property
    def end_devices(self) -> EndDeviceCalls:
        """Registering, changing, finding and removing end devices."""

    @property
    def downlinks(self) -> DownlinkCalls:
        """The downlinks of the application's end devices."""

    @property
    def formatters(self) -> FormatterCalls:
        """Payload formatters."""

    @property
    def administration(self) -> AdministrationCalls:
        """The application itself."""

    @property
    def repository(self) -> RepositoryCalls:
        """Brands, models and templates."""

    @property
    def configuration(self) -> ConfigurationCalls:
        """Frequency plans and defaults."""

    @property
    def claiming(self) -> ClaimingCalls:
        """Claiming end devices."""

    @property
    def qr_codes(self) -> QrCodeCalls:
        """QR codes on end devices."""

    @property
    def gateways(self) -> GatewayCalls:
        """Gateways."""

    @property
    def events(self) -> EventCalls:
        """The event stream of the HTTP API."""

    @property
    def message_events(self) -> MessageEventCalls:
        """The messages over the event stream."""

    @property
    def storage_integration(self) -> StorageCalls:
        """Whether the server keeps uplinks."""

    @property
    def webhooks(self) -> WebhookCalls:
        """The application's webhooks."""

    # Calls

    async def request(self, method: str, path: str) -> Any:
        """Make any request of the HTTP API and return its parsed answer ({} if empty)."""

    async def auth_info(self) -> KeyInfo:
        """Return what is known of the key; raises AuthenticationFailed where it is refused."""

    async def rights(self, application_id: str | None = None) -> frozenset[str]:
        """Return the key's rights on the application, by the names in `rights`; empty for none.

        Where the server doesn't list them (`rights_listing`), they are found by trying.
        """

    async def applications(self) -> list[Application]:
        """Return the applications that the key has rights on."""

    async def application(self) -> Application:
        """Return the application."""

    def devices(self, field_mask: Sequence[str] = DEVICE_FIELDS) -> AsyncGenerator[EndDevice]:
        """Yield the application's end devices, sorted by ID."""

    async def device(self, device_id: str, field_mask: Sequence[str] = DEVICE_FIELDS) -> EndDevice:
        """Return one end device; raises NotFound."""

    def stored_uplinks(
        self,
        *,
        after: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        device_id: str | None = None,
        newest_first: bool = False,
    ) -> AsyncGenerator[Message]:
        """Yield uplinks that the server keeps; raises StorageUnavailable where it keeps none."""

    def server_time(self) -> datetime:
        """Return the time by the server's clock, else by this machine's."""

    def not_in_future(self, moment: datetime) -> datetime:
        """Return a time, but the server's present where it is well after that."""

    # The stream

    async def mqtt_address(self) -> MqttAddress:
        """Return the address of the MQTT server."""

    async def check_mqtt(self) -> None:
        """Connect over MQTT and subscribe once, to check that messages can be received."""

    def stream(self) -> AsyncGenerator[StreamItem]:
        """Yield the application's messages without end, and changes of the connection."""

    def reconnect(self) -> None:
        """Let a running stream connect again at once; does nothing without one."""

    @property
    def complete_until(self) -> datetime | None:
        """When the stream's last message was received, or since when it is connected."""

    def read_delivery(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Return the message that a webhook has posted, and where to post downlinks.

        Raises BadMessage; `other_application` for one of another application.
        """

    def use_webhook_downlinks(self, addresses: Callable[[str], DownlinkAddress | None]) -> None:
        """Send downlinks to the addresses that came with end devices' messages, by device ID."""
