"""End devices of version 2 for an import into The Things Stack, version 3."""

from collections.abc import Collection, Mapping
from typing import Any

from .. import json_values
from ..configuration import usual_phy_version
from ..errors import InvalidRequest
from ..identifiers import check_id, propose_id
from .registry import as_of_v3

USUAL_VERSION = "1.0.2"
"""The LoRaWAN version that end devices most likely speak, which the Handler doesn't know."""


def for_import(
    data: Mapping[str, Any],
    *,
    taken: Collection[str],
    frequency_plan_id: str,
    lorawan_version: str,
    with_keys: bool,
) -> dict[str, Any]:
    """Return an end device of the Handler as the import of version 3 takes it.

    `taken` are IDs that aren't free any more: an ID that version 3 doesn't allow is replaced by
    one that it does. An end device that doesn't join has its session, with frame counters; one
    that joins does so anew.
    """
    known = as_of_v3(data, "")
    lorawan = json_values.mapping(data.get("lorawan_device"))
    joins = known["supports_join"] or not lorawan.get("dev_addr")
    ids = known["ids"]
    device: dict[str, Any] = {
        "ids": {
            "device_id": _id(ids["device_id"], taken),
            **{name: ids[name] for name in ("dev_eui", "join_eui") if name in ids},
        },
        "name": known.get("name") or ids["device_id"],
        "lorawan_version": lorawan_version,
        "lorawan_phy_version": usual_phy_version(lorawan_version),
        "frequency_plan_id": frequency_plan_id,
        "supports_join": joins,
    }
    for name in ("attributes", "locations"):
        if name in known:
            device[name] = known[name]
    if lorawan.get("uses32_bit_f_cnt") is True:
        device["mac_settings"] = {"supports_32_bit_f_cnt": {"value": True}}
    if joins:
        if with_keys and lorawan.get("app_key"):
            device["root_keys"] = {"app_key": {"key": lorawan["app_key"]}}
        return device
    device["ids"].pop("join_eui", None)
    device["session"] = {
        "dev_addr": ids.get("dev_addr"),
        "last_f_cnt_up": json_values.integer(lorawan.get("f_cnt_up")) or 0,
        "last_n_f_cnt_down": json_values.integer(lorawan.get("f_cnt_down")) or 0,
    }
    if with_keys:
        device["session"]["keys"] = {
            "app_s_key": {"key": lorawan.get("app_s_key")},
            "f_nwk_s_int_key": {"key": lorawan.get("nwk_s_key")},
        }
    return device


def _id(device_id: str, taken: Collection[str]) -> str:
    try:
        check_id(device_id)
    except InvalidRequest:
        return propose_id(device_id, taken)
    return device_id if device_id not in taken else propose_id(device_id, taken)
