"""scripts/develop: simulator, Home Assistant and the config flow between them."""

import asyncio
from contextlib import AsyncExitStack, suppress
import json
import os
from pathlib import Path
import signal
import sys
import time

import aiohttp

from .api import ApiError, HomeAssistant
from .check import speakers, table, wait_for_values
from .flow import FlowError, add_entry
from .options import Application, Options, parse
from .processes import StartError, home_assistant, in_use, simulator, simulator_v2
from .state import ROOT

STATE = ROOT / ".dev"
DEFAULT_PORT = 8123


async def run(options: Options) -> int:
    """Run until interrupted, or with --check until the answer is known; returns the exit code."""
    async with AsyncExitStack() as stack:
        application = options.application
        if application is None:
            simulated = simulator_v2() if options.v2 else simulator()
            application = await stack.enter_async_context(simulated)
            tell(f"Simulator: {application.server}, application {application.application_id}")
        folder = STATE / ("check" if options.check else "home")
        log_file = folder.with_suffix(".log")
        log_file.parent.mkdir(exist_ok=True)
        log = stack.enter_context(log_file.open("wb")) if options.check else None
        port = options.port or (None if options.check else DEFAULT_PORT)
        if port and in_use(port):
            raise StartError(f"Port {port} is in use; choose another with --port")
        home = await stack.enter_async_context(
            home_assistant(folder, port=port, keep=options.keep, log=log)
        )
        if options.entry:
            await _ensure_entry(home, application, options.door)
        elif options.application is None:
            if options.v2:
                tell(f"MQTT: {application.mqtt}")
            else:
                tell(f"Identity Server: {application.identity_server}")
            tell(f"API key of the simulated application: {application.api_key}")
        if options.check:
            return await _check(home, options, application, log_file)
        tell(f"Home Assistant: {home.url} (no login needed; user dev, password dev). Ctrl-C ends.")
        return await home.ended


async def _ensure_entry(home: HomeAssistant, application: Application, door: str) -> None:
    # A kept state has an entry of a simulator that is gone: ports and keys are new each time.
    for entry in await home.entries():
        await home.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")
    entry = await add_entry(home, application, door)
    tell(f"Config flow: created “{entry['title']}”")


async def _check(
    home: HomeAssistant, options: Options, application: Application, log_file: Path
) -> int:
    started = time.monotonic()
    picture, lacking = await wait_for_values(
        home,
        await speakers(application),
        simulated=options.application is None,
        door=options.door,
        timeout=options.timeout,
    )
    if options.json:
        for row in picture.rows:
            print(json.dumps(row, ensure_ascii=False))
    else:
        print(table(picture.rows))
    with_value = sum(row["state"] not in {None, "unknown", "unavailable"} for row in picture.rows)
    tell(
        f"{len(picture.devices)} devices, {len(picture.rows)} entities,"
        f" {with_value} with a value, {time.monotonic() - started:.0f} s after setup"
    )
    if lacking:
        tell(f"Missing: {'; '.join(lacking)}. Home Assistant's log: {log_file}")
    return 1 if lacking else 0


def tell(text: str) -> None:
    """Say it where it doesn't mix with the result."""
    print(text, file=sys.stderr, flush=True)


async def _main(options: Options) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await run(options)
    except (StartError, FlowError, ApiError, aiohttp.ClientError) as error:
        tell(f"✗ {error}")
        return 1


if __name__ == "__main__":
    with suppress(asyncio.CancelledError):
        sys.exit(asyncio.run(_main(parse(sys.argv[1:], os.environ))))
    sys.exit(130)
