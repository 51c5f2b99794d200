"""The form that edits one field: its schema, reading the answers, and the preview."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
    SensorDeviceClass,
)
from homeassistant.const import Platform
from homeassistant.helpers.selector import (
    BooleanSelector,
    DeviceClassSelector,
    DeviceClassSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..end_devices import recalculated
from ..payload import (
    NO_CLASS,
    NUMERIC_ROLES,
    SENSOR_ROLES,
    Kind,
    Meaning,
    Override,
    Position,
    Role,
    Value,
    plain_text,
    value_of,
)
from ..payload.override import LONGEST, as_home_assistant_writes
from ..payload.units import normalise
from ..payload.values import Shape, read, truth_of
from .decisions import FieldDecisions
from .descriptions import STATE_CLASSES, device_class_of
from .names import FieldNames
from .overrides import LONGEST_PATH, FieldOverride, OverrideError, Scope

if TYPE_CHECKING:
    from ..end_devices import EndDeviceState

CONF_PLATFORM = "platform"
CONF_NAME = "name"
CONF_DEVICE_CLASS = "device_class"
CONF_UNIT = "unit"
CONF_ROLE = "state_class"
CONF_SCALE = "scale"
CONF_OFFSET = "offset"
CONF_VALUE_MAP = "value_map"
CONF_MAX_JUMP = "max_jump"
CONF_INVERT = "invert"
CONF_SCOPE = "scope"
CONF_PATTERN = "pattern"

HIDDEN = "hidden"
LARGEST = 1e12
KINDS = (Kind.SENSOR, Kind.BINARY_SENSOR, Kind.EVENT)
_EVERY_UNIT = {str(unit) for units in DEVICE_CLASS_UNITS.values() for unit in units if unit}
NO_CLASS_OF_A_NUMBER = frozenset(
    {SensorDeviceClass.TIMESTAMP, SensorDeviceClass.DATE, SensorDeviceClass.ENUM}
)


class FieldError(Exception):
    """An invalid answer: the form's field, the text's key and its placeholders."""

    def __init__(self, field: str, key: str, **placeholders: str) -> None:
        """Name the field of the form and the text."""
        super().__init__(key)
        self.field = field
        self.key = key
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """A field of an end device that is shown or changed in the form."""

    decisions: FieldDecisions
    device: EndDeviceState
    path: str
    names: FieldNames

    @property
    def name(self) -> str:
        """Return its current name."""
        override = self.override
        return self.names.shown(self.meaning, override.change.name if override else None)

    @property
    def automatic(self) -> Meaning:
        """Return the inferred decision, without overrides."""
        automatic = self.decisions.automatic(self.device.key, self.path)
        return self.device.decisions[self.path] if automatic is None else automatic

    @property
    def meaning(self) -> Meaning:
        """Return the current decision, with overrides applied."""
        return self.device.decisions[self.path]

    @property
    def override(self) -> FieldOverride | None:
        """Return the override that applies to it; None if there is none."""
        return self.decisions.override(self.device.key, self.path)

    @property
    def contradiction(self) -> str | None:
        """Return in words how values don't fit what it is; None if they do.

        The last odd value, else why what it is was not corrected by its values.
        """
        return self.device.contradictions.get(self.path) or self.meaning.doubt or None

    @property
    def scopes(self) -> list[Scope]:
        """Return the scopes that an override can have; the model only if it is known."""
        known = self.decisions.model_of(self.device.key) is not None
        return [scope for scope in reversed(Scope) if scope is not Scope.MODEL or known]

    def schema(self, kind: Kind) -> vol.Schema:
        """Return the form for a field of this kind."""
        fields: dict[Any, Selector[Any]] = {
            vol.Required(CONF_PLATFORM): _choice([*KINDS, HIDDEN], "field_platform"),
            vol.Required(CONF_NAME): TextSelector(),
        }
        if kind is not Kind.EVENT:
            platform = Platform.SENSOR if kind is Kind.SENSOR else Platform.BINARY_SENSOR
            fields[vol.Optional(CONF_DEVICE_CLASS)] = DeviceClassSelector(
                DeviceClassSelectorConfig(domain=platform)
            )
        if kind is Kind.SENSOR:
            number = NumberSelector(NumberSelectorConfig(mode=NumberSelectorMode.BOX, step="any"))
            fields |= {
                vol.Required(CONF_ROLE): _choice(SENSOR_ROLES, "field_state_class"),
                vol.Optional(CONF_UNIT): SelectSelector(
                    SelectSelectorConfig(
                        options=_units(device_class_of(self.meaning)),
                        custom_value=True,
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
                vol.Required(CONF_SCALE): number,
                vol.Required(CONF_OFFSET): number,
                vol.Optional(CONF_MAX_JUMP): number,
            }
        if kind is Kind.BINARY_SENSOR:
            fields[vol.Required(CONF_INVERT)] = BooleanSelector()
        fields[vol.Optional(CONF_VALUE_MAP)] = TextSelector(TextSelectorConfig(multiline=True))
        fields[vol.Required(CONF_SCOPE)] = _choice(
            [scope.name.lower() for scope in self.scopes], "field_scope"
        )
        fields[vol.Optional(CONF_PATTERN)] = TextSelector()
        return vol.Schema(fields)

    def suggested(self, kind: Kind) -> dict[str, Any]:
        """Return the current values for the form."""
        override = self.override
        meaning = self.meaning if kind is self.meaning.kind else self.assumed(kind)
        scope = override.scope if override else self.scopes[0]
        return {
            CONF_PLATFORM: HIDDEN if self.meaning.kind is Kind.IGNORE else kind,
            CONF_NAME: self.name if meaning is self.meaning else self.names.shown(meaning),
            CONF_DEVICE_CLASS: device_class_of(meaning),
            CONF_UNIT: meaning.unit,
            CONF_ROLE: meaning.role,
            CONF_SCALE: meaning.scale,
            CONF_OFFSET: meaning.offset,
            CONF_INVERT: meaning.invert,
            CONF_MAX_JUMP: meaning.max_jump,
            CONF_VALUE_MAP: "\n".join(f"{code} = {text}" for code, text in meaning.value_map),
            CONF_SCOPE: scope.name.lower(),
            CONF_PATTERN: override.path if override else self.path,
        }

    def assumed(self, kind: Kind) -> Meaning:
        """Return the decision with only the kind changed."""
        if kind is self.automatic.kind:
            return self.automatic
        return Override(kind=kind).apply(self.automatic)

    def answer(self, kind: Kind, answers: Mapping[str, Any]) -> Override:
        """Return the override that the answers describe; raises FieldError."""
        automatic, assumed = self.automatic, self.assumed(kind)
        if answers.get(CONF_PLATFORM) == HIDDEN:
            return Override(kind=_changed(Kind.IGNORE, automatic.kind))
        name = (answers.get(CONF_NAME) or "").strip()
        given = {
            "kind": _changed(kind, automatic.kind),
            "name": _changed(_text(CONF_NAME, name), self.names.shown(assumed)) or None,
            "value_map": _value_map(answers.get(CONF_VALUE_MAP) or "") or None,
        }
        if kind is not Kind.EVENT:
            device_class = answers.get(CONF_DEVICE_CLASS) or NO_CLASS
            given["device_class"] = _changed(device_class, device_class_of(assumed) or NO_CLASS)
        if kind is Kind.SENSOR:
            given |= self._numbers(assumed, answers)
        if kind is Kind.BINARY_SENSOR:
            given["invert"] = _changed(answers.get(CONF_INVERT, False), assumed.invert)
            _check_truths(given["value_map"] or ())
        override = Override(**given)
        if kind is Kind.SENSOR:
            role = Role(answers.get(CONF_ROLE, assumed.role))
            worded = override.has_words and role in NUMERIC_ROLES
            if worded and role is not assumed.role:
                raise FieldError(CONF_ROLE, "names_need_text")
            if not worded and override.apply(automatic).role is not role:
                override = replace(override, role=role)
            _check(override.apply(automatic))
        return override

    def _numbers(self, assumed: Meaning, answers: Mapping[str, Any]) -> dict[str, Any]:
        scale, offset = float(answers.get(CONF_SCALE, 1.0)), float(answers.get(CONF_OFFSET, 0.0))
        if scale == 0:
            raise FieldError(CONF_SCALE, "scale_zero")
        for field, number in ((CONF_SCALE, scale), (CONF_OFFSET, offset)):
            if not abs(number) < LARGEST:
                raise FieldError(field, "number_too_large")
        max_jump = answers.get(CONF_MAX_JUMP)
        if max_jump is not None and not 0 < max_jump < LARGEST:
            raise FieldError(CONF_MAX_JUMP, "jump_not_positive")
        unit = _unit(_text(CONF_UNIT, (answers.get(CONF_UNIT) or "").strip()))
        return {
            "unit": _changed(unit, assumed.unit or ""),
            "scale": _changed(scale, assumed.scale),
            "offset": _changed(offset, assumed.offset),
            "max_jump": _changed(max_jump, assumed.max_jump),
        }

    def kept(self, change: Override, answers: Mapping[str, Any]) -> FieldOverride:
        """Return the override with the scope from the answers; raises FieldError."""
        scope = Scope[answers[CONF_SCOPE].upper()]
        if scope is Scope.DEVICE:
            return FieldOverride(path=self.path, change=change, device=self.device.key)
        if scope is Scope.MODEL:
            if (model := self.decisions.model_of(self.device.key)) is None:
                raise FieldError(CONF_SCOPE, "choose_from_list")
            return FieldOverride(path=self.path, change=change, model=model)
        path = _text(CONF_PATTERN, (answers.get(CONF_PATTERN) or self.path).strip(), LONGEST_PATH)
        pattern = FieldOverride(path=path, change=change)
        if not pattern.matches(self.device.key, None, self.path):
            raise FieldError(CONF_PATTERN, "pattern_misses", path=self.path)
        return pattern

    def preview(self, meaning: Meaning) -> Value:
        """Return the value that the last uplink would show with this meaning."""
        raw = self.device.raw_values()
        if self.path in raw and meaning.role is not Role.POSITION:
            return value_of(meaning, raw[self.path])
        shown = self.device.values.get(self.path)
        return shown if meaning == self.meaning else recalculated(shown, self.meaning, meaning)


def check_imported(overrides: Iterable[FieldOverride]) -> None:
    """Raise OverrideError if an override names an unknown device class."""
    for item in overrides:
        name = item.change.device_class
        if name not in (None, NO_CLASS, *SensorDeviceClass, *BinarySensorDeviceClass):
            raise OverrideError("no_device_class", path=item.path, device_class=name)


def shown_value(value: Value, unit: str | None = None) -> str:
    """Return a value formatted for people, with its unit."""
    if isinstance(value, Position):
        return f"{value.latitude:.5f}, {value.longitude:.5f}"
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}" if unit else text


def _choice(options: Any, translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=[str(option) for option in options],
            translation_key=translation_key,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def _unit(typed: str) -> str:
    """Return a unit as Home Assistant writes it: "m³" for "m3", "°C" for "C"."""
    typed = as_home_assistant_writes(typed) or ""
    if typed in _EVERY_UNIT or (known := normalise(typed)) is None or known.scale != 1.0:
        return typed
    return known.symbol if known.symbol in _EVERY_UNIT else typed


def _units(device_class: str | None) -> list[str]:
    """Return all units that Home Assistant knows; those of the class first."""
    own: set[str] = set()
    if device_class is not None and device_class in SensorDeviceClass:
        units = DEVICE_CLASS_UNITS.get(SensorDeviceClass(device_class), set())
        own = {str(unit) for unit in units if unit}
    return [*sorted(own), *sorted(_EVERY_UNIT - own, key=str.casefold)]


def _changed(given: Any, before: Any) -> Any:
    return None if given == before else given


def _value_map(text: str) -> tuple[tuple[str, str], ...]:
    """Read lines of "code = name"."""
    pairs: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        code, found, name = line.partition("=")
        if not found or not code.strip() or not name.strip():
            raise FieldError(CONF_VALUE_MAP, "value_map_line", line=line[:60])
        code = _text(CONF_VALUE_MAP, code.strip())
        pairs[code] = _text(CONF_VALUE_MAP, name.strip())
    if len(pairs) > LONGEST:
        raise FieldError(CONF_VALUE_MAP, "too_long", longest=str(LONGEST))
    return tuple(pairs.items())


def _text(field: str, text: str, longest: int = LONGEST) -> str:
    """Return a text checked for storage; raises FieldError."""
    try:
        return plain_text(field, text, longest)
    except ValueError:
        raise FieldError(field, "too_long", longest=str(longest)) from None


def _check_truths(value_map: Iterable[tuple[str, str]]) -> None:
    """Raise FieldError if a name in the value map means neither on nor off."""
    for _, name in value_map:
        if truth_of(name) is None and read(name).shape is not Shape.ABSENT:
            raise FieldError(CONF_VALUE_MAP, "name_not_on_or_off", name=name[:60])


def _check(meaning: Meaning) -> None:
    """Raise FieldError if class, unit and state class don't fit together in Home Assistant."""
    name = device_class_of(meaning)
    if name is None:
        return
    device_class = SensorDeviceClass(name)
    if device_class in NO_CLASS_OF_A_NUMBER and meaning.device_class is not None:
        raise FieldError(CONF_DEVICE_CLASS, "class_by_state_class", device_class=name)
    if meaning.role not in NUMERIC_ROLES:
        if meaning.device_class is not None:
            raise FieldError(CONF_ROLE, "class_needs_numbers", device_class=name)
        return
    units = DEVICE_CLASS_UNITS.get(device_class)
    if units is not None and meaning.unit not in units:
        wanted = ", ".join(sorted(str(unit) for unit in units if unit)) or "-"
        raise FieldError(CONF_UNIT, "unit_not_of_class", device_class=name, units=wanted)
    state_class = STATE_CLASSES.get(meaning.role)
    allowed = DEVICE_CLASS_STATE_CLASSES.get(device_class)
    if state_class is not None and allowed is not None and state_class not in allowed:
        wanted = ", ".join(sorted(allowed)) or "-"
        raise FieldError(CONF_ROLE, "state_class_not_of_class", device_class=name, wanted=wanted)
