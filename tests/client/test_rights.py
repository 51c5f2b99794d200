"""Rights and what they are for."""

from thethingsstack import FEATURES, expand_rights, missing_rights
from thethingsstack.rights import CONSOLE_NAMES, console_names


def test_features_name_the_servers_rights() -> None:
    assert set(FEATURES) == {
        "uplinks",
        "application",
        "devices",
        "downlinks",
        "manage_devices",
        "formatters",
        "storage_settings",
        "simulate",
    }


def test_missing() -> None:
    held = ["RIGHT_APPLICATION_INFO", "RIGHT_APPLICATION_DEVICES_WRITE"]
    lacking = missing_rights(held)
    assert "application" not in lacking
    assert lacking["uplinks"] == ["RIGHT_APPLICATION_TRAFFIC_READ"]
    assert lacking["manage_devices"] == ["RIGHT_APPLICATION_DEVICES_WRITE_KEYS"]


def test_all_and_link_have_members() -> None:
    assert missing_rights(["RIGHT_APPLICATION_ALL"]) == missing_rights(["RIGHT_ALL"]) == {}
    assert "downlinks" not in missing_rights(["RIGHT_APPLICATION_LINK"])
    assert "devices" in missing_rights(["RIGHT_APPLICATION_LINK"])
    assert expand_rights([]) == frozenset()


def test_names_of_the_console() -> None:
    """People find a right by them; one that the Console has no name for is told as it is."""
    rights = ["RIGHT_APPLICATION_DEVICES_WRITE", "RIGHT_APPLICATION_DEVICES_READ"]
    assert console_names(rights) == "“Create devices in application”, “View devices in application”"
    assert console_names(["RIGHT_NEW"]) == "RIGHT_NEW"
    assert console_names([]) == ""
    for needed in FEATURES.values():
        assert set(needed) <= set(CONSOLE_NAMES)
