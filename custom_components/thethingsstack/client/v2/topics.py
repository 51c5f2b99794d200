"""MQTT topics of an application in version 2."""

from dataclasses import dataclass


def filters(application_id: str) -> tuple[str, ...]:
    """Return the topic filters for uplinks and events.

    Wider ones, such as `{application}/#`, make some brokers close the connection.
    """
    return f"{application_id}/devices/+/up", f"{application_id}/devices/+/events/#"


def is_device_id(text: str) -> bool:
    """Return whether a text can be an end device's part of a topic."""
    return bool(text) and not set(text) & set("/+#")


def uplink(application_id: str, device_id: str) -> str:
    """Return the topic of the uplinks of an end device."""
    return f"{application_id}/devices/{device_id}/up"


def downlink(application_id: str, device_id: str) -> str:
    """Return the topic for the downlinks of an end device."""
    return f"{application_id}/devices/{device_id}/down"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's parts; `kind` is "up", or what happened: "down/sent", "activations"."""

    application_id: str
    device_id: str
    kind: str


def parse(topic: str) -> Topic | None:
    """Return the parts of a topic; None for one that is neither of uplinks nor of events."""
    application_id, devices, device_id, kind, below = [*topic.split("/", 4), *4 * [""]][:5]
    if devices != "devices" or not device_id:
        return None
    if kind == "up" and not below:
        return Topic(application_id, device_id, "up")
    if kind == "events" and below:
        return Topic(application_id, device_id, below)
    return None
