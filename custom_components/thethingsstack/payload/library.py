"""What is known of single models: what each of their fields is, as the files in `devices/` say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
import re
from typing import Any, Self

from .decoders import Table, TableError
from .quantities import INSTEAD, QUANTITIES, UNITS_OF_CLASS
from .types import Category, Kind, Role
from .units import Unit, normalise

EVERY_MODEL = "*"
_PLAIN: Mapping[str, tuple[Kind, Role]] = {
    "number": (Kind.SENSOR, Role.MEASUREMENT),
    "total": (Kind.SENSOR, Role.TOTAL),
    "state": (Kind.SENSOR, Role.STATE),
    "flag": (Kind.BINARY_SENSOR, Role.FLAG),
    "event": (Kind.EVENT, Role.STATE),
    "ignore": (Kind.IGNORE, Role.STATE),
}
"""What a field can be besides a quantity."""
_KEYS = frozenset({"is", "role", "category", "enabled", "invert", "states", "name"})
_STEP = re.compile(r"(?<!\\)\.")
_BRAND_KEYS = frozenset({"name", "models", "presets"})
_BLOCK_KEYS = frozenset({"ids", "source", "fields", "decoder"})
_MODEL = re.compile(r"\*|[a-z0-9]+(?:-[a-z0-9]+)*")


class LibraryError(ValueError):
    """An entry that makes no sense; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownField:
    """What a field of certain models is."""

    quantity: str | None
    """Key of `QUANTITIES`; None: no quantity that is known here."""
    kind: Kind
    role: Role
    unit: Unit | None = None
    """What the model reports in, with the factor into it; None: the quantity's own."""
    category: Category | None = None
    enabled: bool | None = None
    invert: bool = False
    """Whether the reported truth is the opposite of Home Assistant's "on"."""
    states: tuple[tuple[str, str], ...] = ()
    """What reported values, as texts, stand for."""
    name: str | None = None
    source: str = ""
    """The public document that says so."""

    @classmethod
    def from_data(cls, data: object, source: str = "") -> Self:
        """Read an entry: "quantity unit", or an object with that as `is`, and more.

        Instead of a quantity it may say number, total, state, flag, event or ignore. Raises
        LibraryError.
        """
        more: Mapping[str, Any] = data if isinstance(data, Mapping) else {"is": data}
        _check_keys(more, _KEYS)
        what, _, unit_text = str(more.get("is") or "").partition(" ")
        if what in _PLAIN:
            quantity, (kind, role) = None, _PLAIN[what]
        elif what in QUANTITIES:
            quantity, kind, role = what, QUANTITIES[what].kind, QUANTITIES[what].role
        else:
            raise LibraryError(f"{what!r} is no quantity")
        try:
            role = Role(more.get("role", role))
            category = Category(more["category"]) if "category" in more else None
        except ValueError as err:
            raise LibraryError(str(err)) from None
        return cls(
            quantity=quantity,
            kind=kind,
            role=role,
            unit=_unit(quantity, unit_text) if unit_text else None,
            category=category,
            enabled=_truth(more, "enabled"),
            invert=bool(_truth(more, "invert")),
            states=_states(more.get("states"), kind, role),
            name=_text(more.get("name")),
            source=source,
        )


