"""The command line, as a user runs it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
import json
from pathlib import Path
import re
import shutil
import sys
from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import MessagesDropped, cli
from thethingsstack.cli.follow import note_item

APP = "garden"


@dataclass
class Result:
    """What a run left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The standard output, parsed."""
        return json.loads(self.out)


type Run = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def run(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the command; `env` changes the variables, None removes."""
    for name in ("TTN_APPLICATION", "TTN_API_KEY_FILE", "TTN_CA_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TTN_SERVER", simulator.server_url)
    monkeypatch.setenv("TTN_IDENTITY_SERVER", simulator.identity_server_url)
    monkeypatch.setenv("TTN_API_KEY", simulator.key("read"))

    async def run(*arguments: str, role: str | None = None, **env: str | None) -> Result:
        if role is not None:
            env["TTN_API_KEY"] = simulator.key(role)
        for name, value in env.items():
            if value is None:
                monkeypatch.delenv(name)
            else:
                monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["thethingsstack", *arguments])
        capsys.readouterr()
        code = await asyncio.to_thread(exit_code)
        return Result(code, *capsys.readouterr())

    return run


def exit_code() -> int:
    """Run the command of `sys.argv`, and return its exit code."""
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


async def test_rights(run: Run) -> None:
    result = await run("rights")
    assert result.code == 0
    assert "application  garden" in result.out
    assert "missing      downlinks: RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE" in result.out
    assert "expires      never" in result.out


@pytest.mark.parametrize("arguments", [("--json", "rights"), ("rights", "--json")])
async def test_rights_as_json(run: Run, arguments: tuple[str, ...]) -> None:
    answer = (await run(*arguments)).json
    assert set(answer) == {"application_id", "key_id", "rights", "missing", "expires_at"}
    assert answer["application_id"] == APP
    assert answer["expires_at"] is None
    assert "RIGHT_APPLICATION_INFO" in answer["rights"]
    assert answer["missing"]["downlinks"] == ["RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE"]
    assert "devices" not in answer["missing"]


async def test_rights_of_an_expiring_key(run: Run) -> None:
    assert (await run("rights", "--json", role="expiring")).json["expires_at"].endswith("Z")


async def test_rights_of_a_user_key(run: Run) -> None:
    answer = (await run("rights", "--json", role="user")).json
    assert answer["application_id"] is None
    answer = (await run("rights", "--json", "--application", APP, role="user")).json
    assert answer["application_id"] == APP
    assert answer["missing"] == {}


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("wrong", "invalid_authorization"),
        ("expired", "api_key_expired"),
        ("deleted", "api_key_not_found"),
    ],
)
async def test_refused_keys(run: Run, role: str, name: str) -> None:
    result = await run("rights", role=role)
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith(f"{name}: ")


async def test_refusal_as_json(run: Run) -> None:
    result = await run("rights", "--json", TTN_API_KEY="hello")
    assert (result.code, result.out) == (1, "")
    error = json.loads(result.err)["error"]
    assert (error["name"], error["namespace"]) == ("token", "pkg/auth")


@pytest.mark.parametrize("command", [("rights",), ("uplinks",), ("devices", "list")])
async def test_application_of_another_key(run: Run, command: tuple[str, ...]) -> None:
    result = await run(*command, "--application", APP, role="other")
    assert result.code == 1
    assert result.err.startswith("no_application_rights: ")


async def test_devices_list(run: Run, simulator: Simulator) -> None:
    result = await run("devices", "list")
    assert result.code == 0
    assert len(result.out.splitlines()) == len(simulator.devices)
    assert "70B3D52DD3000001" in result.out
    devices = (await run("devices", "list", "--json")).json
    assert [device["ids"]["device_id"] for device in devices] == sorted(simulator.devices)


async def test_times_in_a_list_are_to_the_second(run: Run, simulator: Simulator) -> None:
    await simulator.uplink("lpp-node")
    line = (await run("devices", "list", "lpp-node")).out
    assert re.search(r"70B3D57ED0060002  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  Cellar", line)


