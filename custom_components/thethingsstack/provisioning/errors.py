# ruff: noqa: N818 - the name says what happened
"""What stands in the way of registering, changing or removing an end device, as forms tell it."""

from collections.abc import Callable, Collection, Iterable

from ..client import (
    AuthenticationFailed,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    PartlyDeleted,
    RateLimited,
    RollbackFailed,
    ServerFailed,
    StackError,
)
from ..client.rights import DEVICES_READ, DEVICES_WRITE, DEVICES_WRITE_KEYS, console_names

REGISTER = (DEVICES_READ, DEVICES_WRITE, DEVICES_WRITE_KEYS)
"""The rights that registering an end device needs."""
REMOVE = (DEVICES_READ, DEVICES_WRITE)
"""The rights that changing or removing one needs."""


class Refusal(Exception):
    """A form is refused: which field is to blame, and the text with what it names."""

    def __init__(self, field: str, key: str, **placeholders: object) -> None:
        """Keep what the form shows."""
        super().__init__(key)
        self.field = field
        self.key = key
        self.placeholders = {name: str(value) for name, value in placeholders.items()}


def lacking(rights: Collection[str], needed: Iterable[str]) -> str:
    """Return the rights that a key lacks, for a text; empty where it may."""
    return console_names(right for right in needed if right not in rights)


def refusal(
    error: StackError, name_of: Callable[[str], str], half_created: Collection[str] = ()
) -> Refusal:
    """Return the text for an error of the server; `name_of` tells how a device id is called.

    One of `half_created` that is in the way has a repair of its own.
    """
    told = error.attributes.get
    match error:
        case RollbackFailed():
            return Refusal(
                "base", "rollback_failed", reason=told("reason"), servers=told("servers")
            )
        case PartlyDeleted():
            return Refusal("base", "partly_deleted", reason=told("reason"), servers=told("servers"))
        case MissingRight():
            return Refusal("base", "missing_rights", rights=console_names(error.rights) or error)
        case AuthenticationFailed():
            return Refusal("base", "key_refused", reason=error.name)
        case RateLimited():
            return Refusal("base", "rate_limited", seconds=round(error.retry_after))
        case ConnectionFailed() | ServerFailed():
            return Refusal("base", "cannot_connect", reason=error)
        case Conflict() if (blocking := told("device_id")) in half_created:
            where = "device_id" if error.name == "id_taken" else "dev_eui"
            return Refusal(where, "half_created_blocks", device=name_of(str(blocking)))
        case Conflict() if error.name == "end_device_euis_taken":
            return _euis_taken(error, name_of)
        case Conflict() if error.name == "duplicate_identifiers":
            return Refusal("dev_eui", "euis_left_over")
        case Conflict():
            return Refusal("device_id", "id_taken")
        case InvalidRequest() if error.name == "wrong_cluster":
            return Refusal(
                "base", "wrong_cluster", address=told("address"), expected=told("expected")
            )
        case NotFound():
            return Refusal("base", "not_found", reason=error)
    return Refusal("base", "refused", reason=error)


def _euis_taken(error: Conflict, name_of: Callable[[str], str]) -> Refusal:
    device_id, application_id = (
        error.attributes.get(name) for name in ("device_id", "application_id")
    )
    if not device_id:
        return Refusal("dev_eui", "euis_taken_somewhere")
    return Refusal(
        "dev_eui", "euis_taken", device=name_of(str(device_id)), owner=application_id or "?"
    )
