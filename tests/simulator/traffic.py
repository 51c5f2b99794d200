"""Radio traffic: what the Application Server publishes when devices speak or are spoken to."""

import base64
from copy import deepcopy
from datetime import timedelta
import math
from typing import Any

from . import scripts
from .encoding import encode_bytes, merge, moment, prune, timestamp
from .formatters import Decoded, Formatter, FormatterError
from .model import Application, Device, Session, Stack

NS_TO_AS = timedelta(milliseconds=200)
MAC_PARAMETERS = {
    "max_eirp": 16,
    "adr_data_rate_index": 5,
    "adr_nb_trans": 1,
    "rx1_delay": 5,
    "rx2_data_rate_index": 3,
    "rx2_frequency": "869525000",
    "ping_slot_frequency": "869525000",
    "beacon_frequency": "869525000",
    "channels": [
        {
            "uplink_frequency": str(frequency * 100000),
            "downlink_frequency": str(frequency * 100000),
            "max_data_rate_index": 5,
            "enable_uplink": True,
        }
        for frequency in (8681, 8683, 8685, 8671, 8673, 8675, 8677, 8679)
    ],
    "adr_ack_limit_exponent": "ADR_ACK_LIMIT_64",
    "adr_ack_delay_exponent": "ADR_ACK_DELAY_32",
    "ping_slot_data_rate_index_value": 3,
}
UNSET: Any = object()


def airtime(size: int, spreading_factor: int = 7, bandwidth: int = 125000) -> str:
    """Return the time on air of a PHY payload of `size` bytes, as the stack writes it."""
    symbol = 2**spreading_factor / bandwidth
    low_rate = 1 if symbol > 0.016 else 0
    bits = 8 * size - 4 * spreading_factor + 28 + 16
    blocks = math.ceil(max(bits, 0) / (4 * (spreading_factor - 2 * low_rate)))
    seconds = (8 + 4.25 + 8 + blocks * 5) * symbol
    return f"{seconds:.6f}s"


def formatter_of(application: Application, device: Device) -> Formatter:
    """Return the formatter that applies: the device's own, else the application's."""
    if device.formatter is not None:
        return device.formatter
    document = device.documents.get("as", {})
    chosen = document.get("formatters")
    if chosen is None:
        chosen = (application.link or {}).get("default_formatters", {})
    up, down = (
        scripts.find(
            chosen.get(f"{way}_formatter"),
            chosen.get(f"{way}_formatter_parameter"),
            document.get("version_ids") or {},
        )
        for way in ("up", "down")
    )
    return Formatter(up.decode, down.encode, down.decode_downlink)


def envelope_ids(device: Device) -> dict[str, Any]:
    """Return `end_device_ids` with the session's DevAddr."""
    ids = {"device_id": device.device_id, **device.ids}
    if device.session is not None:
        ids["dev_addr"] = device.session.dev_addr
    else:
        ids.pop("dev_addr", None)
    return ids


def reception(stack: Stack, gateway: dict[str, Any], rssi: float, snr: float) -> dict[str, Any]:
    """Return one entry of `rx_metadata`."""
    return prune(
        {
            "gateway_ids": gateway["ids"],
            "packet_broker": gateway.get("packet_broker"),
            "timestamp": stack.random.getrandbits(32),
            "rssi": rssi,
            "channel_rssi": rssi,
            "snr": snr,
            "location": gateway.get("location"),
            "uplink_token": encode_bytes(stack.random.randbytes(30)),
            "received_at": timestamp(stack.now(), nanoseconds=stack.random.randrange(1000)),
        }
    )


ROOF = {
    "ids": {"gateway_id": "roof-gw", "eui": "B827EBFFFE000001"},
    "location": {
        "latitude": 52.374,
        "longitude": 4.89,
        "altitude": 18,
        "source": "SOURCE_REGISTRY",
    },
}


