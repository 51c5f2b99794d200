"""What the command line says where something is wrong: the reason, and what to do about it."""

import asyncio
import json

import pytest

from tests.simulator import Simulator

from .test_cli import Run, run

__all__ = ["run"]


@pytest.mark.parametrize(
    ("command", "env", "name"),
    [
        ("rights", {"TTN_SERVER": None}, "no_server"),
        ("rights", {"TTN_API_KEY": None}, "no_api_key"),
        ("rights", {"TTN_SERVER": "two words"}, "invalid_server"),
        ("rights --api-key-file /nosuch", {}, "usage"),
        ("rights --server", {}, "usage"),
        ("rights --nosuch", {}, "usage"),
        ("devices", {}, "usage"),
        ("devices show", {}, "usage"),
        ("uplinks --count many", {}, "usage"),
        ("devices delete lpp-node", {}, "confirmation_needed"),
        ("devices reset lpp-node", {}, "confirmation_needed"),
        ("downlink clear lpp-node", {}, "confirmation_needed"),
        ("application delete-key ABC", {}, "confirmation_needed"),
        ("devices update lpp-node", {}, "usage"),
        ("downlink push lpp-node --hex 01", {}, "usage"),
    ],
)
async def test_refusals_before_a_request_are_json(
    run: Run, command: str, env: dict[str, str | None], name: str
) -> None:
    result = await run("--json", *command.split(), **env)
    assert (result.code, result.out) == (2, "")
    error = json.loads(result.err)["error"]
    assert error["name"] == name
    assert error["message"]
    assert "\n" not in error["message"]
    text = await run(*command.split())
    assert text.code == 2
    assert error["message"] in text.err


async def test_a_server_that_is_not_reached_is_named(
    run: Run, free_port: int, simulator: Simulator
) -> None:
    nowhere = f"http://127.0.0.1:{free_port}"
    result = await run("plans", TTN_SERVER=nowhere)
    assert result.code == 3
    assert result.err == f"connection_refused: nothing listens at {nowhere} (from TTN_SERVER)\n"
    result = await run("--json", "plans", "--server", nowhere)
    message = json.loads(result.err)["error"]["message"]
    assert message == f"nothing listens at {nowhere} (from --server)"
    result = await run("rights", TTN_SERVER=simulator.server_url, TTN_IDENTITY_SERVER=f"{nowhere}/")
    assert result.err.endswith(f"nothing listens at {nowhere} (from TTN_IDENTITY_SERVER)\n")
    secure = simulator.https_server_url
    result = await run("plans", "--server", secure, TTN_IDENTITY_SERVER="")
    assert result.err.startswith(f"certificate_verify_failed: the certificate of {secure} is not")
    assert "--ca-file" in result.err
    result = await run("plans", "--server", "two words")
    assert result.err.endswith("(in --server)\n")


async def test_an_mqtt_server_that_is_not_reached_is_named(run: Run, simulator: Simulator) -> None:
    simulator.faults.mqtt_close = True
    result = await run("uplinks")
    assert f"the MQTT server 127.0.0.1:{simulator.mqtt_port} closed the connection" in result.err
    await simulator.stop_broker()
    result = await run("uplinks")
    address = f"the MQTT server 127.0.0.1:{simulator.mqtt_port}"
    nobody = f"connection_refused: nothing listens at {address}"
    assert result.err == f"{nobody}; --mqtt or TTN_MQTT names another MQTT server\n"
    named = f"mqtt://127.0.0.1:{simulator.mqtt_port}"
    assert (await run("uplinks", "--mqtt", named)).err == f"{nobody} (from --mqtt)\n"
    assert (await run("uplinks", TTN_MQTT=named)).err == f"{nobody} (from TTN_MQTT)\n"


@pytest.mark.usefixtures("no_names")
async def test_an_unknown_host_is_named(run: Run) -> None:
    result = await run("plans", TTN_SERVER="nosuch.invalid")
    assert result.err == (
        "host_not_found: the host name in https://nosuch.invalid is not known (from TTN_SERVER)\n"
    )
    result = await run(
        "rights", TTN_SERVER="https://home.au1.cloud.thethings.industries", TTN_IDENTITY_SERVER=""
    )
    assert "https://home.eu1.cloud.thethings.industries is not known" in result.err
    assert "(from the Identity Server that belongs to TTN_SERVER)" in result.err


@pytest.mark.parametrize(
    ("role", "hint"),
    [
        ("wrong", "Copy it once more, as a whole"),
        ("expired", "Make another one in the Console"),
        ("deleted", "It was deleted, or is the key of another server"),
    ],
)
async def test_a_refused_key_gets_a_hint(run: Run, role: str, hint: str) -> None:
    result = await run("rights", role=role)
    assert "doesn't take the API key in TTN_API_KEY" in result.err
    assert hint in result.err
    result = await run("--json", "rights")
    assert hint in json.loads(result.err)["error"]["message"]


async def test_rights_have_the_console_s_names(run: Run) -> None:
    right = "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE “Write downlink application traffic”"
    result = await run("rights")
    assert f"missing      downlinks: {right}\n" in result.out
    assert "RIGHT_APPLICATION_INFO “View application information”" in result.out
    result = await run("downlink", "clear", "lpp-node", "--yes")
    assert result.err.endswith(f"(missing: {right})\n")


