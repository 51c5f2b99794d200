"""Write the parts of an end device to its servers, and roll them back if one fails."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from .api import Calls
from .deletion import RollbackFailed, remove
from .errors import ConnectionFailed, InvalidRequest, StackError
from .models import EndDevice
from .registration import Part, Server
from .server_parts import ServerParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What to write: a part for each server in `wanted`, and then `last`.

    `last` changes the end device on the Identity Server once the other servers have it; None if
    there is nothing to change. `shown` is returned if the end device can't be read afterwards.
    """

    wanted: Mapping[Server, Part]
    shown: Part
    last: Part | None = None


class PartsWriter:
    """Writes the parts of an end device: all of them, or none."""

    def __init__(self, calls: Calls, parts: ServerParts) -> None:
        """Make requests with `calls` and `parts`."""
        self._calls = calls
        self._parts = parts
        self._tasks: set[asyncio.Task[EndDevice]] = set()

    async def write(self, device_id: str, steps: Steps) -> EndDevice:
        """Write all parts, and return the end device.

        If a server refuses, or the caller is cancelled, the parts are deleted again before this
        raises. Raises StackError; RollbackFailed if a part could not be deleted.
        """
        abandoned = asyncio.Event()
        # A task of its own isn't cancelled with the caller, and can roll back.
        work = asyncio.create_task(self._write(device_id, steps, abandoned))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)
        try:
            await asyncio.wait([work])
            return work.result()
        except asyncio.CancelledError:
            abandoned.set()
            await asyncio.shield(asyncio.wait([work]))
            if not work.cancelled() and isinstance(error := work.exception(), RollbackFailed):
                raise error from None
            raise

    async def _write(self, device_id: str, steps: Steps, abandoned: asyncio.Event) -> EndDevice:
        written: list[Server] = []
        asked: Server | None = None
        try:
            for server, part in steps.wanted.items():
                asked = server
                await self._parts.put(server, device_id, part, create=True)
                written.append(server)
                asked = None
                _raise_if_abandoned(abandoned)
            if steps.last is not None:
                await self._parts.put(Server.IDENTITY, device_id, steps.last)
            registered = await self._registered(device_id, steps.shown)
            _raise_if_abandoned(abandoned)
        except BaseException as error:
            if asked is not None and not _refused(error):
                written.append(asked)  # it may have been written, though no answer came
            removal = await remove(
                self._calls, [(server, self._parts.path(server, device_id)) for server in written]
            )
            if removal.left_on:
                raise RollbackFailed(device_id, cause=error, left_on=removal.left_on) from error
            explained = _explained(error, self._calls.connection.server_host)
            if explained is not error:
                raise explained from error
            raise
        return registered

    async def _registered(self, device_id: str, part: Part) -> EndDevice:
        """Return the end device as read from the Identity Server; as written if that fails."""
        try:
            return await self._parts.registered(device_id)
        except StackError:
            device = dict(part.device)
            application = {"application_ids": {"application_id": self._calls.application_id}}
            return EndDevice.from_json({**device, "ids": {**device["ids"], **application}})


def wrong_cluster(host: str, expected: str) -> InvalidRequest:
    """Return the error for an application on another cluster."""
    return InvalidRequest(
        f"the application lives on `{expected}`, not on `{host}`",
        name="wrong_cluster",
        attributes={"address": host, "expected": expected},
    )


def _raise_if_abandoned(abandoned: asyncio.Event) -> None:
    if abandoned.is_set():
        raise asyncio.CancelledError


def _explained(error: BaseException, host: str) -> BaseException:
    """Return `wrong_cluster` for a refused server address; else the error itself."""
    if isinstance(error, InvalidRequest) and error.name.endswith("_address_mismatch"):
        return wrong_cluster(host, str(error.attributes.get("expected", "?")))
    return error


def _refused(error: BaseException) -> bool:
    """Return whether the error means that the server has changed nothing."""
    if not isinstance(error, StackError) or isinstance(error, ConnectionFailed):
        return False
    return error.status is None or error.status < 500
