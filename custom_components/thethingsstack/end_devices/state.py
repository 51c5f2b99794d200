"""What is known of one end device: identity, last uplink, field values, health."""

from collections.abc import Callable, Collection, Iterable, Mapping, Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import logging
from operator import itemgetter
from typing import Any, NamedTuple, override

from homeassistant.core import Context as HaContext
from homeassistant.util import dt as dt_util

from ..client import (
    BatteryStatus,
    EndDevice,
    EndDeviceIds,
    JoinAccept,
    LocationSolved,
    Message,
    UplinkMessage,
    VersionIds,
)
from ..const import REMEMBERED_MESSAGES, UNDECODED_IN_A_ROW
from ..payload import (
    Context,
    FormatterHints,
    Kind,
    Meaning,
    ModelFields,
    Observations,
    Position,
    Role,
    Understanding,
    Value,
    raw_values,
    understand,
    value_of,
)
from .activity import Activity
from .better_decisions import better
from .held_corrections import hold_back
from .jumps import JumpFilter, may_jump
from .listeners import FIELD, LOCATION, STATUS, Listeners
from .local_decoder import LocalDecoder
from .overdue_number import OverdueNumber, overdue_number
from .recalculation import recalculated
from .received import Received
from .reception_history import ReceptionHistory
from .status import Status
from .uplink_history import UplinkHistory

_LOGGER = logging.getLogger(__name__)

type Decide = Callable[["EndDeviceState", Mapping[str, Meaning]], dict[str, Meaning]]
type Hold = Callable[["EndDeviceState", Mapping[str, Meaning]], Collection[str]]

_EPOCH = datetime.min.replace(tzinfo=UTC)
_NO_CONTEXT = Context()
_UNKNOWN = object()
_NO_PATHS: AbstractSet[str] = frozenset()
NO_RECEPTION: Mapping[str, Any] = {}


REMEMBERED_PORTS = 8
STATISTICS_PAUSE = timedelta(minutes=10)
"""After a correction: longer than a period of Home Assistant's short-term statistics."""


class _Payload(NamedTuple):
    """What the newest uplink of a port reported, and when."""

    moment: datetime
    decoded: Mapping[str, Any] | None
    normalized: tuple[Mapping[str, Any], ...]


