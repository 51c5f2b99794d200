"""A process with an MQTT 3.1.1 broker: mosquitto where it is installed, else a plain one.

Debian and Ubuntu have mosquitto in a package of that name; `brew install mosquitto` elsewhere.
"""

import asyncio
import ctypes
import os
from pathlib import Path
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any

from ..child_process import serve
from .plain_broker import PlainBroker

# Whatever user and password are given; whatever a slow reader has to wait for is kept for it.
# Another user than the one who starts it could outlive its parent.
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
user root
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
persistence false
log_type error
log_dest stderr
"""
_PR_SET_PDEATHSIG = 1
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/sbin")


def mosquitto() -> str | None:
    """Return the path of mosquitto, which is not on every user's PATH."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    return shutil.which("mosquitto", path=path)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _answers(port: int) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def _die_with_parent() -> None:
    """Have Linux end the broker with this process, however that ends; elsewhere it may stay."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _configuration(folder: Path, port: int) -> Path:
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_MOSQUITTO.format(port=port), encoding="utf-8")
    return configuration


async def _run_mosquitto(program: str) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = _configuration(Path(folder), port)
        process = await asyncio.create_subprocess_exec(
            program, "-c", configuration, preexec_fn=_die_with_parent
        )
        try:
            await _answers(port)
            await serve(_tells("mosquitto", port))
        finally:
            process.terminate()
            await process.wait()


async def _run_plain() -> None:
    await serve(_tells("a plain broker in Python", await PlainBroker().start()))


def _tells(name: str, port: int) -> dict[str, Any]:
    async def where() -> dict[str, Any]:
        return {"name": name, "port": port}

    return {"where": where}


if __name__ == "__main__":
    _program = None if "--plain" in sys.argv else mosquitto()
    asyncio.run(_run_plain() if _program is None else _run_mosquitto(_program))
