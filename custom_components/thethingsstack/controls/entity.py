"""What the entities of all controls share: reported state, pending command, last failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Self, override

from homeassistant.const import Platform, UnitOfTemperature
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity
from homeassistant.helpers.template import Template
from homeassistant.util import dt as dt_util

from ..application import refused
from ..downlinks import LOST, DownlinkRecord, DownlinkState
from ..end_devices import (
    EndDeviceState,
    async_fire_for_logbook,
    async_waiting_words,
    async_words,
    control_key,
)
from .kinds import Role, State
from .model import Control, number, thread_of, threads_of
from .payload_template import PayloadTemplateError

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry

DELIVERED = frozenset({DownlinkState.SENT, DownlinkState.ACKNOWLEDGED})
# Uplinks with the field after a delivered command, until the command counts as failed.
PATIENCE = 2
PER_CENT = 10
"""Tolerance of a position, since a motor doesn't stop exactly at the requested one."""
NOT_FOLLOWED = "not_followed"
NO_ANSWER = "downlink_no_answer"
PENDING = "control_pending"
FAILED = "control_failed"


@dataclass(slots=True)
class Pending:
    """A command whose effect has not been reported yet."""

    downlink: DownlinkRecord
    changes: dict[Role, State]
    uplinks: int = 0
    """How many uplinks reported another value since the command was delivered."""

    @property
    def delivered(self) -> bool:
        """Return whether it was delivered, so that only the end device's report is missing."""
        return not self.downlink.open


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the last command had no effect."""

    kind: str
    reason: str | None
    at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON."""
        return {"kind": self.kind, "reason": self.reason, "at": self.at.isoformat()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the output of `as_dict`."""
        return cls(kind=data["kind"], reason=data["reason"], at=datetime.fromisoformat(data["at"]))


@dataclass(slots=True)
class Kept(ExtraStoredData):
    """The state of a control that is stored over a restart of Home Assistant."""

    known: dict[Role, State]
    ended: dict[str, str]
    """The downlink of the last command of each thread that was delivered and has ended."""
    failed: dict[str, str]
    """The downlink of the last command of each thread that failed."""
    uplinks: dict[str, int]
    """How many uplinks reported another value, of each pending command."""
    read_until: datetime | None
    """The time of the last uplink that was read: it comes again when missed ones are read."""
    failure: Failure | None

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON."""
        return {
            "known": {str(role): state for role, state in self.known.items()},
            "ended": self.ended,
            "failed": self.failed,
            "uplinks": self.uplinks,
            "read_until": self.read_until.isoformat() if self.read_until else None,
            "failure": self.failure.as_dict() if self.failure else None,
        }


def render_payload(hass: HomeAssistant, template: str, value: object) -> str:
    """Return a payload template filled in with a value; raises FrameError."""
    try:
        return str(Template(template, hass).async_render({"value": value}, parse_result=False))
    except TemplateError as err:
        raise PayloadTemplateError("template_failed", error=str(err)) from err


def connect(
    entry: TtsConfigEntry,
    platform: Platform,
    kind: type[ControlEntity],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the existing controls of a platform, and new ones when they are created."""
    coordinator = entry.runtime_data
    coordinator.controls.async_connect(
        platform,
        lambda subentry_id, control, device: kind(coordinator, subentry_id, control, device),
        async_add_entities,
    )


class ControlEntity(RestoreEntity):
    """An entity that sends downlinks to one end device and shows its reported state.

    While a command waits, it shows the requested state, with attributes that say so; a command
    that fails, or is not followed, restores the reported state. Without a field that reports it,
    the state is the last requested one, marked as assumed.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False
    _moves = False
    """Whether it has states for what a pending command requests: locking, opening."""
    _unrecorded_attributes = frozenset({"waiting", "expected_at", "queued_at", "last_error_at"})

    def __init__(
        self,
        coordinator: ApplicationCoordinator,
        subentry_id: str,
        control: Control,
        device: EndDeviceState,
    ) -> None:
        """Use the subentry's id as unique id, since the control may move to another device."""
        self.coordinator = coordinator
        self.control = control
        self.device = device
        self.subentry_id = subentry_id
        self.known: dict[Role, State] = {}
        self.pending: dict[str, Pending] = {}
        self.failure: Failure | None = None
        self._read_of: object = None
        self._read_until: datetime | None = None
        self._ended: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._attr_unique_id = subentry_id
        self._attr_name = control.name
        self._attr_assumed_state = control.assumed

    # State

    @property
    @override
    def available(self) -> bool:
        """Return whether commands can be sent, as far as is known."""
        return self.coordinator.connection_state.reachable

    def state_of(self, role: Role) -> State | None:
        """Return the state that a pending command requests for a role; else the reported one.

        Where a field reports it, the reported one in any case if the control is to show that, or
        if the entity has states for what is going to be, such as *locking*.
        """
        shows_requested = self.control.shows_requested and not (self._moves and role is Role.STATE)
        requested = self.asked_for(role)
        if requested is not None and (shows_requested or role not in self.control.reports):
            return requested
        return self.known.get(role)

    @property
    def opening(self) -> bool | None:
        """Return whether a pending command opens it; False if it closes it, None without one.

        Of one with a position, the requested one is compared with the reported one.
        """
        if self.assumed_state:
            return None
        to, position = number(self.asked_for(Role.POSITION)), number(self.known.get(Role.POSITION))
        if to is not None and position is not None:
            return None if to == position else to > position
        requested = self.asked_for()
        return None if requested is None else bool(requested)

    def truth_of(self, role: Role = Role.STATE) -> bool | None:
        """Return the state of a boolean role."""
        state = self.state_of(role)
        return state if isinstance(state, bool) else None

    def number_of(self, role: Role) -> float | None:
        """Return the state of a numeric role."""
        return number(self.state_of(role))

    def text_of(self, role: Role) -> str | None:
        """Return the state of a text role."""
        state = self.state_of(role)
        return None if state is None else str(state)

    def asked_for(self, role: Role = Role.STATE) -> State | None:
        """Return the state that a pending command requests for a role; None without one."""
        return next((p.changes[role] for p in self.pending.values() if role in p.changes), None)

    @property
    @override
    def translation_key(self) -> str | None:
        """Return the key of its icon: that of a pending command, or of one that failed."""
        if self.pending:
            return PENDING
        return FAILED if self.failure else None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return the pending command with its times, and the last failure."""
        attributes: dict[str, Any] = {}
        if self.pending:
            pending = max(self.pending.values(), key=lambda p: p.downlink.created)
            downlink = pending.downlink
            attributes["pending"] = (
                ", ".join(self._state_name(role, to) for role, to in pending.changes.items())
                or self.control.name
            )
            what = downlink.command or self._in_words(pending.changes)
            attributes["waiting"] = self._waiting(downlink, what)
            attributes["downlink_state"] = str(downlink.state)
            attributes["queued_at"] = downlink.created.isoformat()
            expected = self.coordinator.downlinks.expected_at(self.device)
            if downlink.state is DownlinkState.QUEUED and expected is not None:
                attributes["expected_at"] = expected.isoformat()
        if self.failure is not None:
            attributes["last_error"] = self.failure.kind
            attributes["last_error_reason"] = self.failure.reason
            attributes["last_error_at"] = self.failure.at.isoformat()
        return attributes

    def _waiting(self, downlink: DownlinkRecord, what: str) -> str:
        """Return in words what a pending command waits for."""
        if not downlink.waiting:
            return async_words(self.hass, "waiting_for_report", what=what)
        expected = self.coordinator.downlinks.expected_at(self.device)
        at_once = self.coordinator.downlinks.standing_of(self.device).listens_always is True
        return async_waiting_words(self.hass, what, expected, at_once=at_once)

    def _in_words(self, changes: Mapping[Role, State]) -> str:
        """Return what a command asks for, with its unit."""
        words = ", ".join(self._with_unit(role, to) for role, to in changes.items())
        return words or self.control.name

    def _with_unit(self, role: Role, to: State) -> str:
        unit: str | None = None
        if role is Role.TARGET_TEMPERATURE:
            unit = UnitOfTemperature.CELSIUS
        elif role is Role.VALUE and not isinstance(to, str):
            unit = self.control.unit
        name = self._state_name(role, to)
        return f"{name} {unit}" if unit else name

    def _state_name(self, role: Role, to: State) -> str:
        """Return the name of a state in Home Assistant."""
        if isinstance(to, bool):
            words = {Platform.LOCK: ("locked", "unlocked")}
            words |= dict.fromkeys((Platform.VALVE, Platform.COVER), ("open", "closed"))
            return words.get(self.control.platform, ("on", "off"))[not to]
        if isinstance(to, float) and to.is_integer():
            to = int(to)
        return f"{to} %" if role in (Role.POSITION, Role.BRIGHTNESS) else str(to)

    # Start and end

    @override
    async def async_added_to_hass(self) -> None:
        """Restore state and pending commands, then listen for uplinks and downlinks."""
        await super().async_added_to_hass()
        stored = await self.async_get_last_extra_data()
        if self.device.taken_over:  # the state of its new end device is not known yet
            stored = None
        kept = stored.as_dict() if stored else {}
        for role, state in (kept.get("known") or {}).items():
            if role in self.control.kind.reports:
                self.known[Role(role)] = state
        if read_until := kept.get("read_until"):
            self._read_until = datetime.fromisoformat(read_until)
        self._read()
        self._recall(kept)
        downlinks = self.coordinator.downlinks
        for thread in threads_of(self.subentry_id):
            self.async_on_remove(downlinks.subscribe(self._downlink_changed, control=thread))
        key = control_key(self.subentry_id)
        self.device.subscribe(key, self._uplink_came)
        self.async_on_remove(partial(self.device.unsubscribe, key, self._uplink_came))
        self._update_icon()

    @callback
    def _recall(self, kept: Mapping[str, Any]) -> None:
        """Take up the commands from before the restart: what waits, and why the last one failed."""
        self._ended = dict(kept.get("ended") or {})
        self._failed = dict(kept.get("failed", self._ended))
        # What was stored by an earlier version doesn't say which commands had ended, or how.
        recalled, failed_last = "failed" not in kept, False
        for thread in threads_of(self.subentry_id):
            newest = self.coordinator.downlinks.newest(thread)
            counts = self.coordinator.downlinks.newest(thread, without=LOST)
            for downlink in dict.fromkeys((counts, newest)):
                if downlink is not None:
                    self._follow(thread, downlink, recalled=recalled)
            failed_last |= newest is not None and newest.id == self._failed.get(thread)
            if (pending := self.pending.get(thread)) is not None:
                pending.uplinks = max(pending.uplinks, (kept.get("uplinks") or {}).get(thread, 0))
        if (failed_last or not self.pending) and self.failure is None and kept.get("failure"):
            self.failure = Failure.from_dict(kept["failure"])

    @property
    @override
    def extra_restore_state_data(self) -> Kept:
        """Return the state to restore after a restart."""
        uplinks = {thread: pending.uplinks for thread, pending in self.pending.items()}
        return Kept(
            known=self.known,
            ended=self._ended,
            failed=self._failed,
            uplinks=uplinks,
            read_until=self._read_until,
            failure=self.failure,
        )

    @callback
    def _show(self) -> None:
        self._update_icon()
        self.async_write_ha_state()

    @callback
    def _update_icon(self) -> None:
        """Write the icon's key to the entity registry, where the frontend takes it from."""
        registry = er.async_get(self.hass)
        registered = registry.async_get(self.entity_id)
        if registered is not None and registered.translation_key != self.translation_key:
            registry.async_update_entity(self.entity_id, translation_key=self.translation_key)

    # Uplinks

    @callback
    def _uplink_came(self, context: Context | None) -> None:
        self._read()
        if context is not None:
            self.async_set_context(context)
        self._show()

    @callback
    def _read(self) -> None:
        """Update from the newest uplink; a field that isn't in it keeps its state."""
        uplink = self.device.last_data_uplink
        if uplink is self._read_of:
            return
        self._read_of = uplink
        reported: dict[Role, State] = {}
        for role, report in self.control.reports.items():
            raw = report.find(uplink.decoded_payload) if uplink else None
            if raw is None and role not in self.known:
                raw = next(
                    (v for p in report.paths if (v := _as_reported(self.device, p)) is not None),
                    None,
                )
            if (state := report.read(role, raw)) is not None:
                reported[role] = state
        self.known |= reported
        if uplink is None or (uplink.time is not None and not self._is_new()):
            return
        for thread, pending in list(self.pending.items()):
            if pending.delivered and reported.keys() & pending.changes.keys():
                pending.uplinks += 1
                self._settle(thread, pending)

    def _is_new(self) -> bool:
        """Return whether the newest uplink was not read before, also before a restart."""
        before, self._read_until = self._read_until, self.device.last_data_at
        return before is None or self._read_until is None or self._read_until > before

    @callback
    def _settle(self, thread: str, pending: Pending) -> None:
        """End a delivered command when its effect is reported, or missing for too many uplinks."""
        if all(
            self._same(role, self.known.get(role), to)
            for role, to in pending.changes.items()
            if role in self.control.reports
        ):
            self._end(thread, pending.downlink)
        elif pending.uplinks >= PATIENCE:
            self._end(thread, pending.downlink)
            self._not_followed(pending)

    @callback
    def _not_followed(self, pending: Pending) -> None:
        """Note that the end device goes on reporting something else."""
        reported = {r: self.known[r] for r in pending.changes if r in self.known}
        words = self._in_words(reported)
        self.failure = Failure(kind=NOT_FOLLOWED, reason=words, at=dt_util.utcnow())
        async_fire_for_logbook(
            self.hass,
            self.device,
            NOT_FOLLOWED,
            pending.downlink.context,
            entity_id=self.entity_id,
            command=pending.downlink.command,
            reported=words,
        )

    def _same(self, role: Role, reported: State | None, wanted: State) -> bool:
        if isinstance(reported, float | int) and not isinstance(reported, bool):
            asked = number(wanted)
            close = PER_CENT if role in (Role.POSITION, Role.BRIGHTNESS) else self.control.step or 1
            return asked is not None and abs(reported - asked) <= close / 2
        return reported == wanted

    # Downlinks

    async def async_command(self, name: str, value: State | None = None) -> None:
        """Queue a command's downlink; it replaces one of this control that is still queued.

        Raises HomeAssistantError with a translated reason if nothing was queued.
        """
        command, changes = self.control.command_for(name, value)
        try:
            downlink = command.downlink(
                value, lambda text, given: render_payload(self.hass, text, given)
            )
        except PayloadTemplateError as err:
            text = f"command_{err.key}"
            raise refused(text, control=self.control.name, **err.placeholders) from err
        thread = thread_of(self.subentry_id, changes)
        try:
            followed = await self.coordinator.downlinks.async_send(
                self.device,
                downlink,
                control=thread,
                note={str(role): to for role, to in changes.items()},
                command=self._in_words(changes),
                entity_id=self.entity_id,
                context=self._context,
            )
        except HomeAssistantError as err:
            if err.translation_key == NO_ANSWER:  # check whether all controls are unavailable
                await self.coordinator.connection_state.async_check_rights()
            raise
        self._follow(thread, followed)
        self._show()

    @callback
    def _downlink_changed(self, _device: EndDeviceState, downlink: DownlinkRecord) -> None:
        if (thread := downlink.control) is None:
            return
        pending = self.pending.get(thread)
        # An older command is followed where a newer one failed.
        older = pending is not None and pending.downlink is downlink
        if older or self.coordinator.downlinks.newest(thread) is downlink:
            self._follow(thread, downlink)
            self._show()

    @callback
    def _follow(self, thread: str, downlink: DownlinkRecord, *, recalled: bool = False) -> None:
        """Update a command from its downlink; ends one delivered before a restart."""
        note = downlink.note if isinstance(downlink.note, Mapping) else {}
        changes = {Role(role): state for role, state in note.items()}
        ended = self._failed if downlink.state in LOST else self._ended
        if not downlink.open and ended.get(thread) == downlink.id:
            return
        pending = self.pending.get(thread)
        if pending is None or pending.downlink is not downlink:
            pending = Pending(downlink, changes)
        if downlink.open:
            self.pending[thread] = pending
            self.failure = None
        elif downlink.state in DELIVERED:
            self.known |= {r: s for r, s in changes.items() if r not in self.control.reports}
            self.failure = None
            if changes.keys() & self.control.reports.keys() and not recalled:
                self.pending[thread] = pending
                self._settle(thread, pending)
            else:
                self._end(thread, downlink)
        elif downlink.state is not DownlinkState.REPLACED or not self._newest_counts(thread):
            self._fail(thread, downlink)

    def _newest_counts(self, thread: str) -> bool:
        """Return whether the newest command of a thread waits or was delivered."""
        newest = self.coordinator.downlinks.newest(thread)
        return newest is not None and newest is self.coordinator.downlinks.newest(
            thread, without=LOST
        )

    @callback
    def _end(self, thread: str, downlink: DownlinkRecord) -> None:
        """End a delivered command; remember it, since its state may be reported again."""
        self._ended[thread] = downlink.id
        self.pending.pop(thread, None)

    @callback
    def _fail(self, thread: str, downlink: DownlinkRecord) -> None:
        """Note why a command failed, and go back to an older one that still waits or counts."""
        self._failed[thread] = downlink.id
        pending = self.pending.get(thread)
        if pending is not None and pending.downlink is downlink:
            del self.pending[thread]
        older = self.coordinator.downlinks.newest(thread, without=LOST)
        if older is not None and thread not in self.pending:
            self._follow(thread, older)
        self.failure = Failure(
            kind=str(downlink.state),
            reason=downlink.reason or downlink.error,
            at=downlink.updated,
        )


def _as_reported(device: EndDeviceState, path: str) -> object:
    """Return the restored value of a field; None if the value shown isn't the one reported."""
    meaning = device.decisions.get(path)
    if meaning is None or meaning.invert or meaning.value_map:
        return None
    return None if meaning.scale != 1 or meaning.offset else device.values.get(path)
