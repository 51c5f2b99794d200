"""What a key may do, and what will be missing without a right."""

from collections.abc import Iterable, Mapping

INFO = "RIGHT_APPLICATION_INFO"
TRAFFIC_READ = "RIGHT_APPLICATION_TRAFFIC_READ"
TRAFFIC_DOWN_WRITE = "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE"
TRAFFIC_UP_WRITE = "RIGHT_APPLICATION_TRAFFIC_UP_WRITE"
DEVICES_READ = "RIGHT_APPLICATION_DEVICES_READ"
DEVICES_READ_KEYS = "RIGHT_APPLICATION_DEVICES_READ_KEYS"
DEVICES_WRITE = "RIGHT_APPLICATION_DEVICES_WRITE"
DEVICES_WRITE_KEYS = "RIGHT_APPLICATION_DEVICES_WRITE_KEYS"
SETTINGS_BASIC = "RIGHT_APPLICATION_SETTINGS_BASIC"
SETTINGS_API_KEYS = "RIGHT_APPLICATION_SETTINGS_API_KEYS"
SETTINGS_PACKAGES = "RIGHT_APPLICATION_SETTINGS_PACKAGES"
LINK = "RIGHT_APPLICATION_LINK"
ALL = frozenset({"RIGHT_ALL", "RIGHT_APPLICATION_ALL"})

FEATURES: Mapping[str, tuple[str, ...]] = {
    "uplinks": (TRAFFIC_READ,),
    "application": (INFO,),
    "devices": (DEVICES_READ,),
    "downlinks": (TRAFFIC_DOWN_WRITE,),
    "manage_devices": (DEVICES_WRITE, DEVICES_WRITE_KEYS),
    "formatters": (SETTINGS_BASIC,),
    "storage_settings": (SETTINGS_PACKAGES,),
    "simulate": (TRAFFIC_UP_WRITE,),
}

_MEMBERS_OF_ALL = frozenset(
    {DEVICES_READ_KEYS, *(right for rights in FEATURES.values() for right in rights)}
)


def expand(rights: Iterable[str]) -> frozenset[str]:
    """Return the rights with the members of combined ones; servers usually did this already."""
    expanded = frozenset(rights)
    if expanded & ALL:
        expanded |= _MEMBERS_OF_ALL
    if LINK in expanded:
        expanded |= {INFO, TRAFFIC_READ, TRAFFIC_DOWN_WRITE}
    return expanded


def missing(rights: Iterable[str]) -> dict[str, list[str]]:
    """Return for each feature that will not work the rights that it lacks."""
    held = expand(rights)
    return {
        feature: lacking
        for feature, needed in FEATURES.items()
        if (lacking := [right for right in needed if right not in held])
    }