@pytest.mark.parametrize(
    "command",
    [
        "devices show nosuch",
        "devices show nosuch --keys",
        "devices servers nosuch",
        "devices update nosuch --name X",
        "devices update nosuch --frequency-plan EU_863_870_TTN",
        "devices update nosuch --lorawan-version 1.0.3",
        "devices reset nosuch --yes",
        "devices delete nosuch --yes",
        "formatter get nosuch",
        "formatter set nosuch --up cayennelpp",
        "formatter set nosuch --default",
        "formatter test nosuch --kind cayennelpp --payload 01",
        "simulate nosuch --port 1 --payload 01",
        "downlink push nosuch --hex 01 --f-port 1",
        'downlink push nosuch --object {"a":1}',
        "downlink replace nosuch --hex 01 --f-port 1 --yes",
        "downlink queue nosuch",
        "downlink clear nosuch --yes",
        "uplinks --device nosuch",
        "events --device lpp-node --device nosuch",
    ],
)
async def test_an_unknown_device_is_one_text(run: Run, command: str) -> None:
    result = await run(*command.split(), role="all")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "end_device_not_found: there is no end device `nosuch` in application `garden`\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        "devices show Bad_ID",
        "devices reset Bad_ID --yes",
        "formatter get Bad_ID",
        "simulate Bad_ID --port 1 --payload 01",
        "downlink push Bad_ID --hex 01 --f-port 1",
        "downlink queue Bad_ID",
    ],
)
async def test_an_id_that_is_none_is_refused_with_the_rule(run: Run, command: str) -> None:
    result = await run(*command.split(), role="all")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "validation: invalid `device_id`: at least 3 lower-case letters or digits, with single "
        "dashes between them, are needed\n"
    )


async def test_without_the_right_to_read_devices_one_is_followed_unchecked(
    run: Run, simulator: Simulator
) -> None:
    simulator.remove_rights("read", "DEVICES_READ")
    running = asyncio.ensure_future(run("uplinks", "--device", "lpp-node", "--count", "1"))
    await simulator.wait_connected()
    await simulator.uplink("lpp-node")
    result = await running
    assert result.code == 0
    assert "whether the device exists is not known" in result.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/[/", "invalid_regexp: the expression `/[/` can't be read: unterminated character set"),
        ("/nosuch/", "no_matching_events: no matching events for regexp `nosuch`; names are like"),
        ("as.nosuch", "unknown_event_name: unknown event `as.nosuch`; names are like as.up.data"),
    ],
)
async def test_events_that_there_are_none_of(run: Run, name: str, message: str) -> None:
    result = await run("events", "as.up.data.forward", name, "--count", "1")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(message)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("https://example.org/thing", "this isn't the text of an end device's QR code"),
        ("", "this isn't the text of an end device's QR code"),
        ("LW:D0:A84041000181C061", "the QR code's text is cut off"),
        ("LW:D0:70B3D57ED0000001:A840:01014242", "DevEUI `A840` isn't of 16 hexadecimal digits"),
        ("LW:D0:70B3D57ED0000001:A84041000181C0AA:01", "model number `01` isn't of 8"),
        ("LW:D9:70B3D57ED0000001:A84041000181C0AA:01014242", "doesn't know this form"),
    ],
)
async def test_what_is_wrong_with_a_qr_code(run: Run, code: str, message: str) -> None:
    result = await run("qr-code", code)
    assert result.code == 1
    assert result.err.startswith("unknown_format: ")
    assert message in result.err
    result = await run("devices", "register", "new-one", "--qr-code", code, role="manage")
    assert message in result.err


@pytest.mark.parametrize(
    ("plan", "first"),
    [
        ("EU868", "EU_868_1"),
        ("eu_863_870_tnn", "EU_863_870_TTN"),
        ("us915", "US_9"),
        ("NOPE", "EU_863_870_TTN"),
    ],
)
async def test_plans_like_an_unknown_one_are_named(run: Run, plan: str, first: str) -> None:
    result = await run(
        *("devices", "register", "new-one", "--dev-eui", "70B3D57ED0060099", "--generate-keys"),
        *("--lorawan-version", "1.0.3", "--frequency-plan", plan),
        role="manage",
    )
    assert result.code == 2
    assert f"no frequency plan `{plan}` on this server: choose one like {first}" in result.err
    assert "; `plans` lists all" in result.err
    assert len(result.err) < 300


async def test_a_change_of_the_band_is_said(run: Run) -> None:
    update = ("devices", "update", "never-joined", "--frequency-plan")
    result = await run(*update, "EU_863_870", role="manage")
    assert result.err == "frequency_plan_id: EU_863_870_TTN → EU_863_870\n"
    result = await run(*update, "US_902_928_FSB_2")
    assert result.code == 0
    assert "The band changes from EU_863_870 to US_902_928: " in result.err
    joined = ("devices", "update", "lpp-node", "--frequency-plan", "US_902_928_FSB_2")
    result = await run(*joined)
    assert result.code == 2
    assert "but the end device has joined with one of band EU_863_870: choose one of" in result.err
    await run("devices", "reset", "lpp-node", "--yes")
    assert (await run(*joined)).code == 0
