"""The fields of a decoded payload, whatever shape the formatter gave them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
import re
from typing import Any, NamedTuple

from .sensecap import MEASUREMENTS
from .tokens import words_of
from .units import Unit, normalise
from .values import epoch, number_of, parse_time
from .vocabulary import OVERHEAD, word_set

MAX_DEPTH = 8
MAX_LEAVES = 1000
MAX_ITEMS = 32
MAX_VECTOR = 16
MAX_PATH = 200

VALUE_KEYS = ("value", "measurementValue", "data", "val", "values")
UNIT_KEYS = ("unit", "units", "Unit", "Units", "uom", "unitOfMeasurement")
UNIT_SUFFIXES = ("_unit", "Unit", "_units", "Units", "_Unit", "_Units")
LABEL_KEYS = (
    "label",
    "displayName",
    "measurementType",
    "name",
    "OBIS_ID",
    "obis",
    "parameter",
    "type",
    "alias",
)
INDEX_KEYS = ("channel", "ch", "index", "id", "port", "number", "pin_number", "name", "label")
TIME_KEYS = ("time", "timestamp", "date", "ts", "datetime", "timeStamp", "utc", "Time", "Timestamp")
SERIES_KEYS = frozenset({"values", "samples", "series"})
HISTORY = re.compile(
    r"(?i)(?:^|_)(?:hist(?:ory|oric|orical)?|data_?log\d*|logs?|backlog|records?|past|archive"
    r"|buffer(?:ed)?|load_?profile)$"
)
_HISTORY_WORDS = word_set("""
    history historic historical log logs datalog backlog records archive buffer buffered fdr
    past
