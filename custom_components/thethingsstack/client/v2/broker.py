"""The connection to the MQTT broker beside a Handler."""

from typing import Self, override

from ..errors import ConnectionFailed, MqttRefused
from ..mqtt import MqttConnection

SUBSCRIPTION_REFUSED = 0x80


class BrokerConnection(MqttConnection):
    """A connection to a broker that may close it instead of refusing a subscription."""

    @override
    async def __aenter__(self) -> Self:
        """Connect and subscribe; raises ConnectionFailed or a subclass of it."""
        try:
            await super().__aenter__()
        except ConnectionFailed as error:
            if error.name != "connection_lost":
                raise
            raise MqttRefused(
                "the MQTT server closed the connection when asked for the application's messages:"
                " the access key may not read them",
                code=SUBSCRIPTION_REFUSED,
                name="subscription_refused",
            ) from error
        return self
