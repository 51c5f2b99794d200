"""The message types of the API's requests, with the rules that v3.32.1 has for their fields.

Only what a client may send is here, and only fields that have a rule. `*_RECENT_*` are the types
of later versions, which take longer scripts.
"""

from .rights import USER_RIGHTS
from .validation import (
    ID_PATTERN,
    Bytes,
    Field,
    Hex,
    Listed,
    Message,
    Number,
    OneOf,
    Pairs,
    Text,
    Url,
)

_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\\\-]*[a-zA-Z0-9])"
_LAST_HOST = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\\-]*[A-Za-z0-9])"
_HOST_AND_PORT = rf"(?:{_HOST}\\.)*{_LAST_HOST}(?::[0-9]{{1,5}})?$|^$"
_ADDRESS = Text(pattern=f"^{_HOST_AND_PORT}")
_ID = Text(36, ID_PATTERN)
_OPTIONAL_ID = Text(36, ID_PATTERN, may_be_empty=True)
_ATTRIBUTES = Pairs(_ID, Text(200), most=10)
_NAME, _DESCRIPTION = Text(50), Text(2000)
_PORT = Number(most=255, never=224)
_MAC_VERSIONS = """
    MAC_UNKNOWN MAC_V1_0 MAC_V1_0_1 MAC_V1_0_2 MAC_V1_1 MAC_V1_0_3 MAC_V1_0_4
    unknown 1.0 1.0.0 1.0.1 1.0.2 1.1 1.1.0 1.0.3 1.0.4
"""
_PHY_VERSIONS = """
    PHY_UNKNOWN PHY_V1_0 TS001_V1_0 PHY_V1_0_1 TS001_V1_0_1 PHY_V1_0_2_REV_A PHY_V1_0_2_REV_B
    PHY_V1_1_REV_A PHY_V1_1_REV_B PHY_V1_0_3_REV_A
    RP001_V1_0_2 RP001_V1_0_2_REV_B RP001_V1_1_REV_A RP001_V1_1_REV_B RP001_V1_0_3_REV_A
    RP002_V1_0_0 RP002_V1_0_1 RP002_V1_0_2 RP002_V1_0_3 RP002_V1_0_4
    unknown 1.0 1.0.0 1.0.1 1.0.2 1.0.2-a 1.0.2-b 1.1-a 1.1.0-a 1.1-b 1.1.0-b 1.0.3-a
    V1_0 V1_0_1 V1_0_2 V1_0_2_REV_A V1_0_2_REV_B V1_1_REV_A V1_1_REV_B V1_0_3_REV_A
"""
_PRIORITIES = "LOWEST LOW BELOW_NORMAL NORMAL ABOVE_NORMAL HIGH HIGHEST"
FORMATTERS = frozenset(
    f"FORMATTER_{kind}"
    for kind in ("NONE", "REPOSITORY", "GRPC_SERVICE", "JAVASCRIPT", "CAYENNELPP")
)
STORED_TYPES = (
    "",
    "uplink_message",
    "uplink_normalized",
    "join_accept",
    "downlink_ack",
    "downlink_nack",
    "downlink_sent",
    "downlink_failed",
    "downlink_queued",
    "downlink_queue_invalidated",
    "location_solved",
    "service_data",
)

# Identifiers

APPLICATION_IDS = Message("ApplicationIdentifiers", {"application_id": _ID})
END_DEVICE_IDS = Message(
    "EndDeviceIdentifiers",
    {
        "device_id": _ID,
        "application_ids": APPLICATION_IDS.needed(),
        "dev_eui": Hex(8),
        "join_eui": Hex(8),
        "dev_addr": Hex(4),
    },
)
GATEWAY_IDS = Message("GatewayIdentifiers", {"gateway_id": _ID, "eui": Hex(8)})
WEBHOOK_IDS = Message(
    "ApplicationWebhookIdentifiers",
    {"application_ids": APPLICATION_IDS.needed(), "webhook_id": _ID},
)
_VERSION_IDS = Message(
    "EndDeviceVersionIdentifiers",
    {
        "brand_id": _OPTIONAL_ID,
        "model_id": _OPTIONAL_ID,
        "hardware_version": Text(32),
        "firmware_version": Text(32),
        "band_id": Text(32),
    },
)

# What is set

_APPLICATION = Message(
    "Application",
    {
        "ids": APPLICATION_IDS.needed(),
        "name": _NAME,
        "description": _DESCRIPTION,
        "attributes": _ATTRIBUTES,
        "network_server_address": _ADDRESS,
        "application_server_address": _ADDRESS,
        "join_server_address": _ADDRESS,
    },
)
_LOCATION = Message(
    "Location",
    {
        "latitude": Number(-90, 90, reason="value must be inside range [-90, 90]"),
        "longitude": Number(-180, 180, reason="value must be inside range [-180, 180]"),
    },
)
_KEY = Message("KeyEnvelope", {"key": Hex(16), "kek_label": Text(2048)})
_SESSION_KEYS = Message(
    "SessionKeys",
    dict.fromkeys(("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key"), _KEY),
)
_SESSION = Message("Session", {"dev_addr": Hex(4), "keys": _SESSION_KEYS.needed()})


