"""The ways by which messages get into Home Assistant: what a config entry has for each."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulator import Simulator

DOORS: Mapping[str, Callable[[Simulator], dict[str, Any]]] = {
    "mqtt": lambda simulator: {
        "door": "mqtt",
        "mqtt_host": simulator.mqtt_host,
        "mqtt_port": simulator.mqtt_port,
    },
}
"""Data of the entry by the name of the door; the scenarios are the same for all."""
