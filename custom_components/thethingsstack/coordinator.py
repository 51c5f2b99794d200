"""One application: its stream of messages, its end devices, and who is told of what."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
import json
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import (
    async_call_later,
    async_track_time_change,
    async_track_time_interval,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType

from .client import (
    AuthenticationFailed,
    ConnectionFailed,
    DownlinkReport,
    EndDevice,
    JoinAccept,
    LocationSolved,
    Message,
    MessagesDropped,
    ServerFailed,
    Stack,
    StackError,
    StorageUnavailable,
    StreamConnected,
    StreamItem,
    StreamLost,
    UnreadableMessage,
    UplinkMessage,
)
from .client.rights import DEVICES_READ, INFO, TRAFFIC_READ
from .const import (
    ACTIVITY_DECODED_LIMIT,
    CATCH_UP_LIMIT,
    CONF_APPLICATION_ID,
    CONF_OVERDUE_AFTER,
    CONF_PLAIN_FIELDS,
    DEFAULT_OVERDUE_AFTER,
    DOMAIN,
    LARGE_APPLICATION,
    STORAGE_WINDOW,
    UNAVAILABLE_AFTER,
)
from .controls import Controls
from .device import (
    ACTIVITY,
    LAST_UPLINK,
    LOCATION,
    OCCURRED,
    STATUS,
    Activity,
    EndDeviceState,
    Status,
    field_key,
)
from .downlinks import Downlinks
from .fields import FieldStore
from .gateways import Gateways
from .naming import FieldNames
from .offers import async_offer_anew
from .payload import Category, Kind, Meaning, Role
from .repository import ModelSensors
from .roster import EndDeviceRoster
from .sync import RegistrySync

_LOGGER = logging.getLogger(__name__)

type TtsConfigEntry = ConfigEntry[ApplicationCoordinator]

STATUS_INTERVAL = timedelta(minutes=1)
HUB_INTERVAL = timedelta(seconds=5)
RIGHTS_INTERVAL = timedelta(hours=1)
REACH_PAUSE = timedelta(minutes=1)
CATCH_UP_PAUSE = timedelta(minutes=5)
STREAM_PAUSE = 60
REGISTRATION_PAUSE = 1.0
YIELD_EVERY = 32
REPORTED_PROBLEMS = 20


@dataclass(slots=True)
class Counters:
    """What the application's own entities show."""

    uplinks_today: int = 0
    errors: int = 0
    dropped: int = 0


