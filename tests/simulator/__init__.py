"""A The Things Stack on loopback: MQTT broker, HTTP API, a small world of devices."""

from .faults import Faults, RateLimit, StorageFailure
from .simulator import Simulator

__all__ = ["Faults", "RateLimit", "Simulator", "StorageFailure"]
