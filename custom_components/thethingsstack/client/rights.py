"""The rights of an API key, and the features that need them.

A right in FEATURES also needs a text `right_…`, and a feature a text `cannot_…`, in the translations
(`selector.setup_summary.options`).
"""

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
SETTINGS_COLLABORATORS = "RIGHT_APPLICATION_SETTINGS_COLLABORATORS"
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

CONSOLE_NAMES: Mapping[str, str] = {
    INFO: "View application information",
    TRAFFIC_READ: "Read application traffic (uplink and downlink)",
    TRAFFIC_DOWN_WRITE: "Write downlink application traffic",
    TRAFFIC_UP_WRITE: "Write uplink application traffic",
    DEVICES_READ: "View devices in application",
    DEVICES_WRITE: "Create devices in application",
    DEVICES_READ_KEYS: "View device keys in application",
    DEVICES_WRITE_KEYS: "Edit device keys in application",
    SETTINGS_BASIC: "Edit basic application settings",
    SETTINGS_API_KEYS: "View and edit application API keys",
    SETTINGS_COLLABORATORS: "View and edit application collaborators",
    SETTINGS_PACKAGES: "View and edit application packages and associations",
}
"""Names of the rights in the Console, which doesn't show the server's names."""

_MEMBERS_OF_ALL = frozenset(
    {DEVICES_READ_KEYS, *(right for rights in FEATURES.values() for right in rights)}
)


def expand_rights(rights: Iterable[str]) -> frozenset[str]:
    """Return the rights with the members of combined ones; servers usually did this already."""
    expanded = frozenset(rights)
    if expanded & ALL:
        expanded |= _MEMBERS_OF_ALL
    if LINK in expanded:
        expanded |= {INFO, TRAFFIC_READ, TRAFFIC_DOWN_WRITE}
    return expanded


def missing_rights(rights: Iterable[str]) -> dict[str, list[str]]:
    """Return for each feature that will not work the rights that it lacks."""
    held = expand_rights(rights)
    return {
        feature: lacking
        for feature, needed in FEATURES.items()
        if (lacking := [right for right in needed if right not in held])
    }


def console_names(rights: Iterable[str]) -> str:
    """Return the Console's names of rights as a text; the server's name if it has none there."""
    return ", ".join(f"“{CONSOLE_NAMES[r]}”" if r in CONSOLE_NAMES else r for r in rights)


def with_console_name(right: str) -> str:
    """Return the server's name of a right, followed by the Console's where it has one there."""
    return f"{right} “{CONSOLE_NAMES[right]}”" if right in CONSOLE_NAMES else right
