"""Turn error answers of the HTTP API into the errors of this library."""

from collections.abc import Mapping
import re
from typing import Any

from . import json_values
from .error_details import ErrorDetails
from .errors import (
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

_CODE_NAMES = {
    1: "canceled",
    3: "invalid_argument",
    4: "deadline_exceeded",
    5: "not_found",
    6: "already_exists",
    7: "permission_denied",
    8: "resource_exhausted",
    9: "failed_precondition",
    10: "aborted",
    12: "unimplemented",
    13: "internal",
    14: "unavailable",
    16: "unauthenticated",
}
_ABORTED = 10
# A body that the server can't parse is answered without details, but with the field's path.
_UNREADABLE = re.compile(r'unmarshal error at path "(?P<field>[^"]+)": (?P<reason>.+)', re.DOTALL)


def refusal(status: int, answer: Mapping[str, Any], headers: Mapping[str, str]) -> StackError:
    """Return the error for an answer with this status, parsed body and these headers."""
    answer = json_values.mapping(answer.get("error")) or answer  # streams have it nested
    code = json_values.integer(answer.get("code"))
    if code is None and status in (400, 401, 403, 404, 405):
        return ProtocolMismatch(
            f"no The Things Stack answers there (HTTP {status})", name="not_the_things_stack"
        )
    details = next(iter(json_values.objects(answer.get("details"))), None)
    if details is not None:
        found = ErrorDetails.from_json(details)
    else:
        message = json_values.text(answer.get("message")) or f"HTTP {status}"
        unreadable = _UNREADABLE.fullmatch(message)
        found = ErrorDetails(
            namespace=None,
            name=_CODE_NAMES.get(code or 0, "unknown"),
            message=message,
            attributes=unreadable.groupdict() if unreadable else {},
        )
    return _classify(status, code, found, headers)


def _classify(
    status: int, code: int | None, details: ErrorDetails, headers: Mapping[str, str]
) -> StackError:
    common: dict[str, Any] = {
        "name": details.name,
        "namespace": details.namespace,
        "status": status,
        "attributes": details.attributes,
        "cause_name": details.cause_name,
    }
    if status == 401 or (details.namespace, details.name) == ("pkg/auth", "token"):
        return AuthenticationFailed(details.message, **common)
    if status == 403:
        missing = json_values.texts(details.attributes.get("missing"))
        return MissingRight(details.message, rights=missing, **common)
    if status == 429:
        retry = json_values.integer(headers.get("X-Rate-Limit-Retry"))
        # A full downlink queue has this status, too, without a time.
        return RateLimited(details.message, retry_after=60 if retry is None else retry, **common)
    if status == 404:
        return NotFound(details.message, **common)
    if status == 409 and code != _ABORTED:
        return Conflict(details.message, **common)
    if status in (499, 501) or status < 500:
        kind = ServerFailed if status == 499 else InvalidRequest
        return kind(details.message, **common)
    return ServerFailed(details.message, **common)
