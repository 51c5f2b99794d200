"""The MQTT server of an application: connection, topics, TLS context."""

from . import topics
from .connection import BAD_LOGIN, NOT_AUTHORIZED, MqttConnection
from .tls import tls_context

__all__ = ["BAD_LOGIN", "NOT_AUTHORIZED", "MqttConnection", "tls_context", "topics"]