def _formatters(script_length: int) -> Message:
    kind, script = OneOf(FORMATTERS), Text(script_length)
    return Message(
        "MessagePayloadFormatters",
        {
            "up_formatter": kind,
            "up_formatter_parameter": script,
            "down_formatter": kind,
            "down_formatter_parameter": script,
        },
    )


_DEVICE_FIELDS: dict[str, Field] = {
    "ids": END_DEVICE_IDS.needed(),
    "name": _NAME,
    "description": _DESCRIPTION,
    "attributes": _ATTRIBUTES,
    "version_ids": _VERSION_IDS,
    "service_profile_id": Text(64),
    "network_server_address": _ADDRESS,
    "network_server_kek_label": Text(2048),
    "application_server_address": _ADDRESS,
    "application_server_kek_label": Text(2048),
    "application_server_id": Text(100),
    "join_server_address": _ADDRESS,
    "locations": Pairs(_ID, _LOCATION),
    "lorawan_version": OneOf(frozenset(_MAC_VERSIONS.split())),
    "lorawan_phy_version": OneOf(frozenset(_PHY_VERSIONS.split())),
    "frequency_plan_id": Text(64),
    "root_keys": Message("RootKeys", {"root_key_id": Text(2048), "app_key": _KEY, "nwk_key": _KEY}),
    "net_id": Hex(3),
    "session": _SESSION,
    "pending_session": _SESSION,
    "battery_percentage": Number(0, 1, wrapped=True, reason="value must be inside range [0, 1]"),
    "claim_authentication_code": Message(
        "EndDeviceAuthenticationCode", {"value": Text(pattern="^[a-zA-Z0-9]{1,32}$")}
    ),
    "serial_number": _OPTIONAL_ID,
}
_DEVICE = Message("EndDevice", _DEVICE_FIELDS | {"formatters": _formatters(40960)}).needed()
_RECENT_DEVICE = Message("EndDevice", _DEVICE_FIELDS | {"formatters": _formatters(65536)}).needed()

_GATEWAY = Message(
    "Gateway",
    {
        "ids": GATEWAY_IDS.needed(),
        "name": _NAME,
        "description": _DESCRIPTION,
        "attributes": _ATTRIBUTES,
        "gateway_server_address": Text(pattern=rf"^([a-z]{{2,5}}://)?{_HOST_AND_PORT}"),
    },
)
_WEBHOOK = Message(
    "ApplicationWebhook",
    {
        "ids": WEBHOOK_IDS.needed(),
        "base_url": Url(),
        "headers": Pairs(Text(64), Text(4096), most=50),
        "format": Text(20, ID_PATTERN),
        "downlink_api_key": Text(128),
        **dict.fromkeys(
            STORED_TYPES[1:], Message("ApplicationWebhook_Message", {"path": Text(64)})
        ),
    },
)

# What is sent

_DOWNLINK = Message(
    "ApplicationDownlink",
    {
        "f_port": _PORT,
        "frm_payload": Bytes(255),
        "priority": OneOf(frozenset(_PRIORITIES.split())),
        "correlation_ids": Listed(Text(100)),
        "class_b_c": Message(
            "ApplicationDownlink_ClassBC",
            {
                "gateways": Listed(
                    Message("ClassBCGatewayIdentifiers", {"gateway_ids": GATEWAY_IDS.needed()})
                )
            },
        ),
        "confirmed_retry": Message(
            "ApplicationDownlink_ConfirmedRetry",
            {
                "max_attempts": Number(
                    1, 100, wrapped=True, reason="value must be inside range (0, 100]"
                )
            },
        ),
    },
)
_UPLINK = Message(
    "ApplicationUplink",
    {
        "f_port": _PORT,
        "frm_payload": Bytes(),
        "rx_metadata": Listed(
            Message("RxMetadata", {"gateway_ids": GATEWAY_IDS.needed(), "location": _LOCATION})
        ),
        "settings": Message(
            "TxSettings",
            {
                "data_rate": Message("DataRate", {}, required=True),
                "frequency": Number(least=100000),
            },
        ).needed(),
    },
)

# Requests


def _both_ways(names: str) -> tuple[str, ...]:
    """Return by what a list can be ordered, up and down, or not at all."""
    return ("", *(f"{sign}{name}" for name in names.split() for sign in ("", "-")))


def _request(kind: str, **fields: Field) -> Message:
    return Message(kind, fields)


