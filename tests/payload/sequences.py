"""Uplinks of one end device in a row, with all that is kept of it in between."""

from collections.abc import Iterable, Mapping
from typing import Any

from thethingsstack.payload import Context, Meaning, Observations, Understanding, Value, understand


class Sequence:
    """An end device that sends uplinks; keeps decisions and observations as callers do."""

    def __init__(self, context: Context | None = None) -> None:
        """Start with nothing received."""
        self.context = context or Context()
        self.decisions: dict[str, Meaning] = {}
        self.observations: dict[str, Observations] = {}
        self.values: dict[str, Value] = {}
        self.contradictions: dict[str, str] = {}

    def send(self, decoded: Mapping[str, Any]) -> Understanding:
        """Receive one uplink."""
        understanding = understand(
            decoded,
            decisions=self.decisions,
            observations=self.observations,
            context=self.context,
        )
        self.decisions |= understanding.new | understanding.grown | understanding.corrected
        self.observations |= understanding.observations
        for path in understanding.settled:
            self.observations.pop(path, None)
        self.values |= understanding.values
        self.contradictions |= understanding.contradictions
        return understanding


def sent(key: str, values: Iterable[Any]) -> Sequence:
    """Return the end device after uplinks with these values of one field."""
    sequence = Sequence()
    for value in values:
        sequence.send({key: value})
    return sequence
