"""The errors of The Things Stack, as its HTTP API and its messages spell them."""

from typing import Any, override
from uuid import uuid4

CANCELED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = 1, 2, 3, 4, 5
ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED = 6, 7, 8
FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED = 9, 10, 11, 12
INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED = 13, 14, 15, 16

HTTP_STATUS = {
    CANCELED: 499,
    UNKNOWN: 500,
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 400,
    ABORTED: 409,
    OUT_OF_RANGE: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
    DATA_LOSS: 500,
    UNAUTHENTICATED: 401,
}


class RefusedError(Exception):
    """An error with namespace and name, as the stack defines them.

    `attributes` fill the `{placeholders}` of `message_format`; `cause` is the error below it.
    """

    def __init__(
        self,
        code: int,
        namespace: str,
        name: str,
        message_format: str,
        attributes: dict[str, Any] | None = None,
        *,
        cause: RefusedError | None = None,
    ) -> None:
        super().__init__(f"{namespace}:{name}")
        self.code = code
        self.namespace = namespace
        self.name = name
        self.message_format = message_format
        self.attributes = attributes or {}
        self.cause = cause
        self.correlation_id = uuid4().hex

    @property
    def status(self) -> int:
        """Return the HTTP status of this error."""
        return HTTP_STATUS[self.code]

    @property
    def message(self) -> str:
        """Return the line that stands in `message` and in `Www-Authenticate`."""
        text = self.message_format
        for key, value in self.attributes.items():
            text = text.replace("{" + key + "}", str(value))
        return f"error:{self.namespace}:{self.name} ({text})"

    def details(self) -> dict[str, Any]:
        """Return the ErrorDetails message, as in `details[0]` and in failed downlinks."""
        document: dict[str, Any] = {
            "namespace": self.namespace,
            "name": self.name,
            "message_format": self.message_format,
        }
        if self.attributes:
            document["attributes"] = self.attributes
        document["correlation_id"] = self.correlation_id
        if self.cause is not None:
            document["cause"] = self.cause.details()
        document["code"] = self.code
        return document

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the HTTP answer."""
        details = {"@type": "type.googleapis.com/ttn.lorawan.v3.ErrorDetails", **self.details()}
        return {"code": self.code, "message": self.message, "details": [details]}


class PlainRefusedError(RefusedError):
    """An error of the gateway in front of the API: a code and a message, no details."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, "", "", message)

    @override
    def body(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message_format}


def not_found_path() -> RefusedError:
    """Return the answer to a path that no server has."""
    return PlainRefusedError(NOT_FOUND, "Not Found")


def wrong_method() -> RefusedError:
    """Return the answer to a path that exists with another method."""
    return PlainRefusedError(UNIMPLEMENTED, "Method Not Allowed")


def unmarshal(path: str, reason: str) -> RefusedError:
    """Return the answer to JSON that doesn't fit the message's type."""
    return PlainRefusedError(INVALID_ARGUMENT, f'unmarshal error at path "{path}": {reason}')


def malformed_token() -> RefusedError:
    """Return the answer to something that is no API key."""
    return RefusedError(INVALID_ARGUMENT, "pkg/auth", "token", "invalid token")


def unsupported_authorization() -> RefusedError:
    """Return the answer to another scheme than Bearer."""
    return identity(
        UNAUTHENTICATED, "unsupported_authorization", "unsupported authorization method"
    )


def unknown_key(key_id: str) -> RefusedError:
    """Return the answer to a key that never was, or was deleted."""
    cause = RefusedError(
        NOT_FOUND,
        "pkg/identityserver/store",
        "api_key_not_found",
        "api key with id `{api_key_id}` not found",
        {"api_key_id": key_id},
    )
    return RefusedError(
        UNAUTHENTICATED, "pkg/identityserver", "api_key_not_found", "API key not found", cause=cause
    )


def wrong_secret() -> RefusedError:
    """Return the answer to a known key id with another secret."""
    return identity(UNAUTHENTICATED, "invalid_authorization", "invalid authorization")


def expired_key() -> RefusedError:
    """Return the answer to a key after its time."""
    return identity(UNAUTHENTICATED, "api_key_expired", "api key expired")


def no_rights(kind: str, uid: str) -> RefusedError:
    """Return the answer to a caller without any right on the entity, existing or not."""
    return RefusedError(
        PERMISSION_DENIED,
        "pkg/auth/rights",
        f"no_{kind}_rights",
        f"no rights for {kind} `{{uid}}`",
        {"uid": uid},
    )


def insufficient_rights(kind: str, uid: str, missing: list[str]) -> RefusedError:
    """Return the answer to a caller who has some rights on the entity, but not these."""
    return RefusedError(
        PERMISSION_DENIED,
        "pkg/auth/rights",
        f"insufficient_{kind}_rights",
        f"insufficient rights for {kind} `{{uid}}`",
        {"missing": missing, "uid": uid},
    )