""")
_META_KEYS = frozenset(
    {
        *UNIT_KEYS,
        *TIME_KEYS,
        "displayName",
        "label",
        "name",
        "alias",
        "type",
        "measurementId",
        "measurementType",
        "OBIS_ID",
        "obis",
        "parameter",
        "rawValue",
        "raw",
        "stringValue",
        "scaler",
        "Scaler",
        "GroupMask",
        "precision",
    }
)
# What names an item of a list, or says of what unit it is.
_NAMING = frozenset(
    {
        *UNIT_KEYS,
        "displayName",
        "label",
        "alias",
        "name",
        "measurementId",
        "measurementType",
        "parameter",
    }
)
_MESSAGE_TYPE = re.compile(
    r"(?i)(?:report|upload|telemetry|message|data)(?:[_ ]|$)"
    r"|.*_(?:telemetry|interval|version|battery)$"
)


class Leaf(NamedTuple):
    """A field: its key for ever, what names it, and what the payload says beside it."""

    path: str
    keys: tuple[str, ...]
    raw: object
    unit: Unit | None = None
    siblings: Mapping[Any, object] | None = None
    """The object that it is a member of."""
    prefix: str = ""
    """The path of that object, with the dot."""


def escape(key: str) -> str:
    """Return a key as one step of a path, so that no two fields share a path."""
    if "." in key or "\\" in key:
        return key.replace("\\", "\\\\").replace(".", "\\.")
    return key


class Flattened:
    """The fields of one payload, gathered within limits."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.leaves: list[Leaf] = []
        self.skipped = 0

    def add(self, leaf: Leaf) -> None:
        """Keep a field, unless there are too many or its path is too long."""
        if len(leaf.path) > MAX_PATH or len(self.leaves) >= MAX_LEAVES:
            self.skipped += 1
        else:
            self.leaves.append(leaf)

    def walk(
        self,
        value: object,
        path: str,
        keys: tuple[str, ...],
        siblings: Mapping[Any, object],
        prefix: str,
    ) -> None:
        """Gather the fields in a member of an object."""
        if isinstance(value, Mapping):
            if len(keys) >= MAX_DEPTH:
                self.skipped += 1
            elif not (keys and HISTORY.search(keys[-1])):
                self.walk_object(value, f"{path}.", keys)
        elif isinstance(value, list | tuple):
            self._walk_list(value, path, keys, siblings, prefix)
        else:
            unit = sibling_unit(keys[-1], siblings) if keys else None
            self.add(Leaf(path, keys, value, unit, siblings, prefix))

    def walk_object(
        self,
        value: Mapping[Any, object],
        prefix: str,
        keys: tuple[str, ...],
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        """Gather the fields of an object."""
        for key, item in value.items():
            if key not in left_out:
                self.member(key, item, value, prefix, keys)

    def member(
        self,
        key: object,
        item: object,
        siblings: Mapping[Any, object],
        prefix: str,
        keys: tuple[str, ...],
    ) -> None:
        """Gather the fields in a member of an object, by its key."""
        name = key if isinstance(key, str) else str(key)
        if len(name) > MAX_PATH:
            self.skipped += 1
        else:
            self.walk(item, prefix + escape(name), (*keys, name), siblings, prefix)

    def _walk_list(
        self,
        items: Sequence[object],
        path: str,
        keys: tuple[str, ...],
        siblings: Mapping[Any, object],
        prefix: str,
    ) -> None:
        name = keys[-1] if keys else ""
        if not items or _is_history(name) or OVERHEAD.intersection(words_of(name).concepts):
            return
        if len(keys) >= MAX_DEPTH:
            self.skipped += 1
            return
        if all(isinstance(item, list) for item in items):
            items = [part for item in items if isinstance(item, list) for part in item]
        if items and all(isinstance(item, Mapping) for item in items):
            objects = [item for item in items if isinstance(item, Mapping)]
            self._walk_objects(objects, path, keys)
        elif all(isinstance(item, str) and not _numeric(item) for item in items):
            text = ", ".join(str(item) for item in items[:MAX_ITEMS])
            self.add(Leaf(path, keys, text, None, siblings, prefix))
        elif any(isinstance(item, Mapping | list) for item in items):
            self.skipped += 1
        else:
            self._walk_numbers(items, path, keys, siblings, prefix)

    def _walk_numbers(
        self,
        items: Sequence[object],
        path: str,
        keys: tuple[str, ...],
        siblings: Mapping[Any, object],
        prefix: str,
    ) -> None:
        unit = sibling_unit(keys[-1], siblings)
        if keys[-1] in SERIES_KEYS:
            self.add(Leaf(path, keys, items[0], unit, siblings, prefix))
        elif _is_place(keys) and len(items) in (2, 3):
            self.add(Leaf(path, keys, _pair(items, siblings), None, siblings, prefix))
        elif len(items) > MAX_VECTOR:
            self.skipped += 1
        else:
            for index, item in enumerate(items):
                own = _unit_at(keys[-1], siblings, index) or unit
                self.add(
                    Leaf(f"{path}.{index}", (*keys, str(index + 1)), item, own, siblings, prefix)
                )

    def _walk_objects(
        self, items: Sequence[Mapping[Any, object]], path: str, keys: tuple[str, ...]
    ) -> None:
        if len(items) > MAX_ITEMS:
            self.skipped += len(items) - MAX_ITEMS
            items = items[:MAX_ITEMS]
        taken: dict[str, int] = {}
        if (newest := _newest(items)) is not None:
            items = [newest]
        for index, item in enumerate(items):
            label = _label(item)
            if label is not None:
                label = _numbered(label, taken)
                value_key = next(key for key in VALUE_KEYS if key in item)
                step = f"{path}.{escape(label)}"
                inner = item[value_key]
                if isinstance(inner, Mapping | list):
                    self.walk(inner, step, (*keys, label), item, f"{path}.")
                else:
                    unit = sibling_unit("value", item) or _sensecap(item)[1]
                    self.add(Leaf(step, (*keys, label), inner, unit, item, f"{step}."))
                self.walk_object(item, f"{step}.", (*keys, label), _META_KEYS | {value_key})
            else:
                place, shown, place_key = _place(item, index)
                place = _numbered(place, taken)
                left_out = _NAMING | {place_key}
                self.walk_object(item, f"{path}.{escape(place)}.", (*keys, shown), left_out)


def _is_history(name: str) -> bool:
    """Return whether a list is one of earlier values, by its name."""
    if HISTORY.search(name):
        return True
    words = [word.text.casefold() for word in words_of(name).words]
    return not _HISTORY_WORDS.isdisjoint(words)


def _numbered(label: str, taken: dict[str, int]) -> str:
    """Return a label that no earlier item of the list has."""
    taken[label] = number = taken.get(label, 0) + 1
    return label if number == 1 else f"{label} #{number}"


def _numeric(text: str) -> bool:
    return text.strip().lstrip("+-").replace(".", "", 1).isdecimal()


def _is_place(keys: tuple[str, ...]) -> bool:
    return bool({"position", "gps"} & set(words_of(keys[-1]).concepts))


def _pair(items: Sequence[object], siblings: Mapping[Any, object]) -> str:
    """Return coordinates as text; GeoJSON has the longitude first."""
    first, second = items[0], items[1]
    if siblings.get("type") == "Point":
        first, second = second, first
    latitude, longitude = number_of(first), number_of(second)
    return "" if latitude is None or longitude is None else f"{float(latitude)},{float(longitude)}"


def sibling_unit(key: str, siblings: Mapping[Any, object]) -> Unit | None:
    """Return the unit that an object gives for one of its members."""
    for suffix in UNIT_SUFFIXES:
        text = siblings.get(key + suffix)
        if isinstance(text, str) and (unit := normalise(text)) is not None:
            return unit
    if key not in VALUE_KEYS and not _generic(key):
        return None
    for name in UNIT_KEYS:
        text = siblings.get(name)
        if isinstance(text, str) and (unit := normalise(text)) is not None:
            return unit
    return None


def _generic(key: str) -> bool:
    concepts = set(words_of(key).concepts)
    return "value" in concepts and concepts <= {"value", "mean", "min", "max", "last"}


def _unit_at(key: str, siblings: Mapping[Any, object], index: int) -> Unit | None:
    """Return the unit of an item that a list beside it names at the same place."""
    for suffix in UNIT_SUFFIXES:
        units = siblings.get(key + suffix)
        if isinstance(units, list) and index < len(units) and isinstance(units[index], str):
            return normalise(units[index])
    return None


def _time_of(item: Mapping[Any, object]) -> datetime | None:
    for key in TIME_KEYS:
        value = item.get(key)
        if isinstance(value, str):
            return parse_time(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return epoch(value)
    return None


def _newest(items: Sequence[Mapping[Any, object]]) -> Mapping[Any, object] | None:
    """Return the newest item where all have the same fields at different times."""
    if len(items) < 2 or any(item.keys() != items[0].keys() for item in items):
        return None
    if _label(items[0]) is not None and _label(items[0]) != _label(items[1]):
        return None
    if len({repr(item[key]) for key in INDEX_KEYS if key in items[0] for item in items}) > 1:
        return None
    times = [(_time_of(item), item) for item in items]
    dated = [(moment, item) for moment, item in times if moment is not None]
    if len(dated) < len(items) or len({moment for moment, _ in dated}) < 2:
        return None
    return max(dated, key=lambda pair: pair[0])[1]


def _label(item: Mapping[Any, object]) -> str | None:
    """Return what names the value in an item of a list, if something does."""
    if not any(key in item for key in VALUE_KEYS):
        return None
    sensecap = _sensecap(item)[0]
    for key in LABEL_KEYS:
        label = item.get(key)
        if not isinstance(label, str) or not label or len(label) > 64:
            continue
        if key == "type" and sensecap is not None and _MESSAGE_TYPE.match(label):
            return sensecap
        if key != "type" or "measurementValue" in item:
            return label
    return sensecap


def _sensecap(item: Mapping[Any, object]) -> tuple[str | None, Unit | None]:
    """Return the name and unit that a measurement number of SenseCAP's stands for."""
    number = item.get("measurementId")
    if isinstance(number, str) and number.isdecimal():
        number = int(number[:9])
    return MEASUREMENTS.get(number, (None, None)) if isinstance(number, int) else (None, None)


def _place(item: Mapping[Any, object], index: int) -> tuple[str, str, str]:
    """Return what is different about an item of a list: as path, as name, and its key."""
    for key in INDEX_KEYS:
        place = item.get(key)
        if isinstance(place, bool):
            continue
        if isinstance(place, int) and 0 <= place < 1000:
            return f"{key}{place}", str(place), key
        if isinstance(place, str) and 0 < len(place) <= 24 and key in ("channel", "name", "label"):
            return f"{key}:{place}", place, key
    return str(index), str(index + 1), ""


def flatten(decoded: Mapping[str, object]) -> Flattened:
    """Return the fields of a decoded payload; histories in it are left out."""
    flattened = Flattened()
    flattened.walk_object(decoded, "", ())
    return flattened


def normalized_leaves(measurements: Sequence[Mapping[str, object]]) -> Iterator[Leaf]:
    """Return the fields of a normalized payload; of several measurements the newest counts."""
    dated = [
        (parse_time(str(item.get("time", ""))), item)
        for item in measurements
        if isinstance(item, Mapping)
    ]
    known = [(moment, item) for moment, item in dated if moment is not None]
    if len(known) == len(dated) > 1:
        chosen = [item for _, item in sorted(known, key=lambda pair: pair[0])]
    else:
        chosen = [item for _, item in reversed(dated)]
    newest: dict[str, Leaf] = {}
    for item in chosen:
        for leaf in flatten(item).leaves:
            newest[leaf.path] = leaf
    yield from newest.values()
