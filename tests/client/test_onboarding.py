"""What is asked before an end device is registered: models, plans, QR codes, claiming."""

from dataclasses import replace
from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import (
    LORAWAN_VERSIONS,
    DeviceRequest,
    InvalidRequest,
    NotFound,
    Registration,
    Stack,
    VersionIds,
    parse_lorawan_version,
    prepare_registration,
    usual_phy_version,
    version_number,
)
from thethingsstack.repository import RepositoryFormatter

from .conftest import MakeStack

QR_CODE = "LW:D0:70B3D57ED0000001:A84041000181C0AA:01014242:OB12CD34:SYZ123"


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A client that may manage devices."""
    return make_stack("manage")


async def test_brands(stack: Stack) -> None:
    assert [brand.name async for brand in stack.repository.brands()] == [
        "Dragino",
        "MClimate",
        "Milesight IoT",
    ]
    found = [brand.brand_id async for brand in stack.repository.brands("dragino")]
    assert found == ["dragino"]


async def test_models(stack: Stack) -> None:
    found = [model async for model in stack.repository.models("dragino")]
    assert [model.name for model in found] == ["LHT65N"]
    assert found[0].firmware_versions[0].bands == ("EU_863_870",)
    assert found[0].firmware_versions[0].hardware_versions == ("1.0",)
    searched = [model.model_id async for model in stack.repository.models(search="smart")]
    assert searched == ["ws523"]
    assert (await stack.repository.model("dragino", "lht65n")).sensors[0] == "temperature"
    with pytest.raises(NotFound) as caught:
        await stack.repository.model("dragino", "nosuch")
    assert caught.value.name == "model_not_found"
    with pytest.raises(NotFound):
        [model async for model in stack.repository.models("nosuch")]


async def test_template_makes_a_registration(simulator: Simulator, stack: Stack) -> None:
    template = await stack.repository.template("milesight-iot", "ws523", "1.0", "EU_863_870")
    assert template.supports_class_c
    registration = Registration.from_template(
        template,
        device_id="new-socket",
        dev_eui="24E124148B0000FF",
        join_eui="24E124C0002A0001",
        frequency_plan_id="EU_863_870_TTN",
        app_key="1" * 32,
    )
    await stack.end_devices.register(registration)
    documents = simulator.devices["new-socket"].documents
    assert documents["ns"]["supports_class_c"] is True
    assert documents["ns"]["mac_settings"]["class_c_timeout"] == "8s"
    assert documents["as"]["formatters"]["up_formatter"] == "FORMATTER_REPOSITORY"
    for server in ("is", "ns", "as"):
        assert documents[server]["version_ids"]["model_id"] == "ws523"


async def test_no_template(stack: Stack) -> None:
    for version, band in (("1.0", "US_902_928"), ("9.9", "EU_863_870")):
        with pytest.raises(NotFound):
            await stack.repository.template("milesight-iot", "ws523", version, band)


def test_examples_of_a_formatter_are_what_it_makes_of_frames() -> None:
    """Those that it can't decode are no examples of payloads."""
    examples: list[dict[str, Any]] = [
        {"input": {"f_port": 2, "frm_payload": "AQI="}, "output": {"data": {"a": 1}}},
        {"output": {"data": {"a": 2}, "errors": ["unknown frame"]}},
        {"output": {"data": {"a": 3}, "errors": []}},
        {"output": {"errors": ["unknown frame"]}},
        {"description": "odd", "output": ["odd"]},
        {},
    ]
    formatter = RepositoryFormatter(kind="", script="", codec_id=None, examples=examples)
    assert formatter.example_payloads == [{"a": 1}, {"a": 3}]


async def test_repository_formatter(stack: Stack) -> None:
    ids = VersionIds(
        brand_id="dragino", model_id="lht65n", firmware_version="1.0", band_id="EU_863_870"
    )
    formatter = await stack.repository.formatter(ids, "uplink_decoder")
    assert formatter.kind == "FORMATTER_JAVASCRIPT"
    assert "decodeUplink" in formatter.script
    assert formatter.example_payloads == []
    with pytest.raises(NotFound) as caught:
        await stack.repository.formatter(ids, "downlink_encoder")
    assert caught.value.name == "no_encoder"


