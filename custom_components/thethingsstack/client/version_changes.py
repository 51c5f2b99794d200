"""Check new LoRaWAN versions and frequency plans of a registered end device.

The servers accept any, but couldn't decode the end device's messages any more with a wrong one.
"""

from collections.abc import Collection, Mapping
from typing import Any

from . import json_values
from .api import Calls
from .configuration import Configuration, check_phy_version, parse_lorawan_version, version_number
from .device_changes import UNCHANGED, DeviceChanges, Unchanged
from .errors import InvalidRequest, NotFound
from .keys import KEY_NAMES, ROOT_KEYS, SERVER_NAMES, requirements
from .models import VersionIds
from .registration import Server

_VERSIONS = ("lorawan_version", "lorawan_phy_version")
_BAND_FIELDS = ["frequency_plan_id", "version_ids", "supports_join", "session.dev_addr"]
_NEW_SESSION_KEYS = ("s_nwk_s_int_key", "nwk_s_enc_key")


async def check_versions(calls: Calls, device_id: str, changes: DeviceChanges) -> None:
    """Raise InvalidRequest if the servers couldn't decode messages after this change of versions.

    `invalid_lorawan_phy_version` if the regional parameters don't fit the LoRaWAN version;
    `missing_nwk_key` or the like if the new version needs keys that the end device doesn't have.
    Reading these needs DEVICES_READ_KEYS; without it, raises MissingRight.
    """
    if changes.lorawan_version is UNCHANGED and changes.lorawan_phy_version is UNCHANGED:
        return
    path = f"ns/{calls.device_path(device_id)}"
    with calls.device_known(Server.NETWORK, device_id):
        present = await calls.object(
            "GET", path, params={"field_mask": [*_VERSIONS, "supports_join"]}
        )
    before = json_values.text(present.get("lorawan_version"))
    after = before if changes.lorawan_version is UNCHANGED else changes.lorawan_version
    phy_version = changes.lorawan_phy_version
    if phy_version is UNCHANGED:
        phy_version = json_values.text(present.get("lorawan_phy_version")) or UNCHANGED
    if not isinstance(after, str):
        return  # the end device has no version, neither before nor after the changes
    version = parse_lorawan_version(after)
    if isinstance(phy_version, str):
        check_phy_version(version, phy_version)
    if version != before:
        await _check_keys(calls, device_id, present, version)


async def check_plan(calls: Calls, device_id: str, changes: DeviceChanges) -> None:
    """Raise InvalidRequest for a frequency plan that isn't there or is of another band.

    See `Configuration.check_frequency_plan`. The band is the model's; without a model it is that
    of the present plan if the end device has joined with it, until its session is deleted
    (`EndDevices.reset`). Before that, it may be any.
    """
    plan_id = changes.frequency_plan_id
    if isinstance(plan_id, Unchanged):
        return
    path = f"ns/{calls.device_path(device_id)}"
    with calls.device_known(Server.NETWORK, device_id):
        present = await calls.object("GET", path, params={"field_mask": _BAND_FIELDS})
    before = json_values.text(present.get("frequency_plan_id"))
    if plan_id == before:
        return
    versions = present.get("version_ids")
    if isinstance(changes.version_ids, VersionIds):
        versions = changes.version_ids.as_json()
    band = json_values.text(json_values.mapping(versions).get("band_id"))
    configuration = Configuration(calls)
    whose = "the end device is"
    if not band and present.get("supports_join") and present.get("session"):
        plans = await configuration.frequency_plans()
        band = next((plan.band_id for plan in plans if plan.id == before), None)
        whose = "the end device has joined with one"
    await configuration.check_frequency_plan(plan_id, band or None, whose)


async def _check_keys(
    calls: Calls, device_id: str, present: Mapping[str, Any], version: str
) -> None:
    joins = present.get("supports_join") is True
    needed = requirements(version, joins=joins)
    before = json_values.text(present.get("lorawan_version"))
    had = requirements(parse_lorawan_version(before), joins=joins) if before else None
    number = version_number(version)
    for eui in needed.euis:
        if not json_values.mapping(present.get("ids")).get(eui):
            raise InvalidRequest(
                f"LoRaWAN {number} needs a DevEUI, which this device hasn't: register it anew",
                name=f"missing_{eui}",
            )
    if not (further := [key for key in needed.keys if had is None or key not in had.keys]):
        return
    held = await (_root_keys if joins else _session_keys)(calls, device_id)
    for key in further:
        if held is not None and key not in held:
            raise InvalidRequest(
                f"LoRaWAN {number} needs a {KEY_NAMES[key]}, which this device hasn't: leave its "
                "version as it is, or delete it and register it with all keys",
                name=f"missing_{key}",
                attributes={"device_id": device_id, "value": version},
            )


async def _root_keys(calls: Calls, device_id: str) -> Collection[str] | None:
    """Return which root keys the Join Server has; None if they are on another Join Server."""
    path = f"js/{calls.device_path(device_id)}"
    try:
        answer = await calls.object("GET", path, params={"field_mask": ["root_keys"]})
    except NotFound:
        return None
    keys = json_values.mapping(answer.get("root_keys"))
    return [name for name in ROOT_KEYS if json_values.mapping(keys.get(name)).get("key")]


async def _session_keys(calls: Calls, device_id: str) -> Collection[str]:
    """Return which session keys the end device has, each with a value of its own.

    For LoRaWAN 1.0, the Network Server returns its only key under all names of LoRaWAN 1.1.
    """
    path = f"ns/{calls.device_path(device_id)}"
    answer = await calls.object("GET", path, params={"field_mask": ["session.keys"]})
    keys = json_values.mapping(json_values.mapping(answer.get("session")).get("keys"))

    def key(name: str) -> Any:
        return json_values.mapping(keys.get(SERVER_NAMES[name])).get("key")

    only = key("nwk_s_key")
    return [
        "app_s_key",  # the Application Server's
        "nwk_s_key",
        *(name for name in _NEW_SESSION_KEYS if key(name) not in (None, only)),
    ]
