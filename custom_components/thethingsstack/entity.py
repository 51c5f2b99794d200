"""Base classes of the entities of end devices and of the application."""

from abc import abstractmethod
import asyncio
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from itertools import batched
from typing import override

from homeassistant.const import EntityCategory, Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from .application.signals import Additions, Removals
from .const import DOMAIN
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .end_devices.listeners import field_key
from .end_devices.radio_details import RADIO_DETAILS, has_details_for_all
from .end_devices.state import EndDeviceState
from .payload import Kind, Meaning

CHUNK = 20
NO_PLACEHOLDERS: Mapping[str, str] = {}
"""No entity's translated name has placeholders."""


async def async_add_in_chunks[EntityT: Entity](
    async_add_entities: AddConfigEntryEntitiesCallback,
    devices: Iterable[EndDeviceState],
    entities_of: Callable[[EndDeviceState], Iterable[EntityT]],
) -> None:
    """Add the entities of many end devices without blocking the event loop for long."""
    for chunk in batched(list(devices), CHUNK, strict=False):
        async_add_entities([entity for device in chunk for entity in entities_of(device)])
        await asyncio.sleep(0)


def unique_id(device: EndDeviceState, key: str) -> str:
    """Return the unique id of the entity of an end device that listens to `key`."""
    return f"{device.key}/{key}"


type IsDisabled = Callable[[str], bool | None]
"""Whether the entity with a unique ID is disabled; None if it isn't registered."""


@callback
def _is_disabled(registry: er.EntityRegistry, platform: Platform, wanted: str) -> bool | None:
    entity_id = registry.async_get_entity_id(platform, DOMAIN, wanted)
    entry = registry.async_get(entity_id) if entity_id is not None else None
    return None if entry is None else entry.disabled


@callback
def left_out_keys(
    coordinator: ApplicationCoordinator,
    device: EndDeviceState,
    keys: Iterable[str],
    is_disabled: IsDisabled,
) -> set[str]:
    """Return the keys whose entities needn't be created.

    These are registered and disabled (Home Assistant reloads the entry when the user enables one),
    or radio details that nobody asked for.
    """
    on_request = frozenset() if has_details_for_all(coordinator) else RADIO_DETAILS
    found = {key: is_disabled(unique_id(device, key)) for key in keys}
    return {
        key
        for key, disabled in found.items()
        if disabled or (disabled is None and key in on_request)
    }


class EndDeviceEntity(Entity):
    """An entity that shows one value of an end device, and is updated when it changes.

    There may be many thousands. Home Assistant keeps some 50 values in an entity's dictionary, most
    of them cached properties, and one with more than 42 takes twice the memory. So properties that
    are the same in all are attributes of the class, those that the description has are not cached,
    and own attributes have slots.
    """

    __slots__ = ("coordinator", "device", "entity_description", "key")

    assumed_state = False
    attribution = None
    device_info = None
    entity_picture = None
    entity_registry_visible_default = True
    force_update = False
    has_entity_name = True
    should_poll = False
    supported_features = None
    icon: str | None = None
    """Icons come from the frontend."""
    _attr_translation_placeholders = NO_PLACEHOLDERS
    """Without it each entity would make an empty dictionary of its own."""
    of_last_uplink = False
    """Whether it shows what the last uplink brought, which may be too old to be shown."""

    def __init__(
        self, coordinator: ApplicationCoordinator, device: EndDeviceState, key: str
    ) -> None:
        """Create an entity of the end device; it listens to `key`, which ends its unique ID."""
        self.coordinator = coordinator
        self.device = device
        self.key = key
        if device.registry_id is not None:
            # The roster has registered it; `device_info` would do so again for each entity.
            self.device_entry = dr.async_get(coordinator.hass).async_get(device.registry_id)

    @property
    @override
    def unique_id(self) -> str:
        """Return the end device's key and what of it is shown."""
        return unique_id(self.device, self.key)

    @property
    @override
    def translation_key(self) -> str | None:
        """Return the key of its translated name and states."""
        return self.entity_description.translation_key

    @property
    @override
    def entity_category(self) -> EntityCategory | None:
        """Return the category that its description has."""
        return self.entity_description.entity_category

    @property
    @override
    def entity_registry_enabled_default(self) -> bool:
        """Return whether it is enabled at first."""
        return self.entity_description.entity_registry_enabled_default

    @property
    @override
    def available(self) -> bool:
        """Return whether the application is connected and has the device.

        A silent one stays available, unless the options want it otherwise.
        """
        coordinator, device = self.coordinator, self.device
        if not coordinator.connection_state.available or device.vanished:
            return False
        watch = coordinator.overdue_watch
        return not (watch.hides_values and self.of_last_uplink and watch.is_overdue(device))

    @override
    async def async_added_to_hass(self) -> None:
        """Show the current value and listen for changes."""
        await super().async_added_to_hass()
        await self.async_restore()
        self.read()
        if self.device.arriving is not None:
            self.async_set_context(self.device.arriving)
        self.device.subscribe(self.key, self.async_update_from_device)

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Stop listening."""
        await super().async_will_remove_from_hass()
        self.device.unsubscribe(self.key, self.async_update_from_device)

    async def async_restore(self) -> None:
        """Restore the state before the restart; entities that keep one override this."""

    @callback
    @abstractmethod
    def read(self) -> bool:
        """Update from the end device's state; return whether anything changed."""

    @callback
    def async_update_from_device(self, context: Context | None) -> None:
        """Write the state if it changed, or if only the availability did (no context)."""
        if not self.read() and context is not None:
            return
        if (context := context or self.device.arriving) is not None:
            self.async_set_context(context)
        self.async_write_ha_state()


