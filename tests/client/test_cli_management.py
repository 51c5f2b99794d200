"""The commands that manage devices and the application, as a user runs them."""

from pathlib import Path

import pytest

from tests.simulator import Simulator

from .test_cli import Run, run

__all__ = ["run"]

KEY = "00112233445566778899AABBCCDDEEFF"
BY_HAND = ("--frequency-plan", "EU_863_870_TTN", "--lorawan-version", "1.0.3")


async def test_register_by_hand(run: Run, simulator: Simulator) -> None:
    result = await run(
        "devices",
        "register",
        "new-sensor",
        *("--dev-eui", "70:B3:D5:7E:D0:06:00:99", "--app-key", KEY, "--name", "New sensor"),
        *("--attribute", "room=Cellar"),
        *BY_HAND,
        role="manage",
    )
    assert result.code == 0, result.err
    assert result.json["name"] == "New sensor"
    assert KEY not in result.out
    documents = simulator.devices["new-sensor"].documents
    assert documents["js"]["root_keys"]["app_key"]["key"] == KEY
    assert documents["is"]["ids"]["join_eui"] == "0" * 16
    assert documents["is"]["attributes"] == {"room": "Cellar"}


async def test_register_a_model(run: Run, simulator: Simulator) -> None:
    result = await run(
        *("devices", "register", "new-socket", "--dev-eui", "70B3D57ED0060098"),
        *("--model", "milesight-iot/ws523/1.0/EU_863_870", "--generate-keys"),
        role="manage",
    )
    assert result.code == 0, result.err
    documents = simulator.devices["new-socket"].documents
    key = documents["js"]["root_keys"]["app_key"]["key"]
    assert result.json["generated_keys"] == {"app_key": key}
    assert documents["ns"]["frequency_plan_id"] == "EU_863_870_TTN"
    assert documents["ns"]["supports_class_c"] is True


async def test_register_without_joining(run: Run, simulator: Simulator) -> None:
    result = await run(
        "devices", "register", "new-abp", "--abp", "--generate-keys", *BY_HAND, role="manage"
    )
    assert result.code == 0, result.err
    assert set(result.json["generated_keys"]) == {"app_s_key", "nwk_s_key"}
    assert set(simulator.devices["new-abp"].documents) == {"is", "ns", "as"}


async def test_reversed_eui_is_pointed_out(run: Run) -> None:
    arguments = ("--dev-eui", "61C08101004140A8", "--app-key", KEY)
    result = await run("devices", "register", "new-one", *arguments, *BY_HAND, role="manage")
    assert result.code == 0
    assert "reverse" in result.err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--dev-eui", "70B3"), "invalid_deveui"),
        (("--dev-eui", "70B3D57ED0060099"), "missing_app_key"),
        (("--dev-eui", "70B3D57ED0060099", "--app-key", "12"), "invalid_appkey"),
        (("--issue-dev-eui", "--app-key", KEY), "dev_eui_issuing_not_enabled"),
    ],
)
async def test_mistakes(
    run: Run, simulator: Simulator, arguments: tuple[str, ...], name: str
) -> None:
    result = await run("devices", "register", "new-one", *arguments, *BY_HAND, role="manage")
    assert result.code in (1, 2)
    assert result.err.startswith(f"{name}: ")
    assert "new-one" not in simulator.devices


@pytest.mark.parametrize(
    "arguments",
    [
        ("devices", "register", "new-one", "--model", "dragino/lht65n"),
        ("devices", "update", "lpp-node", "--latitude", "1"),
        ("devices", "update", "lpp-node", "--attribute", "room"),
        ("simulate", "lpp-node", "--port", "1", "--payload", "0x1"),
        ("formatter", "set", "lpp-node", "--up", "lua"),
        ("formatter", "set", "lpp-node", "--up", "javascript"),
        ("formatter", "test", "lpp-node", "--kind", "cayennelpp"),
        ("formatter", "test", "lpp-node", "--kind", "cayennelpp", "--encode", "[1]"),
        ("formatter", "test", "lpp-node", "--kind", "cayennelpp", "--encode", "{"),
    ],
)
async def test_usage(run: Run, arguments: tuple[str, ...]) -> None:
    result = await run(*arguments, role="manage")
    assert (result.code, result.out) == (2, "")
    assert result.err


