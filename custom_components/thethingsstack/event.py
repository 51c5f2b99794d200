"""Event entities: activity, downlinks, and decoded fields that are events."""

from collections.abc import Container
from datetime import timedelta
from typing import Any, override

from homeassistant.components.event import (
    ATTR_MULTI_PRESS_COUNT,
    EventDeviceClass,
    EventEntity,
    EventEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.listeners import ACTIVITY, DOWNLINK
from .end_devices.state import EndDeviceState
from .entity import EndDeviceEntity, FieldEntity, async_setup_fields
from .fields.button_events import BUTTON_TYPES, press_of
from .fields.descriptions import common
from .payload import Kind, Meaning

PARALLEL_UPDATES = 0
TRIGGERED = "triggered"
DOWNLINK_TYPES = ["queued", "sent", "acknowledged", "not_acknowledged", "failed", "expired"]
# Older occurrences fire no event.
NEWS = timedelta(minutes=1)
# Values that formatters send in each uplink while nothing happens.
QUIET = frozenset({"", "0", "false", "none", "no", "off"})


async def async_setup_entry(
    hass: HomeAssistant, entry: TtsConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the event entities of known devices and fields, and later those of new ones."""
    coordinator = entry.runtime_data

    def built_in(device: EndDeviceState, left_out: Container[str]) -> list[Entity]:
        events: list[Entity] = []
        if ACTIVITY not in left_out:
            events.append(ActivityEvent(coordinator, device))
        if coordinator.downlinks.standing_of(device).seen and DOWNLINK not in left_out:
            events.append(DownlinkEvent(coordinator, device))
        return events

    @callback
    def add_downlink(device: EndDeviceState) -> None:
        async_add_entities([DownlinkEvent(coordinator, device)])

    await async_setup_fields(
        hass,
        entry,
        async_add_entities,
        Kind.EVENT,
        FieldEvent,
        built_in=built_in,
        built_in_keys=[ACTIVITY, DOWNLINK],
    )
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.first_downlink, add_downlink)
    )


class ActivityEvent(EndDeviceEntity, EventEntity):
    """Activity of an end device: uplink, join, failed decoding."""

    _unrecorded_attributes = frozenset({"decoded_payload", "payload", "received_at"})

    entity_description = EventEntityDescription(
        key=ACTIVITY,
        translation_key=ACTIVITY,
        event_types=["uplink", "joined", "decode_failed"],
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    )

    def __init__(self, coordinator: ApplicationCoordinator, device: EndDeviceState) -> None:
        """Create the entity; it fires on each activity of the end device."""
        super().__init__(coordinator, device, ACTIVITY)

    @callback
    @override
    def read(self) -> bool:
        """Return nothing new: a restored event fires nothing."""
        return False

    @callback
    @override
    def async_update_from_device(self, context: Context | None) -> None:
        """Fire what just happened; without a context only the availability changed."""
        if context is not None:
            activity = self.device.activity
            if activity is None:
                return
            self._trigger_event(activity.event_type, dict(activity.attributes))
            self.async_set_context(context)
        self.async_write_ha_state()


class DownlinkEvent(EndDeviceEntity, EventEntity):
    """State changes of the downlinks to an end device, from here or another client.

    Disabled at first: the logbook has them in words, and automations have triggers for them.
    """

    _unrecorded_attributes = frozenset({"payload", "correlation_id", "received_at"})

    entity_description = EventEntityDescription(
        key=DOWNLINK,
        translation_key=DOWNLINK,
        event_types=DOWNLINK_TYPES,
        entity_registry_enabled_default=False,
    )

    def __init__(self, coordinator: ApplicationCoordinator, device: EndDeviceState) -> None:
        """Create the entity; it fires on each state change of a downlink."""
        super().__init__(coordinator, device, DOWNLINK)

    @override
    async def async_added_to_hass(self) -> None:
        """Fire also for the first downlink, for which this entity was created."""
        await super().async_added_to_hass()
        self._tell()

    @callback
    @override
    def read(self) -> bool:
        """Return nothing new: a restored event fires nothing."""
        return False

    @callback
    @override
    def async_update_from_device(self, context: Context | None) -> None:
        """Fire what just happened; without a context only the availability changed."""
        if context is None:
            self.async_write_ha_state()
        else:
            self._tell()

    @callback
    def _tell(self) -> None:
        events = self.coordinator.downlinks.standing_of(self.device).events
        while events:
            moment, activity, context = events.pop(0)
            if dt_util.utcnow() - moment > NEWS:
                continue
            self._trigger_event(activity.event_type, dict(activity.attributes))
            if context is not None:
                self.async_set_context(context)
            self.async_write_ha_state()


class FieldEvent(FieldEntity, EventEntity):
    """A decoded field that reports an event, like a button press."""

    of_last_uplink = False  # that it becomes available again would look like an event

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        path: str,
        meaning: Meaning,
    ) -> None:
        """Create the entity with the event types of the field's meaning."""
        super().__init__(coordinator, device, path, meaning)
        self._button = meaning.quantity == "button"
        self.entity_description = EventEntityDescription(
            **common(path, meaning),
            device_class=EventDeviceClass.BUTTON if self._button else None,
        )
        self._named = frozenset(meaning.options)
        types = [self._event_type(name)[0] for name in meaning.options]
        standard = BUTTON_TYPES if self._button else []
        self._attr_event_types = list(dict.fromkeys((*standard, *types, TRIGGERED)))

    def _event_type(self, value: object) -> tuple[str, dict[str, Any]]:
        """Return the event type of a value, and the attributes that go with it."""
        if self._button and (press := press_of(self.path, value)) is not None:
            count = {} if press.count is None else {ATTR_MULTI_PRESS_COUNT: press.count}
            return str(press.event_type), count
        return (str(value) if value in self._named else TRIGGERED), {}

    @callback
    @override
    def read(self) -> bool:
        """Return False: earlier values fire no event."""
        return False

    @callback
    @override
    def async_update_from_device(self, context: Context | None) -> None:
        """Fire if the uplink reports an event."""
        if context is not None:
            value = self.device.values.get(self.path)
            named = isinstance(value, str) and value in self._named
            if value is None or (not named and str(value).casefold() in QUIET):
                return
            event_type, attributes = self._event_type(value)
            self._trigger_event(event_type, {"value": value, **attributes})
            self.async_set_context(context)
        self.async_write_ha_state()
