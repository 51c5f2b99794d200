"""Which keys a LoRaWAN version needs, and versions that a registered device can't be given."""

from dataclasses import replace
from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    LORAWAN_VERSIONS,
    ROOT_KEYS,
    DeviceChanges,
    InvalidRequest,
    MissingRight,
    NotFound,
    Session,
)
from thethingsstack.keys import requirements

from .conftest import MakeStack
from .test_end_devices import ABP, KEY, OTAA


@pytest.mark.parametrize("version", LORAWAN_VERSIONS)
def test_every_version_has_requirements(version: str) -> None:
    otaa, abp = (requirements(version, joins=joins) for joins in (True, False))
    assert "app_key" in otaa.keys
    assert set(otaa.keys) <= set(ROOT_KEYS)
    assert otaa.euis == ("dev_eui", "join_eui")
    assert (otaa.dev_addr, abp.dev_addr) == (False, True)
    assert ("nwk_key" in otaa.keys) == ("nwk_s_enc_key" in abp.keys) == (version == "MAC_V1_1")
    assert ("dev_eui" in abp.euis) == (version in ("MAC_V1_0_4", "MAC_V1_1"))


@pytest.mark.parametrize(
    ("changes", "name", "text"),
    [
        ({"lorawan_version": "1.1"}, "invalid_lorawan_phy_version", "PHY_V1_1_REV_B"),
        (
            {"lorawan_version": "1.1", "lorawan_phy_version": "PHY_V1_1_REV_B"},
            "missing_nwk_key",
            "needs a NwkKey",
        ),
        (
            {"lorawan_phy_version": "PHY_V1_1_REV_B"},
            "invalid_lorawan_phy_version",
            "PHY_V1_0_3_REV_A",
        ),
        ({"lorawan_version": "2.0"}, "invalid_lorawan_version", "1.0.3"),
    ],
)
async def test_versions_that_would_break_a_device(
    simulator: Simulator, make_stack: MakeStack, changes: dict[str, Any], name: str, text: str
) -> None:
    stack = make_stack("manage")
    await stack.end_devices.register(OTAA)
    before = dict(simulator.devices["new-sensor"].documents["ns"])
    with pytest.raises(InvalidRequest, match=text) as caught:
        await stack.end_devices.update("new-sensor", DeviceChanges(name="New", **changes))
    assert caught.value.name == name
    assert simulator.devices["new-sensor"].documents["ns"] == before


@pytest.mark.parametrize(
    ("device_id", "plan", "name"),
    [
        ("bath-radiator", "US_902_928_FSB_2", "frequency_plan_of_another_band"),  # its model
        ("lpp-node", "US_902_928_FSB_2", "frequency_plan_of_another_band"),  # it has joined
        ("new-sensor", "NOPE", "frequency_plan_not_found"),
    ],
)
async def test_plans_that_would_break_a_device(
    simulator: Simulator, make_stack: MakeStack, device_id: str, plan: str, name: str
) -> None:
    stack = make_stack("manage")
    await stack.end_devices.register(OTAA)
    before = dict(simulator.devices[device_id].documents["ns"])
    changes = DeviceChanges(name="New", frequency_plan_id=plan)
    with pytest.raises(InvalidRequest, match=r"choose one (of|like) .*EU_863_870_TTN") as caught:
        await stack.end_devices.update(device_id, changes)
    assert caught.value.name == name
    assert simulator.devices[device_id].documents["ns"] == before


async def test_plans_that_go(simulator: Simulator, make_stack: MakeStack) -> None:
    """One of the same band; any for a device that no band is known of, as after a reset."""
    stack = make_stack("manage")
    await stack.end_devices.register(OTAA)
    assert not simulator.devices["lpp-node"].documents["ns"].get("version_ids")
    await stack.end_devices.reset("lpp-node")
    for device_id, plan in (
        ("weather-station", "EU_863_870"),
        ("new-sensor", "US_902_928_FSB_2"),
        ("lpp-node", "US_902_928_FSB_2"),
    ):
        await stack.end_devices.update(device_id, DeviceChanges(frequency_plan_id=plan))
        assert simulator.devices[device_id].documents["ns"]["frequency_plan_id"] == plan


async def test_versions_that_go(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack("manage")
    await stack.end_devices.register(OTAA)
    changes = DeviceChanges(lorawan_version="1.0.4", lorawan_phy_version="RP002_V1_0_3")
    await stack.end_devices.update("new-sensor", changes)
    assert simulator.devices["new-sensor"].documents["ns"]["lorawan_version"] == "MAC_V1_0_4"
    both = replace(
        OTAA,
        device_id="both-keys",
        dev_eui="70B3D57ED0060098",
        lorawan_version="1.1",
        lorawan_phy_version=None,
        nwk_key=KEY,
    )
    await stack.end_devices.register(both)
    for version, phy_version in (("1.0.3", "PHY_V1_0_3_REV_A"), ("1.1", "PHY_V1_1_REV_A")):
        changes = DeviceChanges(lorawan_version=version, lorawan_phy_version=phy_version)
        await stack.end_devices.update("both-keys", changes)
    assert simulator.devices["both-keys"].documents["ns"]["lorawan_version"] == "MAC_V1_1"


async def test_keys_that_may_not_be_seen(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack("manage")
    await stack.end_devices.register(OTAA)
    simulator.remove_rights("manage", "DEVICES_READ_KEYS")
    changes = DeviceChanges(lorawan_version="1.1", lorawan_phy_version="PHY_V1_1_REV_B")
    with pytest.raises(MissingRight) as caught:
        await stack.end_devices.update("new-sensor", changes)
    assert caught.value.rights == ("RIGHT_APPLICATION_DEVICES_READ_KEYS",)


async def test_keys_that_are_elsewhere(simulator: Simulator, make_stack: MakeStack) -> None:
    stack = make_stack("manage")
    await stack.end_devices.register(OTAA)
    del simulator.devices["new-sensor"].documents["js"]
    changes = DeviceChanges(lorawan_version="1.1", lorawan_phy_version="PHY_V1_1_REV_B")
    await stack.end_devices.update("new-sensor", changes)
    assert simulator.devices["new-sensor"].documents["ns"]["lorawan_version"] == "MAC_V1_1"
    with pytest.raises(NotFound) as caught:
        await stack.end_devices.update("nosuch", changes)
    assert caught.value.name == "not_on_network_server"


async def test_versions_of_a_device_that_does_not_join(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    stack = make_stack("manage")
    await stack.end_devices.register(ABP)
    device_id = ABP.device_id
    changes = DeviceChanges(lorawan_version="1.1", lorawan_phy_version="PHY_V1_1_REV_B")
    ids = simulator.devices[device_id].documents["ns"]["ids"]
    dev_eui = ids.pop("dev_eui", None)
    with pytest.raises(InvalidRequest) as caught:
        await stack.end_devices.update(device_id, changes)
    assert caught.value.name == "missing_dev_eui"
    ids["dev_eui"] = dev_eui or "70B3D57ED0060097"
    keys = simulator.devices[device_id].documents["ns"]["session"]["keys"]
    keys["s_nwk_s_int_key"] = dict(keys["f_nwk_s_int_key"])  # so a real server keeps it
    with pytest.raises(InvalidRequest, match="SNwkSIntKey") as caught:
        await stack.end_devices.update(device_id, changes)
    assert caught.value.name == "missing_s_nwk_s_int_key"
    assert isinstance(ABP.session, Session)
    assert ABP.session.f_nwk_s_int_key not in str(caught.value)
