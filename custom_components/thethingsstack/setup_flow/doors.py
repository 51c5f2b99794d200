"""The way by which messages come: its field in forms, and whether it works."""

from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol

from ..client import (
    ApplicationClient,
    AuthenticationFailed,
    Capabilities,
    MissingRight,
    MqttAddress,
    StackError,
)
from ..const import CONF_DOOR, DOOR_EVENTS, DOOR_MQTT, DOOR_WEBHOOK
from .probe import http_error, http_errors, mqtt_error
from .server_form import FormError

OFFERED = (DOOR_MQTT, DOOR_WEBHOOK, DOOR_EVENTS)
_EVERYTHING = Capabilities()


def door_schema(present: str, capabilities: Capabilities = _EVERYTHING) -> vol.Schema:
    """Return the form that asks for the way to connect, among those that the network has."""
    options = [door for door in OFFERED if door != DOOR_EVENTS or capabilities.event_stream]
    selector = SelectSelector(
        SelectSelectorConfig(options=options, translation_key="door", mode=SelectSelectorMode.LIST)
    )
    return vol.Schema({vol.Required(CONF_DOOR, default=present): selector})


async def async_check_door(stack: ApplicationClient, door: str) -> MqttAddress | None:
    """Connect once by a door that connects; returns where the MQTT server is. Raises FormError."""
    if door == DOOR_EVENTS:
        await _async_check_events(stack)
        return None
    with http_errors():
        mqtt = await stack.mqtt_address()
    try:
        await stack.check_mqtt()
    except StackError as err:
        raise mqtt_error(err, f"{mqtt.host}:{mqtt.port}") from err
    return mqtt


async def _async_check_events(stack: ApplicationClient) -> None:
    try:
        await stack.message_events.check()
    except (AuthenticationFailed, MissingRight) as err:
        raise http_error(err) from err
    except StackError as err:
        raise FormError("no_event_stream", CONF_DOOR, error=str(err)) from err


async def async_events_work(stack: ApplicationClient) -> bool:
    """Return whether messages can come over the event stream."""
    if not stack.capabilities.event_stream:
        return False
    try:
        await _async_check_events(stack)
    except FormError:
        return False
    return True
