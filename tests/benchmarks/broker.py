"""A process with an MQTT 3.1.1 broker: mosquitto where it is installed, else a plain one.

Debian and Ubuntu have mosquitto in a package of that name; `brew install mosquitto` elsewhere.
"""

import asyncio
from asyncio.subprocess import Process
import ctypes
import os
from pathlib import Path
import shutil
import signal
import socket
import ssl
import sys
import tempfile
from typing import Any, Protocol, override

from ..child_process import serve
from .certificate import Certificate, make_certificate
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

listener {tls_port} 127.0.0.1
certfile {certificate}
keyfile {key}
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


class Broker(Protocol):
    """A broker that can be stopped and started again, on the same ports."""

    name: str

    async def start(self) -> None:
        """Serve."""

    async def stop(self) -> None:
        """Cut all connections."""


class Mosquitto(Broker):
    """The broker of that name, in a process of its own."""

    name = "mosquitto"

    def __init__(self, program: str, configuration: Path, port: int) -> None:
        """Take a written configuration."""
        self._program = program
        self._configuration = configuration
        self._port = port
        self._process: Process | None = None

    @override
    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-c", self._configuration, preexec_fn=_die_with_parent
        )
        await _answers(self._port)

    @override
    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None


class Plain(Broker):
    """The one of this folder."""

    name = "a plain broker in Python"

    def __init__(self, certificate: Certificate, port: int, tls_port: int) -> None:
        """Listen on both ports."""
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._ports = port, tls_port
        self._broker = PlainBroker()

    @override
    async def start(self) -> None:
        port, tls_port = self._ports
        await self._broker.start(port)
        await self._broker.start(tls_port, self._context)

    @override
    async def stop(self) -> None:
        self._broker.stop()


async def _run(program: str | None) -> None:
    port, tls_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make_certificate(folder)
        broker: Broker = Plain(made, port, tls_port)
        if program is not None:
            configuration = folder / "mosquitto.conf"
            text = _MOSQUITTO.format(
                port=port, tls_port=tls_port, certificate=made.certificate, key=made.key
            )
            configuration.write_text(text, encoding="utf-8")
            broker = Mosquitto(program, configuration, port)

        async def where() -> dict[str, Any]:
            ca = made.certificate.read_text(encoding="ascii")
            return {"name": broker.name, "port": port, "tls_port": tls_port, "ca": ca}

        await broker.start()
        try:
            await serve({"where": where, "start": broker.start, "stop": broker.stop})
        finally:
            await broker.stop()


if __name__ == "__main__":
    asyncio.run(_run(None if "--plain" in sys.argv else mosquitto()))