async def test_configuration(stack: Stack) -> None:
    plans = await stack.configuration.frequency_plans("EU_863_870")
    assert "EU_863_870_TTN" in [plan.id for plan in plans]
    assert {plan.band_id for plan in plans} == {"EU_863_870"}
    assert len(await stack.configuration.frequency_plans()) > len(plans)
    versions = await stack.configuration.phy_versions("EU_863_870")
    assert "PHY_V1_0_3_REV_A" in versions
    settings = await stack.configuration.default_mac_settings("EU_863_870_TTN", versions[0])
    assert settings["rx1_delay"] == 1
    assert await stack.configuration.default_join_eui() == "0" * 16
    assert await stack.configuration.join_eui_prefixes() == ["0000000000000000/0"]
    assert len(await stack.configuration.dev_addr()) == 8
    assert await stack.configuration.net_id() == "000000"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1.0.3", "MAC_V1_0_3"),
        ("v1.0.2", "MAC_V1_0_2"),
        ("LoRaWAN 1.1", "MAC_V1_1"),
        ("1.1.0", "MAC_V1_1"),
        ("MAC_V1_0_4", "MAC_V1_0_4"),
        ("1.0", "MAC_V1_0"),
        ("1.0.0", "MAC_V1_0"),
    ],
)
def test_lorawan_versions(text: str, name: str) -> None:
    assert parse_lorawan_version(text) == name
    assert parse_lorawan_version(version_number(name)) == name
    assert usual_phy_version(name) in LORAWAN_VERSIONS[name]


def test_unknown_lorawan_version() -> None:
    with pytest.raises(InvalidRequest, match=r"none of 1\.0, 1\.0\.1"):
        parse_lorawan_version("1.2")


async def test_qr_codes(stack: Stack) -> None:
    assert "tr005" in await stack.qr_codes.formats()
    template = await stack.qr_codes.parse(f" {QR_CODE}\n")
    assert template.dev_eui == "A84041000181C0AA"
    assert template.join_eui == "70B3D57ED0000001"
    assert template.serial_number == "YZ123"
    assert (template.vendor_id, template.vendor_profile_id) == (257, 16962)
    model = await stack.repository.template_of_profile(257, 16962)
    assert model.version_ids is not None
    assert model.version_ids.model_id == "lht65n"
    with pytest.raises(NotFound):
        await stack.repository.template_of_profile(1, 1)
    with pytest.raises(InvalidRequest) as caught:
        await stack.qr_codes.parse("https://example.org/thing")
    assert caught.value.name == "unknown_format"


async def test_claiming(simulator: Simulator, stack: Stack) -> None:
    join_eui, dev_eui = "70B3D57ED0000001", "A84041000181C0AA"
    assert not await stack.claiming.supports(join_eui)
    simulator.stack.claimable[join_eui, dev_eui] = "B12CD34"
    assert await stack.claiming.supports(join_eui)
    ids = await stack.claiming.claim(
        dev_eui=dev_eui, join_eui=join_eui, authentication_code="B12CD34", device_id="claimed"
    )
    assert ids.dev_eui == dev_eui
    assert await stack.claiming.claim_by_qr_code(QR_CODE, device_id="claimed") == ids
    with pytest.raises(InvalidRequest):
        await stack.claiming.claim(
            dev_eui=dev_eui, join_eui=join_eui, authentication_code="NO", device_id="claimed"
        )
    await stack.claiming.unclaim("claimed")


async def test_vendor_numbers_are_registered(simulator: Simulator, stack: Stack) -> None:
    template = replace(
        await stack.qr_codes.parse(QR_CODE), lorawan_version="MAC_V1_0_3", supports_class_c=True
    )
    registration = Registration.from_template(
        template, device_id="from-code", frequency_plan_id="EU_863_870", app_key="1" * 32
    )
    await stack.end_devices.register(registration)
    registered = simulator.devices["from-code"].documents["is"]
    assert registered["lora_alliance_profile_ids"]["vendor_id"] == 257
    assert registered["serial_number"] == "yz123"


@pytest.mark.parametrize(
    ("printed", "kept", "warned"), [("SERIAL9", "serial9", False), ("A/9_X", None, True)]
)
async def test_serial_number_of_a_qr_code(
    simulator: Simulator, stack: Stack, printed: str, kept: str | None, warned: bool
) -> None:
    code = QR_CODE.replace("SYZ123", f"S{printed}")
    outline = DeviceRequest(
        known={
            "device_id": "from-code",
            "lorawan_version": "1.0.3",
            "frequency_plan_id": "EU_863_870",
        },
        qr_code=code,
        generate_keys=True,
    )
    completed = await prepare_registration(stack, outline)
    await stack.end_devices.register(completed.registration)
    assert simulator.devices["from-code"].documents["is"].get("serial_number") == kept
    assert [printed in text and "left out" in text for text in completed.warnings] == (
        [True] if warned else []
    )


async def test_issued_dev_eui(simulator: Simulator, stack: Stack) -> None:
    simulator.stack.dev_euis = ["70B3D57ED0070001"]
    assert await stack.end_devices.issue_dev_eui() == "70B3D57ED0070001"