@dataclass(frozen=True, eq=False)
class ModelFields:
    """The known fields of one model, by path; `*` in a path stands for any one step."""

    exact: Mapping[str, KnownField] = field(default_factory=dict)
    patterns: Sequence[tuple[re.Pattern[str], KnownField]] = ()
    problems: Sequence[str] = ()
    """What could not be read, in words."""
    own_paths: frozenset[str] = frozenset()
    """Those of `exact` that are said of the model itself, not of every model of its brand."""
    decoder: Table | None = None
    """How to read the model's fields from the bytes of its uplinks."""

    @cached_property
    def _named_by_quantity(self) -> Counter[str | None]:
        fields = (*self.exact.values(), *(known for _, known in self.patterns))
        return Counter(known.quantity for known in fields if known.name is None)

    def is_named_by_quantity(self, known: KnownField) -> bool:
        """Return whether its quantity says all about a field: no other one has the same."""
        return known.quantity is not None and self._named_by_quantity[known.quantity] == 1

    def find(self, path: str) -> KnownField | None:
        """Return what is known of a field; None if nothing is."""
        if (known := self.exact.get(path)) is not None or not self.patterns:
            return known
        return next((known for pattern, known in self.patterns if pattern.fullmatch(path)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one document says of some models."""

    models: frozenset[str]
    source: str
    fields: Mapping[str, object]
    decoder: object = None
    """The rows of a table, as the file has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Everything that is known of a brand's models; entries are read when a model asks for them."""

    name: str
    blocks: tuple[Block, ...]

    @classmethod
    def from_data(cls, data: object) -> Self:
        """Read a brand's file; raises LibraryError where it can't be one."""
        if not isinstance(data, Mapping):
            raise LibraryError("a brand's file is an object with name, models and presets")
        _check_keys(data, _BRAND_KEYS)
        blocks = data.get("models") or ()
        if not isinstance(blocks, list | tuple):
            raise LibraryError("models is a list")
        return cls(name=str(data.get("name") or ""), blocks=tuple(map(_block, blocks)))

    @property
    def models(self) -> frozenset[str]:
        """Return the ids of the models that are named."""
        return frozenset().union(*(block.models for block in self.blocks)) - {EVERY_MODEL}

    @property
    def problems(self) -> Sequence[str]:
        """Return in words which entries of any model could not be read, each once."""
        models: list[str | None] = [*sorted(self.models), None]
        read = (self.fields_of(model) for model in models)
        return list(dict.fromkeys(problem for fields in read for problem in fields.problems))

    def fields_of(self, model_id: str | None) -> ModelFields:
        """Return what is known of a model's fields; an odd entry is left out, and named.

        What is said of the model itself comes before what is said of every model of the brand.
        """
        exact: dict[str, KnownField] = {}
        patterns: list[tuple[re.Pattern[str], KnownField]] = []
        problems: list[str] = []
        own: set[str] = set()
        for path, data, source, is_own in self._entries(model_id):
            try:
                known = KnownField.from_data(data, source)
            except LibraryError as err:
                problems.append(f"{path}: {err}")
                continue
            if EVERY_MODEL in _STEP.split(path):
                patterns.append((_pattern(path), known))
            else:
                exact.setdefault(path, known)
                if is_own:
                    own.add(path)
        decoder = self._decoder_of(model_id, problems)
        return ModelFields(exact, tuple(patterns), tuple(problems), frozenset(own), decoder)

    def _decoder_of(self, model_id: str | None, problems: list[str]) -> Table | None:
        """Return the first table that is said to be of a model; adds why one can't be used."""
        for named in (model_id, EVERY_MODEL):
            for block in self.blocks:
                if named in block.models and block.decoder is not None:
                    try:
                        return Table.from_data(block.decoder)
                    except TableError as err:
                        problems.append(f"decoder: {err}")
        return None

    def _entries(self, model_id: str | None) -> Iterator[tuple[str, object, str, bool]]:
        for named in (model_id, EVERY_MODEL):
            for block in self.blocks:
                if named in block.models:
                    for path, data in block.fields.items():
                        yield str(path), data, block.source, named != EVERY_MODEL


def _block(data: object) -> Block:
    if not isinstance(data, Mapping):
        raise LibraryError(
            "what is said of models is an object with ids, source, fields and decoder"
        )
    _check_keys(data, _BLOCK_KEYS)
    ids, fields = data.get("ids"), data.get("fields") or {}
    if isinstance(ids, str):
        ids = ids.split()
    if not isinstance(ids, list) or not isinstance(fields, Mapping) or not data.get("source"):
        raise LibraryError("models need ids, fields and the source of them")
    if wrong := [str(model) for model in ids if not _MODEL.fullmatch(str(model))]:
        raise LibraryError(
            f"{', '.join(wrong)}: model ids are those of the Device Repository, such as lht65n"
        )
    return Block(
        models=frozenset(map(str, ids)),
        source=str(data["source"]),
        fields=fields,
        decoder=data.get("decoder"),
    )


def _check_keys(data: Mapping[str, object], known: frozenset[str]) -> None:
    """Raise LibraryError for a key that would be overlooked, such as one with a typing error."""
    if unknown := data.keys() - known:
        raise LibraryError(f"unknown: {', '.join(sorted(map(str, unknown)))}")


def _unit(quantity: str | None, text: str) -> Unit:
    """Return the unit that is meant; raises LibraryError where the quantity has no such unit."""
    unit = normalise(text)
    if quantity is not None and text == QUANTITIES[quantity].unit:
        return Unit(text)
    if unit is None and quantity is not None:
        raise LibraryError(f"{text!r} is no unit")
    if quantity is None or unit is None:
        return Unit(text) if unit is None else unit
    device_class = QUANTITIES[quantity].device_class
    legal = device_class not in UNITS_OF_CLASS or unit.symbol in UNITS_OF_CLASS[device_class]
    if not legal and (quantity, unit.symbol) not in INSTEAD:
        raise LibraryError(f"{quantity} has no unit {text!r}")
    return unit


def _states(data: object, kind: Kind, role: Role) -> tuple[tuple[str, str], ...]:
    if data is None:
        return ()
    if not isinstance(data, Mapping):
        raise LibraryError("states is an object")
    if kind is Kind.SENSOR and role is not Role.STATE:
        raise LibraryError("a number has no states")
    for code, name in data.items():
        if isinstance(code, bool) or not isinstance(name, str):
            raise LibraryError(f"quote {code} and {name}: YAML reads on, off, yes, no as truths")
    return tuple((str(code), name) for code, name in data.items())


def _truth(data: Mapping[str, Any], key: str) -> bool | None:
    value = data.get(key)
    if not isinstance(value, bool | None):
        raise LibraryError(f"{key} is true or false")
    return value


def _text(data: object) -> str | None:
    if not isinstance(data, str | None):
        raise LibraryError(f"{data!r} is no text")
    return data


def _pattern(path: str) -> re.Pattern[str]:
    steps = (
        r"(?:[^.\\]|\\.)+" if step == EVERY_MODEL else re.escape(step) for step in _STEP.split(path)
    )
    return re.compile(r"\.".join(steps))