async def test_update_and_delete(run: Run, simulator: Simulator) -> None:
    result = await run(
        *("devices", "update", "lpp-node", "--name", "Attic", "--attribute", "room="),
        *("--latitude", "1.5", "--longitude", "2.5", "--altitude", "3"),
        role="manage",
    )
    assert result.json["name"] == "Attic"
    assert "attributes" not in result.json
    assert result.json["locations"]["user"]["altitude"] == 3
    result = await run("devices", "update", "lpp-node", "--no-location", role="manage")
    assert "locations" not in result.json
    assert (await run("devices", "reset", "lpp-node", role="manage")).code == 0
    assert (await run("devices", "servers", "lpp-node")).json["network"] is True
    result = await run("devices", "delete", "lpp-node", "--yes", role="manage")
    assert result.json["removed_from"] == ["application", "network", "join", "identity"]
    assert "lpp-node" not in simulator.devices
    assert (await run("devices", "delete", "lpp-node", "--yes", role="manage")).code == 1


async def test_keys_are_shown_only_when_asked(run: Run) -> None:
    assert "root_keys" not in (await run("devices", "show", "lpp-node", role="manage")).json
    shown = (await run("devices", "show", "lpp-node", "--keys", role="manage")).json
    assert len(shown["root_keys"]["app_key"]) == 32
    assert (await run("devices", "show", "lpp-node", "--keys", role="read")).code == 1


async def test_search(run: Run) -> None:
    result = await run("devices", "search", "radiator")
    assert result.out.startswith("bath-radiator")
    assert (await run("--json", "devices", "search", "nothing")).json == []


async def test_models(run: Run) -> None:
    assert "dragino" in (await run("models", "brands")).out
    assert (await run("models", "list", "smart")).out.startswith(
        "milesight-iot/ws523/1.0/EU_863_870"
    )
    result = await run("models", "template", "dragino/lht65n/1.0/EU_863_870")
    assert result.json["lorawan_version"] == "MAC_V1_0_3"
    assert "EU_863_870_TTN" in (await run("plans", "EU_863_870")).out
    assert (await run("qr-code", "A84041000181C061")).json["dev_eui"] == "A84041000181C061"
    for command in (("models", "brands"), ("models", "list"), ("plans",)):
        assert (await run("--json", *command)).json


async def test_formatters(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    script = tmp_path / "decoder.js"
    script.write_text("function decodeUplink(i){return {data:{}}}")
    arguments = ("--up", "javascript", "--up-script", str(script))
    assert (await run("formatter", "set", "lpp-node", *arguments, role="manage")).code == 0
    found = (await run("formatter", "get", "lpp-node")).json
    assert found["up"]["parameter"] == script.read_text()
    assert found["down"] is None
    assert (await run("formatter", "set", "--up", "cayennelpp", role="manage")).code == 0
    assert (await run("formatter", "get", role="manage")).json["up"]["kind"].endswith("LPP")
    kind = ("--kind", "cayennelpp")
    result = await run("formatter", "test", "lpp-node", *kind, "--payload", "01 67 01 10")
    assert result.json["data"] == {"temperature_1": 27.2}
    result = await run("formatter", "test", "lpp-node", *kind, "--encode", '{"value_1": 1}')
    assert result.json["payload"] == "010064ff"
    result = await run("formatter", "test", "lpp-node", *kind, "--payload", "01")
    assert result.err.startswith("output_errors: invalid length")


async def test_simulate(run: Run) -> None:
    arguments = ("simulate", "lpp-node", "--port", "1", "--payload", "0x01670110")
    assert (await run(*arguments, role="all")).code == 0
    assert (await run(*arguments, role="read")).code == 1


async def test_application(run: Run, simulator: Simulator) -> None:
    changes = ("--name", "Allotment", "--attribute", "site=north")
    result = await run("application", "update", *changes, role="manage")
    assert result.json["attributes"] == {"site": "north"}
    assert (await run("application", "show")).json["name"] == "Allotment"
    result = await run("application", "create-key", "Home", "--right", "INFO", role="all")
    assert result.json["key"].startswith("NNSXS.")
    assert "Home" in (await run("application", "keys", role="all")).out
    key_id = result.json["key_id"]
    assert (await run("application", "delete-key", key_id, role="all")).code == 0
    assert key_id not in (await run("--json", "application", "keys", role="all")).out
    assert (await run("application", "collaborators", role="all")).json[0]["id"] == "admin"
    created = ("application", "create", "another", "--user", "admin")
    assert (await run(*created, role="user")).json["application_id"] == "another"


async def test_gateways(run: Run) -> None:
    found = (await run("gateways", "list", role="user")).json
    shown = (await run("gateways", "show", found[0]["gateway_id"])).json
    assert shown["connection"]["uplink_count"] == 28


async def test_events(run: Run, simulator: Simulator) -> None:
    simulator.update_device("lpp-node", name="Renamed")
    arguments = ("events", "--registry", "--tail", "1", "--count", "1")
    assert "end_device.update  lpp-node" in (await run(*arguments)).out
    assert (await run("--json", *arguments)).json["name"] == "end_device.update"
    simulator.faults.http_status["/events"] = 500
    assert (await run(*arguments)).code == 3
