# ruff: noqa: N818 - their names say what happened
"""The errors of this library: one class for each thing that a caller can do about it."""

from collections.abc import Mapping, Sequence
import re
import socket
import ssl
from typing import Any

_KEY = re.compile(
    r"\b(?:[A-Z2-7]{5}|eyJ[A-Za-z0-9_-]+)\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r"|\bttn-account[a-z0-9-]*\.[A-Za-z0-9_-]+"
)
"""API keys of version 3, and access tokens and access keys of version 2."""


def redact(text: str) -> str:
    """Return the text with everything that looks like an API key taken out."""
    return _KEY.sub("<api key>", text)


class StackError(Exception):
    """Base of all errors; `name` is the server's name of the error, or one of this library.

    Servers nest the real reason in causes: message and attributes are those of the innermost one
    that says what is wrong, and `cause_name` is its name (None where there are no causes). The text
    never contains an API key.
    """

    def __init__(
        self,
        message: str,
        *,
        name: str = "unknown",
        namespace: str | None = None,
        status: int | None = None,
        attributes: Mapping[str, Any] | None = None,
        cause_name: str | None = None,
    ) -> None:
        """Keep the error's name and details; API keys are removed from the texts."""
        super().__init__(redact(message))
        self.name = name
        self.namespace = namespace
        self.status = status
        self.cause_name = cause_name
        self.attributes: Mapping[str, Any] = {
            key: redact(value) if isinstance(value, str) else value
            for key, value in (attributes or {}).items()
        }

    @property
    def message(self) -> str:
        """The text of the error, without API keys."""
        return str(self)

    @property
    def field(self) -> str | None:
        """The path of the field that is wrong ("end_device.ids.device_id"), where it is known."""
        return _text_or_none(self.attributes.get("field"))

    @property
    def reason(self) -> str | None:
        """What is wrong with the field, as the server or this library says it."""
        return _text_or_none(self.attributes.get("reason"))


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


class ConnectionFailed(StackError):
    """The server was not reached; retry later.

    The attribute `address` is the server's: a base URL, or host and port of an MQTT server.
    """


class RequestTimeout(ConnectionFailed):
    """The server did not answer in time; retry later."""


class CertificateFailed(ConnectionFailed):
    """The server's TLS certificate is not trusted, expired, or made out to another host."""


class ProtocolMismatch(ConnectionFailed):
    """What answers isn't The Things Stack, or TLS was used on a port without it or vice versa."""


class MqttRefused(ConnectionFailed):
    """The MQTT server refused (`code` is the CONNACK's) although the key is not known to be bad."""

    def __init__(
        self, message: str, *, code: int, name: str = "mqtt_refused", **details: Any
    ) -> None:
        """Keep the CONNACK code."""
        super().__init__(message, name=name, **details)
        self.code = code


class AuthenticationFailed(StackError):
    """The key was refused over HTTP: deleted, expired, mistyped, or not a key at all."""


class NoApiKey(AuthenticationFailed):
    """No key is given at all: nothing was asked."""


class MissingRight(StackError):
    """The key is valid, but lacks `rights`; () if the server doesn't name them."""

    def __init__(
        self, message: str, *, rights: Sequence[str] = (), name: str, **details: Any
    ) -> None:
        """Keep the missing rights."""
        super().__init__(message, name=name, **details)
        self.rights = tuple(rights)


class NotFound(StackError):
    """The server doesn't have the requested end device, application or other resource."""


class StorageUnavailable(NotFound):
    """The server has no Storage Integration."""


class Conflict(StackError):
    """The id or the EUI is taken already."""


class InvalidRequest(StackError):
    """The request is invalid; repeating it unchanged doesn't help."""


class NotSupported(InvalidRequest):
    """The stack has nothing of the kind; `capability` names what, as in `Capabilities`."""

    def __init__(self, capability: str) -> None:
        """Keep the name of the capability that the stack lacks."""
        super().__init__(
            f"this network doesn't have that ({capability.replace('_', ' ')})",
            name="not_supported",
            attributes={"capability": capability},
        )
        self.capability = capability


class RateLimited(StackError):
    """Too many requests; the next one may be made after `retry_after` seconds."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        name: str = "rate_limit_exceeded",
        **details: Any,
    ) -> None:
        """Keep the time to wait."""
        super().__init__(message, name=name, **details)
        self.retry_after = retry_after


class ServerFailed(StackError):
    """The server had a fault of its own, or its answer can't be read; retry later."""


class BadMessage(StackError):
    """A message of the stream that can't be read."""

    def __init__(
        self, message: str, *, topic: str | None = None, name: str = "bad_message"
    ) -> None:
        """Keep the topic."""
        super().__init__(message, name=name)
        self.topic = topic


def unknown_device(
    device_id: str, application_id: str | None, *, status: int | None = None
) -> NotFound:
    """Return the error `end_device_not_found` for an end device that an application doesn't have."""
    return NotFound(
        f"there is no end device `{device_id}` in application `{application_id}`",
        name="end_device_not_found",
        status=status,
        attributes={"device_id": device_id, "application_id": application_id},
    )


def from_socket(error: BaseException, address: str, name: str | None = None) -> ConnectionFailed:
    """Return the ConnectionFailed, or a kind of it, for an error of a socket or of TLS.

    Its attribute `address` is that of the server that was not reached; its text has the server's
    `name`, if that is more than the address.
    """
    reason = str(error) or type(error).__name__
    about = {"address": address}
    server = name or address
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateFailed(
            f"the certificate of {server} is not trusted: {error.verify_message or reason}",
            name="certificate_verify_failed",
            attributes=about,
        )
    if isinstance(error, ssl.SSLError):
        return ProtocolMismatch(
            f"no TLS is spoken at {server}: {reason}", name="tls_mismatch", attributes=about
        )
    if isinstance(error, socket.gaierror | UnicodeError):
        return ConnectionFailed(
            f"the host name in {server} is not known", name="host_not_found", attributes=about
        )
    if isinstance(error, TimeoutError):
        return RequestTimeout(f"{server} did not answer in time", name="timeout", attributes=about)
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFailed(
            f"nothing listens at {server}", name="connection_refused", attributes=about
        )
    return ConnectionFailed(
        f"{server} was not reached: {reason}", name="connection_failed", attributes=about
    )
