"""The keys, EUIs and address that an end device needs, by LoRaWAN version."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import InvalidRequest

LORAWAN_1_1 = "MAC_V1_1"
ROOT_KEYS = ("app_key", "nwk_key")
SESSION_KEYS = ("app_s_key", "nwk_s_key", "s_nwk_s_int_key", "nwk_s_enc_key")
"""Keys as LoRaWAN calls them, of devices that join (OTAA) and of those that don't (ABP)."""
KEY_NAMES: Mapping[str, str] = {
    "app_key": "AppKey",
    "nwk_key": "NwkKey",
    "app_s_key": "AppSKey",
    "nwk_s_key": "NwkSKey",
    "s_nwk_s_int_key": "SNwkSIntKey",
    "nwk_s_enc_key": "NwkSEncKey",
}
SERVER_NAMES: Mapping[str, str] = {key: key for key in SESSION_KEYS} | {
    "nwk_s_key": "f_nwk_s_int_key"  # its name since LoRaWAN 1.1
}
"""The servers' names of the session keys."""
_MISSING: Mapping[str, str] = {
    "dev_addr": "the device address is missing (8 hexadecimal digits)",
    "dev_eui": "the DevEUI is missing (16 hexadecimal digits, on the label of the end device)",
    "frequency_plan_id": "the frequency plan is missing",
    "join_eui": "the JoinEUI, also called AppEUI, is missing (16 hexadecimal digits)",
    "lorawan_version": "the LoRaWAN version is missing (in the data sheet, for instance 1.0.3)",
    **{key: f"the {name} is missing (32 hexadecimal digits)" for key, name in KEY_NAMES.items()},
}


def missing(name: str) -> InvalidRequest:
    """Return the error of an end device without a key, an EUI or another field that it needs."""
    return InvalidRequest(_MISSING.get(name, f"{name} is missing"), name=f"missing_{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What an end device of a LoRaWAN version needs: names of keys, of EUIs, and an address."""

    keys: tuple[str, ...]
    euis: tuple[str, ...] = ()
    dev_addr: bool = False


_EUIS = ("dev_eui", "join_eui")
_OTAA_1_0 = Requirements(keys=("app_key",), euis=_EUIS)
_OTAA_1_1 = Requirements(keys=ROOT_KEYS, euis=_EUIS)
_ABP_1_0 = Requirements(keys=("app_s_key", "nwk_s_key"), dev_addr=True)
_ABP_1_0_4 = Requirements(keys=_ABP_1_0.keys, euis=("dev_eui",), dev_addr=True)
_ABP_1_1 = Requirements(keys=SESSION_KEYS, euis=("dev_eui",), dev_addr=True)
_TABLE: Mapping[str, tuple[Requirements, Requirements]] = {
    "MAC_V1_0": (_OTAA_1_0, _ABP_1_0),
    "MAC_V1_0_1": (_OTAA_1_0, _ABP_1_0),
    "MAC_V1_0_2": (_OTAA_1_0, _ABP_1_0),
    "MAC_V1_0_3": (_OTAA_1_0, _ABP_1_0),
    "MAC_V1_0_4": (_OTAA_1_0, _ABP_1_0_4),
    LORAWAN_1_1: (_OTAA_1_1, _ABP_1_1),
}


def requirements(lorawan_version: str, *, joins: bool) -> Requirements:
    """Return what a device that joins (OTAA), or one that doesn't (ABP), needs.

    The version is the server's name of it, as `parse_lorawan_version` returns it.
    """
    otaa, abp = _TABLE[lorawan_version]
    return otaa if joins else abp
