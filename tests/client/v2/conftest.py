"""Recordings of a stack of version 2."""

from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

import pytest

from thethingsstack.v2.correlation import Correlation
from thethingsstack.v2.messages import Reader

FIXTURES = Path(__file__).parents[2] / "fixtures" / "v2"
NOW = datetime(2026, 11, 23, 10, 45, tzinfo=UTC)
APPLICATION = "garden"


def recorded(path: str) -> Any:
    """Return a recording."""
    return json.loads((FIXTURES / path).read_text())


def exchanges() -> dict[str, dict[str, Any]]:
    """Return the recorded HTTP exchanges by name, such as "devices/list"."""
    root = FIXTURES / "http"
    found = {
        path.relative_to(root).with_suffix("").as_posix(): json.loads(path.read_text())
        for path in sorted(root.rglob("*.json"))
    }
    return {name: exchange for name, exchange in found.items() if "request" in exchange}


def payload_of(message: dict[str, Any]) -> bytes:
    """Return the bytes of a recorded message."""
    text = message.get("text")
    return (json.dumps(message["payload"]) if text is None else text).encode()


class Readers:
    """A reader for each application; the clock stands, or is set."""

    def __init__(self) -> None:
        self.now = NOW
        self.correlations: dict[str, Correlation] = {}
        self.readers: dict[str, Reader] = {}

    def of(self, application_id: str) -> Reader:
        """Return the reader of an application."""
        if application_id not in self.readers:
            correlation = self.correlations[application_id] = Correlation()
            self.readers[application_id] = Reader(application_id, correlation, lambda: self.now)
        return self.readers[application_id]

    def read(self, message: dict[str, Any]) -> Any:
        """Read a recorded message."""
        topic = message["topic"]
        return self.of(topic.partition("/")[0]).read(topic, payload_of(message))


@pytest.fixture
def readers() -> Readers:
    """The readers of all applications."""
    return Readers()