async def test_devices_show(run: Run) -> None:
    shown = (await run("devices", "show", "bath-radiator")).json
    assert shown["name"] == "Bathroom radiator"
    assert shown["lorawan_version"]
    line = await run("--json", "devices", "show", "bath-radiator")
    assert line.json == shown
    assert len(line.out.splitlines()) == 1
    result = await run("devices", "show", "nosuch")
    assert result.code == 1
    assert "not_found" in result.err


async def test_devices_without_the_right(run: Run) -> None:
    result = await run("devices", "list", role="traffic")
    assert result.code == 1
    assert result.err.startswith("insufficient_application_rights: ")


async def test_uplinks(run: Run, simulator: Simulator) -> None:
    running = asyncio.ensure_future(run("uplinks", "--count", "2", "--device", "lpp-node"))
    await simulator.wait_connected()
    await simulator.uplink("weather-station")
    await simulator.publish("v3/garden/devices/lpp-node/up", b"{")
    await simulator.uplink("lpp-node", decoded={"temperature_1": 20.5}, payload=b"\x01\x02")
    await simulator.uplink("lpp-node", decoded=None, simulated=True)
    result = await running
    assert result.code == 0
    first, second = result.out.splitlines()
    assert "  lpp-node  port 2  " in first
    assert ' dB  0102  {"temperature_1":20.5}' in first
    assert second.endswith("simulated")
    assert "connected" in result.err
    assert "unreadable message on v3/garden/devices/lpp-node/up (invalid_json)" in result.err


async def test_uplinks_as_json_lines(run: Run, simulator: Simulator) -> None:
    running = asyncio.ensure_future(run("uplinks", "--json", "--count=2"))
    await simulator.wait_connected()
    sent = [await simulator.uplink("weather-station") for _ in range(2)]
    result = await running
    assert [json.loads(line) for line in result.out.splitlines()] == sent


async def test_uplinks_go_on_after_an_interruption(run: Run, simulator: Simulator) -> None:
    running = asyncio.ensure_future(run("uplinks", "--count", "1"))
    await simulator.wait_connected()
    await simulator.drop_connections()
    await simulator.wait_connected()
    await simulator.uplink("weather-station")
    result = await running
    assert result.code == 0
    assert "connection lost, trying again (connection_lost" in result.err


async def test_uplinks_without_the_right(run: Run, simulator: Simulator) -> None:
    result = await run("uplinks", role="info")
    assert result.code == 1
    assert result.err.startswith("insufficient_application_rights: ")
    assert simulator.mqtt_attempts == 0


async def test_uplinks_where_mqtt_does_not_answer(run: Run, simulator: Simulator) -> None:
    simulator.faults.mqtt_close = True
    result = await run("uplinks")
    assert result.code == 3
    assert result.err.startswith("no_connack: ")


async def test_uplinks_over_tls(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(simulator.ca_pem)
    running = asyncio.ensure_future(
        run(
            "uplinks",
            "--count=1",
            TTN_SERVER=simulator.https_server_url,
            TTN_IDENTITY_SERVER=simulator.https_identity_server_url,
            TTN_CA_FILE=str(ca),
        )
    )
    await simulator.wait_connected()
    await simulator.uplink("weather-station")
    assert (await running).code == 0


async def test_api(run: Run) -> None:
    answer = (await run("api", "get", f"/applications/{APP}?field_mask=name")).json
    assert answer["name"] == "Garden"
    result = await run("api", "GET", "/nosuchthing")
    assert result.code == 1
    assert result.err.startswith("not_found: ")


async def test_api_with_a_body(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/as/applications/{APP}/devices/weather-station/up/simulate"
    body = {
        "uplink_message": {
            "f_port": 2,
            "frm_payload": "AQI=",
            "rx_metadata": [{"gateway_ids": {"gateway_id": "test"}, "rssi": -42}],
            "settings": {
                "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
                "frequency": "868000000",
            },
        }
    }
    refused = await run("api", "POST", path, json.dumps(body))
    assert refused.code == 1
    assert refused.err.startswith("insufficient_application_rights")
    done = await run("--json", "api", "POST", path, json.dumps(body), role="manage")
    assert (done.code, done.json) == (0, {})
    monkeypatch.setattr(sys, "stdin", _Stdin(json.dumps(body)))
    assert (await run("api", "POST", path, "-", role="manage")).code == 0


class _Stdin:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> str:
        return self._text


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        ((), {}),
        (("nosuch",), {}),
        (("rights", "--nosuch"), {}),
        (("devices",), {}),
        (("devices", "show"), {}),
        (("api", "FETCH", "/x"), {}),
        (("api", "GET", "/x", "{no json"), {}),
        (("api", "GET", "https://evil.example.org/x"), {}),
        (("uplinks", "--count", "0"), {}),
        (("rights",), {"TTN_SERVER": None}),
        (("rights",), {"TTN_SERVER": "two words"}),
        (("rights",), {"TTN_API_KEY": None}),
        (("rights", "--server"), {}),
        (("rights", "--api-key-file", "/nosuch/file"), {}),
        (("rights", "--ca-file", __file__), {}),
        (("rights", "--api-key", "NNSXS.x"), {}),
    ],
)
async def test_usage(run: Run, arguments: tuple[str, ...], env: dict[str, str | None]) -> None:
    result = await run(*arguments, **env)
    assert result.code == 2
    assert result.out + result.err