class FieldEntity(EndDeviceEntity):
    """An entity that shows a decoded field."""

    __slots__ = ("icon", "path", "set_by_control")

    of_last_uplink = True

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        device: EndDeviceState,
        path: str,
        meaning: Meaning,
    ) -> None:
        """Use the field's own name if it has one, else its quantity's."""
        super().__init__(coordinator, device, field_key(path))
        self.path = path
        self.icon = meaning.icon
        override = coordinator.fields.override(device.key, path)
        given = override.change.name if override is not None else None
        if (name := given or coordinator.names.own(meaning)) is not None:
            # Not in the description: a translated name would replace it there.
            self._attr_name = name
        self.set_by_control = coordinator.controls.sets(device.key, path)

    @property
    @override
    def entity_category(self) -> EntityCategory | None:
        """Return diagnostic for a field that a control shows, too."""
        return EntityCategory.DIAGNOSTIC if self.set_by_control else super().entity_category


type FieldFactory = Callable[[ApplicationCoordinator, EndDeviceState, str, Meaning], FieldEntity]


def _none_built_in(_device: EndDeviceState, _left_out: Container[str]) -> list[Entity]:
    return []


async def async_setup_fields(
    hass: HomeAssistant,
    entry: TtsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    kind: Kind,
    factory: FieldFactory,
    *,
    built_in: Callable[[EndDeviceState, Container[str]], list[Entity]] = _none_built_in,
    built_in_keys: Iterable[str] = (),
) -> None:
    """Add the entities of all fields of a kind, later those of new fields, and remove others.

    `built_in` returns an end device's further entities, those of `built_in_keys`; it gets the keys
    of which none is needed.
    """
    coordinator = entry.runtime_data
    platform, keys = async_get_current_platform(), list(built_in_keys)
    domain = Platform(kind)
    # A platform may be set up while uplinks come: what a device has by its turn is added then.
    waiting = set(coordinator.roster.states)
    registry = er.async_get(hass)
    entries = er.async_entries_for_config_entry(registry, entry.entry_id)
    # Many look-ups for each of many end devices; what changes meanwhile, Home Assistant sees to.
    registered = {item.unique_id: item.disabled for item in entries if item.domain == domain}

    def fields(
        device: EndDeviceState, new: Mapping[str, Meaning], left_out: Container[str] = ()
    ) -> list[Entity]:
        return [
            factory(coordinator, device, path, meaning)
            for path, meaning in new.items()
            if meaning.kind is kind and field_key(path) not in left_out
        ]

    def known(device: EndDeviceState) -> list[Entity]:
        waiting.discard(device.key)
        decided = [field_key(p) for p, m in device.decisions.items() if m.kind is kind]
        left_out = left_out_keys(coordinator, device, [*keys, *decided], registered.get)
        return [*built_in(device, left_out), *fields(device, device.decisions, left_out)]

    def details(device: EndDeviceState) -> list[Entity]:
        missing = {
            key
            for key in RADIO_DETAILS.intersection(keys)
            if registry.async_get_entity_id(domain, DOMAIN, unique_id(device, key)) is None
        }
        return built_in(device, set(keys) - missing)

    @callback
    def add(device: EndDeviceState, new: dict[str, Meaning]) -> None:
        if device.key not in waiting and (entities := fields(device, new)):
            async_add_entities(entities)

    @callback
    def add_device(device: EndDeviceState) -> None:
        is_disabled = partial(_is_disabled, registry, domain)
        async_add_entities(built_in(device, left_out_keys(coordinator, device, keys, is_disabled)))

    @callback
    def add_details(devices: list[EndDeviceState], additions: Additions) -> None:
        additions.append(async_add_in_chunks(async_add_entities, devices, details))

    @callback
    def remove(device: EndDeviceState, paths: frozenset[str], removals: Removals) -> None:
        for path in paths:
            wanted = unique_id(device, field_key(path))
            entity_id = registry.async_get_entity_id(domain, DOMAIN, wanted)
            if entity_id is not None and (entity := platform.entities.get(entity_id)) is not None:
                removals.append(entity.async_remove(force_remove=True))

    signals = coordinator.signals
    entry.async_on_unload(async_dispatcher_connect(hass, signals.new_fields, add))
    entry.async_on_unload(async_dispatcher_connect(hass, signals.removed_fields, remove))
    if keys:
        entry.async_on_unload(async_dispatcher_connect(hass, signals.new_device, add_device))
        entry.async_on_unload(
            async_dispatcher_connect(hass, signals.details_asked_for, add_details)
        )
    await async_add_in_chunks(async_add_entities, coordinator.roster.states.values(), known)


class ApplicationEntity(Entity):
    """An entity of the application itself; stays available without a connection."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, coordinator: ApplicationCoordinator, key: str) -> None:
        """Create an entity of the application's own device; `key` ends its unique ID."""
        self.coordinator = coordinator
        identifier = coordinator.roster.application_identifier
        self._attr_unique_id = f"{identifier[1]}/{key}"
        self._attr_translation_key = key
        self._attr_device_info = DeviceInfo(identifiers={identifier})

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for changes."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self.coordinator.application_status.async_listen(self.async_write_ha_state)
        )
