"""End devices as the Handler keeps them, and as The Things Stack describes them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import json_values
from ..device_changes import UNCHANGED, DeviceChanges, Unchanged
from ..errors import NotSupported
from ..models import EndDevice, Location, VersionIds
from ..registration import USER_LOCATION, Registration
from .uplinks import end_device_ids, location, version_ids

SECRETS = ("app_key", "nwk_s_key", "app_s_key")
_COUNTERS = {"last_f_cnt_up": "f_cnt_up", "last_n_f_cnt_down": "f_cnt_down"}
_OF_VERSIONS = {"brand_id": "ttn-brand", "model_id": "ttn-model", "firmware_version": "ttn-version"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def end_device(data: Mapping[str, Any], application_id: str) -> EndDevice:
    """Return an end device of the Handler, without its keys.

    The description, its only text, is its name.
    """
    return EndDevice.from_json(as_of_v3(data, application_id))


def as_of_v3(data: Mapping[str, Any], application_id: str) -> dict[str, Any]:
    """Return an end device of the Handler as the JSON object of The Things Stack, without keys."""
    lorawan = json_values.mapping(data.get("lorawan_device"))
    device: dict[str, Any] = {
        "ids": end_device_ids(
            application_id,
            json_values.text(data.get("dev_id")) or "",
            dev_eui=lorawan.get("dev_eui"),
            join_eui=lorawan.get("app_eui"),
            dev_addr=lorawan.get("dev_addr"),
        )
    }
    if description := json_values.text(data.get("description")):
        device["name"] = " ".join(description.split())
    if attributes := json_values.text_map(data.get("attributes")):
        device["attributes"] = dict(attributes)
        if versions := version_ids(attributes):
            device["version_ids"] = versions
    if place := location(data):
        device["locations"] = {USER_LOCATION: place}
    device["supports_join"] = bool(lorawan.get("app_key"))
    if seen := last_seen(lorawan.get("last_seen")):
        device["last_seen_at"] = seen
    return device


def details(data: Mapping[str, Any], application_id: str) -> dict[str, Any]:
    """Return all that the Handler says of an end device, without keys."""
    lorawan = json_values.mapping(data.get("lorawan_device"))
    shown = {
        key: value
        for key, value in lorawan.items()
        if key not in SECRETS and key not in ("app_id", "dev_id", "last_seen")
    }
    return {**as_of_v3(data, application_id), "lorawan_device": shown}


def last_seen(nanoseconds: object) -> str | None:
    """Return a time in nanoseconds since 1970, sent as text, in RFC 3339; None if never seen."""
    count = json_values.integer(nanoseconds)
    if not count:
        return None
    try:
        time = _EPOCH + timedelta(microseconds=count // 1000)
    except OverflowError:
        return None
    return time.isoformat().replace("+00:00", "Z")


def complete(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an end device as read, as a request that changes nothing.

    What a request leaves out, the Handler clears, and sets frame counters to 0: all of it is
    written back, except empty keys and what the Handler counts itself.
    """
    lorawan = json_values.mapping(data.get("lorawan_device"))
    ids = {"app_id": data.get("app_id"), "dev_id": data.get("dev_id")}
    kept = {
        key: value
        for key, value in lorawan.items()
        if key != "last_seen" and (value != "" or key in ("dev_eui", "app_eui"))
    }
    return {**data, "lorawan_device": {**kept, **ids}}


def changed(data: Mapping[str, Any], changes: DeviceChanges) -> dict[str, Any]:
    """Return the request for an end device as read with these changes; the rest is kept.

    Raises NotSupported for what an end device of version 2 doesn't have.
    """
    _refuse_unknown(changes)
    body = complete(data)
    for text in (changes.name, changes.description):
        if not isinstance(text, Unchanged):
            body["description"] = text
    attributes: dict[str, str | None] = {**json_values.text_map(body.get("attributes"))}
    attributes |= changes.attributes
    if isinstance(changes.version_ids, VersionIds):
        attributes |= attributes_of(changes.version_ids)
    body["attributes"] = {key: value for key, value in attributes.items() if value}
    if not isinstance(changes.location, Unchanged):
        for name in ("latitude", "longitude", "altitude"):
            body.pop(name, None)
        if changes.location is not None:
            body |= _place(changes.location)
    return {key: value for key, value in body.items() if value not in ("", {}, None)}


def is_uplink_overwritten(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether an uplink came after an end device was read `before`, and before its edit.

    The Handler then knows of it, but has the frame counter from before.
    """
    old = json_values.mapping(before.get("lorawan_device"))
    new = json_values.mapping(after.get("lorawan_device"))
    same = old.get("f_cnt_up") == new.get("f_cnt_up")
    return same and old.get("last_seen") != new.get("last_seen")


def with_next_downlink_counter(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with the next frame counter for downlinks."""
    lorawan = body["lorawan_device"]
    counter = (json_values.integer(lorawan.get("f_cnt_down")) or 0) + 1
    return {**body, "lorawan_device": {**lorawan, "f_cnt_down": counter}}


def _refuse_unknown(changes: DeviceChanges) -> None:
    if changes.formatters is not UNCHANGED and changes.formatters is not None:
        raise NotSupported("device_formatters")
    radio = (
        changes.frequency_plan_id,
        changes.lorawan_version,
        changes.lorawan_phy_version,
        changes.supports_class_b,
        changes.supports_class_c,
    )
    if any(value is not UNCHANGED for value in radio) or changes.mac_settings:
        raise NotSupported("frequency_plans")


def attributes_of(versions: VersionIds) -> dict[str, str]:
    """Return brand, model and firmware as the attributes that version 2's console keeps."""
    return {
        attribute: value
        for name, attribute in _OF_VERSIONS.items()
        if (value := getattr(versions, name)) is not None
    }


def _place(place: Location) -> dict[str, Any]:
    found: dict[str, Any] = {"latitude": place.latitude, "longitude": place.longitude}
    if place.altitude is not None:
        found["altitude"] = place.altitude
    return found


def new_device(registration: Registration, application_id: str) -> dict[str, Any]:
    """Return the request for a new end device; `registration` must be checked."""
    ids = {"app_id": application_id, "dev_id": registration.device_id}
    lorawan: dict[str, Any] = {
        **ids,
        "app_eui": registration.join_eui or "0" * 16,
        "dev_eui": registration.dev_eui or "",
        "activation_constraints": "local",
        "uses32_bit_f_cnt": True,
    }
    if registration.app_key is not None:
        lorawan["app_key"] = registration.app_key
    if (session := registration.session) is not None:
        lorawan |= {
            "dev_addr": session.dev_addr,
            "nwk_s_key": session.f_nwk_s_int_key,
            "app_s_key": session.app_s_key,
        }
        for name, of_handler in _COUNTERS.items():
            if name in session.counters:
                lorawan[of_handler] = session.counters[name]
    body: dict[str, Any] = {**ids, "lorawan_device": lorawan}
    if text := registration.description or registration.name:
        body["description"] = text
    attributes = dict(registration.attributes)
    if registration.version_ids is not None:
        attributes |= attributes_of(registration.version_ids)
    if attributes:
        body["attributes"] = attributes
    if registration.location is not None:
        body |= _place(registration.location)
    return body
