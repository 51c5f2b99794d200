"""What a stack can do: dialogues and actions ask this instead of the stack's version."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from .errors import NotSupported


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the server's stack can do; the defaults are The Things Stack, version 3.

    A call that needs what is missing raises NotSupported with the field's name as `capability`.
    """

    # Downlinks
    nack: bool = True
    """It reports that a confirmed downlink was not acknowledged."""
    repeats_confirmed: bool = False
    """It repeats a confirmed downlink without end until it is acknowledged or replaced."""
    downlink_queue: bool = True
    """The downlink queue can be read and emptied."""
    downlink_first: bool = False
    """A downlink can be put before all that are queued (`push_first`)."""
    downlink_priority: bool = True
    """A downlink can have a priority."""
    downlink_attempts: bool = True
    """The attempts of a confirmed downlink can be limited."""
    scheduled_downlinks: bool = True
    """A downlink can name gateways and a time (classes B and C)."""

    # Payload formatters
    device_formatters: bool = True
    """An end device can have payload formatters of its own; else only the application has."""
    formatter_trial: bool = True
    """A payload formatter can be tried without sending anything."""

    # Messages
    event_stream: bool = True
    """Messages can come over the HTTPS event stream, and events about end devices with it."""
    device_changes: bool = False
    """The message stream itself reports registered, changed and deleted end devices."""
    event_history: bool = True
    """The server keeps events for a while, so that uplinks of an interruption can be read."""
    storage: bool = True
    """The server may have a Storage Integration."""
    webhooks: bool = True
    """Webhooks can be listed, made and changed over the HTTP API."""
    simulated_uplinks: bool = True
    """Uplinks can be simulated over the HTTP API."""
    packet_error_rate: bool = True
    """Uplinks say how many of the latest frames were lost."""

    # End devices
    several_servers: bool = True
    """Several servers keep parts of an end device, so that one may be half created."""
    repository: bool = True
    """There is a Device Repository with brands and models."""
    frequency_plans: bool = True
    """An end device has a frequency plan and LoRaWAN versions of its own."""
    device_names: bool = True
    """An end device has a name and a description; else its only text is called its name."""
    claiming: bool = True
    """End devices can be claimed, and their QR codes read."""
    dev_eui_issuing: bool = True
    """The server may issue DevEUIs."""
    session_reset: bool = True
    """An end device's session can be deleted."""
    changed_since: bool = True
    """End devices that were changed after a time can be listed."""
    last_seen_listed: bool = True
    """A list of end devices says when each was seen last; else only a single one's answer does."""

    # Application
    application_settings: bool = True
    """The application has a name, a description and attributes."""
    rights_listing: bool = True
    """The server names the rights of a key; else they are found by trying."""
    api_keys: bool = True
    """API keys can be listed, made and deleted, and collaborators listed."""
    tenants: bool = True
    """The application may belong to a tenant."""
    gateways: bool = True
    """Gateways can be read."""
    console: bool = True
    """The server has a Console, with a page for the application and each end device."""

    right_names: Mapping[str, str] = field(default_factory=dict)
    """The names of rights for users, where they are others than those of the Console."""

    def require(self, capability: str) -> None:
        """Raise NotSupported if the stack lacks a capability; `capability` is a field's name."""
        if not getattr(self, capability):
            raise NotSupported(capability)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the capabilities that version 3 has and this stack lacks."""
        return tuple(
            item.name
            for item in fields(self)
            if item.default is True and not getattr(self, item.name)
        )


class Lacking:
    """Stands for a part of the client that the stack doesn't have: every call is refused."""

    def __init__(self, capability: str) -> None:
        """Take the name of the capability that is missing."""
        self._capability = capability

    def __getattr__(self, name: str) -> Any:
        """Return a function that raises NotSupported, for any method."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self._refuse

    def _refuse(self, *_arguments: object, **_named: object) -> NoReturn:
        raise NotSupported(self._capability)


def lacking(capability: str) -> Any:
    """Return the part of a client whose methods all raise NotSupported."""
    return Lacking(capability)
