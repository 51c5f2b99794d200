"""The command line on a simulated stack of version 2."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
import sys
from typing import Any

import pytest

from tests.simulator.v2 import Simulator

from ..test_cli import Result, exit_code

type Run = Callable[..., Coroutine[Any, Any, Result]]

DEVICE = "pump-socket"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """The recorded application on a simulated stack, whose calls aren't limited."""
    async with Simulator(world="garden") as running:
        running.stack.limits.counted = False
        yield running


@pytest.fixture
def run(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command with --v2 and a role's key."""
    for name in ("TTN_API_KEY_FILE", "TTN_CA_FILE", "TTN_IDENTITY_SERVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TTN_SERVER", simulator.handler_url)
    monkeypatch.setenv("TTN_MQTT", f"127.0.0.1:{simulator.mqtt_port}")
    monkeypatch.setenv("TTN_APPLICATION", "garden")

    async def run(*arguments: str, role: str = "default") -> Result:
        monkeypatch.setenv("TTN_API_KEY", simulator.key(role))
        monkeypatch.setattr(sys, "argv", ["thethingsstack", *arguments, "--v2"])
        capsys.readouterr()
        code = await asyncio.to_thread(exit_code)
        return Result(code, *capsys.readouterr())

    return run


async def test_rights_in_the_words_of_version_2(run: Run) -> None:
    result = await run("rights", role="devices")
    assert result.code == 0
    assert result.out.splitlines() == [
        "application  garden",
        "rights       devices",
        "             messages",
        "missing      application: settings",
        "missing      formatters: settings",
    ]
    assert "found by trying" in result.err


async def test_devices(run: Run, simulator: Simulator) -> None:
    assert DEVICE in (await run("devices", "list")).out
    assert "never seen" not in (await run("devices", "list")).out
    found = (await run("devices", "list", DEVICE, "no-such-node", "--json")).json
    assert [device["ids"]["device_id"] for device in found] == [DEVICE]
    assert (await run("devices", "search", "RADIATOR")).out.startswith("bath-radiator")
    shown = (await run("devices", "show", DEVICE, "--keys")).json
    assert shown["root_keys"]["app_key"] == simulator.device(DEVICE).app_key
    assert "half created" not in (await run("devices", "show", DEVICE)).err
    changed = await run("devices", "update", DEVICE, "--name", "Pump", "--attribute", "room=shed")
    assert changed.json["name"] == "Pump"
    assert simulator.device(DEVICE).attributes["room"] == "shed"
    deleted = await run("devices", "delete", DEVICE, "--yes")
    assert deleted.out == f"removed {DEVICE}\n"
    missing = await run("devices", "show", DEVICE)
    assert (missing.code, "end_device_not_found" in missing.err) == (1, True)


async def test_registering(run: Run, simulator: Simulator) -> None:
    arguments = ("devices", "register", "new_node", "--dev-eui", "70B3D57ED0061234")
    result = await run(*arguments, "--generate-keys")
    assert (result.code, "--join-eui" in result.err) == (2, True)
    result = await run(*arguments, "--join-eui", "70B3D57ED0000001", "--generate-keys")
    assert result.code == 0, result.err
    assert simulator.device("new_node").app_key == result.json["generated_keys"]["app_key"]
    again = await run(*arguments, "--join-eui", "70B3D57ED0000001", "--generate-keys")
    assert (again.code, "id_taken" in again.err) == (1, True)


async def test_downlinks(run: Run, simulator: Simulator) -> None:
    def payloads() -> list[bytes]:
        return [item.payload_raw for item in simulator.device(DEVICE).queue]

    push = ("downlink", "push", DEVICE, "--f-port", "85")
    assert (await run(*push, "--hex", "01")).out == "queued\n"
    assert (await run(*push, "--hex", "02", "--first")).out == "queued\n"
    assert payloads() == [b"\x02", b"\x01"]
    replaced = await run("downlink", "replace", DEVICE, "--f-port", "85", "--hex", "03", "--yes")
    assert (replaced.out, payloads()) == ("queued\n", [b"\x03"])
    refused = await run("downlink", "push", "no-such-node", "--f-port", "1", "--hex", "01")
    assert (refused.code, "end_device_not_found" in refused.err) == (1, True)


async def test_waiting_for_a_downlink(run: Run, simulator: Simulator) -> None:
    waiting = asyncio.create_task(
        run(
            *("downlink", "push", DEVICE, "--f-port", "85", "--hex", "01"),
            *("--confirmed", "--wait", "acknowledged", "--json"),
        )
    )
    device = simulator.device(DEVICE)
    async with asyncio.timeout(60):
        while not device.queue:
            await asyncio.sleep(0.01)
    for _ in range(2):
        await simulator.uplink(DEVICE)
    result = await waiting
    assert (result.code, result.json["state"]) == (0, "acknowledged")


async def test_uplinks(run: Run, simulator: Simulator) -> None:
    following = asyncio.create_task(run("uplinks", "--count", "1"))
    await simulator.wait_connected()
    await simulator.uplink(DEVICE)
    result = await following
    assert f"  {DEVICE}  port " in result.out


async def test_application_functions_and_calls(
    run: Run, simulator: Simulator, tmp_path: Path
) -> None:
    assert (await run("application", "show")).json["application_id"] == "garden"
    assert "function Decoder" in (await run("formatter", "get")).out
    script = tmp_path / "decoder.js"
    script.write_text("function Decoder() { return {a: 1}; }")
    result = await run("formatter", "set", "--uplink-script", str(script))
    assert result.code == 0, result.err
    scripts = simulator.application.functions.scripts
    assert scripts["decoder"] == script.read_text()
    assert scripts["converter"]
    assert (await run("api", "GET", "applications/garden")).json["app_id"] == "garden"
    created = await run("application", "create", "garden")
    assert (created.code, "id_taken" in created.err) == (1, True)


async def test_handlers(run: Run, simulator: Simulator) -> None:
    result = await run("handlers", simulator.discovery_url)
    mqtt = f"127.0.0.1:{simulator.mqtt_port}"
    assert result.out.split()[1:3] == [simulator.handler_url, mqtt]
    (found,) = (await run("handlers", simulator.discovery_url, "--json")).json
    assert found["api_address"] == simulator.handler_url


@pytest.mark.parametrize(
    "command",
    [
        "devices list --updated-since 2026-01-01",
        "devices reset pump-socket --yes",
        "devices servers pump-socket",
        "devices update pump-socket --class-c",
        "devices register x-1 --qr-code LW:D0:x",
        "devices register x-1 --model a/b/c/d",
        "models brands",
        "models list",
        "plans",
        "qr-code LW:D0:x",
        "simulate pump-socket --port 1 --payload 01",
        "events",
        "gateways list",
        "gateways show g",
        "application update --name x",
        "application keys",
        "application create-key x --right TRAFFIC_READ",
        "application delete-key x --yes",
        "application collaborators",
        "application create garden --name x",
        "formatter test pump-socket --kind cayennelpp --port 1 --payload 01",
        "formatter set pump-socket --uplink cayennelpp",
        "formatter set --uplink repository --yes",
        "downlink queue pump-socket",
        "downlink clear pump-socket --yes",
        "downlink push pump-socket --f-port 1 --hex 01 --priority high",
        "downlink push pump-socket --f-port 1 --hex 01 --confirmed --retries 2",
    ],
)
async def test_what_version_2_does_not_have_is_said(run: Run, command: str) -> None:
    result = await run(*command.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("not_supported: this network has "), result.err


async def test_what_it_needs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTN_APPLICATION", "")
    result = await run("devices", "list")
    assert (result.code, "--application" in result.err) == (2, True)
    monkeypatch.setenv("TTN_SERVER", "http://handler.example.org:8084")
    result = await run("devices", "list")
    assert (result.code, "--plaintext" in result.err) == (2, True)


async def test_refusals(run: Run, simulator: Simulator) -> None:
    result = await run("devices", "list", role="wrong")
    assert (result.code, result.err.startswith("invalid_credentials: ")) == (1, True)
    assert simulator.key("wrong") not in result.err
    result = await run(
        "application",
        "show",
        role="devices",
    )
    assert (result.code, "(missing: settings)" in result.err) == (1, True)
