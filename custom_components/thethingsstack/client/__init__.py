"""A client for The Things Stack: typed messages, reconnecting stream, HTTP API."""

from typing import TYPE_CHECKING, Any
import warnings

from .administration import ApiKey, Collaborator
from .configuration import (
    LORAWAN_VERSIONS,
    FrequencyPlan,
    parse_lorawan_version,
    usual_frequency_plan,
    usual_phy_version,
    version_number,
)
from .connection import (
    CLOUD_CLUSTERS,
    NETWORKS,
    Connection,
    Network,
    cloud_network,
    is_loopback,
    normalize_server_url,
)
from .deletion import Deletion, PartlyDeleted, RollbackFailed
from .device_changes import UNCHANGED, DeviceChanges
from .device_request import (
    DeviceRequest,
    PreparedRegistration,
    claim_and_register,
    prepare_registration,
)
from .downlinks import (
    PRIORITIES,
    DeviceClass,
    Downlink,
    Downlinks,
    EncodedDownlink,
    Priority,
    QueuedDownlink,
)
from .end_devices import Presence, RootKeys
from .errors import (
    AuthenticationFailed,
    BadMessage,
    CertificateFailed,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    MqttRefused,
    NotFound,
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    ServerFailed,
    StackError,
    StorageUnavailable,
    redact,
)
from .events import REGISTRY_EVENTS, Event, EventsConnected, EventsLost
from .field_masks import DEVICE_FIELDS
from .formatters import Decoded, FormatterFailed, Formatters
from .gateways import Gateway, GatewayConnection
from .identifiers import (
    InvalidIdentifier,
    check_id,
    generate_eui,
    generate_key,
    looks_reversed,
    parse_dev_addr,
    parse_eui,
    parse_key,
    propose_id,
    reversed_eui,
)
from .keys import ROOT_KEYS, SESSION_KEYS
from .messages import (
    DownlinkReport,
    DownlinkState,
    JoinAccept,
    LocationSolved,
    Message,
    NormalizedUplink,
    ServiceData,
    Uplink,
    UplinkMessage,
    parse_message,
)
from .models import (
    Application,
    BatteryStatus,
    DataRate,
    EndDevice,
    EndDeviceIds,
    ErrorDetails,
    Formatter,
    KeyInfo,
    Location,
    MqttAddress,
    Reception,
    VersionIds,
)
from .mqtt import tls_context
from .registration import Registration, Server, Session
from .repository import Brand, DeviceModel, DeviceTemplate, FirmwareVersion
from .rights import FEATURES, expand as expand_rights, missing as missing_rights
from .stack import Stack
from .stream import MessagesDropped, StreamConnected, StreamItem, StreamLost, UnreadableMessage

__all__ = [
    "CLOUD_CLUSTERS",
    "DEVICE_FIELDS",
    "FEATURES",
    "LORAWAN_VERSIONS",
    "NETWORKS",
    "PRIORITIES",
    "REGISTRY_EVENTS",
    "ROOT_KEYS",
    "SESSION_KEYS",
    "UNCHANGED",
    "ApiKey",
    "Application",
    "AuthenticationFailed",
    "BadMessage",
    "BatteryStatus",
    "Brand",
    "CertificateFailed",
    "Collaborator",
    "Conflict",
    "Connection",
    "ConnectionFailed",
    "DataRate",
    "Decoded",
    "Deletion",
    "DeviceChanges",
    "DeviceClass",
    "DeviceModel",
    "DeviceRequest",
    "DeviceTemplate",
    "Downlink",
    "DownlinkReport",
    "DownlinkState",
    "Downlinks",
    "EncodedDownlink",
    "EndDevice",
    "EndDeviceIds",
    "ErrorDetails",
    "Event",
    "EventsConnected",
    "EventsLost",
    "FirmwareVersion",
    "Formatter",
    "FormatterFailed",
    "Formatters",
    "FrequencyPlan",
    "Gateway",
    "GatewayConnection",
    "InvalidIdentifier",
    "InvalidRequest",
    "JoinAccept",
    "KeyInfo",
    "Location",
    "LocationSolved",
    "Message",
    "MessagesDropped",
    "MissingRight",
    "MqttAddress",
    "MqttRefused",
    "Network",
    "NormalizedUplink",
    "NotFound",
    "PartlyDeleted",
    "PreparedRegistration",
    "Presence",
    "Priority",
    "ProtocolMismatch",
    "QueuedDownlink",
    "RateLimited",
    "Reception",
    "Registration",
    "RequestTimeout",
    "RollbackFailed",
    "RootKeys",
    "Server",
    "ServerFailed",
    "ServiceData",
    "Session",
    "Stack",
    "StackError",
    "StorageUnavailable",
    "StreamConnected",
    "StreamItem",
    "StreamLost",
    "UnreadableMessage",
    "Uplink",
    "UplinkMessage",
    "VersionIds",
    "check_id",
    "claim_and_register",
    "cloud_network",
    "expand_rights",
    "generate_eui",
    "generate_key",
    "is_loopback",
    "looks_reversed",
    "missing_rights",
    "normalize_server_url",
    "parse_dev_addr",
    "parse_eui",
    "parse_key",
    "parse_lorawan_version",
    "parse_message",
    "prepare_registration",
    "propose_id",
    "redact",
    "reversed_eui",
    "tls_context",
    "usual_frequency_plan",
    "usual_phy_version",
    "version_number",
]

_FORMER_NAMES = {
    "Completed": "PreparedRegistration",
    "Outline": "DeviceRequest",
    "complete_outline": "prepare_registration",
    "expand": "expand_rights",
    "missing": "missing_rights",
}
"""Names of version 0.1, which the next version forgets."""

if not TYPE_CHECKING:  # a checker is to find names that aren't there

    def __getattr__(name: str) -> Any:
        """Return what has another name now, with a warning."""
        if name not in _FORMER_NAMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        now = _FORMER_NAMES[name]
        warnings.warn(
            f"thethingsstack.{name} is called {now} now", DeprecationWarning, stacklevel=2
        )
        return globals()[now]
