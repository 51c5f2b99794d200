"""What rules may look at, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
import re
from typing import Any

from .name_parts import NameParts, parts_of_name
from .observations import Observations
from .siblings import unit_around
from .tokens import words_of
from .types import Category, Context, Kind, Role
from .units import DIMENSION_OF, Unit, normalise
from .values import Reading, Shape, number_of
from .vocabulary import CONCEPTS, QUALIFIERS

SEVERAL = 4
_TEXTS = (Shape.TEXT, Shape.LONG, Shape.POSITION)
_TWO_STATES = (Shape.BOOL, Shape.WORD)
_ELECTRIC = frozenset(["v", "a", "w", "va", "kwh", "wh", "hz", "kw"])
AXES = frozenset(["x", "y", "z", "xaxis", "yaxis", "zaxis"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule says of a field; what it leaves open comes from the quantity or the name."""

    rule: str
    quantity: str | None = None
    kind: Kind | None = None
    role: Role | None = None
    category: Category | None = None
    enabled: bool | None = None
    unit: Unit | None = None
    used: frozenset[str] = frozenset()
    why: str = ""
    invert: bool = False
    options: tuple[str, ...] = ()
    unit_assumed: bool = False


@dataclass
class Evidence:
    """Everything that rules may look at; what nearly all of them use is worked out at once."""

    keys: tuple[str, ...]
    reading: Reading
    raw: object = None
    unit_beside: Unit | None = None
    context: Context = field(default_factory=Context)
    observed: Observations | None = None
    """What the field has reported so far, this value included."""
    siblings: Mapping[Any, object] | None = None
    """The object that the field is a member of."""
    repeats_settings: bool = False
    """Whether the uplink says that it repeats the end device's settings."""
    name: NameParts = field(init=False)
    """What its name says by itself."""
    steps: tuple[str, ...] = field(init=False)
    """Steps of the path that say something."""
    leaf: tuple[str, ...] = field(init=False)
    """Concepts of the last step of the path, or of the one before where that is a number."""
    leaf_concepts: frozenset[str] = field(init=False)
    """The same without their order."""
    concepts: frozenset[str] = field(init=False)
    """Concepts of all steps of the path."""
    letters: str = field(init=False)
    """The field's own step without separators and digits at its end."""
    head: str = field(init=False)
    """The last concept that isn't a qualifier: what kind of thing the name is."""
    number: float | int | None = field(init=False)
    """The number that was seen."""
    absent: bool = field(init=False)
    """Whether no value was seen."""
    is_text: bool = field(init=False)
    """Whether a text was seen that is neither number, time nor word."""
    two_state: bool = field(init=False)
    """Whether the value is a boolean or a word for one."""

    def __post_init__(self) -> None:
        """Take name and value apart."""
        self.name = name = parts_of_name(self.keys)
        self.steps = name.steps
        self.leaf = name.leaf
        self.leaf_concepts = name.leaf_concepts
        self.concepts = name.concepts
        self.letters = name.letters
        self.head = name.head
        shape, value, _ = self.reading
        is_number = shape is Shape.NUMBER and isinstance(value, int | float)
        self.number = value if is_number else None  # type: ignore[assignment]
        self.absent = shape is Shape.ABSENT
        self.is_text = shape in _TEXTS
        self.two_state = shape in _TWO_STATES

    @property
    def letters_and_digits(self) -> str:
        """The field's own step without separators."""
        return self.name.letters_and_digits

    @cached_property
    def unit(self) -> Unit | None:
        """The unit beside the value, in it, or in the name."""
        if self.unit_beside is not None:
            return self.unit_beside
        if self.reading.unit is not None:
            return self.reading.unit
        return self.name.unit or self._name_as_unit or self._unit_around

    @property
    def _unit_around(self) -> Unit | None:
        """The unit that stands alone in the field's object."""
        if not self.keys or not self.siblings or self.number is None:
            return None
        return unit_around(self.keys[-1], self.siblings)

    @property
    def _name_as_unit(self) -> Unit | None:
        """The unit that is all that a field is named by: "degreesC", "kWh"."""
        step = self.steps[-1] if self.steps else ""
        if step.casefold() in _ELECTRIC:
            beside = {str(key).casefold() for key in self.siblings or ()}
            if len(_ELECTRIC & beside) > 1:
                return normalise(step.upper() if len(step) == 1 else step)
        return None if self.number is None else _unit_named(step)

    @cached_property
    def zero_or_one(self) -> bool:
        """Whether all numbers so far are 0, 1 or 255, and so may stand for false and true."""
        if self.reading.unit is not None:
            return False
        if self.observed is not None and self.observed.numbers > 1:
            return self.observed.only_zero_and_one or self.observed.low == self.observed.high == 255
        return self.number in (0, 1, 255)

    @property
    def low(self) -> float:
        """The smallest number so far."""
        return self.observed.low if self.observed is not None else float(self.number or 0)

    @property
    def whole(self) -> bool:
        """Whether all numbers so far were integers."""
        if self.observed is not None:
            return self.observed.whole
        return self.number is not None and float(self.number).is_integer()

    @cached_property
    def beside(self) -> frozenset[str]:
        """Concepts in the names of what stands beside it."""
        others = (key for key in self.siblings or () if not self.keys or key != self.keys[-1])
        return frozenset(c for key in others for c in words_of(str(key)).concepts)

    @cached_property
    def among_flags(self) -> bool:
        """Whether all members of its object are 0 or 1, some of them 1, and there are several."""
        return self.among_truths and 1 in (self.siblings or {}).values()

    @cached_property
    def among_truths(self) -> bool:
        """Whether all members of its object are 0 or 1, and there are several."""
        if self.siblings is None or self.number is None:
            return False
        values = list(self.siblings.values())
        return len(values) >= SEVERAL and all(
            isinstance(value, bool | int) and value in (0, 1) for value in values
        )

    @cached_property
    def axes(self) -> tuple[float, float, float] | None:
        """The numbers for x, y and z that stand beside each other, if it is one of them."""
        if self.siblings is None or not self.keys:
            return None
        own = _axis_of(self.keys[-1])
        if own is None:
            return None
        found: dict[str, float] = {}
        for key, raw in self.siblings.items():
            axis = _axis_of(key) if isinstance(key, str) else None
            number = number_of(raw)
            if axis is not None and axis[1] == own[1] and number is not None:
                found[axis[0]] = float(number)
        if found.keys() != {"x", "y", "z"}:
            return None
        return found["x"], found["y"], found["z"]


