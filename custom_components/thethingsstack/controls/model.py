"""The data of a control: its end device, the frames it sends, the fields it reads.

Stored as the data of a config subentry; independent of entities and the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
import re
from typing import Any, Self

from homeassistant.const import Platform

from ..client import Downlink
from .kinds import CLIMATE_MODES, KINDS, NUMBERS, TRUTHS, PlatformKind, Role, State
from .payload_template import Filled, Form, PayloadTemplateError, Render, fill, read_payload

SUBENTRY_CONTROL = "control"
SHOWS_REQUESTED = "shows_requested"

ON_WORDS = frozenset({"on", "open", "opened", "true", "yes", "1", "locked", "active", "enabled"})
OFF_WORDS = frozenset(
    {"off", "close", "closed", "false", "no", "0", "unlocked", "inactive", "disabled"}
)
MAX_PORT = 223


def threads_of(subentry_id: str) -> list[str]:
    """Return the control's threads: in one thread, a new command replaces a queued one.

    A thermostat has two: a new mode must not remove a new temperature from the queue.
    """
    return [subentry_id, f"{subentry_id}-{Role.MODE}"]


def thread_of(subentry_id: str, changes: Mapping[Role, State]) -> str:
    """Return the thread (see `threads_of`) of a command that sets these states."""
    return threads_of(subentry_id)[Role.MODE in changes]


class InvalidControlError(ValueError):
    """The data of a stored control, or of one in a preset, is invalid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A frame that a control can send."""

    payload: str | Mapping[str, Any]
    form: Form
    f_port: int | None = None
    """`None` only for an object: the payload formatter chooses the f_port."""
    confirmed: bool = False

    def fill(self, value: State | None, render: Render) -> Filled:
        """Return the payload for a value; raises PayloadTemplateError."""
        return fill(self.form, self.payload, value, render)

    def downlink(self, value: State | None, render: Render) -> Downlink:
        """Return the downlink for a value; raises PayloadTemplateError."""
        filled = self.fill(value, render)
        return Downlink(
            f_port=self.f_port,
            payload=filled if isinstance(filled, bytes) else None,
            decoded_payload=None if isinstance(filled, bytes) else filled,
            confirmed=self.confirmed,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON."""
        payload = self.payload if isinstance(self.payload, str) else dict(self.payload)
        return {
            "form": str(self.form),
            "payload": payload,
            "f_port": self.f_port,
            "confirmed": self.confirmed,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the output of `as_dict`, or data of a preset; raises InvalidControlError."""
        payload = data["payload"]
        if not isinstance(payload, str | Mapping):
            raise InvalidControlError(f"{payload!r} must be a text, in quotes")
        try:
            form, payload = read_payload(payload)
        except PayloadTemplateError as err:
            raise InvalidControlError(f"{payload!r} is no payload: {err}") from err
        f_port = data.get("f_port")
        if f_port is None and form is not Form.OBJECT:
            raise InvalidControlError(f"{payload!r} has no port")
        if f_port is not None and not 1 <= float(f_port) <= MAX_PORT:
            raise InvalidControlError(f"{f_port} is no port for downlinks")
        return cls(
            payload=payload,
            form=form,
            f_port=None if f_port is None else int(f_port),
            confirmed=bool(data.get("confirmed", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A decoded field that reports the state of a role."""

    path: str
    values: Mapping[str, str] = field(default_factory=dict)
    """State by reported value; numbers and words for on and off need no entry."""

    def find(self, decoded: object) -> object:
        """Return the decoded value at the path, or at the first of several that is present."""
        for path in self.paths:
            if (raw := lookup(decoded, path)) is not None:
                return raw
        return None

    @property
    def paths(self) -> list[str]:
        """Return the possible fields: versions of a formatter may name it differently."""
        return [path.strip() for path in self.path.split("|")]

    def read(self, role: Role, raw: object) -> State | None:
        """Return the state for a decoded value; `None` if it can't be interpreted."""
        word = _word(raw)
        known = {key.casefold(): to for key, to in self.values.items()}
        mapped = known.get(word)
        if role in TRUTHS:
            return truth(mapped) if known else truth(raw)
        if role in (Role.OPTION, Role.MODE):
            return mapped if mapped is not None else (None if known else word or None)
        if role in NUMBERS:
            return number(mapped if mapped is not None else raw)
        if mapped is not None:
            return mapped
        if isinstance(raw, bool) or raw is None or isinstance(raw, Mapping | list):
            return None
        return raw if isinstance(raw, int | float | str) else str(raw)

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON."""
        return {"path": self.path, "values": dict(self.values)}


def _word(raw: object) -> str:
    """Return a reported value as text: 1.0 is "1", True is "true"."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return str(raw).strip().casefold() if isinstance(raw, str | int | float) else ""


def truth(raw: object) -> bool | None:
    """Return whether a reported value means on, open or locked."""
    word = _word(raw)
    if word in ON_WORDS:
        return True
    return False if word in OFF_WORDS else None


def number(raw: object) -> float | None:
    """Return a reported value as a number; `None` if it isn't one."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return _finite(raw)
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?\d+(?:\.\d+)?\s*", raw):
        return _finite(raw)
    return None


def _finite(raw: float | str) -> float | None:
    try:
        value = float(raw)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control: the validated data of a subentry."""

    device: str
    """Key of the end device."""
    platform: Platform
    name: str
    commands: Mapping[str, Command] = field(default_factory=dict)
    choices: Mapping[str, Command] = field(default_factory=dict)
    """The command of each option or mode."""
    reports: Mapping[Role, Report] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    unit: str | None = None
    preset: str | None = None
    """The preset that it was created from."""
    shows_requested: bool = True
    """Whether it shows what was asked for while a command waits; else what was last reported."""

    @property
    def kind(self) -> PlatformKind:
        """Return the roles and commands of its platform."""
        return KINDS[self.platform]

    @property
    def assumed(self) -> bool:
        """Return whether no field reports the state of the entity."""
        main = self.kind.main
        reporting = {main, Role.POSITION} if main is Role.STATE else {main}
        return main is not None and not reporting & self.reports.keys()

    def command_for(
        self, name: str, value: State | None = None
    ) -> tuple[Command, dict[Role, State]]:
        """Return a command and the states that it sets; raises KeyError for an unknown one."""
        kind = self.kind.command(name)
        if kind is None:
            assert self.kind.choices is not None
            return self.choices[name], {self.kind.choices: name}
        command = self.commands[name]
        to = value if kind.to is None else kind.to
        if kind.role is None or to is None:
            return command, {}
        return command, {kind.role: to} | self._implied(kind.role, to)

    def _implied(self, role: Role, to: State) -> dict[Role, State]:
        """Return further states that a command sets, for roles that no field reports."""
        implied: dict[Role, State] = {}
        if role in (Role.POSITION, Role.BRIGHTNESS) and Role.STATE not in self.reports:
            implied[Role.STATE] = bool(to)
        elif (
            role is Role.STATE and "position" in self.commands and Role.POSITION not in self.reports
        ):
            implied[Role.POSITION] = 100.0 if to else 0.0
        return implied

    def as_dict(self) -> dict[str, Any]:
        """Return this as a subentry's data."""
        data: dict[str, Any] = {
            "device": self.device,
            "platform": str(self.platform),
            "name": self.name,
            "commands": {name: command.as_dict() for name, command in self.commands.items()},
            "choices": {name: command.as_dict() for name, command in self.choices.items()},
            "reports": {str(role): report.as_dict() for role, report in self.reports.items()},
        }
        for key in ("minimum", "maximum", "step", "unit", "preset"):
            if (value := getattr(self, key)) is not None:
                data[key] = value
        if not self.shows_requested:
            data[SHOWS_REQUESTED] = False
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a subentry's data, or a preset's control; raises InvalidControlError."""
        try:
            control = cls(
                device=str(data["device"]),
                platform=Platform(data["platform"]),
                name=str(data["name"]),
                commands=_commands(data.get("commands"), data),
                choices=_commands(data.get("choices"), data),
                reports={
                    Role(role): _report(report)
                    for role, report in (data.get("reports") or {}).items()
                },
                minimum=_optional(data.get("minimum")),
                maximum=_optional(data.get("maximum")),
                step=_optional(data.get("step")),
                unit=data.get("unit"),
                preset=data.get("preset"),
                shows_requested=bool(data.get(SHOWS_REQUESTED, True)),
            )
        except InvalidControlError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
            raise InvalidControlError(f"{type(err).__name__}: {err}") from err
        control.check()
        return control

    def check(self) -> None:
        """Raise InvalidControlError unless it fits its platform."""
        kind = KINDS.get(self.platform)
        if kind is None:
            raise InvalidControlError(f"no control can be a {self.platform}")
        if unknown := set(self.commands) - {command.name for command in kind.commands}:
            raise InvalidControlError(f"a {self.platform} has no command {min(unknown)}")
        for command in kind.commands:
            if command.required and command.name not in self.commands:
                raise InvalidControlError(f"the command {command.name} is missing")
        if unread := set(self.reports) - set(kind.reports):
            raise InvalidControlError(f"a {self.platform} shows no {min(unread)}")
        if self.choices and kind.choices is None:
            raise InvalidControlError(f"a {self.platform} has no choices")
        if kind.choices is Role.OPTION and not self.choices:
            raise InvalidControlError("a select needs options")
        if kind.choices is Role.MODE and (odd := set(self.choices) - set(CLIMATE_MODES)):
            raise InvalidControlError(f"{min(odd)} is no mode of a climate")
        if kind.ranged and (
            self.minimum is None or self.maximum is None or self.minimum >= self.maximum
        ):
            raise InvalidControlError("the lowest value must be below the highest")


def _optional(raw: Any) -> float | None:
    if raw is None:
        return None
    value = float(raw)
    if not math.isfinite(value):
        raise InvalidControlError(f"{raw} is no number")
    return value


def _commands(raw: Any, defaults: Mapping[str, Any]) -> dict[str, Command]:
    """Read commands; `defaults` has their common port and confirmation."""
    common = {key: defaults[key] for key in ("f_port", "confirmed") if key in defaults}
    commands = {}
    for name, item in (raw or {}).items():
        given = item if isinstance(item, Mapping) and "payload" in item else {"payload": item}
        commands[str(name)] = Command.from_dict({**common, **given})
    return commands


def _report(raw: Any) -> Report:
    if isinstance(raw, str):
        return Report(path=raw)
    values = {str(key): str(value) for key, value in (raw.get("values") or {}).items()}
    return Report(path=str(raw["path"]), values=values)


_STEPS = re.compile(r"(?:\\.|[^.\\])+")


def lookup(decoded: object, path: str) -> object:
    """Return the decoded value at a path of keys and list indexes; `None` if absent."""
    found = decoded
    for step in _STEPS.findall(path):
        key = re.sub(r"\\(.)", r"\1", step)
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    if isinstance(found, Mapping):  # an object with the value and its unit or label
        return found.get("value")
    return found
