# ruff: noqa: N818 - their names say what happened
"""Delete an end device on all servers, and the errors if that fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .api import Calls
from .errors import ConnectionFailed, NotFound, RateLimited, ServerFailed, StackError
from .registration import Server

_TRIES = 3
_PAUSE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The servers that had the end device and have deleted it, in the order of deletion."""

    removed: tuple[Server, ...]


@dataclass(slots=True, kw_only=True)
class Removal:
    """The servers that have deleted their part, those that still have it, and the first error."""

    removed: tuple[Server, ...] = ()
    left_on: tuple[Server, ...] = ()
    error: StackError | None = field(default=None)


class RollbackFailed(StackError):
    """A change failed (`cause`), and could not be undone on the servers in `left_on`."""

    def __init__(self, device_id: str, *, cause: BaseException, left_on: Sequence[Server]) -> None:
        """Keep the first error, and the servers that still have what was written."""
        servers = ", ".join(left_on)
        reason = str(cause) or type(cause).__name__
        super().__init__(
            f"{reason}; what had been done for device `{device_id}` could not be undone on: "
            f"{servers}",
            name="rollback_failed",
            attributes={"device_id": device_id, "servers": servers, "reason": reason},
        )
        self.cause = cause
        self.left_on = tuple(left_on)


class PartlyDeleted(StackError):
    """An end device was deleted on some servers, but not on those in `left_on`."""

    def __init__(self, device_id: str, removal: Removal) -> None:
        """Keep the servers that have deleted their part, and those that still have it."""
        servers = ", ".join(removal.left_on)
        super().__init__(
            f"device `{device_id}` is still on: {servers} ({removal.error})",
            name="partly_deleted",
            attributes={
                "device_id": device_id,
                "servers": servers,
                "reason": str(removal.error),
            },
        )
        self.removed = removal.removed
        self.left_on = removal.left_on


async def remove(
    calls: Calls, places: Sequence[tuple[Server, str]], *, tries: int = _TRIES
) -> Removal:
    """Delete an end device's parts; `places` are in the order of creation, deleted in reverse.

    Missing parts are no error. If another part couldn't be deleted, the Identity Server's is kept,
    since it is needed to delete the others. Temporary errors are retried up to `tries` times.
    """
    removed: list[Server] = []
    remaining_on: list[Server] = []
    failure: StackError | None = None
    for server, path in reversed(places):
        if server is Server.IDENTITY and remaining_on:
            remaining_on.append(server)
            continue
        try:
            if await _delete(calls, path, tries):
                removed.append(server)
        except StackError as error:
            failure = failure or error
            remaining_on.append(server)
    return Removal(removed=tuple(removed), left_on=tuple(remaining_on), error=failure)


async def _delete(calls: Calls, path: str, tries: int) -> bool:
    for remaining in reversed(range(tries)):
        try:
            await calls.request("DELETE", path)
        except NotFound:
            return False
        except (ConnectionFailed, ServerFailed, RateLimited):
            if not remaining:
                raise
            await calls.sleep(_PAUSE)
        else:
            return True
    raise AssertionError  # pragma: no cover