_TIMES = frozenset(["seconds", "minutes", "hours", "days"])
_COUNTED_FROM = frozenset(["since", "until", "till", "left", "remaining"])
_SEPARATORS = re.compile(r"[_\s.-]+")
_ELECTRICAL = frozenset(
    [
        *("voltage", "power", "energy", "frequency", "apparent_power", "apparent_energy"),
        *("reactive_power", "reactive_energy"),
    ]
)


@lru_cache(maxsize=4096)
def _unit_named(step: str) -> Unit | None:
    """Return the unit that is a number's whole name, or that the name begins with."""
    if len(step) < 2 or step.casefold() in CONCEPTS:
        return None
    unit = normalise(step)
    if unit is None and (first := _unit_in_front(step)) is not None:
        return first
    dimension = DIMENSION_OF.get(unit.symbol or "") if unit is not None else None
    if len(step) == 2 and step not in DIMENSION_OF and dimension not in _ELECTRICAL:
        return None  # "CF" is no cubic foot.
    return None if dimension in (None, "duration") else unit


def _unit_in_front(name: str) -> Unit | None:
    """Return the unit that a name begins with, if the rest says of what: "kwh_import"."""
    first, *rest = _SEPARATORS.split(name)
    if rest and first.casefold() in _TIMES and rest[0].casefold() in _COUNTED_FROM:
        return normalise(first)  # "days_since_service"
    if not rest or len(first) < 2 or first.casefold() in CONCEPTS:
        return None
    more = words_of(" ".join(rest)).words
    if any(word.concept not in QUALIFIERS and not word.text.isdecimal() for word in more):
        return None
    unit = normalise(first)
    known = unit is not None and DIMENSION_OF.get(unit.symbol or "") in _ELECTRICAL
    return unit if known else None


def _axis_of(key: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the axis that a name is about, and what else it says."""
    words = words_of(key).words
    axes = [word.text.casefold() for word in words if word.text.casefold() in AXES]
    if len(axes) != 1:
        return None
    rest = (word.concept for word in words if word.text.casefold() not in AXES)
    return axes[0][0], tuple(concept for concept in rest if concept != "axis")


def has_unknown_ending(evidence: Evidence) -> bool:
    """Return whether the name ends in letters that look like a unit, and are not understood."""
    words = words_of(evidence.steps[-1]).words if evidence.steps else ()
    if len(words) < 2:
        return False
    last = next((word for word in reversed(words) if not word.text.isdecimal()), words[-1])
    return (
        last.text.casefold() == last.concept
        and last.text.isalpha()
        and 2 <= len(last.text) <= 5
        and last.text.casefold() not in CONCEPTS
        and last.concept not in QUALIFIERS
        and not _VOWELS.intersection(last.text.casefold())
    )


_VOWELS = frozenset("aeiouy")
