"""The commands that manage devices and the application, as a user runs them."""

import json
from pathlib import Path
import re

import pytest

from tests.simulator import Simulator

from .conftest import recorded
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


async def test_what_was_chosen_is_said(run: Run, simulator: Simulator) -> None:
    """So that nothing that the end device must have, too, goes unnoticed."""
    result = await run(
        *("devices", "register", "new-sensor", "--dev-eui", "70B3D57ED0060099"),
        *("--generate-keys", *BY_HAND),
        role="manage",
    )
    assert result.err.splitlines() == [
        "No JoinEUI was given: it is 0000000000000000, the network's default.",
        "Generated: AppKey; see generated_keys in the answer.",
        "Set the same in the end device: JoinEUI, AppKey.",
    ]
    simulator.stack.dev_euis = ["70B3D57ED0070001"]
    result = await run(
        *("devices", "register", "new-socket", "--issue-dev-eui", "--app-key", KEY),
        *("--join-eui", "70B3D57ED0000001", "--model", "milesight-iot/ws523/1.0/EU_863_870"),
        role="manage",
    )
    assert result.err.splitlines() == [
        "The DevEUI 70B3D57ED0070001 was issued by the network.",
        "No frequency plan was given: it is EU_863_870_TTN, the usual one of the band.",
        "Set the same in the end device: DevEUI.",
    ]
    result = await run(
        "devices", "register", "new-abp", "--abp", "--generate-keys", *BY_HAND, role="manage"
    )
    address = result.json["dev_addr"]
    assert result.err.splitlines() == [
        f"No DevAddr was given: it is {address}, from the network.",
        "Generated: AppSKey, NwkSKey; see generated_keys in the answer.",
        "Set the same in the end device: DevAddr, AppSKey, NwkSKey.",
    ]
    result = await run(
        *("devices", "register", "whole", "--dev-eui", "70B3D57ED0060097", "--app-key", KEY),
        *("--join-eui", "70B3D57ED0000001", *BY_HAND),
        role="manage",
    )
    assert (result.code, result.err) == (0, "")


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
    documents = simulator.devices["new-abp"].documents
    assert set(documents) == {"is", "ns", "as"}
    assert result.json["dev_addr"] == documents["ns"]["session"]["dev_addr"]


async def test_reversed_eui_is_pointed_out(run: Run) -> None:
    arguments = ("--dev-eui", "61C08101004140A8", "--app-key", KEY)
    result = await run("devices", "register", "new-one", *arguments, *BY_HAND, role="manage")
    assert result.code == 0
    assert "reverse" in result.err


async def test_register_lorawan_1_1_without_joining(run: Run, simulator: Simulator) -> None:
    result = await run(
        *("devices", "register", "new-abp", "--abp", "--generate-keys"),
        *("--dev-eui", "70B3D57ED0060098"),
        *("--frequency-plan", "EU_863_870_TTN", "--lorawan-version", "1.1"),
        role="manage",
    )
    assert result.code == 0, result.err
    made = result.json["generated_keys"]
    assert set(made) == {"app_s_key", "nwk_s_key", "s_nwk_s_int_key", "nwk_s_enc_key"}
    keys = simulator.devices["new-abp"].documents["ns"]["session"]["keys"]
    assert keys["nwk_s_enc_key"]["key"] == made["nwk_s_enc_key"]


async def test_register_by_a_qr_code(run: Run, simulator: Simulator) -> None:
    """One whose keys its maker keeps is claimed, by the code or by what it says."""
    code = "LW:D0:70B3D57ED0000001:A84041000181C0AA:01014242:OB12CD34"
    arguments = ("devices", "register", "by-code", "--qr-code", code, *BY_HAND)
    result = await run(*arguments, role="manage")
    assert result.err == (
        "missing_app_key: the AppKey is missing (32 hexadecimal digits): give it with --app-key, "
        "or let one be made: --generate-keys\n"
    )
    simulator.stack.claimable["70B3D57ED0000001", "A84041000181C0AA"] = "B12CD34"
    result = await run(*arguments, role="manage")
    assert result.code == 0, result.err
    assert set(simulator.devices["by-code"].documents) == {"is", "ns", "as"}
    euis = ("--dev-eui", "A84041000181C0AA", "--join-eui", "70B3D57ED0000001")
    result = await run("devices", "delete", "by-code", "--yes", role="manage")
    claim = ("devices", "register", "by-words", *euis, *BY_HAND, "--claim-code")
    assert (await run(*claim, "NO", role="manage")).code == 1
    result = await run(*claim, "B12CD34", role="manage")
    assert result.code == 0, result.err
    assert set(simulator.devices["by-words"].documents) == {"is", "ns", "as"}


