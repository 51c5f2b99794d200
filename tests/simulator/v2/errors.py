"""What a v2 stack refuses with: a text, since the code is the same for everything."""

UNKNOWN, INVALID_ARGUMENT = 2, 3


class RefusedError(Exception):
    """A refusal of the Handler or the discovery server: over HTTP always 500."""

    status = 500
    code = UNKNOWN

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def body(self) -> dict[str, object]:
        """Return the answer's JSON."""
        return {"error": self.message, "code": self.code, "message": self.message}


class UnreadableError(RefusedError):
    """A body that can't be read: JSON, a type, a length in bytes."""

    status = 400
    code = INVALID_ARGUMENT


class FunctionError(Exception):
    """A payload function that failed, with the text that the Handler publishes."""


def not_found(key: str) -> RefusedError:
    """Return the refusal of something that the key-value store lacks."""
    return RefusedError(f"{key} not found")


def application_not_found(application_id: str) -> RefusedError:
    """Return the refusal of an application that isn't registered."""
    return not_found(f"handler:application:{application_id}")


def device_not_found(application_id: str, device_id: str) -> RefusedError:
    """Return the refusal of a device that isn't registered."""
    return not_found(f"handler:device:{application_id}:{device_id}")


def no_right(right: str, application_id: str) -> RefusedError:
    """Return the refusal of a key that lacks a right."""
    return RefusedError(f'permission denied: No "{right}" rights to Application "{application_id}"')


def rate_limited(subject: str, *, kind: str = "client") -> RefusedError:
    """Return the refusal of one call too many."""
    return RefusedError(
        f'Internal error: [ResourceExhausted] Rate limit for {kind} "{subject}" reached'
    )