def join(stack: Stack, device: Device) -> dict[str, Any]:
    """Let a device join; return the envelope of its `join` message."""
    now = stack.now()
    queue = device.session.queue if device.session is not None else []
    device.session = Session(
        f"{0x01000000 | stack.random.getrandbits(22):08X}",
        encode_bytes(stack.random.randbytes(16)),
        queue=queue,
    )
    network = device.documents.setdefault("ns", {"ids": device.ids})
    network["ids"]["dev_addr"] = device.session.dev_addr
    network["mac_state"] = {"current_parameters": deepcopy(MAC_PARAMETERS)}
    if device.class_c:
        network["mac_state"]["device_class"] = "CLASS_C"
    network["session"] = {"dev_addr": device.session.dev_addr, "started_at": nanoseconds(stack)}
    if "as" in device.documents:
        device.documents["as"]["session"] = {"dev_addr": device.session.dev_addr}
    return {
        "end_device_ids": envelope_ids(device),
        "correlation_ids": uplink_correlation(stack),
        "received_at": timestamp(now + NS_TO_AS, nanoseconds=stack.random.randrange(1000)),
        "join_accept": {
            "session_key_id": device.session.key_id,
            "received_at": nanoseconds(stack),
        },
    }


def nanoseconds(stack: Stack) -> str:
    """Return the present as cluster components write it, with nine digits."""
    return timestamp(stack.now(), nanoseconds=stack.random.randrange(1000))


def uplink_correlation(stack: Stack) -> list[str]:
    """Return the correlation ids of something that came from a gateway."""
    kinds = ["gs:uplink"]
    if not stack.recent_fields:
        kinds += [
            "rpc:/ttn.lorawan.v3.GsNs/HandleUplink",
            "rpc:/ttn.lorawan.v3.NsAs/HandleUplink",
        ]
    return [stack.correlation(kind) for kind in kinds]


def decode(formatter: Formatter, payload: bytes, f_port: int) -> Decoded | None:
    """Return what the formatter makes of a frame, None if it is none or fails."""
    if formatter.decode is None or not f_port:
        return None
    try:
        return formatter.decode(payload, f_port)
    except FormatterError:
        return None


