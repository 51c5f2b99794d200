"""What the simulated stack does wrong on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class RateLimit:
    """So many calls at once, then so many per minute, for each token and path."""

    burst: int
    per_minute: float


@dataclass
class StorageFailure:
    """How reading from the Storage Integration goes wrong."""

    status: int | None = None
    """Refuse with this status before anything is sent."""
    retry_seconds: int | None = None
    """With status 429: the seconds to wait that the answer names in `X-Rate-Limit-Retry`."""
    breaks_after: int | None = None
    """Hang up after so many messages."""
    error_after: int | None = None
    """Send an error instead of the rest after so many messages; the answer ends properly."""
    message_seconds: float = 0.0
    """Seconds before each message."""
    times: int | None = None
    """How many requests fail; None for all until the fault is taken away."""


@dataclass
class Faults:
    """Attributes to set at run time; the next request, message or connection meets them."""

    # MQTT

    mqtt_refuse: int | None = None
    """Answer every CONNECT with this code (5 not authorised, 3 unavailable)."""
    mqtt_close: bool = False
    """Hang up before CONNACK, as the accept limit does."""
    mqtt_delay: float = 0.0
    """Seconds before a new connection is served."""
    mqtt_deaf: bool = False
    """Don't answer PINGREQ: the connection looks alive and isn't."""
    mqtt_refuse_subscribe: bool = False
    """Answer every SUBSCRIBE with 0x80."""

    # Webhooks

    webhooks_fail: bool = False
    """Get no answer to any delivery: the address can't be reached."""

    # HTTP. Where a path stands, a method may stand before it: `PUT /ns/`.

    http_status: dict[str, int] = field(default_factory=dict)
    """Path prefix, with or without `/api/v3`, to the status to answer with."""
    http_dies_at: str | None = None
    """Path prefix; the first request that has it goes unanswered, and so do all after it."""
    http_mute_at: str | None = None
    """Path prefix; requests that have it are done, but the connection ends without an answer."""
    http_down: bool = False
    """Close every HTTP connection without an answer."""
    http_delay: float = 0.0
    """Seconds before an HTTP request is answered."""
    answer_delays: dict[str, float] = field(default_factory=dict)
    """End of a path to the seconds between what a request does and its answer."""
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    """End of a path to status and name of the error to refuse with, as the stack writes one."""
    http_body: dict[str, bytes] = field(default_factory=dict)
    """Path prefix, with or without `/api/v3`, to the bytes to answer with, status 200."""
    huge_answers: dict[str, int] = field(default_factory=dict)
    """Path prefix to the size in bytes of the answer: one JSON object in one line."""
    rate_limits: dict[str, RateLimit] = field(default_factory=dict)
    """End of a path to its limit; calls are counted for each token and path."""
    pages_ignored: bool = False
    """Answer every page of a list with the first one."""

    # Keys

    keys_refused: bool = False
    """Know no key: 401 over HTTP, CONNACK 5. Open MQTT sessions go on."""
    rights_empty: bool = False
    """Grant nothing to any key: no rights, 403, CONNACK 5. Open MQTT sessions go on."""

    # Time

    date_skew: timedelta = timedelta()
    """How far the `Date` header is ahead of the server's clock."""
    message_skew: timedelta = timedelta()
    """How far the times in uplinks are ahead of the server's clock."""

    # Storage Integration

    storage: bool = True
    """Whether the server has the Storage Integration; without it its paths don't exist."""
    storage_failure: StorageFailure | None = None
    """How reading from it fails; see `StorageFailure`."""
    storage_lag: timedelta = timedelta()
    """How old a message is when it can first be read."""
    token_repeated: bool = False
    """Answer a continuation token with its page, and with the same token again."""

    @contextmanager
    def during(self, **changes: Any) -> Iterator[None]:
        """Set attributes, and set them back at the end of the block."""
        before = {name: getattr(self, name) for name in changes}
        for name, value in changes.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    def next_storage_failure(self) -> StorageFailure | None:
        """Return how the storage fails this time, None if it doesn't."""
        failure = self.storage_failure
        if failure is None or failure.times is None:
            return failure
        failure.times -= 1
        if failure.times <= 0:
            self.storage_failure = None
        return failure if failure.times >= 0 else None