_IDS = END_DEVICE_IDS.needed()
_APP = APPLICATION_IDS.needed()
CREATE_APPLICATION = _request("CreateApplicationRequest", application=_APPLICATION.needed())
UPDATE_APPLICATION = _request("UpdateApplicationRequest", application=_APPLICATION.needed())
GET_APPLICATION = _request("GetApplicationRequest", application_ids=_APP)
CREATE_API_KEY = _request(
    "CreateApplicationAPIKeyRequest",
    application_ids=_APP,
    name=_NAME,
    rights=Listed(OneOf(USER_RIGHTS), least=1),
)
CREATE_GATEWAY = _request("CreateGatewayRequest", gateway=_GATEWAY.needed())
GET_GATEWAY = _request("GetGatewayRequest", gateway_ids=GATEWAY_IDS.needed())
CREATE_END_DEVICE = _request("CreateEndDeviceRequest", end_device=_DEVICE)
UPDATE_END_DEVICE = _request("UpdateEndDeviceRequest", end_device=_DEVICE)
SET_END_DEVICE = _request("SetEndDeviceRequest", end_device=_DEVICE)
SET_RECENT_END_DEVICE = _request("SetEndDeviceRequest", end_device=_RECENT_DEVICE)
_LIST: dict[str, Field] = {
    "order": Text(
        choices=_both_ways("device_id join_eui dev_eui name description created_at last_seen_at")
    ),
    "limit": Number(most=1000),
    "page": Number(),
}
LIST_END_DEVICES = _request("ListEndDevicesRequest", application_ids=_APP, **_LIST)
SEARCH_END_DEVICES = _request(
    "SearchEndDevicesRequest",
    application_ids=_APP,
    **dict.fromkeys(("query", "id_contains", "name_contains", "description_contains"), Text(50)),
    dev_eui_contains=Text(16),
    join_eui_contains=Text(16),
    dev_addr_contains=Text(8),
    **_LIST,
)
GET_END_DEVICES = _request(
    "BatchGetEndDevicesRequest", application_ids=_APP, device_ids=Listed(_ID, 1, 20)
)
GET_CONNECTIONS = _request(
    "BatchGetGatewayConnectionStatsRequest", gateway_ids=Listed(GATEWAY_IDS, 1, 100)
)
GET_END_DEVICE = _request("GetEndDeviceRequest", end_device_ids=_IDS)
RESET_END_DEVICE = _request("ResetAndGetEndDeviceRequest", end_device_ids=_IDS)
SET_LINK = _request(
    "SetApplicationLinkRequest",
    application_ids=_APP,
    link=Message("ApplicationLink", {"default_formatters": _formatters(40960)}).needed(),
)
SET_RECENT_LINK = _request(
    "SetApplicationLinkRequest",
    application_ids=_APP,
    link=Message("ApplicationLink", {"default_formatters": _formatters(65536)}).needed(),
)
SET_WEBHOOK = _request("SetApplicationWebhookRequest", webhook=_WEBHOOK.needed())
QUEUE_DOWNLINKS = _request("DownlinkQueueRequest", downlinks=Listed(_DOWNLINK))
QUEUE_DOWNLINKS_OF = _request(
    "DownlinkQueueRequest", end_device_ids=_IDS, downlinks=Listed(_DOWNLINK)
)
DECODE_UPLINK = _request(
    "DecodeUplinkRequest",
    end_device_ids=_IDS,
    version_ids=_VERSION_IDS,
    uplink=_UPLINK.needed(),
    formatter=OneOf(FORMATTERS),
)
ENCODE_DOWNLINK = _request(
    "EncodeDownlinkRequest",
    end_device_ids=_IDS,
    version_ids=_VERSION_IDS,
    downlink=_DOWNLINK.needed(),
    formatter=OneOf(FORMATTERS),
)
SIMULATE_UPLINK = _request("ApplicationUp", end_device_ids=_IDS, uplink_message=_UPLINK)
SET_ASSOCIATION = _request(
    "SetApplicationPackageDefaultAssociationRequest",
    default=Message(
        "ApplicationPackageDefaultAssociation",
        {
            "ids": Message(
                "ApplicationPackageDefaultAssociationIdentifiers",
                {
                    "application_ids": _APP,
                    "f_port": Number(1, 255, reason="value must be inside range [1, 255]"),
                },
                required=True,
            ),
            "package_name": _ID,
        },
        required=True,
    ),
)
GET_STORED = _request(
    "GetStoredApplicationUpRequest",
    type=Text(choices=STORED_TYPES),
    limit=Number(wrapped=True),
    f_port=Number(wrapped=True),
    order=Text(choices=("", "-received_at", "received_at")),
    continuation_token=Text(16000),
)
CLAIM_END_DEVICE = _request(
    "ClaimEndDeviceRequest",
    authenticated_identifiers=Message(
        "ClaimEndDeviceRequest_AuthenticatedIdentifiers",
        {
            "join_eui": Hex(8),
            "dev_eui": Hex(8),
            "authentication_code": Text(pattern="^[A-Z0-9]{1,32}$"),
        },
    ),
    qr_code=Bytes(1024),
    target_application_ids=_APP,
    target_device_id=_OPTIONAL_ID,
)
GENERATE_QR_CODE = _request("GenerateEndDeviceQRCodeRequest", format_id=_ID, end_device=_DEVICE)
PARSE_QR_CODE = _request("ParseEndDeviceQRCodeRequest", qr_code=Bytes(1024, shortest=10))