async def test_a_serial_number_that_does_not_fit_is_left_out(
    run: Run, simulator: Simulator
) -> None:
    for device_id, serial, kept in (("fits", "SERIAL9", "serial9"), ("too-short", "S9", None)):
        eui = "A84041000181C0A" + ("1" if kept else "2")
        result = await run(
            *("devices", "register", device_id, "--generate-keys", *BY_HAND),
            *("--qr-code", f"LW:D0:70B3D57ED0000009:{eui}:01014242:S{serial}"),
            role="manage",
        )
        assert result.code == 0, result.err
        assert simulator.devices[device_id].documents["is"].get("serial_number") == kept
        assert ("left out" in result.err) == (kept is None)


async def test_dev_eui_is_issued_last(run: Run, simulator: Simulator) -> None:
    """The network has few: none is spent on what is refused."""
    simulator.stack.dev_euis = ["70B3D57ED0070001"]
    arguments = ("--issue-dev-eui", *BY_HAND)
    for device_id, more in (("new-one", ()), ("lpp-node", ("--generate-keys",))):
        result = await run("devices", "register", device_id, *arguments, *more, role="manage")
        assert result.code
    result = await run(
        "devices", "register", "new-one", *arguments, "--generate-keys", role="manage"
    )
    assert result.json["ids"]["dev_eui"] == "70B3D57ED0070001"


async def test_missing_rights_are_named(run: Run) -> None:
    result = await run("devices", "delete", "lpp-node", "--yes", role="read")
    assert result.code == 1
    assert "(missing: RIGHT_APPLICATION_DEVICES_WRITE “" in result.err
    result = await run("--json", "devices", "delete", "lpp-node", "--yes", role="read")
    error = json.loads(result.err)["error"]
    assert error["missing_rights"] == ["RIGHT_APPLICATION_DEVICES_WRITE"]


async def test_lists_of_some(run: Run, simulator: Simulator) -> None:
    listed = (await run("--json", "devices", "list", "lpp-node", "nosuch")).json
    assert [device["ids"]["device_id"] for device in listed] == ["lpp-node"]
    result = await run("devices", "list", "lpp-node", "nosuch")
    assert result.err == "there is no end device `nosuch` in application `garden`\n"
    listed = (await run("--json", "devices", "list", "--updated-since", "2000-01-01")).json
    assert len(listed) == len(simulator.devices)
    result = await run("devices", "list", "--updated-since", "yesterday")
    assert result.code == 2
    assert "`yesterday` is no time as 2026-01-31 or 2026-01-31T08:00 is" in result.err
    future = await run("--json", "devices", "list", "--updated-since", "2100-01-01")
    assert future.code == 1
    assert "updated_since" in future.err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--dev-eui", "70B3"), "missing_app_key"),
        (("--dev-eui", "70B3", "--app-key", KEY), "invalid_deveui"),
        (("--app-key", KEY), "missing_dev_eui"),
        (("--dev-eui", "70B3D57ED0060099", "--issue-dev-eui"), "dev_eui_unused"),
        (("--dev-eui", "70B3D57ED0060099", "--app-s-key", KEY), "session_unused"),
        (("--abp", "--app-key", KEY), "keys_unused"),
        (("--abp", "--app-s-key", KEY), "missing_nwk_s_key"),
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
    if name.startswith(("missing_", "dev_eui_issuing")):
        assert re.search("give .*--", result.err)
    assert "new-one" not in simulator.devices