def forbidden_paths(paths: list[str]) -> RefusedError:
    """Return the answer to a field mask with paths that the server doesn't have."""
    return RefusedError(
        INVALID_ARGUMENT,
        "pkg/rpcmiddleware/validator",
        "field_mask_paths",
        "forbidden path(s) in field mask",
        {"forbidden_paths": paths},
    )


def invalid(*causes: tuple[str, str, str]) -> RefusedError:
    """Return a validation error; `causes` are (field, message type, reason) from outside in."""
    cause: RefusedError | None = None
    for field, message_type, reason in reversed(causes):
        cause = RefusedError(
            INVALID_ARGUMENT,
            "pkg/errors",
            "validation",
            "invalid `{field}`: {reason}",
            {"field": field, "name": f"{message_type}ValidationError", "reason": reason},
            cause=cause,
        )
    assert cause is not None
    return cause


def id_taken() -> RefusedError:
    """Return the answer to creating something under an id in use."""
    cause = RefusedError(ALREADY_EXISTS, "pkg/util/store", "already_exists", "already exists")
    return RefusedError(
        ALREADY_EXISTS,
        "pkg/util/store",
        "id_taken",
        "ID already taken, choose a different one and try again",
        cause=cause,
    )


def duplicate_identifiers(server: str) -> RefusedError:
    """Return the answer of a cluster's server to EUIs that another device there has."""
    namespace = {"ns": "networkserver", "as": "applicationserver", "js": "joinserver"}[server]
    return RefusedError(
        ALREADY_EXISTS,
        f"pkg/{namespace}/redis",
        "duplicate_identifiers",
        "duplicate identifiers",
    )


def redis_not_found() -> RefusedError:
    """Return the "not found" of Network Server and Application Server."""
    return RefusedError(NOT_FOUND, "pkg/redis", "not_found", "entity not found")


def join_server_not_found() -> RefusedError:
    """Return the "not found" of the Join Server."""
    return RefusedError(NOT_FOUND, "pkg/joinserver", "device_not_found", "device not found")


def registry_not_found(application_id: str, device_id: str) -> RefusedError:
    """Return the "not found" of the Identity Server."""
    return RefusedError(
        NOT_FOUND,
        "pkg/identityserver/store",
        "end_device_not_found",
        "end device with id `{device_id}` not found in application with id `{application_id}`",
        {"application_id": application_id, "device_id": device_id},
    )


def application_server_not_found(uid: str) -> RefusedError:
    """Return the "not found" of the Application Server's deletions and downlinks."""
    return RefusedError(
        NOT_FOUND,
        "pkg/applicationserver",
        "device_not_found",
        "device `{device_uid}` not found",
        {"device_uid": uid},
    )


def invalid_field(server: str, field: str) -> RefusedError:
    """Return what a cluster's server answers to a value that it can't work with."""
    namespace = {"ns": "networkserver", "as": "applicationserver", "js": "joinserver"}[server]
    return RefusedError(
        INVALID_ARGUMENT,
        f"pkg/{namespace}",
        "field_value",
        "invalid value of field `{field}`",
        {"field": field},
    )


def application_server(code: int, name: str, text: str, **attributes: Any) -> RefusedError:
    """Return an error of the Application Server."""
    return RefusedError(code, "pkg/applicationserver", name, text, attributes)


def network_server(code: int, name: str, text: str, **attributes: Any) -> RefusedError:
    """Return an error of the Network Server."""
    return RefusedError(code, "pkg/networkserver", name, text, attributes)


def formatter_failed(errors: str) -> RefusedError:
    """Return the error of a formatter that returned `errors`."""
    return RefusedError(
        ABORTED,
        "pkg/messageprocessors/javascript",
        "output_errors",
        "{errors}",
        {"errors": errors},
    )


def script_failed(message: str) -> RefusedError:
    """Return the error of a formatter's script that doesn't run."""
    return RefusedError(
        ABORTED, "pkg/scripting/javascript", "script", "{message}", {"message": message}
    )


def rate_limited(rate: int, key: str) -> RefusedError:
    """Return the answer to one call too many."""
    return RefusedError(
        RESOURCE_EXHAUSTED,
        "pkg/ratelimit",
        "rate_limit_exceeded",
        "rate limit of `{rate}` accesses per minute exceeded for resource `{key}`",
        {"key": key, "rate": rate},
    )


def identity(code: int, name: str, text: str, **attributes: Any) -> RefusedError:
    """Return an error of the Identity Server."""
    return RefusedError(code, "pkg/identityserver", name, text, attributes)
