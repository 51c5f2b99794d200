"""The MQTT front end of the Application Server: who gets in, what is delivered and taken."""

from typing import Protocol, override

from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.publish import PublishPacket

from .faults import Faults
from .mqtt_server import Connection, Login, MqttServer

_NOT_AUTHORISED = 5


class Backend(Protocol):
    """What the front end asks the Application Server."""

    def mqtt_login(self, username: str | None, password: str | None) -> Login | None:
        """Return the login, or None if it is refused, for whatever reason."""

    def mqtt_publish(self, uid: str, device_id: str, operation: str, payload: bytes) -> None:
        """Take a downlink operation (`push` or `replace`); errors stay silent."""


def rewrite(topic_filter: str, uid: str) -> list[str] | None:
    """Return the filter below the own application, or None if it asks for another one."""
    steps = topic_filter.split("/")
    if "#" in steps[:-1]:
        return None
    if steps in (["#"], ["v3", "#"]):
        return ["v3", uid, "#"]
    if len(steps) < 3 or steps[0] != "v3" or steps[1] not in ("+", uid):
        return None
    return ["v3", uid, *steps[2:]]


class Broker(MqttServer):
    """Delivers below the own application, takes downlinks for it, and stays silent otherwise."""

    def __init__(self, backend: Backend, faults: Faults) -> None:
        super().__init__(faults)
        self._backend = backend

    @override
    def greet(self, packet: ConnectPacket) -> Login | int | None:
        if packet.proto_level not in (3, 4):
            # Read as 3.1.1, the properties of an MQTT 5 client garble its credentials.
            return None if packet.username_flag else 1
        assert packet.payload is not None
        login = self._backend.mqtt_login(packet.payload.username, packet.payload.password)
        return _NOT_AUTHORISED if login is None else login

    @override
    def subscribe(self, connection: Connection, topic_filter: str, qos: int) -> int:
        pattern = rewrite(topic_filter, connection.login.uid)
        if pattern is None:
            return 0x80
        connection.filters[topic_filter] = pattern
        return qos

    @override
    def subscribed(self, connection: Connection, topic_filters: list[str]) -> None:
        """Send nothing: no message is retained."""

    @override
    def admit(self, connection: Connection, packet: PublishPacket) -> None:
        """Acknowledge everything, also what is dropped."""

    @override
    def publish(self, connection: Connection, packet: PublishPacket) -> None:
        topic = (packet.topic_name or "").split("/")
        if not connection.login.writes:
            return
        match topic:
            case ["v3", uid, "devices", device_id, "down", ("push" | "replace") as operation]:
                if uid == connection.login.uid:
                    self._backend.mqtt_publish(uid, device_id, operation, packet.data or b"")