@pytest.mark.parametrize(
    "arguments",
    [
        ("devices", "register", "new-one", "--model", "dragino/lht65n"),
        ("devices", "update", "lpp-node"),
        ("devices", "update", "lpp-node", "--latitude", "1"),
        ("devices", "update", "lpp-node", "--altitude", "1"),
        ("devices", "update", "lpp-node", "--no-location", "--latitude", "1", "--longitude", "1"),
        ("devices", "list", "lpp-node", "--updated-since", "2026-01-01"),
        ("devices", "update", "lpp-node", "--attribute", "room"),
        ("simulate", "lpp-node", "--port", "1", "--payload", "0x1"),
        ("formatter", "set", "lpp-node"),
        ("formatter", "set", "--default"),
        ("formatter", "set", "lpp-node", "--up", "none", "--default"),
        ("formatter", "set", "lpp-node", "--uplink", "lua"),
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
    assert result.err.splitlines() == [
        "name: Cellar node → Attic",
        "attributes.room: Cellar → nothing",
        "locations.user.latitude: nothing → 1.5",
        "locations.user.longitude: nothing → 2.5",
        "locations.user.altitude: nothing → 3",
        "locations.user.source: nothing → SOURCE_REGISTRY",
    ]
    result = await run("devices", "update", "lpp-node", "--name", "Attic", role="manage")
    assert result.err == "nothing was changed: it is so already\n"
    result = await run("devices", "update", "lpp-node", "--no-location", role="manage")
    assert "locations" not in result.json
    assert (await run("devices", "reset", "lpp-node", role="manage")).code == 2
    result = await run("--json", "devices", "reset", "lpp-node", "--yes", role="manage")
    assert result.json == {"device_id": "lpp-node", "state": "reset", "had_session": True}
    result = await run("devices", "reset", "lpp-node", "--yes", role="manage")
    assert result.err == "lpp-node had no session: it has not joined\n"
    assert (await run("devices", "servers", "lpp-node")).json["network"] is True
    result = await run("devices", "servers", "nosuch")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("end_device_not_found: there is no end device `nosuch`")
    result = await run("--json", "devices", "delete", "lpp-node", "--yes", role="manage")
    assert result.json["removed_from"] == ["application", "network", "join", "identity"]
    assert "lpp-node" not in simulator.devices
    result = await run("devices", "delete", "weather-station", "--yes", role="manage")
    assert result.out.startswith("removed weather-station from the Application Server, Network")
    assert (await run("devices", "delete", "lpp-node", "--yes", role="manage")).code == 1


async def test_a_plan_is_of_the_band_of_the_model(run: Run, simulator: Simulator) -> None:
    for plan, name in (
        ("US_902_928_FSB_2", "frequency_plan_of_another_band"),
        ("NOPE", "frequency_plan_not_found"),
    ):
        result = await run(
            *("devices", "register", "new-one", "--dev-eui", "70B3D57ED0060099"),
            *("--model", "dragino/lht65n/1.0/EU_863_870", "--frequency-plan", plan),
            *("--app-key", KEY),
            role="manage",
        )
        assert result.code == 2
        assert result.err.startswith(f"{name}: ")
        assert "EU_863_870_TTN" in result.err
        result = await run("devices", "update", "lpp-node", "--frequency-plan", plan)
        assert (result.code, result.err.partition(":")[0]) == (2, name)
    by_hand = ("--lorawan-version", "1.0.3", "--frequency-plan", "NOPE", "--generate-keys")
    result = await run("devices", "register", "new-one", "--dev-eui", "70B3D57ED0060099", *by_hand)
    assert result.err.startswith("frequency_plan_not_found: ")
    assert "new-one" not in simulator.devices


async def test_a_key_that_is_none(run: Run) -> None:
    result = await run("devices", "list", TTN_API_KEY="garbage")
    assert (result.code, result.err.partition(":")[0]) == (1, "token")
    assert "doesn't take the API key" in result.err


async def test_update_shows_what_other_servers_keep(run: Run) -> None:
    result = await run("devices", "update", "lpp-node", "--class-c", role="manage")
    assert result.json["supports_class_c"] is True
    assert result.err == "supports_class_c: nothing → yes\n"


async def test_half_created_devices_are_shown_as_such(run: Run, simulator: Simulator) -> None:
    result = await run("devices", "show", "lpp-node")
    assert "half created" not in result.err
    del simulator.devices["lpp-node"].documents["ns"]
    result = await run("devices", "show", "lpp-node")
    assert result.code == 0
    assert result.err == "lpp-node is half created: it is missing on the Network Server\n"


async def test_what_a_half_created_device_lacks_is_said(run: Run, simulator: Simulator) -> None:
    del simulator.devices["lpp-node"].documents["as"]
    for command in ("formatter get lpp-node", "downlink queue lpp-node"):
        result = await run(*command.split(), role="manage")
        assert (result.code, result.out) == (1, "")
        assert "lpp-node is half created: it is missing on the Application Server" in result.err


async def test_keys_are_shown_only_when_asked(run: Run) -> None:
    assert "root_keys" not in (await run("devices", "show", "lpp-node", role="manage")).json
    shown = (await run("devices", "show", "lpp-node", "--keys", role="manage")).json
    assert len(shown["root_keys"]["app_key"]) == 32
    assert (await run("devices", "show", "lpp-node", "--keys", role="read")).code == 1
    result = await run("devices", "show", "old-abp-node", "--keys", role="manage")
    assert result.json["root_keys"] is None
    assert result.err == "old-abp-node has no root keys here: it doesn't join, or it is claimed\n"


async def test_search(run: Run) -> None:
    result = await run("devices", "search", "radiator")
    assert result.out.startswith("bath-radiator")
    result = await run("--json", "devices", "search", "nothing")
    assert (result.code, result.json, result.err) == (0, [], "no end device with `nothing` found\n")


async def test_models(run: Run) -> None:
    assert "dragino" in (await run("models", "brands")).out
    assert (await run("models", "list", "smart")).out.startswith(
        "milesight-iot/ws523/1.0/EU_863_870"
    )
    result = await run("models", "template", "dragino/lht65n/1.0/EU_863_870")
    assert result.json["lorawan_version"] == "MAC_V1_0_3"
    assert (await run("models", "brands", "drag")).out == "dragino  Dragino\n"
    assert (await run("models", "brands", "IOT mile")).out == "milesight-iot  Milesight IoT\n"
    assert (await run("models", "list", "ws52")).out.startswith("milesight-iot/ws523/1.0/")
    assert (await run("models", "list", "ht6", "--brand", "dragino")).out.startswith("dragino/lht")
    result = await run("models", "brands", "drak")
    assert (result.code, result.out, result.err) == (0, "", "no brand with `drak` found\n")
    assert (await run("qr-code", "A84041000181C061")).json["dev_eui"] == "A84041000181C061"
    for command in (("models", "brands"), ("models", "list"), ("plans",)):
        assert (await run("--json", *command)).json


async def test_plans_are_searched(run: Run) -> None:
    for text, first, count in (
        ("EU868", "EU_863_870", 4),
        ("eu_863_870", "EU_863_870", 4),
        ("united fsb2", "US_902_928_FSB_2", 1),
    ):
        lines = (await run("plans", text)).out.splitlines()
        assert lines[0].split()[0] == first
        assert len(lines) == count
    result = await run("plans", "nosuch")
    assert (result.code, result.err) == (0, "no frequency plan with `nosuch` found\n")


async def test_formatters(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    script = tmp_path / "decoder.js"
    script.write_text("function decodeUplink(i){return {data:{}}}")
    arguments = ("--uplink", "javascript", "--uplink-script", str(script))
    assert (await run("formatter", "set", "lpp-node", *arguments, role="manage")).code == 0
    result = await run("formatter", "get", "lpp-node")
    assert result.out.splitlines()[:2] == ["uplink    javascript  1 line", "downlink  cayennelpp"]
    assert script.read_text() in result.out
    found = (await run("formatter", "get", "lpp-node", "--json")).json
    assert found["up"]["parameter"] == script.read_text()
    assert found["down"]["kind"] == "FORMATTER_CAYENNELPP"
    result = await run("formatter", "set", "lpp-node", *arguments, role="manage")
    assert result.err == "nothing was changed: it is so already\n"
    result = await run("formatter", "set", "lpp-node", "--down", "none", role="manage")
    assert (result.code, result.err) == (0, "downlink: cayennelpp → none\n")
    script.write_text("function decodeUplink(i){return {data:{a:1}}}")
    result = await run("formatter", "set", "lpp-node", *arguments)
    assert result.err == "uplink: javascript of 1 line → javascript of 1 line (another script)\n"
    found = (await run("--json", "formatter", "get", "lpp-node")).json
    assert (found["up"]["kind"], found["down"]) == ("FORMATTER_JAVASCRIPT", None)
    result = await run("formatter", "set", "lpp-node", "--default", role="manage")
    assert result.code == 2
    assert result.err.startswith("Drop the uplink script (1 line)? Nobody can be asked here")
    assert (await run("formatter", "set", "lpp-node", "--up", "cayennelpp")).code == 2
    result = await run("formatter", "set", "lpp-node", "--default", "--yes")
    assert result.code == 0
    result = await run("formatter", "set", "lpp-node", "--default")
    assert result.err == "nothing was changed: it had none of its own\n"
    assert (await run("--json", "formatter", "get", "lpp-node")).json is None
    result = await run("formatter", "get", "lpp-node")
    assert (result.out, result.err) == ("", "no formatters of its own: the application's apply\n")
    assert (await run("formatter", "set", "--up", "cayennelpp", role="manage")).code == 0
    assert "uplink    cayennelpp" in (await run("formatter", "get", role="manage")).out
    kind = ("--kind", "cayennelpp")
    result = await run("formatter", "test", "lpp-node", *kind, "--payload", "01 67 01 10")
    assert result.json["data"] == {"temperature_1": 27.2}
    result = await run("formatter", "test", "lpp-node", *kind, "--encode", '{"value_1": 1}')
    assert result.json["payload"] == "010064ff"
    result = await run("formatter", "test", "lpp-node", *kind, "--payload", "01")
    assert result.err.startswith("output_errors: the formatter refuses it: invalid length")


async def test_a_script_is_tried_before_it_is_set(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "formatter.js"
    arguments = ("formatter", "set", "lpp-node", "--uplink-script", str(script))
    before = (await run("formatter", "get", "lpp-node")).out
    script.write_text("function decodeUplink(i) { return {data: ")
    result = await run(*arguments, role="manage")
    assert result.code == 1
    assert "the uplink script fails on a trial: " in result.err
    assert (await run("formatter", "get", "lpp-node", role="read")).out == before
    downlinks = ("formatter", "set", "lpp-node", "--downlink-script", str(script))
    result = await run(*downlinks, role="manage")
    assert "the downlink script fails on a trial: " in result.err
    result = await run("formatter", "set", "--uplink-script", str(script), role="manage")
    assert result.code == 1
    result = await run("--json", *arguments, "--untried", role="manage")
    assert result.json["formatters"]["up"]["parameter"] == script.read_text()
    script.write_text('function decodeUplink(i) { return {errors: ["too short"]} }')
    result = await run(*arguments, role="manage")
    assert result.code == 0
    assert "the uplink script runs, but refuses the trial" in result.err
    assert result.out.startswith("uplink    javascript  1 line\n")


async def test_simulate(run: Run) -> None:
    arguments = ("simulate", "lpp-node", "--port", "1", "--payload", "0x01670110")
    result = await run("--json", *arguments, role="all")
    assert result.json == {"device_id": "lpp-node", "state": "simulated"}
    assert (await run(*arguments, role="read")).code == 1
    result = await run("simulate", "nosuch", "--port", "1", "--payload", "01", role="all")
    assert (result.code, result.out) == (1, "")
    assert "nosuch" in result.err


async def test_application(run: Run, simulator: Simulator) -> None:
    changes = ("--name", "Allotment", "--attribute", "site=north")
    result = await run("application", "update", *changes, role="manage")
    assert result.json["attributes"] == {"site": "north"}
    assert result.err.splitlines() == [
        "name: Garden → Allotment",
        "attributes.site: nothing → north",
    ]
    assert (await run("application", "update")).code == 2
    assert (await run("application", "show")).json["name"] == "Allotment"
    result = await run("application", "create-key", "Home", "--right", "INFO", role="all")
    assert result.json["key"].startswith("NNSXS.")
    wrong = await run("application", "create-key", "Home", "--right", "FLY")
    assert (wrong.code, wrong.err.partition(":")[0]) == (1, "unknown_right")
    assert "Home" in (await run("application", "keys", role="all")).out
    key_id = result.json["key_id"]
    assert (await run("application", "delete-key", key_id, role="all")).code == 2
    result = await run("--json", "application", "delete-key", key_id, "--yes", role="all")
    assert result.json == {"key_id": key_id, "deleted": True}
    assert key_id not in (await run("--json", "application", "keys", role="all")).out
    result = await run("application", "collaborators", role="all")
    assert result.out.startswith("admin  user  RIGHT_")
    created = ("application", "create", "another", "--user", "admin")
    assert (await run(*created, role="user")).json["application_id"] == "another"


async def test_the_key_tells_who_an_application_will_belong_to(
    run: Run, simulator: Simulator
) -> None:
    result = await run("application", "create", "third-one", role="user")
    assert result.json["application_id"] == "third-one"
    result = await run("application", "create", "fourth-one", role="all")
    assert result.code == 2
    assert "only the key of a user or an organization" in result.err


async def test_gateways(run: Run, simulator: Simulator) -> None:
    result = await run("gateways", "list", role="user")
    assert "roof-gw         B827EBFFFE000001  EU_863_870_TTN  Roof gw\n" in result.out
    found = (await run("--json", "gateways", "list")).json
    shown = (await run("gateways", "show", found[0]["gateway_id"])).json
    assert shown["connection"]["uplink_count"] == 28
    sub_bands = recorded("http/gateways/stats.json")["response"]["json"]["sub_bands"]
    simulator.stack.connections[found[0]["gateway_id"]]["sub_bands"] = sub_bands
    shown = (await run("gateways", "show", found[0]["gateway_id"])).json
    assert [band["max_frequency"] for band in shown["connection"]["sub_bands"]] == [None]
    result = await run("gateways", "list", role="read")
    assert result.code == 2
    assert "only the key of a user or an organization lists gateways" in result.err


async def test_events(run: Run, simulator: Simulator) -> None:
    simulator.update_device("lpp-node", name="Renamed")
    arguments = ("events", "--registry", "--tail", "1", "--count", "1")
    result = await run(*arguments)
    assert "end_device.update  lpp-node" in result.out
    assert result.err == "connected\n"
    result = await run("events", "--application", "nosuch")
    assert result.err.startswith("no_application_rights: ")
    assert (await run("--json", *arguments)).json["name"] == "end_device.update"
    result = await run("events", "--count", "1", role="info")
    assert result.err.startswith("insufficient_application_rights: ")
    simulator.remove_rights("read", "TRAFFIC_READ")
    result = await run(*arguments, role="read")
    assert result.code == 0
    assert result.err.splitlines()[0].endswith("no events about messages come")
    simulator.faults.http_status["/events"] = 500
    assert (await run(*arguments)).code == 3


@pytest.mark.parametrize(
    "command",
    [
        "rights",
        "devices list",
        "devices search radiator",
        "devices show lpp-node",
        "devices servers lpp-node",
        (
            "devices register new-one --abp --generate-keys --lorawan-version 1.0.3 "
            "--frequency-plan EU_863_870_TTN"
        ),
        "devices update lpp-node --name Attic",
        "devices reset lpp-node --yes",
        "devices delete lpp-node --yes",
        "models brands",
        "models list",
        "models template dragino/lht65n/1.0/EU_863_870",
        "plans",
        "qr-code A84041000181C061",
        "formatter get",
        "formatter get lpp-node",
        "formatter set lpp-node --uplink none",
        "formatter set lpp-node --default",
        "formatter test lpp-node --kind cayennelpp --payload 01670110",
        "simulate lpp-node --port 1 --payload 01670110",
        "application show",
        "application update --name Allotment",
        "application keys",
        "application create-key Home --right INFO",
        "application collaborators",
        "downlink push lpp-node --hex 01 --f-port 1",
        "downlink replace lpp-node --hex 01 --f-port 1 --yes",
        "downlink queue lpp-node",
        "downlink clear lpp-node --yes",
        "gateways show roof-gw",
        "api GET /applications/garden",
    ],
)
async def test_every_command_answers_in_one_line_of_json(run: Run, command: str) -> None:
    result = await run("--json", *command.split(), role="all")
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == 1
    assert result.json is not None