def uplink(
    stack: Stack,
    application: Application,
    device: Device,
    *,
    f_port: int,
    payload: bytes,
    decoded: Any = UNSET,
    overrides: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the envelope of an uplink; the session counts it.

    `decoded` stands in for what the formatter makes of `payload`.
    """
    assert device.session is not None, f"{device.device_id} has not joined"
    session = device.session
    session.f_cnt_up += 1
    document = device.documents.get("as", {})
    registry = device.documents.get("is", {})
    result = decode(formatter_of(application, device), payload, f_port)
    if decoded is not UNSET:
        result = None if decoded is None else Decoded(decoded)
    locations = deepcopy(registry.get("locations") or {})
    if result and (solved := infer_location(result.data)):
        locations["frm-payload"] = solved
    message: dict[str, Any] = {
        "session_key_id": session.key_id,
        "f_port": f_port,
        "f_cnt": session.f_cnt_up,
        "frm_payload": encode_bytes(payload),
        "rx_metadata": [reception(stack, ROOF, -61, 8.5)],
        "settings": {
            "data_rate": {
                "lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}
            },
            "frequency": "868100000",
            "timestamp": stack.random.getrandbits(32),
        },
        "received_at": nanoseconds(stack),
        "consumed_airtime": airtime(13 + len(payload) if f_port else 12),
        "locations": locations or None,
        "version_ids": document.get("version_ids") or None,
        "network_ids": network_ids(stack),
    }
    if stack.recent_fields:
        message["attributes"] = registry.get("attributes") or None
    if result is not None:
        message["decoded_payload"] = result.data
        message["decoded_payload_warnings"] = result.warnings
        message["normalized_payload"] = result.normalized or None
    message = prune(message)
    merge(message, overrides or {})
    return {
        "end_device_ids": envelope_ids(device),
        "correlation_ids": uplink_correlation(stack),
        "received_at": timestamp(
            moment(message.get("received_at", nanoseconds(stack))) + NS_TO_AS,
            nanoseconds=stack.random.randrange(1000),
        ),
        "uplink_message": message,
    }


def shift_times(message: Any, by: timedelta) -> None:
    """Change all times in a message by so much."""
    if not by:
        return
    for key, item in message.items() if isinstance(message, dict) else ():
        if key in ("received_at", "time") and isinstance(item, str):
            message[key] = timestamp(moment(item) + by, nanoseconds=0)
        for part in item if isinstance(item, list) else [item]:
            shift_times(part, by)


def network_ids(stack: Stack) -> dict[str, str]:
    """Return where the message was received."""
    if stack.tenant is None:
        return {"net_id": "000000"}
    return {
        "net_id": "000013",
        "ns_id": "EC656E0000000181",
        "tenant_id": stack.tenant,
        "cluster_id": "eu1",
        "cluster_address": "eu1.cloud.thethings.network",
    }


def simulated(
    stack: Stack,
    application: Application,
    device: Device,
    message: dict[str, Any],
    decoded: Any = UNSET,
) -> dict[str, Any]:
    """Return the envelope of a simulated uplink: no session, no counters, no time of its own.

    `decoded` stands in for what the formatter makes of the payload.
    """
    message = deepcopy(message)
    payload = base64.b64decode(message.get("frm_payload", ""))
    f_port = message.get("f_port", 0)
    if decoded is not UNSET:
        message["decoded_payload"] = decoded
    elif result := decode(formatter_of(application, device), payload, f_port):
        message["decoded_payload"] = result.data
        message["decoded_payload_warnings"] = result.warnings
        message["normalized_payload"] = result.normalized or None
    ids = envelope_ids(device)
    ids.pop("dev_addr", None)
    correlation = [stack.correlation("as:up")]
    if not stack.recent_fields:
        correlation.append(stack.correlation("rpc:/ttn.lorawan.v3.AppAs/SimulateUplink"))
    return {
        "end_device_ids": ids,
        "correlation_ids": correlation,
        "received_at": nanoseconds(stack),
        "uplink_message": prune(message),
        "simulated": True,
    }


def normalized(envelope: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the `up/normalized` messages that precede an uplink, one per measurement."""
    message = envelope["uplink_message"]
    envelopes = []
    for measurement in message.get("normalized_payload", []):
        body = {
            key: value
            for key, value in message.items()
            if not key.startswith(("decoded_", "normalized_"))
            and key not in ("locations", "version_ids")
        }
        body["normalized_payload"] = measurement
        copy = {key: value for key, value in envelope.items() if key != "uplink_message"}
        envelopes.append({**copy, "uplink_normalized": body})
    return envelopes


def infer_location(data: dict[str, Any]) -> dict[str, Any] | None:
    """Return the location that the stack finds in a decoded payload, or None."""
    candidates = [value for key, value in data.items() if key.startswith("gps_")]
    for part in [*(item for item in candidates if isinstance(item, dict)), data]:
        lowered = {key.lower(): value for key, value in part.items()}
        latitude = next((lowered[k] for k in ("latitude", "lat") if k in lowered), None)
        longitude = next((lowered[k] for k in ("longitude", "lng", "lon") if k in lowered), None)
        if isinstance(latitude, int | float) and isinstance(longitude, int | float):
            altitude = next((lowered[k] for k in ("altitude", "alt") if k in lowered), 0)
            return prune(
                {
                    "latitude": latitude,
                    "longitude": longitude,
                    "altitude": int(altitude) if isinstance(altitude, int | float) else 0,
                    "source": "SOURCE_GPS",
                }
            )
    return None


def received(stack: Stack, device: Device, envelope: dict[str, Any]) -> None:
    """Note on the servers that a device was received."""
    message = envelope["uplink_message"]
    received_at = moment(message["received_at"])
    registry, network = device.documents.get("is"), device.documents.get("ns")
    assert device.session is not None
    if registry is not None:
        seen = registry.get("last_seen_at")
        if seen is None or received_at > moment(seen):
            registry["last_seen_at"] = timestamp(received_at)
        if "activated_at" not in registry:
            registry["activated_at"] = timestamp(stack.now())
            device.touch("is", stack.now())
        if location := message.get("locations", {}).get("frm-payload"):
            registry.setdefault("locations", {})["frm-payload"] = location
    if network is None:
        return
    network.setdefault("session", {"dev_addr": device.session.dev_addr})
    network["session"]["last_f_cnt_up"] = device.session.f_cnt_up
    if device.session.f_cnt_up == 0:
        network["session"]["started_at"] = message["received_at"]
    if device.session.f_cnt_up == 1:
        # The answer to the DevStatusReq that rode on the first downlink.
        network["last_dev_status_received_at"] = message["received_at"]
        network["power_state"] = "POWER_BATTERY" if device.battery is not None else "POWER_EXTERNAL"
        network["battery_percentage"] = device.battery
        network["downlink_margin"] = 9
