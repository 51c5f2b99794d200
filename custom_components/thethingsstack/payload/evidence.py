"""What rules may look at, and what they answer."""

from dataclasses import dataclass, field
from functools import cached_property

from .names import all_words, steps_of
from .tokens import words_of
from .types import Category, Context, Kind, Role
from .units import Unit
from .values import Reading, Shape
from .vocabulary import QUALIFIERS


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


@dataclass(frozen=True)
class Evidence:
    """Everything that rules may look at."""

    keys: tuple[str, ...]
    reading: Reading
    raw: object = None
    unit_beside: Unit | None = None
    context: Context = field(default_factory=Context)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """Steps of the path that say something."""
        return steps_of(self.keys)

    @cached_property
    def leaf(self) -> tuple[str, ...]:
        """Concepts of the field's own step, or of its parent where that is a bare number."""
        for step in reversed(self.steps):
            concepts = words_of(step).concepts
            if "at" in concepts[1:]:  # "temperature at level 2"
                concepts = concepts[: concepts.index("at")]
            if any(not concept.replace(".", "").isdecimal() for concept in concepts):
                return concepts
        return ()

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Concepts of all steps of the path."""
        return frozenset(word.concept for word in all_words(self.keys))

    @cached_property
    def letters(self) -> str:
        """The field's own step without separators and digits at its end."""
        step = self.steps[-1] if self.steps else ""
        return "".join(char for char in step.casefold() if char.isalpha())

    @cached_property
    def letters_and_digits(self) -> str:
        """The field's own step without separators."""
        step = self.steps[-1] if self.steps else ""
        return "".join(char for char in step.casefold() if char.isalnum())

    @cached_property
    def head(self) -> str:
        """The last concept that isn't a qualifier: what kind of thing the name is."""
        for concept in reversed(self.leaf):
            if concept in QUALIFIERS or len(concept) == 1 or concept[0].isdecimal():
                continue
            return concept
        return ""

    @cached_property
    def unit(self) -> Unit | None:
        """The unit beside the value, in it, or in the name."""
        if self.unit_beside is not None:
            return self.unit_beside
        if self.reading.unit is not None:
            return self.reading.unit
        return next((unit for step in reversed(self.steps) if (unit := words_of(step).unit)), None)

    @property
    def absent(self) -> bool:
        """Whether no value was seen."""
        return self.reading.shape is Shape.ABSENT

    @property
    def number(self) -> float | int | None:
        """The number that was seen."""
        value = self.reading.value
        if self.reading.shape is not Shape.NUMBER or not isinstance(value, int | float):
            return None
        return value

    @property
    def is_text(self) -> bool:
        """Whether a text was seen that is neither number, time nor word."""
        return self.reading.shape in (Shape.TEXT, Shape.LONG)

    @property
    def two_state(self) -> bool:
        """Whether the value is a boolean or a word for one."""
        return self.reading.shape in (Shape.BOOL, Shape.WORD)

    @property
    def zero_or_one(self) -> bool:
        """Whether the value is a number that could be a truth, or there is none."""
        return self.number in (0, 1, 255) and self.reading.unit is None
