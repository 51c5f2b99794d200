"""Error answers of the Handler as errors of this library.

The Handler refuses everything with status 500 and code 2, so that only the text says what is wrong:
not found, a wrong key, a missing right, a rate limit.
"""

from collections.abc import Callable, Mapping
import re
from typing import Any

from .. import json_values
from ..errors import (
    AuthenticationFailed,
    Conflict,
    InvalidRequest,
    MissingRight,
    NotFound,
    ProtocolMismatch,
    RateLimited,
    ServerFailed,
    StackError,
)

RATE_PAUSE = 1.0
"""Seconds after which a request is tried again; the limit is counted by the second."""
_UNREADABLE = 3

type _Make = Callable[[str, re.Match[str], int], StackError]


def refusal(status: int, answer: Mapping[str, Any]) -> StackError:
    """Return the error for an answer with this status and parsed body ({} if it is no JSON)."""
    # A Handler's own have both "error" and "message"; another server's may have the latter.
    text = json_values.text(answer.get("error"))
    if text is None:
        if status >= 500:
            return ServerFailed(f"the server answers HTTP {status}", name="unknown", status=status)
        return ProtocolMismatch(
            f"the Handler has no such path, or no Handler of version 2 answers there"
            f" (HTTP {status})",
            name="not_a_handler",
        )
    if answer.get("code") == _UNREADABLE:
        return InvalidRequest(text, name="invalid_argument", status=status)
    return error_of(text, status)


def error_of(text: str, status: int | None = None) -> StackError:
    """Return the error that a text of the Handler means; ServerFailed where it isn't known."""
    for pattern, make in _TEXTS:
        if (found := pattern.search(text)) is not None:
            return make(text, found, status or 0)
    return ServerFailed(text, name="unknown", status=status)


def _rate_limited(text: str, _found: re.Match[str], status: int) -> StackError:
    return RateLimited(text, retry_after=RATE_PAUSE, status=status)


def _missing_right(text: str, found: re.Match[str], status: int) -> StackError:
    return MissingRight(
        text, rights=[found["right"]], name="insufficient_application_rights", status=status
    )


def _unauthenticated(name: str) -> _Make:
    return lambda text, _found, status: AuthenticationFailed(text, name=name, status=status)


def _not_found(text: str, found: re.Match[str], status: int) -> StackError:
    kind, _, rest = found["what"].partition(":")
    application_id, _, device_id = rest.partition(":")
    if kind == "device":
        return NotFound(
            f"the Handler doesn't know device `{device_id}`",
            name="end_device_not_found",
            status=status,
            attributes={"device_id": device_id, "application_id": application_id},
        )
    return NotFound(
        f"application `{application_id}` isn't registered to this Handler",
        name="application_not_found",
        status=status,
        attributes={"application_id": application_id},
    )


def _conflict(text: str, found: re.Match[str], status: int) -> StackError:
    name = "end_device_euis_taken" if found["what"].startswith("Device") else "id_taken"
    return Conflict(text, name=name, status=status)


def _invalid(name: str) -> _Make:
    return lambda text, _found, status: InvalidRequest(text, name=name, status=status)


def _too_many_attributes(text: str, found: re.Match[str], status: int) -> StackError:
    maximum = int(found["maximum"])
    return InvalidRequest(
        text, name="too_many_attributes", status=status, attributes={"maximum": maximum}
    )


_TEXTS: tuple[tuple[re.Pattern[str], _Make], ...] = (
    # The account server's own texts are unknown: the last of these are guesses at them.
    (re.compile(r"\[ResourceExhausted\]|Rate limit"), _rate_limited),
    (re.compile(r'No "(?P<right>[^"]+)" rights'), _missing_right),
    (re.compile(r"token is expired"), _unauthenticated("token_expired")),
    (re.compile(r"unable to parse token"), _unauthenticated("invalid_token")),
    (re.compile(r"Encoder"), _invalid("output_errors")),
    (re.compile(r"neither token nor key present"), _unauthenticated("unauthenticated")),
    (re.compile(r'Auth server "[^"]*" not registered'), _unauthenticated("unknown_issuer")),
    (re.compile(r"handler:(?P<what>(?:application|device):\S+) not found"), _not_found),
    (re.compile(r"not found"), lambda t, _f, status: NotFound(t, name="not_found", status=status)),
    (re.compile(r"(?P<what>\w[\w ]*) already exists"), _conflict),
    (re.compile(r"ID not valid: (?:has wrong format|can not be empty)"), _invalid("invalid_id")),
    (re.compile(r"custom attributes \((?P<maximum>\d+)\) exceeded"), _too_many_attributes),
    (re.compile(r"not valid|^Invalid (?:Device|Application)"), _invalid("invalid_argument")),
    (
        re.compile(
            r"credential|unauthori[sz]ed|unauthenticated|access key|permission denied|forbidden",
            re.IGNORECASE,
        ),
        _unauthenticated("invalid_credentials"),
    ),
)
