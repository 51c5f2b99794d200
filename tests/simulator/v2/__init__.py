"""A The Things Network stack, version 2, on loopback: discovery, Handler, MQTT broker."""

from .simulator import Simulator

__all__ = ["Simulator"]
