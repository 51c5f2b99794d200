"""The Things Stack (TTN): the end devices of a LoRaWAN application in Home Assistant."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.typing import ConfigType

from .actions.all_actions import async_setup_services
from .application.client_factory import async_create_stack, async_discard_key
from .application.store import ApplicationStore
from .client import AuthenticationFailed, InvalidRequest, NotFound, StackError
from .client.rights import DEVICES_READ
from .const import DOMAIN
from .controls.suggestions import async_watch_presets
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .downlinks.ledger import DownlinkLedger
from .end_devices.cleanup import async_watch_vanished, forget, remove_controls
from .end_devices.last_values import LastValues
from .end_devices.left_out import leaving_out
from .end_devices.state import EndDeviceState
from .end_devices.uplink_history import UplinkHistory
from .fields.apply_overrides import (
    async_apply_overrides,
    async_show_again,
    async_take_position_over,
)
from .fields.decisions import FieldDecisions
from .formatters.store import FormatterStore
from .gateways import async_remove_gateway
from .issues.watch import async_watch_issues
from .panel import (
    async_offer_dashboard,
    async_register_commands,
    async_register_frontend,
    async_show_panel,
    traffic_of,
)
from .takeover import async_remove_takeover, async_watch_takeover
from .webhook import (
    async_keep_webhook,
    async_prepare_webhook,
    async_remove_webhook,
    connection_settings,
)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, and what the panel loads and asks."""
    async_setup_services(hass)
    async_register_commands(hass)
    await async_register_frontend(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: TtsConfigEntry) -> bool:
    """Connect an application; the stream is started after the platforms are set up."""

    @callback
    def key_refused(error: AuthenticationFailed) -> None:
        """Let a running application check its key; one that is being set up raises the error."""
        if entry.state is ConfigEntryState.LOADED:
            entry.runtime_data.connection_state.note_key_refused(error)

    changed_at, options = entry.modified_at, dict(entry.options)
    connected_with = connection_settings(entry.data)
    await async_show_panel(hass)
    async_offer_dashboard(hass)
    try:
        stack = await async_create_stack(hass, entry.data, on_key_refused=key_refused)
    except InvalidRequest as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="unusable_settings",
            translation_placeholders={"error": str(err)},
        ) from err
    await async_prepare_webhook(hass, entry, stack)
    coordinator = ApplicationCoordinator(hass, entry, stack)
    await coordinator.async_setup()
    entry.runtime_data = coordinator
    coordinator.gateways.async_prepare()
    if coordinator.fields.overrides:  # models may be others by now
        await async_apply_overrides(hass, coordinator)
    await coordinator.platforms.async_setup()
    async_watch_issues(hass, entry)
    async_watch_presets(hass, entry)
    async_watch_takeover(hass, entry)
    async_watch_vanished(hass, entry)
    coordinator.gateways.async_start()

    async def async_updated(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
        """Apply changed options, controls and gateways; reload the entry if server or key changed.

        Once the entry is unloaded that ends, since it is set up with all changes until then.
        """
        nonlocal options
        if connection_settings(entry.data) != connected_with:
            hass.config_entries.async_schedule_reload(entry.entry_id)
            return
        if options != entry.options:
            options = dict(entry.options)
            await coordinator.async_apply_options()
            await async_show_panel(hass)
        await coordinator.platforms.async_apply()
        if coordinator.stopped:
            return
        changed = await coordinator.controls.async_apply()
        await async_show_again(hass, coordinator, changed)
        if not coordinator.stopped:
            await coordinator.gateways.async_apply()

    async def async_identified(device: EndDeviceState) -> None:
        """Apply the overrides of its model to an end device whose model became known."""
        await async_apply_overrides(hass, coordinator, [device])

    entry.async_on_unload(entry.add_update_listener(async_updated))

    async def async_position_found(device: EndDeviceState, path: str) -> None:
        """Replace the tracker of another position source by that of the payload's position."""
        await async_take_position_over(hass, coordinator, device, path)

    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.identified, async_identified)
    )
    entry.async_on_unload(
        async_dispatcher_connect(hass, coordinator.signals.position_found, async_position_found)
    )
    coordinator.async_start()
    async_keep_webhook(
        hass,
        entry,
        stack,
        coordinator.door,
        rights=lambda: coordinator.rights,
        device_ids=lambda: coordinator.roster.registrations,
    )
    if entry.modified_at != changed_at:  # while it was set up, when nobody listened
        hass.async_create_task(async_updated(hass, entry), f"{DOMAIN} changes")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: TtsConfigEntry) -> bool:
    """Stop the application, store what the next start needs, and remove the entities."""
    await entry.runtime_data.async_stop()
    await async_show_panel(hass)
    async_offer_dashboard(hass)
    return await entry.runtime_data.platforms.async_unload()


async def async_remove_entry(hass: HomeAssistant, entry: TtsConfigEntry) -> None:
    """Delete the stored files of the application, and the webhook and API key created for it."""
    traffic_of(hass).forget(entry.entry_id)
    await async_show_panel(hass)
    async_offer_dashboard(hass)
    await async_remove_webhook(hass, entry)
    await async_discard_key(hass, entry.data)
    store = ApplicationStore(hass, entry.entry_id, UplinkHistory.from_stored)
    await store.async_remove()
    await FieldDecisions(hass, entry.entry_id, store.model_of).async_remove()
    await DownlinkLedger(hass, entry.entry_id).async_remove()
    await FormatterStore(hass, entry.entry_id).async_remove()
    await LastValues(hass, entry, {}).async_remove()
    await async_remove_takeover(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: TtsConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let the user remove an end device from Home Assistant.

    One that The Things Stack has, or may have, is left out from now on by the options, where that
    is undone. Nothing changes on the server.
    """
    if async_remove_gateway(hass, entry, device):
        return True
    if entry.state is not ConfigEntryState.LOADED:
        remove_controls(hass, entry, device)
        return True
    coordinator = entry.runtime_data
    state = coordinator.roster.by_registry_id(device.id)
    if state is None:
        if coordinator.roster.application_registry_id == device.id:
            return False
        remove_controls(hass, entry, device)
        return True
    deleted = await _async_is_deleted(coordinator, state)
    if deleted or state.end_device is None:
        forget(hass, entry, state)
    if not deleted:
        hass.config_entries.async_update_entry(
            entry, options=leaving_out(entry.options, state.device_id)
        )
    return True


async def _async_is_deleted(coordinator: ApplicationCoordinator, state: EndDeviceState) -> bool:
    """Return whether the server no longer has the end device; False if that can't be read."""
    if state.vanished:
        return True
    if DEVICES_READ not in coordinator.rights:
        return False
    try:
        await coordinator.stack.device(state.device_id)
    except NotFound:
        return True
    except StackError:
        return False
    return False
