"""Uplinks and joins of version 2 as The Things Stack would have sent them.

https://www.thethingsnetwork.org/docs/applications/mqtt/api/ describes them; what a real Handler
sends differs in some points.
"""

from base64 import b64encode
from collections.abc import Mapping
import re
from typing import Any

from .. import json_values

_DATA_RATE = re.compile(r"SF(?P<factor>\d+)BW(?P<width>\d+(?:\.\d+)?)")
_EUI_OF_GATEWAY = re.compile(r"eui-([0-9a-f]{16})")
_REGISTRY = "SOURCE_REGISTRY"


def end_device_ids(
    application_id: str,
    device_id: str,
    *,
    dev_eui: object = None,
    join_eui: object = None,
    dev_addr: object = None,
) -> dict[str, Any]:
    """Return an end device's identifiers; those that are empty or no text are left out."""
    ids: dict[str, Any] = {
        "device_id": device_id,
        "application_ids": {"application_id": application_id},
    }
    for name, value in (("dev_eui", dev_eui), ("join_eui", join_eui), ("dev_addr", dev_addr)):
        if (text := json_values.hexadecimal(value)) is not None:
            ids[name] = text
    return ids


def uplink_message(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `uplink_message` for a message on `…/up`."""
    metadata = json_values.mapping(data.get("metadata"))
    body: dict[str, Any] = {
        "f_port": json_values.integer(data.get("port")) or 0,
        "rx_metadata": [reception(item) for item in json_values.objects(metadata.get("gateways"))],
        "settings": settings(metadata),
        "packet_error_rate": None,  # left out, it would be 0
    }
    if not is_simulated(data):
        body["f_cnt"] = json_values.integer(data.get("counter")) or 0
    if (payload := json_values.octets(data.get("payload_raw"))) is not None:
        body["frm_payload"] = b64encode(payload).decode()
    if isinstance(fields := data.get("payload_fields"), dict):
        body["decoded_payload"] = fields
    if data.get("confirmed") is True:
        body["confirmed"] = True
    if time := json_values.text(metadata.get("time")):
        body["received_at"] = time
    if (airtime := json_values.integer(metadata.get("airtime"))) is not None:
        body["consumed_airtime"] = f"{airtime / 1e9:.9f}s"
    if place := location(metadata):
        body["locations"] = {"user": place}
    if attributes := json_values.text_map(data.get("attributes")):
        body["attributes"] = dict(attributes)
        if versions := version_ids(attributes):
            body["version_ids"] = versions
    return body


def is_simulated(data: Mapping[str, Any]) -> bool:
    """Return whether no gateway received an uplink: it was simulated, and has no frame counter."""
    metadata = json_values.mapping(data.get("metadata"))
    return "gateways" not in metadata and "frequency" not in metadata


def reception(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of `rx_metadata` for one of `gateways`; empty times are left out."""
    gateway_id = json_values.text(data.get("gtw_id")) or ""
    ids = {"gateway_id": gateway_id}
    if eui := _EUI_OF_GATEWAY.fullmatch(gateway_id):
        ids["eui"] = eui[1].upper()
    item: dict[str, Any] = {"gateway_ids": ids}
    for name, of_v2 in (
        ("time", "time"),
        ("timestamp", "timestamp"),
        ("rssi", "rssi"),
        ("channel_rssi", "rssi"),
        ("snr", "snr"),
        ("channel_index", "channel"),
    ):
        if data.get(of_v2) not in (None, ""):
            item[name] = data[of_v2]
    if place := location(data):
        item["location"] = place
    return item


def location(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return where a gateway or an end device is; None where that isn't known.

    A gateway that names its own place has no `location_source`. Coordinates of 0 are left out.
    """
    if not ("latitude" in data or "longitude" in data):
        return None
    own = "gtw_id" in data and data.get("location_source") != "registry"
    place = {name: data.get(name) for name in ("latitude", "longitude", "altitude")}
    found = {name: value for name, value in place.items() if value is not None}
    return {**found, "source": "SOURCE_GPS" if own else _REGISTRY}


def settings(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the radio's settings; the frequency in Hz, where version 2 has MHz."""
    found: dict[str, Any] = {}
    coding_rate = json_values.text(metadata.get("coding_rate"))
    rate = _DATA_RATE.fullmatch(json_values.text(metadata.get("data_rate")) or "")
    if rate is not None:
        lora: dict[str, Any] = {
            "bandwidth": round(float(rate["width"]) * 1000),
            "spreading_factor": int(rate["factor"]),
        }
        if coding_rate is not None:
            lora["coding_rate"] = coding_rate
        found["data_rate"] = {"lora": lora}
    elif bit_rate := json_values.integer(metadata.get("bit_rate")):
        found["data_rate"] = {"fsk": {"bit_rate": bit_rate}}
    if (frequency := json_values.number(metadata.get("frequency"))) is not None:
        found["frequency"] = str(round(frequency * 1e6))
    return found


def version_ids(attributes: Mapping[str, str]) -> dict[str, str] | None:
    """Return brand and model that version 2's console kept as attributes; None without both."""
    brand, model = attributes.get("ttn-brand"), attributes.get("ttn-model")
    if not brand or not model:
        return None
    found = {"brand_id": brand, "model_id": model}
    if version := attributes.get("ttn-version"):
        found["firmware_version"] = version
    return found
