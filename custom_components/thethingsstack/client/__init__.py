"""A client for The Things Stack: typed messages, reconnecting stream, HTTP API."""

from importlib import import_module
from typing import TYPE_CHECKING, Any
import warnings

if TYPE_CHECKING:
    from .administration import ApiKey as ApiKey, Collaborator as Collaborator
    from .capabilities import Capabilities as Capabilities
    from .configuration import (
        LORAWAN_VERSIONS as LORAWAN_VERSIONS,
        FrequencyPlan as FrequencyPlan,
        parse_lorawan_version as parse_lorawan_version,
        usual_frequency_plan as usual_frequency_plan,
        usual_phy_version as usual_phy_version,
        version_number as version_number,
    )
    from .connection import (
        CLOUD_CLUSTERS as CLOUD_CLUSTERS,
        NETWORKS as NETWORKS,
        Connection as Connection,
        Network as Network,
        cloud_network as cloud_network,
        is_loopback as is_loopback,
        known_network as known_network,
        normalize_server_url as normalize_server_url,
    )
    from .deletion import (
        Deletion as Deletion,
        PartlyDeleted as PartlyDeleted,
        RollbackFailed as RollbackFailed,
    )
    from .device_changes import UNCHANGED as UNCHANGED, DeviceChanges as DeviceChanges
    from .device_request import (
        DeviceRequest as DeviceRequest,
        PreparedRegistration as PreparedRegistration,
        claim_and_register as claim_and_register,
        prepare_registration as prepare_registration,
    )
    from .downlinks import (
        PRIORITIES as PRIORITIES,
        DeviceClass as DeviceClass,
        Downlink as Downlink,
        Downlinks as Downlinks,
        EncodedDownlink as EncodedDownlink,
        Priority as Priority,
        QueuedDownlink as QueuedDownlink,
    )
    from .end_devices import Presence as Presence, RootKeys as RootKeys
    from .errors import (
        AuthenticationFailed as AuthenticationFailed,
        BadMessage as BadMessage,
        CertificateFailed as CertificateFailed,
        Conflict as Conflict,
        ConnectionFailed as ConnectionFailed,
        InvalidRequest as InvalidRequest,
        MissingRight as MissingRight,
        MqttRefused as MqttRefused,
        NoApiKey as NoApiKey,
        NotFound as NotFound,
        NotSupported as NotSupported,
        ProtocolMismatch as ProtocolMismatch,
        RateLimited as RateLimited,
        RequestTimeout as RequestTimeout,
        ServerFailed as ServerFailed,
        StackError as StackError,
        StorageUnavailable as StorageUnavailable,
        redact as redact,
    )
    from .events import (
        REGISTRY_EVENTS as REGISTRY_EVENTS,
        Event as Event,
        EventsConnected as EventsConnected,
        EventsLost as EventsLost,
    )
    from .field_masks import DEVICE_FIELDS as DEVICE_FIELDS
    from .formatters import (
        Decoded as Decoded,
        FormatterFailed as FormatterFailed,
        Formatters as Formatters,
    )
    from .gateways import Gateway as Gateway, GatewayConnection as GatewayConnection
    from .identifiers import (
        InvalidIdentifier as InvalidIdentifier,
        check_id as check_id,
        generate_eui as generate_eui,
        generate_key as generate_key,
        looks_reversed as looks_reversed,
        parse_dev_addr as parse_dev_addr,
        parse_eui as parse_eui,
        parse_key as parse_key,
        propose_id as propose_id,
        reversed_eui as reversed_eui,
    )
    from .keys import ROOT_KEYS as ROOT_KEYS, SESSION_KEYS as SESSION_KEYS
    from .messages import (
        DownlinkReport as DownlinkReport,
        DownlinkState as DownlinkState,
        JoinAccept as JoinAccept,
        LocationSolved as LocationSolved,
        Message as Message,
        NormalizedUplink as NormalizedUplink,
        ServiceData as ServiceData,
        Uplink as Uplink,
        UplinkMessage as UplinkMessage,
        parse_message as parse_message,
    )
    from .models import (
        Application as Application,
        BatteryStatus as BatteryStatus,
        DataRate as DataRate,
        EndDevice as EndDevice,
        EndDeviceIds as EndDeviceIds,
        ErrorDetails as ErrorDetails,
        Formatter as Formatter,
        GatewaySignal as GatewaySignal,
        KeyInfo as KeyInfo,
        Location as Location,
        MqttAddress as MqttAddress,
        Reception as Reception,
        VersionIds as VersionIds,
    )
    from .mqtt import tls_context as tls_context
    from .protocols import ApplicationClient as ApplicationClient
    from .registration import Registration as Registration, Server as Server, Session as Session
    from .repository import (
        Brand as Brand,
        DeviceModel as DeviceModel,
        DeviceTemplate as DeviceTemplate,
        FirmwareVersion as FirmwareVersion,
    )
    from .rights import (
        FEATURES as FEATURES,
        expand_rights as expand_rights,
        missing_rights as missing_rights,
    )
    from .stack import Stack as Stack
    from .stream import (
        DeviceChanged as DeviceChanged,
        MessagesDropped as MessagesDropped,
        StreamConnected as StreamConnected,
        StreamItem as StreamItem,
        StreamLost as StreamLost,
        UnreadableMessage as UnreadableMessage,
    )
    from .version import __version__ as __version__
    from .webhook_downlinks import (
        Delivery as Delivery,
        DownlinkAddress as DownlinkAddress,
        read_delivery as read_delivery,
    )
    from .webhooks import (
        DELIVERY_FAILED as DELIVERY_FAILED,
        FailedDelivery as FailedDelivery,
        Webhook as Webhook,
        WebhookFailure as WebhookFailure,
    )

