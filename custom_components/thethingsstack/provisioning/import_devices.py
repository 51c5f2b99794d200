"""Import many end devices from a file: read and check it, register its rows, report on each."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant

from ..application import error_text, failure, lacking, refused
from ..client import PreparedRegistration
from ..client.bulk import (
    DeviceFile,
    Note,
    Outcome,
    Problem,
    check_rows,
    counts,
    decode_file,
    read_devices,
    register_rows,
)
from .register import async_register
from .rights import REGISTER

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

MAX_BYTES = 10_000_000
"""A file of the most end devices that are taken at once is smaller than this."""


def check_may_import(coordinator: ApplicationCoordinator) -> None:
    """Raise HomeAssistantError if there is no API key, or it may not register end devices."""
    if not coordinator.connection_state.has_key:
        raise failure("management_no_api_key")
    if rights := lacking(coordinator.rights, REGISTER):
        raise failure("management_missing_rights", rights=rights)


async def async_read_devices(
    hass: HomeAssistant, content: str | bytes, defaults: Mapping[str, str | None]
) -> DeviceFile:
    """Return the end devices in a file's content; raises InvalidRequest where it is none."""

    def read() -> DeviceFile:
        text = content if isinstance(content, str) else decode_file(content)
        return read_devices(text, defaults)

    if len(content) > MAX_BYTES:
        raise refused("import_too_large", maximum=MAX_BYTES // 1_000_000)
    return await hass.async_add_executor_job(read)


async def async_check_devices(
    coordinator: ApplicationCoordinator, file: DeviceFile
) -> AsyncGenerator[Outcome]:
    """Yield for each row whether it can be registered; changes nothing. Raises StackError."""
    async for outcome in check_rows(coordinator.stack, file.rows):
        yield outcome


async def async_import_devices(
    coordinator: ApplicationCoordinator, outcomes: Sequence[Outcome]
) -> AsyncGenerator[Outcome]:
    """Register the end devices that were found ready, and yield what became of each row.

    They appear in Home Assistant as each is registered. What was registered stays if the caller is
    cancelled; the one on its way is rolled back.
    """

    async def register(prepared: PreparedRegistration) -> None:
        await async_register(coordinator, prepared.registration)

    async for outcome in register_rows(outcomes, register):
        yield outcome


def problem_text(problem: Problem) -> str:
    """Return a problem in the user's words, with its column."""
    error = problem.error
    if error.name.startswith("missing_"):
        text = str(failure("import_missing", field=error.name.removeprefix("missing_")))
    else:
        text = error_text(error)
    return text if problem.column is None else f"{problem.column}: {text}"


def note_text(note: Note) -> str:
    """Return a note in the user's words."""
    if note.name == "session_ignored":
        return str(failure("import_session_ignored"))
    return str(failure("import_ignored", what=", ".join(note.what)))


def import_report(outcomes: Sequence[Outcome], notes: Sequence[Note]) -> dict[str, Any]:
    """Return what became of each row, without keys."""
    return {
        "counts": counts(outcomes),
        "notes": list(map(note_text, notes)),
        "end_devices": [
            {
                "line": outcome.row.line,
                "end_device_id": outcome.row.device_id,
                "dev_eui": outcome.row.dev_eui,
                "name": outcome.row.name,
                "status": outcome.status.value,
                "problems": list(map(problem_text, outcome.problems)),
                "notes": list(map(note_text, outcome.row.notes)),
            }
            for outcome in outcomes
        ],
    }
