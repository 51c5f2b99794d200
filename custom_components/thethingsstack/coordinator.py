"""One application: passes messages from its stream to end devices and entities."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
import logging
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .application.catch_up import CatchUp
from .application.connection_state import ConnectionState
from .application.platforms import Platforms
from .application.signals import Signals
from .application.status import ApplicationStatus, Counters
from .application.store import ApplicationStore
from .application.time_slices import StreamSlices
from .client import (
    ApplicationClient,
    AuthenticationFailed,
    DeviceChanged,
    DownlinkReport,
    JoinAccept,
    LocationSolved,
    Message,
    MessagesDropped,
    MissingRight,
    StackError,
    StreamConnected,
    StreamItem,
    StreamLost,
    UnreadableMessage,
    UplinkMessage,
)
from .client.rights import DEVICES_READ, INFO
from .const import CONF_PLAIN_FIELDS, DOMAIN, LARGE_APPLICATION
from .controls.subentries import Controls
from .core_lorawan import CoreLorawan
from .doors import create_door
from .downlinks.sender import Downlinks
from .end_devices.activity import Activity, async_report_occurrence, uplink_activity
from .end_devices.expected_fields import ExpectedFields
from .end_devices.lifecycle import EndDeviceLifecycle
from .end_devices.listeners import ACTIVITY, AIRTIME_24H, LAST_UPLINK, LOCATION, STATUS, field_key
from .end_devices.logbook_events import async_fire_for_logbook
from .end_devices.overdue import OverdueWatch
from .end_devices.radio_details import async_apply_details_option
from .end_devices.received import Received
from .end_devices.registry_sync import RegistrySync
from .end_devices.roster import EndDeviceRoster
from .end_devices.state import EndDeviceState
from .end_devices.uplink_history import UplinkHistory
from .fields.apply_overrides import async_drop_expected, async_show_corrected
from .fields.decisions import FieldDecisions
from .fields.known_locations import solved_location
from .fields.names import FieldNames
from .formatters import FormatterTexts
from .gateways import Gateways
from .panel import traffic_of
from .payload import Kind, Meaning
from .provisioning import PartialDevices
from .statistics import Corrections, PastHours
from .takeover import Takeover

_LOGGER = logging.getLogger(__name__)

type Decisions = dict[str, tuple[Meaning, Meaning]]
"""The earlier and the present decision of each field, by path."""
type TtsConfigEntry = ConfigEntry[ApplicationCoordinator]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPauses:
    """Seconds until the stream is started again."""

    refused: float = 300.0
    """After the key was refused, or may not read."""
    broken: float = 60.0
    """After an unexpected error in the integration."""


STREAM_PAUSES: HassKey[StreamPauses] = HassKey(f"{DOMAIN}_stream_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


class ApplicationCoordinator:
    """Passes messages from the stream to the end devices, and updates their entities.

    Entities listen to their own end device by key, so an uplink never updates entities of
    another end device.
    """

    def __init__(
        self, hass: HomeAssistant, entry: TtsConfigEntry, stack: ApplicationClient
    ) -> None:
        """Prepare; makes no request yet."""
        self.hass = hass
        self.entry = entry
        self.stack = stack
        self.door = create_door(hass, entry, stack)
        self.store = ApplicationStore(hass, entry.entry_id, UplinkHistory.from_stored)
        self.fields = FieldDecisions(hass, entry.entry_id, self.store.model_of)
        self.roster = EndDeviceRoster(hass, entry, stack, self.store, self.fields)
        self.application_status = ApplicationStatus(hass, entry)
        self.connection_state = ConnectionState(
            hass,
            entry,
            stack,
            self.door,
            application_status=self.application_status,
            roster=self.roster,
        )
        self.overdue_watch = OverdueWatch(hass, entry, self.roster)
        self.signals = Signals.of(entry.entry_id)
        self.names = FieldNames({})
        self.downlinks = Downlinks(
            hass,
            entry,
            stack,
            self.roster,
            connection_state=self.connection_state,
            signals=self.signals,
        )
        self.expected_fields = ExpectedFields(self, partial(async_drop_expected, hass, self))
        self.formatter_texts = FormatterTexts(self)
        self.controls = Controls(hass, entry, self.roster, self.downlinks.release_control)
        self.gateways = Gateways(hass, entry, self.roster)
        self.lifecycle = EndDeviceLifecycle(self)
        self.sync = RegistrySync(self)
        self.partial_devices = PartialDevices(self)
        self.past_hours = PastHours(self)
        self.corrections = Corrections(self)
        self.catch_up = CatchUp(self)
        self.core_lorawan = CoreLorawan(self)
        self.takeover = Takeover(self)
        self.platforms = Platforms(hass, entry)
        self.traffic = traffic_of(hass)
        self.stopped = False
        """Whether the entry is unloaded: what waits meanwhile must change nothing any more."""
        self._following: asyncio.Task[None] | None = None
        self._pauses = hass.data.get(STREAM_PAUSES, StreamPauses())

    # Setting up

    async def async_setup(self) -> None:
        """Verify the key, list the end devices and load the decisions on their fields.

        Raises ConfigEntryAuthFailed if the server refuses the key, ConfigEntryNotReady for errors
        that are temporary or can be solved without a new key.
        """
        await self.store.async_load(self.entry.title)
        await self.fields.async_load(self.entry.title, self.store.decisions_of_version_1)
        self.names = await FieldNames.async_load(self.hass)
        self._read_options()
        await self.downlinks.async_load()
        await self.formatter_texts.async_load(self.entry.title)
        await self.takeover.async_load(self.entry.title)
        await self.roster.last_values.async_load(self.entry.title)
        self.roster.choose_scope()
        day, count = self.store.uplinks_today or (None, 0)
        if day == dt_util.now().date().isoformat():
            self.application_status.counters.uplinks_today = count
        try:
            await self.connection_state.async_verify()
            name = self.entry.title
            if INFO in self.rights:
                name = (await self.stack.application()).name or name
            self.roster.register_application(name)
            registered = []
            if complete := DEVICES_READ in self.rights:
                registered = [device async for device in self.stack.devices()]
        except AuthenticationFailed as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="key_refused",
                translation_placeholders={"reason": err.name},
            ) from err
        except StackError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="cannot_connect",
                translation_placeholders={"error": str(err)},
            ) from err
        await self.lifecycle.async_setup(registered, complete)

    def _read_options(self) -> None:
        self.fields.plain_enabled = self.entry.options.get(CONF_PLAIN_FIELDS, True)

    @callback
    def async_start(self) -> None:
        """Follow the stream; call it when the platforms are ready to take new entities."""
        entry = self.entry
        self.store.running = True
        self.store.save_soon()
        self._following = entry.async_create_background_task(
            self.hass, self._async_follow(), f"{DOMAIN} stream"
        )
        entry.async_on_unload(
            self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._home_stops)
        )
        entry.async_on_unload(
            async_track_time_change(self.hass, self._new_day, hour=0, minute=0, second=0)
        )
        entry.async_on_unload(
            async_track_time_change(self.hass, self._new_hour, minute=0, second=1)
        )
        entry.async_on_unload(self.application_status.close)
        self.connection_state.async_start()
        self.overdue_watch.async_start()
        self.past_hours.async_start()
        self.catch_up.async_start()
        self.lifecycle.async_start()
        self.downlinks.async_start()
        self.sync.async_start()
        self.partial_devices.async_start()
        self.formatter_texts.async_start()
        self.core_lorawan.async_start()
        self.takeover.async_start()
        self.roster.last_values.async_start()

    async def async_stop(self) -> None:
        """Stop processing messages, and write to disk what the next start needs."""
        self.stopped = True
        if self._following is not None:
            self._following.cancel()
        self.catch_up.stop()
        self._note_end()
        await self.downlinks.async_stop()
        await self.formatter_texts.async_close()
        await self.takeover.async_close()
        await self.store.async_close()
        await self.fields.async_close()
        await self.roster.last_values.async_close()

    @callback
    def _home_stops(self, _event: Event) -> None:
        self._note_end()
        self.downlinks.save_soon()
        self.store.save_soon()
        self.fields.save_soon()
        self.roster.last_values.save_soon()

    @callback
    def _note_end(self) -> None:
        self.store.running = False
        self.store.uplinks_today = (
            dt_util.now().date().isoformat(),
            self.application_status.counters.uplinks_today,
        )

    async def async_apply_options(self) -> None:
        """Add or remove end devices after the options changed, without a reload."""
        self._read_options()
        await self.lifecycle.async_apply_choice()
        if self.stopped:
            return
        self.overdue_watch.async_apply_options()
        self.core_lorawan.async_apply()
        async_apply_details_option(self)
        self.roster.refresh()  # values of overdue end devices may be wanted otherwise
        self.application_status.write()

    @property
    def connected(self) -> bool:
        """Return whether the stream is connected now."""
        return self.connection_state.connected

    @property
    def rights(self) -> frozenset[str]:
        """Return the rights of the key."""
        return self.connection_state.rights

    @property
    def counters(self) -> Counters:
        """Return the counts since the start, or since the start of the day."""
        return self.application_status.counters

    @property
    def caught_up(self) -> bool:
        """Return whether nothing is being read from the Storage Integration."""
        return self.catch_up.done

    @property
    def large(self) -> bool:
        """Return whether noisy entities start disabled, to stay below Home Assistant's limit."""
        return len(self.roster.states) > LARGE_APPLICATION

    # The stream

    async def _async_follow(self) -> None:
        """Follow the stream for as long as the entry is loaded."""
        slices = StreamSlices(time.monotonic, time.thread_time)
        while True:
            try:
                async with aclosing(self.door.stream()) as items:
                    async for item in items:
                        self._take(item)
                        await slices.end()
            except AuthenticationFailed as err:
                # The key may be accepted again: the refusal may be a temporary server fault.
                self._take(StreamLost(error=err))
                self.entry.async_start_reauth(self.hass)
                pause = self._pauses.refused
            except MissingRight as err:
                self._take(StreamLost(error=err))
                pause = self._pauses.refused
            except Exception:  # an unexpected error must not end the stream
                _LOGGER.exception("%s: the stream broke", self.entry.title)
                self._take(StreamLost(error=StackError("the stream broke", name="internal")))
                pause = self._pauses.broken
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Wait; ends early when the key may read messages again."""
        self.connection_state.reading_allowed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.connection_state.reading_allowed.wait()

    @callback
    def _take(self, item: StreamItem) -> None:
        """Handle one item of the stream; an invalid one doesn't affect the next."""
        try:
            self._handle(item)
        except Exception as err:  # noqa: BLE001 - it is recorded; the next message is handled
            self._record_failure(item, err)
        self.traffic.note(self.entry.entry_id, item)

    def _handle(self, item: StreamItem) -> None:
        match item:
            case UplinkMessage():
                self._receive(item)
            case JoinAccept():
                self._joined(item)
            case DownlinkReport():
                self._reported(item)
            case LocationSolved():
                self._solved(item)
            case DeviceChanged():
                self.sync.on_device_changed(item.device_id)
            case StreamConnected():
                self._back(item)
            case StreamLost():
                self.connection_state.on_lost(item.error)
            case UnreadableMessage():
                self.application_status.record_problem(
                    "unreadable", item.topic or "", str(item.error)
                )
            case MessagesDropped():
                self.roster.interrupted()
                self.application_status.counters.dropped += item.count
                self.application_status.record_problem(
                    "dropped", "", f"{item.count} messages came too fast"
                )
                self.catch_up.on_dropped(item.gap)

    def _record_failure(self, item: StreamItem, err: Exception) -> None:
        """Record an error in processing one message."""
        device_id = item.ids.device_id if isinstance(item, Message) else ""
        self.application_status.record_problem(type(err).__name__, device_id, str(err))
        _LOGGER.debug("A message of %s failed", device_id, exc_info=err)

    def _device_of(self, message: Message) -> EndDeviceState | None:
        """Return the end device of a message, adding a new one; None if it is excluded."""
        ids = message.ids
        if (device := self.roster.find(ids)) is not None:
            return None if device.disabled else device
        if ids.application_id != self.stack.connection.application_id:
            self.application_status.record_problem(
                "other application", ids.application_id, "a message was not for us"
            )
            return None
        if ids.device_id in self.roster.excluded:
            return None
        attributes = message.attributes if isinstance(message, UplinkMessage) else {}
        if not self.roster.wanted(ids.device_id, attributes):
            self.roster.excluded.add(ids.device_id)
            return None
        return self.lifecycle.add_from_message(ids)

    @callback
    def apply_stored(self, uplink: UplinkMessage) -> tuple[EndDeviceState, Received] | None:
        """Apply a stored uplink without updating entities yet.

        Returns the end device to update, and what changed.
        """
        try:
            return self._take_over(uplink)
        except Exception as err:  # noqa: BLE001 - it is recorded; the next uplink is applied
            self._record_failure(uplink, err)
            return None

    @callback
    def show_caught_up(
        self, device: EndDeviceState, new: Iterable[str], changed: Decisions, *, identified: bool
    ) -> None:
        """Update an end device's entities once, after all missed uplinks were applied.

        `new` are the paths of its new fields, `changed` decisions on others that were corrected;
        `identified` is whether its model became known, or is another one.
        """
        context = Context()
        self._announce(device, {path: device.decisions[path] for path in new}, context)
        self._show_corrected(device, changed)
        if identified:
            self.lifecycle.on_identified(device)
        device.refresh(context)

    @callback
    def async_correct(
        self, device: EndDeviceState, decided: Mapping[str, Meaning], *, chosen: bool = False
    ) -> None:
        """Replace decisions on fields by better ones, or those the user chose; update entities."""
        held = self.corrections.hold(device, decided, chosen=chosen)
        self.async_correct_now(device, {p: m for p, m in decided.items() if p not in held})

    @callback
    def async_correct_now(self, device: EndDeviceState, decided: Mapping[str, Meaning]) -> None:
        """Do so with decisions that nobody has built on."""
        self._show_corrected(device, self.fields.correct(device.key, decided))

    @callback
    def _show_corrected(self, device: EndDeviceState, changed: Decisions) -> None:
        if changed:
            self.entry.async_create_background_task(
                self.hass,
                async_show_corrected(self.hass, self, device, changed),
                f"{DOMAIN} corrected fields",
            )

    @callback
    def _take_over(self, uplink: UplinkMessage) -> tuple[EndDeviceState, Received] | None:
        """Apply an uplink; return its end device and the changes, None if there are none."""
        device = self._device_of(uplink)
        if device is None or device.is_duplicate(uplink):
            return None
        received = device.receive(uplink, self._decide, self.corrections.hold)
        if device.taken_over and not uplink.simulated:
            device.taken_over = False
            self.store.taken_over.discard(device.key)
            self.store.save_soon()
        self._store_decisions(device, received)
        if received.new or received.decoding_changed:
            self.formatter_texts.on_new_fields(device)
        if received.decoding_changed:
            async_dispatcher_send(self.hass, self.signals.undecoded_changed)
        if (
            not uplink.simulated
            and uplink.received_at is not None
            and not self.catch_up.first_pending
        ):
            self.store.note_received(self.stack.not_in_future(uplink.received_at))
        return device, received

    def _store_decisions(self, device: EndDeviceState, received: Received) -> None:
        if received.grown:
            self.fields.add_states(device.key, received.grown)
        if received.corrected:
            received.changed_decisions |= self.fields.correct(device.key, received.corrected)

    @callback
    def _receive(self, uplink: UplinkMessage) -> None:
        """Apply a live uplink, and update entities and listeners."""
        if (taken := self._take_over(uplink)) is None:
            self._receive_late(uplink)
            return
        device, received = taken
        context = Context()
        uplink = received.uplink
        self.catch_up.missed.on_uplink(device, uplink, live=True)
        self.past_hours.on_received(uplink)
        self._announce(device, received.new, context)
        self._show_corrected(device, received.changed_decisions)
        if received.identified:
            self.lifecycle.on_identified(device)
        if device.half_created and not uplink.simulated:
            self.partial_devices.on_message(device)
        self._happened(device, received, context)

    def _receive_late(self, uplink: UplinkMessage) -> None:
        """Let happen what only live uplinks cause, where one was read before it came.

        Its values are shown already, and newer ones may be by now.
        """
        if (ahead := self.catch_up.take_ahead(uplink)) is None:
            return
        device = ahead.device
        changed = [field_key(path) for path in ahead.events]
        newest = {path: device.values.get(path) for path in ahead.events}
        device.values |= ahead.events
        late = Received(device.decoded(uplink), changed=changed, undecoded=ahead.undecoded)
        self._happened(device, late, Context())
        device.values |= newest

    def _happened(self, device: EndDeviceState, received: Received, context: Context) -> None:
        """Write the entities of an uplink that came live, count it, and fire its triggers."""
        uplink = received.uplink
        self.application_status.counters.uplinks_today += not uplink.simulated
        failed = received.undecoded and device.has_fields
        if failed:
            why = device.local_decoder.failure or "the payload formatter failed"
            self.application_status.record_problem("decode failed", device.device_id, str(why))
        activity = partial(uplink_activity, uplink, failed)
        if device.listens(ACTIVITY):
            device.activity = activity()
            received.changed.append(ACTIVITY)
        self.application_status.changed()
        device.write(received.changed, context)
        async_report_occurrence(self.hass, device.registry_id, "uplink_received", activity, context)
        if not uplink.simulated:
            self.overdue_watch.on_uplink(device, activity, context)
            self.expected_fields.on_uplink(device, decoded=not received.undecoded)
        self.downlinks.on_uplink(device)
        self.core_lorawan.on_uplink(device, uplink)

    @callback
    def decode_again(self, device: EndDeviceState) -> None:
        """Apply an end device's last uplink once more, after how to decode it has changed."""
        received = device.receive_again(self._decide, self.corrections.hold)
        if received is None:
            return
        self._store_decisions(device, received)
        self.show_caught_up(device, received.new, received.changed_decisions, identified=False)

    def _decide(self, device: EndDeviceState, new: Mapping[str, Meaning]) -> dict[str, Meaning]:
        """Store the decisions on new fields; return them with the user's overrides."""
        path = next((p for p, m in new.items() if m.kind is Kind.DEVICE_TRACKER), None)
        if path is not None:
            override = self.fields.override(device.key, path)
            if override is None or override.change.kind in (None, Kind.DEVICE_TRACKER):
                reason = "The payload has the position by now."
                if self.fields.stop_showing(device.key, LOCATION, reason):
                    device.position_taken_over = path
        return self.fields.remember(device.key, new)

    def _announce(self, device: EndDeviceState, new: dict[str, Meaning], context: Context) -> None:
        """Signal the platforms to add entities for new fields and the first battery status."""
        if device.last_battery is not None and not device.battery_announced:
            device.battery_announced = True
            async_dispatcher_send(self.hass, self.signals.new_battery, device)
        if not new:
            return
        self.takeover.on_new_fields(device, new)
        path, device.position_taken_over = device.position_taken_over, None
        if path is not None:  # its entity comes when the earlier source's tracker is removed
            new = {other: meaning for other, meaning in new.items() if other != path}
            async_dispatcher_send(self.hass, self.signals.position_found, device, path)
        device.arriving = context
        try:
            async_dispatcher_send(self.hass, self.signals.new_fields, device, new)
        finally:
            device.arriving = None

    @callback
    def _joined(self, message: JoinAccept) -> None:
        device = self._device_of(message)
        if device is None or device.is_duplicate(message):
            return
        device.on_joined(message)
        self.partial_devices.on_message(device)
        activity = device.activity = Activity("joined", {"dev_addr": message.ids.dev_addr})
        context = Context()
        device.write([LAST_UPLINK, STATUS, ACTIVITY], context)
        async_report_occurrence(self.hass, device.registry_id, "joined", lambda: activity, context)
        async_fire_for_logbook(self.hass, device, "joined", context)
        self.core_lorawan.on_joined(device, message)

    @callback
    def _reported(self, report: DownlinkReport) -> None:
        device = self._device_of(report)
        if device is not None and not device.is_duplicate(report):
            self.downlinks.on_report(device, report)

    @callback
    def _solved(self, message: LocationSolved) -> None:
        device = self._device_of(message)
        if device is None or device.is_duplicate(message):
            return
        self.core_lorawan.on_location(device, message)
        path = device.on_location_solved(message)
        if path is None:
            return
        if path not in device.decisions:
            meaning = solved_location(message.service)
            new = self.fields.remember(device.key, {path: meaning})
            async_dispatcher_send(self.hass, self.signals.new_fields, device, new)
        device.write([field_key(path)], Context())

    @callback
    def _back(self, item: StreamConnected) -> None:
        self.connection_state.on_connected()
        self.roster.interrupted()
        self.downlinks.on_stream_connected()
        self.catch_up.on_connected(item.gap)

    # As time passes

    @callback
    def _new_hour(self, _now: datetime) -> None:
        """Show what the airtime of 24 hours is by now; keep what uplinks told until now."""
        for device in self.roster.states.values():
            device.write([AIRTIME_24H], Context())
        self.store.save_soon()

    @callback
    def _new_day(self, _now: datetime) -> None:
        self.formatter_texts.on_new_day()
        self.application_status.counters.uplinks_today = 0
        self.application_status.write()