class EndDeviceState(Listeners):
    """The live state of one end device; entities read it and listen by key."""

    def __init__(
        self,
        key: str,
        ids: EndDeviceIds,
        decisions: Mapping[str, Meaning],
        model_sensors: Mapping[str, tuple[str, ...]],
        not_in_future: Callable[[datetime], datetime],
        *,
        known_fields: Callable[[str | None, str | None], ModelFields | None],
        observations: dict[str, Observations],
        uplinks: UplinkHistory | None = None,
    ) -> None:
        """Start with nothing received.

        `decisions` (by path) and `model_sensors` (by "brand/model") are live views: later changes
        are seen here, too. `known_fields` returns what the model library has of a brand's model.
        `not_in_future` returns a time, but the present for one far ahead: some gateways have wrong
        clocks, and after a message from 2099, all others would be older.
        `observations` are those of fields whose decision may still be corrected; kept up to date.
        `uplinks` is what is kept of earlier uplinks; it is kept up to date.
        """
        super().__init__()
        self._not_in_future = not_in_future
        self.uplinks = uplinks or UplinkHistory()
        self.reception = ReceptionHistory()
        self.reception_before: Mapping[str, Any] = NO_RECEPTION
        """How the last uplink before the start was received."""
        self.key = key
        self.ids = ids
        self.decisions = decisions
        self._model_sensors = model_sensors
        self._known_fields = known_fields
        self.expected: AbstractSet[str] = _NO_PATHS
        """Paths of fields that are known from an example of the model, and not yet reported."""
        self._is_new = all(meaning.expected for meaning in decisions.values())
        self.formatter_hints: FormatterHints | None = None
        self.local_decoder = LocalDecoder()
        self.registry_id: str | None = None
        self.disabled = False
        self.known_name: str | None = None
        self.taken_over = False
        """Whether it replaced another end device, whose states these are until its first uplink."""
        self.end_device: EndDevice | None = None
        self.vanished = False
        """Whether it is no longer registered in The Things Stack."""
        self.half_created = False
        """Whether some of the servers that it needs don't have it."""
        self.version_ids: VersionIds | None = None
        self.attributes: Mapping[str, str] = {}
        self.last_seen: datetime | None = None
        self.last_uplink: UplinkMessage | None = None
        self.battery_announced = False
        self.position_taken_over: str | None = None
        """Path of a new field that replaces a position from another source."""
        self.last_data_uplink: UplinkMessage | None = None
        self.last_battery: BatteryStatus | None = None
        self.activity: Activity | None = None
        self.overdue: bool | None = None
        self.overdue_number: OverdueNumber | None = None
        """After which silence it is overdue as its attribute in The Things Stack says."""
        self.undecoded = 0
        self.skipped = 0
        self.values: dict[str, Value] = {}
        self._payloads: dict[int, _Payload] = {}
        self._value_times: dict[str, datetime] = {}
        self._seen: dict[tuple[Any, ...], datetime] = {}
        """The time of each message that is remembered, the oldest first."""
        self._uplink_at: datetime | None = None
        self.last_data_at: datetime | None = None
        """When `last_data_uplink` was received: its time, unless that is in the future."""
        self._event_paths: AbstractSet[str] = _NO_PATHS
        self._checked_paths: AbstractSet[str] = _NO_PATHS
        self._jumps = JumpFilter()
        self.contradictions: dict[str, str] = {}
        """The last value of each field that doesn't fit what the field is, in words."""
        self._observations = observations
        self._corrected_at: dict[str, datetime] = {}
        self._context = _NO_CONTEXT
        self.note_fields(decisions)

    @property
    def device_id(self) -> str:
        """Return the end device's id in The Things Stack."""
        return self.ids.device_id

    @property
    def name(self) -> str:
        """Return the name as in the Console; else model and DevEUI; else one made of the ID.

        Until the registration is read, and after it was deleted, the last known name is used.
        """
        if self.end_device is not None and self.end_device.name:
            return self.end_device.name
        if self.vanished and self.known_name:
            return self.known_name
        if self.version_ids and self.version_ids.model_id and self.ids.dev_eui:
            return f"{self.version_ids.model_id.upper()} {self.ids.dev_eui[-4:]}"
        if self.end_device is None and self.known_name:
            return self.known_name
        return self.device_id.replace("-", " ").capitalize()

    @override
    def write(self, keys: Iterable[str], context: HaContext | None) -> None:
        """Call the listeners of these keys; then free the parsed parts of the last uplinks."""
        super().write(keys, context)
        last, last_data = self.last_uplink, self.last_data_uplink
        if last is not None:
            last.fold()
        if last_data is not None and last_data is not last:
            last_data.fold()

    def update_registration(self, end_device: EndDevice) -> None:
        """Apply the end device's registration in The Things Stack."""
        self.end_device = end_device
        self.ids = end_device.ids
        self.version_ids = end_device.version_ids or self.version_ids
        self.attributes = end_device.attributes
        self.overdue_number = overdue_number(self.attributes)
        self.update_context()
        if end_device.last_seen_at is not None:
            self.note_seen(end_device.last_seen_at)

    @property
    def model(self) -> str | None:
        """Return "brand/model", such as "dragino/lht65n", as overrides have it; None if unknown."""
        versions = self.version_ids
        if versions is None or not versions.brand_id or not versions.model_id:
            return None
        return f"{versions.brand_id}/{versions.model_id}"

    @property
    def context(self) -> Context:
        """Return what decisions on new fields depend on besides the payload."""
        return self._context

    @property
    def has_fields(self) -> bool:
        """Return whether anything is known of it besides what its model's examples say."""
        return any(not meaning.expected for meaning in self.decisions.values())

    def update_context(self) -> None:
        """Read again what decisions on new fields depend on: the model, and its formatter."""
        versions = self.version_ids or VersionIds()
        self._context = Context(
            brand_id=versions.brand_id,
            model_id=versions.model_id,
            sensors=self._model_sensors.get(self.model or "", ()),
            known=self._known_fields(versions.brand_id, versions.model_id),
            formatter=self.formatter_hints,
        )

    def better_decisions(self, *, model_chosen: bool = False) -> dict[str, Meaning]:
        """Return decisions by what became known of the model or formatter since the present ones.

        With `model_chosen`, by the user, those of other entities than new ones, too.
        """
        decided: dict[str, Meaning] = {}
        for payload in self._payloads.values():
            decided |= understand(
                payload.decoded, payload.normalized, decisions={}, context=self._context
            ).new
        return better(
            decided,
            self.decisions,
            self._observations,
            is_new=self._is_new,
            model_chosen=model_chosen,
        )

    @property
    def needs_formatter(self) -> bool:
        """Return whether the payload formatter seems to be missing or wrong.

        If it has decoded uplinks before, it takes several undecoded ones in a row.
        """
        undecoded = self.undecoded
        return undecoded > 0 and undecoded >= (UNDECODED_IN_A_ROW if self.has_fields else 1)

    def note_seen(self, moment: datetime) -> bool:
        """Move last seen forward and return True; an older moment changes nothing.

        A moment in the future counts as the present.
        """
        return self._move_last_seen(self._not_in_future(moment))

    def _move_last_seen(self, moment: datetime) -> bool:
        if self.last_seen is not None and moment <= self.last_seen:
            return False
        self.last_seen = moment
        return True

    def is_duplicate(self, message: Message) -> bool:
        """Return whether this message was received before (the last 32 are remembered)."""
        identity = message.identity
        if identity is None:
            return False
        seen = self._seen
        if identity in seen:
            return True
        # By their own time: messages that are caught up must not displace new ones.
        newest = next(reversed(seen.values()), _EPOCH)
        seen[identity] = moment = message.time or _EPOCH
        if moment < newest:
            self._seen = seen = dict(sorted(seen.items(), key=itemgetter(1)))
        if len(seen) > REMEMBERED_MESSAGES:
            del seen[next(iter(seen))]
        return False

    def receive(self, uplink: UplinkMessage, decide: Decide, hold: Hold) -> Received:
        """Apply an uplink; of an older one, only values that no newer uplink has reported.

        `decide` stores the decisions on new fields, and returns them with the user's overrides;
        `hold` returns the paths of corrections that are not made now.
        """
        moment = _EPOCH if uplink.time is None else self._not_in_future(uplink.time)
        uplink = self.local_decoder.apply(uplink, self._context.known)
        received = Received(uplink)
        if not uplink.simulated and uplink.time is not None:
            self.uplinks.note(moment, uplink.f_cnt, uplink.consumed_airtime)
            self.reception.note(moment, uplink.signals_by_gateway)
        if not uplink.simulated and (self._uplink_at is None or moment >= self._uplink_at):
            self.last_uplink, self._uplink_at = uplink, moment
            received.changed.extend(self.radio_keys)
            if uplink.time is not None:
                self._move_last_seen(moment)
        known = self.version_ids
        if known is None or not uplink.is_of(known):
            versions = uplink.version_ids
            if versions not in (None, known):
                self.version_ids = versions
                self.update_context()
                received.identified = True
        battery = uplink.last_battery
        if battery is not None and (
            self.last_battery is None
            or (battery.received_at or _EPOCH) >= (self.last_battery.received_at or _EPOCH)
        ):
            self.last_battery = battery
        if uplink.has_application_data:
            self._receive_payload(uplink, moment, received, decide, hold)
        return received

    def receive_again(self, decide: Decide, hold: Hold) -> Received | None:
        """Apply the last uplink with data once more, after how to decode it has changed."""
        last, moment = self.last_data_uplink, self.last_data_at
        if last is None or moment is None:
            return None
        uplink = self.local_decoder.apply(self.local_decoder.original(last), self._context.known)
        received = Received(uplink)
        self.undecoded = 0
        self._receive_payload(uplink, moment, received, decide, hold)
        return received

    def decoded(self, uplink: UplinkMessage) -> UplinkMessage:
        """Return an earlier uplink as it would be decoded now; it isn't applied."""
        return self.local_decoder.decoded(uplink, self._context.known)

    def next_uplink(self, now: datetime) -> datetime | None:
        """Return when the next uplink is expected; None until the interval is learned."""
        interval = self.uplinks.interval.seconds
        if interval is None or self.last_seen is None:
            return None
        missed = max((now - self.last_seen).total_seconds(), 0.0) // interval
        return self.last_seen + timedelta(seconds=(missed + 1) * interval)

    def _receive_payload(
        self,
        uplink: UplinkMessage,
        moment: datetime,
        received: Received,
        decide: Decide,
        hold: Hold,
    ) -> None:
        late = self.last_data_at is not None and moment < self.last_data_at
        if not late:
            self.last_data_uplink, self.last_data_at = uplink, moment
        decoded, normalized = uplink.decoded_payload, uplink.normalized_payload
        undecoded = decoded is None and not normalized
        if undecoded or self.undecoded:
            self._count_undecoded(undecoded, late, received)
        if undecoded:
            return
        self._remember_payload(uplink.f_port, _Payload(moment, decoded, normalized))
        understanding = understand(
            decoded,
            normalized,
            decisions=self._reported_fields(),
            context=self._context,
            observations=self._observations,
        )
        if understanding.corrected and (held := hold(self, understanding.corrected)):
            hold_back(understanding, held, self.decisions, raw_values(decoded, normalized))
        if understanding.observations or understanding.settled:
            self._observations.update(understanding.observations)
            for path in understanding.settled:
                self._observations.pop(path, None)
        self.skipped = understanding.skipped
        if understanding.contradictions:
            self.contradictions |= understanding.contradictions
        received.grown = understanding.grown
        received.corrected = understanding.corrected
        if understanding.corrected:
            self.note_corrected(understanding.corrected)
        if understanding.new:
            expected = {p: self.decisions[p] for p in understanding.new if p in self.expected}
            received.new = decide(self, understanding.new)
            self._read_overridden(understanding, received.new)
            self.note_fields(received.new)
            self._confirm(expected, received)
        values, times, events = self.values, self._value_times, self._event_paths
        checked, changed = self._checked_paths, received.changed
        redecided = understanding.corrected.keys() | received.changed_decisions.keys()
        for path, value in understanding.values.items():
            if late and times.get(path, moment) > moment:
                continue
            if path in checked and not self._jumps.accepts(
                path, self.decisions[path], value, moment
            ):
                continue
            times[path] = moment
            if values.get(path, _UNKNOWN) != value or path in events:
                values[path] = value
                if path in redecided:
                    continue  # its entity is updated after its description was corrected
                changed.append(f"{FIELD}/{path}")
        received.changed.extend(self.control_keys)

    def _count_undecoded(self, undecoded: bool, late: bool, received: Received) -> None:
        """Count uplinks in a row that nothing has decoded, unless this one comes late."""
        before = self.needs_formatter
        if not late:
            self.undecoded = self.undecoded + 1 if undecoded else 0
        received.undecoded = undecoded
        received.decoding_changed = self.needs_formatter != before
        if received.decoding_changed and STATUS not in received.changed:
            received.changed.append(STATUS)

    def _reported_fields(self) -> Mapping[str, Meaning]:
        """Return the decisions on fields, without those that the first value is to decide on."""
        if not self.expected:
            return self.decisions
        return {p: meaning for p, meaning in self.decisions.items() if p not in self.expected}

    @staticmethod
    def _confirm(expected: Mapping[str, Meaning], received: Received) -> None:
        """Take fields that were expected, and so have entities, out of the new ones.

        What they report may make others of them than the examples: those are noted.
        """
        for path, before in expected.items():
            now = received.new.pop(path)
            if now != replace(before, expected=False, source=now.source, reason=now.reason):
                received.changed_decisions[path] = (before, now)

    def _remember_payload(self, port: int, payload: _Payload) -> None:
        """Keep a payload to try overrides on, unless a newer one of its port is kept."""
        payloads = self._payloads
        if port in payloads and payloads[port].moment > payload.moment:
            return
        payloads[port] = payload
        if len(payloads) > REMEMBERED_PORTS:
            del payloads[min(payloads, key=lambda other: payloads[other].moment)]

    @staticmethod
    def _read_overridden(understanding: Understanding, new: Mapping[str, Meaning]) -> None:
        """Read the values of new fields again with the user's overrides."""
        for path, meaning in new.items():
            if meaning.rule != "override" or meaning.role is Role.POSITION:
                continue
            if meaning.kind in (Kind.IGNORE, Kind.EVENT):
                understanding.values.pop(path, None)
            else:
                understanding.values[path] = value_of(meaning, understanding.reported[path])

    def note_fields(self, decisions: Mapping[str, Meaning]) -> None:
        """Remember which fields are events (shown with the same value, too), and which may jump."""
        expected = {path for path, meaning in decisions.items() if meaning.expected}
        self.expected = (self.expected - decisions.keys() | expected) or _NO_PATHS
        if events := {path for path, meaning in decisions.items() if meaning.kind is Kind.EVENT}:
            self._event_paths |= events
        if checked := {path for path, meaning in decisions.items() if may_jump(meaning)}:
            self._checked_paths |= checked

    def note_corrected(self, paths: Iterable[str]) -> None:
        """Leave fields out of statistics for a while, because their decisions were corrected."""
        self._corrected_at |= dict.fromkeys(paths, dt_util.utcnow())

    def forget_fields(self, paths: Iterable[str]) -> None:
        """Drop expected fields that are not awaited any more."""
        self.expected = (self.expected - set(paths)) or _NO_PATHS

    def counts_in_statistics(self, path: str) -> bool:
        """Return whether a field's unit is certain by now, and has been for a while.

        A unit that changes between two values of one statistics period would be counted as
        consumption of what was never consumed.
        """
        if not self._observations and not self._corrected_at:
            return True  # as for most, most of the time
        corrected_at = self._corrected_at.get(path)
        if corrected_at is not None and dt_util.utcnow() - corrected_at < STATISTICS_PAUSE:
            return False
        if path not in self._observations:
            return True
        meaning = self.decisions[path]
        return not (meaning.is_undecided or meaning.unit_assumed)

    def raw_values(self) -> dict[str, object]:
        """Return the newest reported value of each field by path, before any override.

        Read from the newest payload of each of the last REMEMBERED_PORTS ports.
        """
        raw: dict[str, object] = {}
        for payload in sorted(self._payloads.values(), key=lambda payload: payload.moment):
            raw |= raw_values(payload.decoded, payload.normalized)
        return raw

    def read_again(self, changed: Mapping[str, tuple[Meaning, Meaning]]) -> None:
        """Read values again after decisions changed; `changed` has those before and after.

        A value that isn't in the last uplinks any more (after a restart) is calculated from the
        present one; if it can't be calculated, it is unknown until the next uplink.
        """
        raw = self.raw_values() if changed else {}
        self._event_paths -= changed.keys()
        self._checked_paths -= changed.keys()
        for path, (before, now) in changed.items():
            self._jumps.forget(path)
            self.contradictions.pop(path, None)
            if now.role is Role.POSITION and before.role is Role.POSITION:
                continue
            if now.kind in (Kind.IGNORE, Kind.EVENT) or now.role is Role.POSITION:
                self.values.pop(path, None)
            elif path in raw:
                self.values[path] = value_of(now, raw[path])
            else:
                self.values[path] = recalculated(self.values.get(path), before, now)
        self.note_fields({path: now for path, (_, now) in changed.items()})

    def event_values(self, keys: Iterable[str]) -> dict[str, Value]:
        """Return the values of the fields among these keys that are events, by path."""
        paths = (key.removeprefix(f"{FIELD}/") for key in keys)
        return {p: self.values[p] for p in paths if p in self._event_paths and p in self.values}

    def restore(self, path: str, value: Value) -> None:
        """Set a value from before the restart, unless an uplink has brought one since."""
        self.values.setdefault(path, value)

    def on_location_solved(self, message: LocationSolved) -> str | None:
        """Apply a position that a location service found.

        Returns the path of the field that shows it; None if a newer position is known.
        """
        moment = _EPOCH if message.time is None else self._not_in_future(message.time)
        path = next(
            (p for p, m in self.decisions.items() if m.kind is Kind.DEVICE_TRACKER), LOCATION
        )
        if path in self._value_times and self._value_times[path] > moment:
            return None
        location = message.location
        if location is None:
            return None
        position = Position(
            location.latitude, location.longitude, location.altitude, location.accuracy
        )
        if not self._jumps.accepts_place(path, position, moment):
            return None
        self._value_times[path] = moment
        self.values[path] = position
        return path

    @property
    def registered_position(self) -> Position | None:
        """Return the location in the registration, the user's first; None without one."""
        if self.end_device is None:
            return None
        places = self.end_device.locations
        location = places.get("user") or next(iter(places.values()), None)
        if location is None:
            return None
        return Position(location.latitude, location.longitude, location.altitude, location.accuracy)

    def show_registered_position(self) -> bool:
        """Set the registered location if no better position is known; return whether it changed."""
        position = self.registered_position
        trackers = [p for p, m in self.decisions.items() if m.kind is Kind.DEVICE_TRACKER]
        if position is None or trackers not in ([], [LOCATION]) or LOCATION in self._value_times:
            return False
        if self.values.get(LOCATION) == position:
            return False
        self.values[LOCATION] = position
        return True

    def on_joined(self, message: JoinAccept) -> None:
        """Note that the end device joined the network."""
        if message.time is not None:
            self.note_seen(message.time)

    def status(self, *, overdue: bool) -> Status:
        """Return the status; whether the end device is `overdue` is decided in overdue.py.

        Depends on no restored value, so it is the same whatever is restored first.
        """
        if self.half_created:
            return Status.HALF_CREATED
        if self.vanished:
            return Status.NOT_REGISTERED
        if self.last_seen is None and not self._had_uplinks:
            registered = self.end_device
            if registered and registered.ids.join_eui and not registered.has_joined:
                return Status.NEVER_JOINED
            return Status.WAITING_FOR_FIRST_UPLINK
        if overdue:
            return Status.OVERDUE
        if self.last_seen is None or (self.last_uplink is None and not self._had_uplinks):
            return Status.WAITING_FOR_NEXT_UPLINK
        return Status.NOT_DECODED if self.needs_formatter else Status.ACTIVE

    @property
    def _had_uplinks(self) -> bool:
        """Return whether decoded uplinks were ever received, also before a restart."""
        reported = (path for path in self.decisions if path not in self.expected)
        return not self.taken_over and any(path != LOCATION for path in reported)