_NAMES = {
    "administration": (
        "ApiKey",
        "Collaborator",
    ),
    "capabilities": ("Capabilities",),
    "configuration": (
        "LORAWAN_VERSIONS",
        "FrequencyPlan",
        "parse_lorawan_version",
        "usual_frequency_plan",
        "usual_phy_version",
        "version_number",
    ),
    "connection": (
        "CLOUD_CLUSTERS",
        "NETWORKS",
        "Connection",
        "Network",
        "cloud_network",
        "is_loopback",
        "known_network",
        "normalize_server_url",
    ),
    "deletion": (
        "Deletion",
        "PartlyDeleted",
        "RollbackFailed",
    ),
    "device_changes": (
        "UNCHANGED",
        "DeviceChanges",
    ),
    "device_request": (
        "DeviceRequest",
        "PreparedRegistration",
        "claim_and_register",
        "prepare_registration",
    ),
    "downlinks": (
        "PRIORITIES",
        "DeviceClass",
        "Downlink",
        "Downlinks",
        "EncodedDownlink",
        "Priority",
        "QueuedDownlink",
    ),
    "end_devices": (
        "Presence",
        "RootKeys",
    ),
    "errors": (
        "AuthenticationFailed",
        "BadMessage",
        "CertificateFailed",
        "Conflict",
        "ConnectionFailed",
        "InvalidRequest",
        "MissingRight",
        "MqttRefused",
        "NoApiKey",
        "NotFound",
        "NotSupported",
        "ProtocolMismatch",
        "RateLimited",
        "RequestTimeout",
        "ServerFailed",
        "StackError",
        "StorageUnavailable",
        "redact",
    ),
    "events": (
        "REGISTRY_EVENTS",
        "Event",
        "EventsConnected",
        "EventsLost",
    ),
    "field_masks": ("DEVICE_FIELDS",),
    "formatters": (
        "Decoded",
        "FormatterFailed",
        "Formatters",
    ),
    "gateways": (
        "Gateway",
        "GatewayConnection",
    ),
    "identifiers": (
        "InvalidIdentifier",
        "check_id",
        "generate_eui",
        "generate_key",
        "looks_reversed",
        "parse_dev_addr",
        "parse_eui",
        "parse_key",
        "propose_id",
        "reversed_eui",
    ),
    "keys": (
        "ROOT_KEYS",
        "SESSION_KEYS",
    ),
    "messages": (
        "DownlinkReport",
        "DownlinkState",
        "JoinAccept",
        "LocationSolved",
        "Message",
        "NormalizedUplink",
        "ServiceData",
        "Uplink",
        "UplinkMessage",
        "parse_message",
    ),
    "models": (
        "Application",
        "BatteryStatus",
        "DataRate",
        "EndDevice",
        "EndDeviceIds",
        "ErrorDetails",
        "Formatter",
        "GatewaySignal",
        "KeyInfo",
        "Location",
        "MqttAddress",
        "Reception",
        "VersionIds",
    ),
    "mqtt": ("tls_context",),
    "protocols": ("ApplicationClient",),
    "registration": (
        "Registration",
        "Server",
        "Session",
    ),
    "repository": (
        "Brand",
        "DeviceModel",
        "DeviceTemplate",
        "FirmwareVersion",
    ),
    "rights": (
        "FEATURES",
        "expand_rights",
        "missing_rights",
    ),
    "stack": ("Stack",),
    "stream": (
        "DeviceChanged",
        "MessagesDropped",
        "StreamConnected",
        "StreamItem",
        "StreamLost",
        "UnreadableMessage",
    ),
    "version": ("__version__",),
    "webhook_downlinks": ("Delivery", "DownlinkAddress", "read_delivery"),
    "webhooks": ("DELIVERY_FAILED", "FailedDelivery", "Webhook", "WebhookFailure"),
}
"""The names of this package by the module that has them, which is imported when one is used."""
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
_FORMER_NAMES = {
    "Completed": "PreparedRegistration",
    "Outline": "DeviceRequest",
    "complete_outline": "prepare_registration",
    "expand": "expand_rights",
    "missing": "missing_rights",
}
"""Names of version 0.1, which the next version forgets."""

__all__ = list(_MODULES)


def __dir__() -> list[str]:
    """Return all names, those that aren't imported yet, too."""
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a checker is to find names that aren't there

    def __getattr__(name: str) -> Any:
        """Import what is used for the first time; a former name gives a warning."""
        if (now := _FORMER_NAMES.get(name)) is not None:
            warnings.warn(
                f"thethingsstack.{name} is called {now} now", DeprecationWarning, stacklevel=2
            )
            name = now
        if (module := _MODULES.get(name)) is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = found  # so that this function isn't asked again
        return found
