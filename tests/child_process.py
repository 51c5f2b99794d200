"""Processes beside this one: each command is a JSON line to one, each answer a JSON line back."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
import sys
from typing import Any, Self

import orjson

_LONGEST_LINE = 2**28
_REPOSITORY = Path(__file__).parents[1]

type Handler = Callable[..., Awaitable[Any]]


class ChildError(Exception):
    """A process ended, or could not do what was asked."""


class Child:
    """A running process; ask it, and close it."""

    def __init__(self, process: Process, name: str, log: Path) -> None:
        """Take a started process; what it has to say besides is in the log."""
        self._process = process
        self._name = name
        self._log = log

    @classmethod
    async def start(cls, log: Path, module: str, *arguments: object) -> Self:
        """Start a module by its full name; it ends with this process at the latest."""
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *map(str, arguments),
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                cwd=_REPOSITORY,
                limit=_LONGEST_LINE,
            )
        return cls(process, module, log)

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Have something done and return what came out; raises ChildError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps([command, arguments]) + b"\n")
        try:
            await self._process.stdin.drain()
            line = await self._process.stdout.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise self._error(command, "it ended")
        answer = orjson.loads(line)
        if "error" in answer:
            raise self._error(command, answer["error"])
        return answer["result"]

    def _error(self, command: str, reason: str) -> ChildError:
        tail = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
        return ChildError(f"{self._name}, {command}: {reason}; the end of its log:\n{tail}")

    async def kill(self) -> None:
        """End it at once, as a power failure would."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def close(self) -> None:
        """End it, without mercy where it does not end by itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(120):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def serve(handlers: Mapping[str, Handler]) -> None:
    """Answer the parent's commands until it closes the line."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while line := await reader.readline():
            command, arguments = orjson.loads(line)
            try:
                answer = {"result": await handlers[command](**arguments)}
            except Exception as error:  # noqa: BLE001 - told to the parent
                answer = {"error": f"{type(error).__name__}: {error}"}
            sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
            sys.stdout.buffer.flush()
    finally:
        transport.close()