async def test_user_key_needs_an_application(run: Run) -> None:
    result = await run("devices", "list", role="user")
    assert result.code == 2
    assert result.err.startswith("no_application_id: ")


async def test_key_from_a_file(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(simulator.key("read") + "\n")
    assert (await run("rights", f"--api-key-file={path}", TTN_API_KEY=None)).code == 0
    assert (await run("rights", TTN_API_KEY_FILE=str(path))).code == 0


async def test_application_with_a_tenant(run: Run) -> None:
    answer = (await run("rights", "--json", "--application", f"{APP}@ttn")).json
    assert answer["application_id"] == APP


async def test_options_stand_before_and_after(run: Run, simulator: Simulator) -> None:
    where = ("--server", simulator.server_url, f"--identity-server={simulator.identity_server_url}")
    gone = {"TTN_SERVER": None, "TTN_IDENTITY_SERVER": None}
    assert (await run(*where, "rights", **gone)).code == 0
    assert (await run("devices", "list", *where)).code == 0


@pytest.mark.parametrize("port", ["plain", "closed"])
async def test_unreachable(run: Run, free_port: int, simulator: Simulator, port: str) -> None:
    url = f"http://127.0.0.1:{free_port}" if port == "closed" else simulator.https_server_url
    result = await run("rights", "--server", url, "--identity-server", url)
    assert result.code == 3
    assert result.err.split(":")[0] in {"connection_refused", "certificate_verify_failed"}


async def test_server_failure(run: Run, simulator: Simulator) -> None:
    simulator.faults.http_status["/auth_info"] = 503
    assert (await run("rights")).code == 3


async def test_interrupt_is_a_good_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(work: Coroutine[Any, Any, None]) -> None:
        work.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    assert (await run("uplinks")).code == 0


def test_notices(capsys: pytest.CaptureFixture[str]) -> None:
    note_item(MessagesDropped(count=3, gap=None))
    note_item(object())
    assert capsys.readouterr().err == "3 messages dropped\n"


async def process(*command: str, env: dict[str, str] | None = None) -> Result:
    """Run a program to its end."""
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=env
    )
    out, err = await running.communicate()
    return Result(running.returncode or 0, out.decode(), err.decode())


async def test_without_the_extra() -> None:
    script = "import sys; sys.modules['typer'] = None; from thethingsstack.cli import main; main()"
    result = await process(sys.executable, "-c", script)
    assert result.code == 2
    assert result.out == ""
    assert "pip install 'thethingsstack[cli]'" in result.err


async def test_installed_command(run: Run) -> None:
    command = shutil.which("thethingsstack", path=str(Path(sys.executable).parent))
    script = "from thethingsstack.cli import main; main()"
    result = await process(*([command] if command else [sys.executable, "-c", script]), "--help")
    assert result.code == 0
    assert "uplinks" in result.out
