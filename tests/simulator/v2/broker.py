"""The MQTT broker beside the Handler: Mosquitto or RabbitMQ, as they were recorded.

Both forward what applications publish to whoever may read it, and keep retained messages.
"""

from collections.abc import Callable
from typing import Literal, override

from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.publish import PublishPacket

from ..faults import Faults
from ..mqtt_server import Connection, Login, MqttServer, matches
from .accounts import READ, WRITE, AccountServer

type Kind = Literal["mosquitto", "rabbitmq"]

_REFUSED = {"mosquitto": 5, "rabbitmq": 4}
_MOST_QOS = {"mosquitto": 2, "rabbitmq": 1}
_READABLE = ("up", "events")
"""What RabbitMQ lets subscribe to, below `{app}/devices/{dev}`."""


class Broker(MqttServer):
    """One application per connection, with the access list of the recorded broker."""

    def __init__(self, accounts: AccountServer, faults: Faults, kind: Kind) -> None:
        super().__init__(faults)
        self.kind: Kind = kind
        self._accounts = accounts
        self.retained: dict[str, bytes] = {}
        self.downlink: Callable[[str, str, bytes], None] = lambda _app, _dev, _payload: None
        """Called with application, device and payload of each published downlink."""

    @override
    def greet(self, packet: ConnectPacket) -> Login | int | None:
        if packet.proto_level not in (3, 4):
            return None
        assert packet.payload is not None
        username, password = packet.payload.username, packet.payload.password
        key = self._accounts.find_key(password or "", username or "")
        if key is None or self._faults.keys_refused or self._faults.rights_empty:
            return _REFUSED[self.kind]
        reads, writes = READ in key.rights, WRITE in key.rights
        if not reads and not writes:
            return _REFUSED[self.kind]
        return Login(key.application_id, reads, writes)

    @override
    def subscribe(self, connection: Connection, topic_filter: str, qos: int) -> int:
        steps = topic_filter.split("/")
        own = connection.login.uid
        if self.kind == "rabbitmq":
            if not _is_readable(steps, own):
                raise ConnectionAbortedError
        elif steps[0] in ("#", "+"):
            # Only what the access list lets through is delivered.
            steps = [own, *(steps if steps[0] == "#" else steps[1:])]
        if steps[0] == own:
            connection.filters[topic_filter] = steps
        return min(qos, _MOST_QOS[self.kind])

    @override
    def subscribed(self, connection: Connection, topic_filters: list[str]) -> None:
        for topic, payload in self.retained.items():
            steps = topic.split("/")
            patterns = [connection.filters.get(name, []) for name in topic_filters]
            if connection.reads and any(matches(pattern, steps) for pattern in patterns):
                packet = PublishPacket.build(topic, payload, None, False, 0, True)
                connection.send(bytes(packet.to_bytes()))

    @override
    def admit(self, connection: Connection, packet: PublishPacket) -> None:
        if self.kind == "rabbitmq" and _device(connection, packet) is None:
            raise ConnectionAbortedError

    @override
    def publish(self, connection: Connection, packet: PublishPacket) -> None:
        device_id, payload = _device(connection, packet), bytes(packet.data or b"")
        if device_id is None:
            return
        topic = packet.topic_name or ""
        if packet.retain_flag:
            self.retained[topic] = payload
            if not payload:
                del self.retained[topic]
        self.deliver(topic, payload)
        self.downlink(connection.login.uid, device_id, payload)

    def repeat_retained(self) -> None:
        """Give the Handler what is retained, as when it subscribes anew."""
        for topic, payload in self.retained.items():
            application_id, _, device_id, _ = topic.split("/")
            self.downlink(application_id, device_id, payload)


def _is_readable(steps: list[str], own: str) -> bool:
    """Return whether RabbitMQ lets an application subscribe to a filter."""
    match steps:
        case [application_id, "devices", device_id, kind, *_]:
            return application_id == own and device_id != "#" and kind in _READABLE
    return False


def _device(connection: Connection, packet: PublishPacket) -> str | None:
    """Return whose downlink topic a client may publish on and does, None otherwise."""
    match (packet.topic_name or "").split("/"):
        case [application_id, "devices", device_id, "down"] if connection.login.writes:
            return device_id if application_id == connection.login.uid else None
    return None
