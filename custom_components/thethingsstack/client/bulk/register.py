"""Register the rows of a file that were checked, one after the other."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace

from ..deletion import RollbackFailed
from ..device_request import PreparedRegistration
from ..errors import AuthenticationFailed, ConnectionFailed, MissingRight, RateLimited, StackError
from .outcome import Outcome, Status
from .rows import Problem

_OF_ALL = (AuthenticationFailed, ConnectionFailed, MissingRight, RateLimited)
"""Errors after which the other rows are not tried: they would fail alike."""


async def register_rows(
    outcomes: Sequence[Outcome], register: Callable[[PreparedRegistration], Awaitable[object]]
) -> AsyncGenerator[Outcome]:
    """Yield the outcome of each row, in order; READY ones are registered by `register`.

    Each end device is registered on all servers or on none. If the caller is cancelled, the one
    that is on its way is rolled back, and those before it remain.
    """
    ended: StackError | None = None
    for outcome in outcomes:
        if outcome.status is not Status.READY or outcome.prepared is None:
            yield outcome
            continue
        if ended is not None:
            problem = Problem(error=ended)
            yield replace(outcome, status=Status.NOT_TRIED, problems=(problem,))
            continue
        try:
            await register(outcome.prepared)
        except StackError as error:
            if isinstance(error, _OF_ALL):
                ended = error
            status = Status.REFUSED
            if isinstance(error, RollbackFailed):
                status = Status.HALF_CREATED
                if isinstance(error.__cause__, _OF_ALL):
                    ended = error.__cause__
            yield replace(outcome, status=status, problems=(Problem(error=error),))
        else:
            yield replace(outcome, status=Status.REGISTERED)
