"""What the simulated stack does wrong on demand."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RateLimit:
    """So many calls at once, then so many per minute, for each token and path."""

    burst: int
    per_minute: float


@dataclass
class Faults:
    """Attributes to set at run time; the next request or connection meets them."""

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
    http_status: dict[str, int] = field(default_factory=dict)
    """Path prefix, with or without `/api/v3`, to the status to answer with.

    A method may stand before it, as in all that follow: `PUT /ns/`.
    """
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
    storage: bool = True
    """Whether the Storage Integration exists; without it its paths don't."""
    rate_limits: dict[str, RateLimit] = field(default_factory=dict)
    """End of a path to its limit; calls are counted for each token and path."""
