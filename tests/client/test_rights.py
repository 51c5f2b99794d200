"""Rights and what they are for."""

from thethingsstack import FEATURES, expand, missing


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
    lacking = missing(held)
    assert "application" not in lacking
    assert lacking["uplinks"] == ["RIGHT_APPLICATION_TRAFFIC_READ"]
    assert lacking["manage_devices"] == ["RIGHT_APPLICATION_DEVICES_WRITE_KEYS"]


def test_all_and_link_have_members() -> None:
    assert missing(["RIGHT_APPLICATION_ALL"]) == missing(["RIGHT_ALL"]) == {}
    assert "downlinks" not in missing(["RIGHT_APPLICATION_LINK"])
    assert "devices" in missing(["RIGHT_APPLICATION_LINK"])
    assert expand([]) == frozenset()
