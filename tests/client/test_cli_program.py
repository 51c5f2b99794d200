"""The command line as a program: start-up, help, version, completion, output on a terminal."""

import asyncio
from collections.abc import Iterator
import os
import pty
import re
import sys
from typing import Any

import pytest
import typer

from tests.simulator import Simulator
from thethingsstack import __version__, cli

from .test_cli import Run, process, run

__all__ = ["run"]

START = "from thethingsstack.cli import main; main()"
HEAVY = ("aiohttp", "orjson", "paho", "pydantic", "rich")


def commands(command: Any = None, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield all commands and groups with the words that name them."""
    command = command or typer.main.get_command(cli.app)
    yield path, command
    for name, member in getattr(command, "commands", {}).items():
        yield from commands(member, *path, name)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["devices", "--help"], ["models", "-h"]], ids=" ".join
)
async def test_help_needs_no_slow_library(arguments: list[str]) -> None:
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([n for n in {HEAVY} if n in sys.modules], file=sys.stderr))"
        f"\n{START}"
    )
    result = await process(sys.executable, "-c", script, *arguments)
    assert result.code == 0
    assert result.err == "[]\n"
    assert result.out.startswith(f"Usage: thethingsstack {' '.join(arguments[:-1])}".rstrip())


def test_every_command_and_argument_has_help() -> None:
    found = dict(commands())
    assert ("devices", "register") in found
    for path, command in found.items():
        assert command.help, path
        for parameter in command.params:
            assert parameter.help, (path, parameter.name)


@pytest.mark.parametrize(
    "group", ["", "application", "devices", "downlink", "formatter", "gateways", "models"]
)
async def test_lists_of_commands_are_not_cut_off(run: Run, group: str) -> None:
    listed = (await run(*group.split(), "--help")).out.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


async def test_version(run: Run) -> None:
    result = await run("--version")
    assert (result.code, result.out) == (0, f"thethingsstack {__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion(shell: str) -> None:
    """As a shell asks for it."""
    for typed, expected in (
        ("thethingsstack dev", "devices"),
        ("thethingsstack devices reg", "register"),
        ("thethingsstack formatter set --uplink c", "cayennelpp"),
    ):
        environment = {
            **os.environ,
            "_THETHINGSSTACK_COMPLETE": f"complete_{shell}",
            "_TYPER_COMPLETE_ARGS": typed,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split()) - 1),
        }
        result = await process(sys.executable, "-c", START, env=environment)
        assert re.findall(r"\w+", result.out.replace("_arguments", ""))[0] == expected


async def on_terminal(
    simulator: Simulator, *arguments: str, prompt: str = "", typed: str = "", **variables: str
) -> str:
    """Return what a command writes on a terminal; a line is typed after the prompt."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "TTN_SERVER": simulator.server_url,
        "TTN_IDENTITY_SERVER": simulator.identity_server_url,
        "TTN_API_KEY": simulator.key("manage"),
        "TERM": "xterm-256color",
        "COLUMNS": "120",
        **variables,
    }
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", START, *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,  # a key is asked for on the terminal of the session
    )
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            part = await asyncio.to_thread(os.read, ours, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not part:
            break
        written += part
        if typed and prompt.encode() in written:
            os.write(ours, typed.encode())
            typed = ""
    os.close(ours)
    await running.wait()
    return written.decode()


async def test_tables_have_headings_and_colour_on_a_terminal(
    run: Run, simulator: Simulator
) -> None:
    written = await on_terminal(simulator, "devices", "list")
    assert "\x1b[1mLAST SEEN" in written
    assert "Reading the end devices" in written
    written = await on_terminal(simulator, "devices", "list", NO_COLOR="1")
    assert "LAST SEEN" in written
    assert "\x1b[36m" not in written
    piped = await run("devices", "list")
    assert "LAST SEEN" not in piped.out
    assert "\x1b" not in piped.out + piped.err


async def test_errors_and_objects_have_colour_on_a_terminal(simulator: Simulator) -> None:
    written = await on_terminal(simulator, "devices", "show", "nosuch")
    assert re.search(r"\x1b\[31m\w*not_found: ", written)
    assert "\x1b[3" not in await on_terminal(simulator, "devices", "show", "x-y", NO_COLOR="1")
    written = await on_terminal(simulator, "devices", "show", "lpp-node")
    assert re.search(r'\x1b\[[\d;]*m"Cellar node"', written)
    written = await on_terminal(simulator, "--json", "devices", "list", "nosuch")
    assert "\x1b[2mthere is no end device `nosuch` in application `garden`\x1b[0m\r\n" in written
    assert written.endswith("\r\n[]\r\n")


async def test_a_key_is_asked_for_and_not_shown(simulator: Simulator) -> None:
    key = "00112233445566778899AABBCCDDEEFF"
    written = await on_terminal(
        simulator,
        *("devices", "register", "new-sensor", "--dev-eui", "70B3D57ED0060099"),
        *("--lorawan-version", "1.0.3", "--frequency-plan", "EU_863_870_TTN", "--app-key", "-"),
        prompt="AppKey: ",
        typed=f"{key}\n",
    )
    assert key not in written
    documents = simulator.devices["new-sensor"].documents
    assert documents["js"]["root_keys"]["app_key"]["key"] == key


async def test_what_loses_something_asks(simulator: Simulator) -> None:
    delete = ("devices", "delete", "lpp-node")
    written = await on_terminal(simulator, *delete, prompt="[y/N]", typed="n\n")
    assert "Remove lpp-node and its keys for good? [y/N]" in written
    assert "nothing was changed" in written
    assert "lpp-node" in simulator.devices
    written = await on_terminal(simulator, *delete, prompt="[y/N]", typed="y\n")
    assert "removed lpp-node from the " in written
    assert "lpp-node" not in simulator.devices