class ApplicationCoordinator:
    """Takes messages from the stream to the end devices, and tells only those concerned.

    Entities listen to their own end device by key: an uplink never wakes the entities of
    another one.
    """

    def __init__(self, hass: HomeAssistant, entry: TtsConfigEntry, stack: Stack) -> None:
        """Prepare; nothing is asked of the server yet."""
        self.hass = hass
        self.entry = entry
        self.stack = stack
        self.fields = FieldStore(hass, entry.entry_id)
        self.roster = EndDeviceRoster(hass, entry, stack.connection, self.fields)
        self.models = ModelSensors(stack, self.fields)
        self.names = FieldNames("en", {})
        self.rights: frozenset[str] = frozenset()
        self.downlinks = Downlinks(self)
        self.controls = Controls(hass, entry, self.roster, self.downlinks.forget)
        self.gateways = Gateways(hass, entry, self.roster)
        self.sync = RegistrySync(self)
        self.counters = Counters()
        self.connected = False
        self.readable = True
        self.available = True
        self.reachable = True
        self.lost_because: StackError | None = None
        self.storage: bool | None = None
        self.problems: deque[dict[str, str]] = deque(maxlen=REPORTED_PROBLEMS)
        self.new_device = SignalType[EndDeviceState](f"{DOMAIN}_{entry.entry_id}_new_device")
        self.new_battery = SignalType[EndDeviceState](f"{DOMAIN}_{entry.entry_id}_new_battery")
        self.new_fields = SignalType[EndDeviceState, dict[str, Meaning]](
            f"{DOMAIN}_{entry.entry_id}_new_fields"
        )
        self.position_told = SignalType[EndDeviceState, str](
            f"{DOMAIN}_{entry.entry_id}_position_told"
        )
        self.identified = SignalType[EndDeviceState](f"{DOMAIN}_{entry.entry_id}_identified")
        self.undecoded_changed = SignalType[()](f"{DOMAIN}_{entry.entry_id}_undecoded")
        self._hub_listeners: list[CALLBACK_TYPE] = []
        self._cancel_hub: CALLBACK_TYPE | None = None
        self._cancel_unavailable: CALLBACK_TYPE | None = None
        self._cancel_reach: CALLBACK_TYPE | None = None
        self._logged_lost = False
        self._logged: set[str] = set()
        self._catching_up: asyncio.Task[None] | None = None
        self._owed_since: datetime | None = None
        self._cancel_retry: CALLBACK_TYPE | None = None
        self._following: asyncio.Task[None] | None = None
        self._touched: dict[str, EndDeviceState] = {}
        self._registrations = asyncio.Lock()

    # Setting up

    async def async_setup(self) -> None:
        """Verify the key, list the end devices and recall what is known of their fields.

        Raises ConfigEntryAuthFailed where the server refuses the key, ConfigEntryNotReady
        for all that may pass or be mended without a new key.
        """
        await self.fields.async_load()
        self.names = await FieldNames.async_load(self.hass)
        self._read_options()
        await self.downlinks.async_load()
        self._choose_scope()
        if self.fields.today and self.fields.today[0] == dt_util.now().date().isoformat():
            self.counters.uplinks_today = self.fields.today[1]
        try:
            await self._async_verify()
            name = self.entry.title
            if INFO in self.rights:
                name = (await self.stack.application()).name or name
            self.roster.register_hub(name)
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
        self.roster.add_all(registered, complete)
        for device in self.roster.states.values():
            self._place(device)
            self.downlinks.attach(device)
        await self.models.async_learn_soon(self.roster.states.values())

    def _read_options(self) -> None:
        self.fields.plain_enabled = self.entry.options.get(CONF_PLAIN_FIELDS, True)

    def _choose_scope(self) -> None:
        """Decide once what keys begin with: two servers may have an application of one name."""
        if self.fields.scope is not None:
            return
        application = self.stack.connection.application_id
        taken = any(
            other.data.get(CONF_APPLICATION_ID) == application
            for other in self.hass.config_entries.async_entries(DOMAIN)
            if other.entry_id != self.entry.entry_id and other.created_at < self.entry.created_at
        )
        self.fields.scope = f"{self.entry.unique_id}" if taken else application

    async def _async_verify(self) -> None:
        await self.stack.auth_info()
        self.rights = await self.stack.rights()
        if TRAFFIC_READ not in self.rights:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="missing_traffic_right",
                translation_placeholders={
                    "application": self.stack.connection.application_id or "",
                    "right": TRAFFIC_READ,
                },
            )

    @callback
    def async_start(self) -> None:
        """Follow the stream; call it when the platforms are ready to take new entities."""
        entry = self.entry
        self._following = entry.async_create_background_task(
            self.hass, self._async_follow(), f"{DOMAIN} stream"
        )
        entry.async_on_unload(
            self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._home_stops)
        )
        entry.async_on_unload(
            async_track_time_interval(self.hass, self._check_rights_now, RIGHTS_INTERVAL)
        )
        entry.async_on_unload(
            async_track_time_interval(self.hass, self._update_statuses, STATUS_INTERVAL)
        )
        entry.async_on_unload(
            async_track_time_change(self.hass, self._new_day, hour=0, minute=0, second=0)
        )
        entry.async_on_unload(
            self.hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._registry_updated, self._concerns_us
            )
        )
        entry.async_on_unload(self._cancel_timers)
        self.downlinks.async_start()
        self.sync.async_start()

    async def async_stop(self) -> None:
        """Take nothing any more, and write to disk what the next start needs."""
        for task in (self._following, self._catching_up):
            if task is not None:
                task.cancel()
        self._note_today()
        await self.downlinks.async_stop()
        await self.fields.async_save()

    @callback
    def _home_stops(self, _event: Event) -> None:
        self._note_today()
        self.downlinks.save_soon()
        self.fields.save_soon()

    @callback
    def _note_today(self) -> None:
        self.fields.today = (dt_util.now().date().isoformat(), self.counters.uplinks_today)

    @callback
    def _cancel_timers(self) -> None:
        for cancel in (
            self._cancel_hub,
            self._cancel_unavailable,
            self._cancel_retry,
            self._cancel_reach,
        ):
            if cancel is not None:
                cancel()
        self._cancel_hub = self._cancel_unavailable = None
        self._cancel_retry = self._cancel_reach = None

    @property
    def caught_up(self) -> bool:
        """Return whether nothing is being read from the Storage Integration."""
        return self._catching_up is None or self._catching_up.done()

    @property
    def large(self) -> bool:
        """Return whether noisy entities start disabled, to stay below Home Assistant's limit."""
        return len(self.roster.states) > LARGE_APPLICATION

    @property
    def overdue_after(self) -> timedelta:
        """Return after which silence an end device is overdue."""
        return timedelta(hours=self.entry.options.get(CONF_OVERDUE_AFTER, DEFAULT_OVERDUE_AFTER))

    # The stream

    async def _async_follow(self) -> None:
        """Follow the stream until the key is refused; nothing else may end it."""
        while True:
            try:
                async with aclosing(self.stack.stream()) as items:
                    async for item in items:
                        self._take(item)
            except AuthenticationFailed as err:
                self._lost(err)
                self.entry.async_start_reauth(self.hass)
                return
            except Exception:  # a fault of our own must not leave the house without values
                _LOGGER.exception("%s: the stream broke", self.entry.title)
                self._lost(StackError("the stream broke", name="internal"))
            await asyncio.sleep(STREAM_PAUSE)

    @callback
    def _take(self, item: StreamItem, *, live: bool = True) -> None:
        """Handle one item of the stream; nothing odd in it reaches the next one."""
        try:
            match item:
                case UplinkMessage():
                    self._receive(item, live=live)
                case JoinAccept():
                    self._joined(item)
                case DownlinkReport():
                    self._reported(item)
                case LocationSolved():
                    self._solved(item)
                case StreamConnected():
                    self._back(item)
                case StreamLost():
                    self._lost(item.error)
                case UnreadableMessage():
                    self.problem("unreadable", item.topic or "", str(item.error))
                case MessagesDropped():
                    self.counters.dropped += item.count
                    self.problem("dropped", "", f"{item.count} messages came too fast")
                    self._catch_up(item.gap)
        except Exception as err:  # the stream must survive whatever one device sends
            device_id = item.ids.device_id if isinstance(item, Message) else ""
            self.problem(type(err).__name__, device_id, str(err))
            _LOGGER.debug("A message of %s failed", device_id, exc_info=True)

    def problem(self, kind: str, subject: str, text: str) -> None:
        """Count a problem, keep it for the diagnostics, and log the first of its kind."""
        self.counters.errors += 1
        self.problems.append(
            {"time": dt_util.utcnow().isoformat(), "kind": kind, "subject": subject, "text": text}
        )
        if (mark := f"{kind} {subject}") not in self._logged and len(self._logged) < 1000:
            self._logged.add(mark)
            _LOGGER.warning("%s: %s %s: %s (logged once)", self.entry.title, kind, subject, text)
        self._hub_changed()

    def _device_of(self, message: Message) -> EndDeviceState | None:
        """Return the end device of a message, taking in one that is new; None: not for us."""
        ids = message.ids
        if (device := self.roster.find(ids)) is not None:
            return None if device.disabled else device
        if ids.application_id != self.stack.connection.application_id:
            self.problem("other application", ids.application_id, "a message was not for us")
            return None
        if ids.device_id in self.roster.excluded:
            return None
        attributes = message.attributes if isinstance(message, UplinkMessage) else {}
        if not self.roster.wanted(ids.device_id, attributes):
            self.roster.excluded.add(ids.device_id)
            return None
        device = self.roster.add(ids)
        self._announce(device)
        if DEVICES_READ in self.rights:
            self.entry.async_create_background_task(
                self.hass, self._async_fetch_registration(device), f"{DOMAIN} registration"
            )
        return device

    @callback
    def _announce(self, device: EndDeviceState) -> None:
        self.fields.redecide(device.key)  # its model may be another one by now
        self.downlinks.attach(device)
        async_dispatcher_send(self.hass, self.new_device, device)
        self.controls.async_device_came(device)
        if device.decisions:
            async_dispatcher_send(self.hass, self.new_fields, device, dict(device.decisions))
        self._hub_changed()

    @callback
    def take_in(self, end_device: EndDevice) -> EndDeviceState | None:
        """Show an end device as it is registered now: new, changed or back; None: left out."""
        ids, roster = end_device.ids, self.roster
        roster.registrations[ids.device_id] = end_device
        if not roster.wanted(ids.device_id, end_device.attributes):
            roster.excluded.add(ids.device_id)
            if (left := roster.by_device_id(ids.device_id)) is not None:
                roster.remove(left)
            return None
        roster.excluded.discard(ids.device_id)
        before = roster.by_device_id(ids.device_id)
        known = roster.find(ids) is not None or roster.key_of(ids) in roster.states
        device = roster.add(ids, end_device)
        if before is not None and before is not device:
            self.vanish(before)  # its id belongs to another device now
        device.vanished = False
        if known:
            self._identify(device)
            device.write([STATUS], Context())
        else:
            self._announce(device)
            self._place(device)
        async_dispatcher_send(self.hass, self.undecoded_changed)
        return device

    @callback
    def vanish(self, device: EndDeviceState) -> None:
        """Mark an end device that isn't registered any more; all that is known of it stays."""
        device.vanished = True
        device.end_device = None
        device.write([STATUS], Context())
        async_dispatcher_send(self.hass, self.undecoded_changed)

    async def _async_fetch_registration(self, device: EndDeviceState) -> None:
        """Read name and model of an end device that appeared; one per second at most."""
        async with self._registrations:
            try:
                end_device = await self.stack.device(device.device_id)
            except StackError as err:
                _LOGGER.debug("No registration of %s: %s", device.device_id, err)
            else:
                self.roster.registrations[device.device_id] = end_device
                device.update_registration(end_device)
                self._identify(device)
                async_dispatcher_send(self.hass, self.undecoded_changed)
            await asyncio.sleep(REGISTRATION_PAUSE)

    @callback
    def _identify(self, device: EndDeviceState) -> None:
        """Write down what is known of an end device; overrides of its model now count for it."""
        self.roster.register(device)
        self._place(device)
        async_dispatcher_send(self.hass, self.identified, device)
        self.entry.async_create_background_task(
            self.hass, self.models.async_learn([device]), f"{DOMAIN} model"
        )

    @callback
    def _place(self, device: EndDeviceState) -> None:
        """Show where the registry says that an end device is, where nothing better is known."""
        if not device.place():
            return
        if LOCATION not in device.decisions:
            new = self.fields.remember(device.key, {LOCATION: registered_location()})
            device.note_decisions(new)
            async_dispatcher_send(self.hass, self.new_fields, device, new)
        device.write([field_key(LOCATION)], Context())

    @callback
    def _receive(self, uplink: UplinkMessage, *, live: bool) -> None:
        device = self._device_of(uplink)
        if device is None or device.is_duplicate(uplink):
            return
        versions = device.version_ids
        received = device.receive(uplink)
        if received.new:
            position = self._position_taken_over(device, received.new)
            new = self.fields.remember(device.key, received.new)
            device.reread({p: (received.new[p], m) for p, m in new.items() if m.rule == "override"})
            if position is not None:
                del new[position]  # its entity comes when the tracker is free
                async_dispatcher_send(self.hass, self.position_told, device, position)
            async_dispatcher_send(self.hass, self.new_fields, device, new)
        if received.grown:
            self.fields.grow(device.key, received.grown)
        if device.version_ids != versions:
            self._identify(device)
        if device.last_battery is not None and not device.battery_announced:
            device.battery_announced = True
            async_dispatcher_send(self.hass, self.new_battery, device)
        if received.decoding_changed:
            async_dispatcher_send(self.hass, self.undecoded_changed)
        if not uplink.simulated and uplink.received_at is not None:
            self.fields.received(uplink.received_at)
        if not live:
            self._touched[device.key] = device
            return
        self.counters.uplinks_today += not uplink.simulated
        failed = received.undecoded and bool(device.decisions)
        if failed:
            self.problem("decode failed", device.device_id, "the payload formatter failed")
        context = Context()
        activity = partial(uplink_activity, uplink, failed)
        if device.listens(ACTIVITY):
            device.activity = activity()
            received.changed.append(ACTIVITY)
        self._hub_changed()
        device.write(received.changed, context)
        self._occurred(device, "uplink_received", activity, context)
        if device.overdue and not uplink.simulated:
            device.overdue = False
            self._occurred(device, "heard_again", activity, context)
        self.downlinks.heard(device)

    def _position_taken_over(
        self, device: EndDeviceState, new: Mapping[str, Meaning]
    ) -> str | None:
        """Return the new field whose tracker goes on with the one that had another source."""
        path = next((p for p, m in new.items() if m.kind is Kind.DEVICE_TRACKER), None)
        if path is None:
            return None
        said = self.fields.override(device.key, path)
        if said is not None and said.change.kind not in (None, Kind.DEVICE_TRACKER):
            return None  # the user wants no tracker of it
        reason = "The payload tells the position by now."
        return path if self.fields.retire(device.key, LOCATION, reason) else None

    @callback
    def _joined(self, message: JoinAccept) -> None:
        device = self._device_of(message)
        if device is None or device.is_duplicate(message):
            return
        device.joined(message)
        activity = device.activity = Activity("joined", {"dev_addr": message.ids.dev_addr})
        context = Context()
        device.write([LAST_UPLINK, STATUS, ACTIVITY], context)
        self._occurred(device, "joined", lambda: activity, context)

    @callback
    def _reported(self, report: DownlinkReport) -> None:
        device = self._device_of(report)
        if device is not None and not device.is_duplicate(report):
            self.downlinks.report(device, report)

    @callback
    def _occurred(
        self,
        device: EndDeviceState,
        kind: str,
        activity: Callable[[], Activity],
        context: Context,
    ) -> None:
        """Tell the triggers what the end device just did; details are made if one asks."""
        async_dispatcher_send(self.hass, OCCURRED, device.registry_id, kind, activity, context)

    @callback
    def _solved(self, message: LocationSolved) -> None:
        device = self._device_of(message)
        if device is None or device.is_duplicate(message):
            return
        path = device.solve(message)
        if path is None:
            return
        if path not in device.decisions:
            meaning = solved_location(message.service)
            new = self.fields.remember(device.key, {path: meaning})
            async_dispatcher_send(self.hass, self.new_fields, device, new)
        device.write([field_key(path)], Context())

    # The connection

    @callback
    def _back(self, item: StreamConnected) -> None:
        self.connected = True
        if self._cancel_unavailable is not None:
            self._cancel_unavailable()
            self._cancel_unavailable = None
        if self._logged_lost:
            self._logged_lost = False
            _LOGGER.info("%s: the connection is back", self.entry.title)
        if not self.available:
            self.available = True
            self._write_all()
        self._write_hub()
        self._check_rights_now()
        self.downlinks.resume()
        self._catch_up(item.gap)

    @callback
    def _lost(self, error: StackError) -> None:
        self.connected = False
        self.lost_because = error
        if not self._logged_lost:
            self._logged_lost = True
            _LOGGER.warning("%s: the connection is lost: %s", self.entry.title, error)
            self._check_rights_now()  # HTTP may be lost with it
        if self._cancel_unavailable is None and self.available:
            self._cancel_unavailable = async_call_later(self.hass, UNAVAILABLE_AFTER, self._give_up)
        self._write_hub()

    @callback
    def _give_up(self, _now: datetime) -> None:
        self._cancel_unavailable = None
        self.available = False
        self._write_all()
        self._write_hub()

    @callback
    def _write_all(self) -> None:
        for device in self.roster.states.values():
            device.refresh()

    @callback
    def _check_rights_now(self, _now: datetime | None = None) -> None:
        self.entry.async_create_background_task(
            self.hass, self.async_check_rights(), f"{DOMAIN} rights"
        )

    async def async_check_rights(self) -> None:
        """See whether messages can come at all: the MQTT server says yes to every key."""
        before = self.rights
        try:
            self.rights = await self.stack.rights()
        except StackError as err:
            _LOGGER.debug("The rights can't be read now: %s", err)
            self.note_reachable(not isinstance(err, ConnectionFailed | ServerFailed))
            if isinstance(err, AuthenticationFailed):
                # A session that is open goes on after its key is deleted.
                self.entry.async_start_reauth(self.hass)
            return
        self.note_reachable(True)
        if self.rights != before:
            async_offer_anew(self.entry)
        if self.readable != (TRAFFIC_READ in self.rights):
            self.readable = not self.readable
            self._write_hub()

    @callback
    def note_reachable(self, reachable: bool) -> None:
        """Note whether the HTTP API answers: where it doesn't, no command can be given."""
        if not reachable and self._cancel_reach is None:
            self._cancel_reach = async_call_later(self.hass, REACH_PAUSE, self._reach_again)
        if reachable == self.reachable:
            return
        self.reachable = reachable
        _LOGGER.info(
            "%s: the HTTP API %s", self.entry.title, "is back" if reachable else "can't be reached"
        )
        self._write_all()

    @callback
    def _reach_again(self, _now: datetime) -> None:
        self._cancel_reach = None
        self._check_rights_now()

    def _catch_up(self, since: datetime | None) -> None:
        """Read from the Storage Integration what was missed since then; it is owed until read."""
        since = since or self._owed_since or self.fields.received_until
        if since is not None:
            self._owed_since = min(since, self._owed_since or since)
        if self.storage is False or not self.caught_up:
            return
        self._catching_up = self.entry.async_create_background_task(
            self.hass, self._async_catch_up(), f"{DOMAIN} catch-up"
        )

    async def _async_catch_up(self) -> None:
        """Read what the Storage Integration kept, at most the last 24 hours; try again if it fails.

        Each end device is written once, as it is at the end: what happened meanwhile is no
        occurrence of now.
        """
        oldest = dt_util.utcnow() - STORAGE_WINDOW
        since, self._owed_since = self._owed_since, None
        try:
            if since is None:
                await self._async_read_newest(oldest)
            else:
                await self._async_replay(max(since, oldest))
        except StorageUnavailable:
            self.storage = False
        except StackError as err:
            self._owed_since = min(since or oldest, self._owed_since or since or oldest)
            self.problem("storage", "", str(err))
            self._cancel_retry = async_call_later(
                self.hass, CATCH_UP_PAUSE, lambda _now: self._catch_up(None)
            )
        else:
            self.storage = True
        finally:
            touched, self._touched = self._touched, {}
            for device in touched.values():
                device.refresh()

    async def _async_read_newest(self, after: datetime) -> None:
        """Take over the newest stored uplinks, in their order: enough for first values."""
        newest = [
            message
            async for message in self.stack.stored_uplinks(
                after=after, limit=CATCH_UP_LIMIT, newest_first=True
            )
        ]
        for number, message in enumerate(reversed(newest), 1):
            await self._async_take_stored(message, number)
        if len(newest) < CATCH_UP_LIMIT:
            return
        # In a talkative application the ones that speak rarely are asked for by name.
        for device in list(self.roster.states.values()):
            if device.values or device.last_seen is None or device.last_seen < after:
                continue
            async for message in self.stack.stored_uplinks(
                after=after, limit=1, device_id=device.device_id, newest_first=True
            ):
                await self._async_take_stored(message, 1)
            await asyncio.sleep(REGISTRATION_PAUSE)

    async def _async_replay(self, after: datetime) -> None:
        """Take over all uplinks that were stored since then."""
        number = 0
        async for message in self.stack.stored_uplinks(after=after):
            number += 1
            await self._async_take_stored(message, number)

    async def _async_take_stored(self, message: Message, number: int) -> None:
        if isinstance(message, UplinkMessage):
            self._take(message, live=False)
        if number % YIELD_EVERY == 0:  # the rest of the house wants its turn
            await asyncio.sleep(0)

    # The application's own entities

    @callback
    def async_listen(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call the listener when something of the application itself changes."""
        self._hub_listeners.append(listener)
        return lambda: self._hub_listeners.remove(listener)

    @callback
    def _hub_changed(self) -> None:
        """Write the application's entities soon: not once for each uplink."""
        if self._cancel_hub is None:
            self._cancel_hub = async_call_later(self.hass, HUB_INTERVAL, self._write_hub)

    @callback
    def _write_hub(self, _now: datetime | None = None) -> None:
        if self._cancel_hub is not None:
            self._cancel_hub()
            self._cancel_hub = None
        for listener in list(self._hub_listeners):
            listener()

    @callback
    def _update_statuses(self, _now: datetime) -> None:
        context = Context()
        for device in self.roster.states.values():
            device.write([STATUS], context)
            self._notice_overdue(device, context)

    @callback
    def _notice_overdue(self, device: EndDeviceState, context: Context) -> None:
        """Tell when an end device turns overdue; not of one that was when all began."""
        before = device.overdue
        device.overdue = device.status(dt_util.utcnow(), self.overdue_after) is Status.OVERDUE
        if device.overdue and before is False:
            silent_since = device.last_seen.isoformat() if device.last_seen else None
            activity = Activity("overdue", {"last_seen": silent_since})
            self._occurred(device, "overdue", lambda: activity, context)

    @callback
    def _new_day(self, _now: datetime) -> None:
        self.counters.uplinks_today = 0
        if self.storage is False:
            self.storage = None  # it may have been switched on since
        self._write_hub()

    # Changes from the user's side

    @callback
    def async_apply_options(self) -> None:
        """Let end devices in or out as the options now say, without a reload."""
        self._read_options()
        roster = self.roster
        for device in list(roster.states.values()):
            if not roster.wanted(device.device_id, device.attributes):
                roster.excluded.add(device.device_id)
                roster.remove(device)
                self._take_controls_away(device)
        for device_id in list(roster.excluded):
            registered = roster.registrations.get(device_id)
            if not roster.wanted(device_id, registered.attributes if registered else {}):
                continue
            roster.excluded.discard(device_id)
            if registered is not None:
                self._announce(roster.add(registered.ids, registered))
        self._update_statuses(dt_util.utcnow())
        async_dispatcher_send(self.hass, self.undecoded_changed)
        self._write_hub()

    @callback
    def _take_controls_away(self, device: EndDeviceState) -> None:
        self.hass.async_create_task(
            self.controls.async_device_gone(device.key), f"{DOMAIN} controls"
        )

    @callback
    def _concerns_us(self, data: dr.EventDeviceRegistryUpdatedData) -> bool:
        return self.roster.by_registry_id(data["device_id"]) is not None

    @callback
    def _registry_updated(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        registry_id = event.data["device_id"]
        device = self.roster.by_registry_id(registry_id)
        if device is None:
            return
        entry = dr.async_get(self.hass).async_get(registry_id)
        if entry is None:
            self.roster.drop(device)
            self._take_controls_away(device)
            async_dispatcher_send(self.hass, self.undecoded_changed)
            self._hub_changed()
        else:
            device.disabled = entry.disabled


def uplink_activity(uplink: UplinkMessage, failed: bool) -> Activity:
    """Return an uplink as its end device's activity; a large decoded payload is left out."""
    decoded = uplink.decoded_payload
    if decoded is not None and len(json.dumps(decoded)) > ACTIVITY_DECODED_LIMIT:
        decoded = None
    return Activity(
        "decode_failed" if failed else "uplink",
        {
            "f_port": uplink.f_port,
            "f_cnt": uplink.f_cnt,
            "payload": uplink.frm_payload.hex() if uplink.frm_payload else None,
            "decoded_payload": decoded,
            "simulated": uplink.simulated,
            "received_at": uplink.time.isoformat() if uplink.time else None,
        },
    )


def solved_location(service: str) -> Meaning:
    """Return what a position is that a location service found."""
    return _location("location service", f"The service {service} found the position.")


def registered_location() -> Meaning:
    """Return what a position is that stands in the registry."""
    return _location("registry", "The position is the one in The Things Stack's registry.")


def _location(rule: str, reason: str) -> Meaning:
    return Meaning(
        kind=Kind.DEVICE_TRACKER,
        quantity="position",
        unit=None,
        role=Role.POSITION,
        category=Category.PRIMARY,
        enabled=True,
        name=None,
        rule=rule,
        reason=reason,
    )
