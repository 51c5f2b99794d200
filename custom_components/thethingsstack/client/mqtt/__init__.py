"""The MQTT server of an application: connection, topics, TLS context."""

from . import topics
from .connection import NOT_AUTHORIZED, MqttConnection
from .tls import tls_context

__all__ = ["NOT_AUTHORIZED", "MqttConnection", "tls_context", "topics"]
