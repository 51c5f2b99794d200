"""Lists of objects in a payload: what names an item, what its value is, and in which unit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
import re
from typing import Any, NamedTuple

from .sensecap import MEASUREMENTS
from .tokens import words_of
from .units import Unit, normalise
from .values import epoch, number_of, parse_time
from .vocabulary import BY_FULL_NAME, CONCEPTS, word_set

type Item = Mapping[Any, object]

VALUE_KEYS = ("value", "measurementValue", "data", "val", "values")
UNIT_KEYS = ("unit", "units", "Unit", "Units", "uom", "unitOfMeasurement", "u")
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
META_KEYS = frozenset(
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
NAMING_KEYS = frozenset(
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
_VALUE_NAMES = word_set(
    "value scaledvalue val measurementvalue measuredvalue reading result data values currentvalue"
)
# Words in the key of what names an item, the more telling first.
_NAMING_WORDS = (
    ("displayname", "label"),
    ("variable", "parameter", "quantity", "measurement", "measurand", "measure", "field"),
    ("name", "description", "desc"),
    ("type", "kind", "sensor", "key", "channel", "obis", "alias", "title"),
)
_LABELLING = ("name", "label", "key", "variable", "parameter", "quantity")
_NUMBERING = word_set("""
    channel id index port number address sequence input slot position storage tariff
""")
# Words for where something is measured, not what.
_PLACES = _NUMBERING | word_set("sensor value raw board external inside room")
_DUST = word_set("pm1 pm25 pm4 pm10")
_UNCLEAR_UNITS = word_set("in min minute minutes second seconds hour hours day days week weeks")
_IDENTIFIER = re.compile(r"(?i)(?:0x)?[0-9a-f]{6,}|[0-9a-f]{2}(?:[:-][0-9a-f]{2})+|\d+")
_LONGEST_LABEL = 64
_LONGEST_APART = 24
_STATISTICS = word_set("min max mean last total")


class Shape(NamedTuple):
    """Which key of a list's items holds value, label, unit and number."""

    value: object
    label: object
    unit: object
    numbering: object
    """What tells items with the same label apart, if something does."""


def unit_in(text: object) -> Unit | None:
    """Return the unit that a text spells, with or without brackets around it."""
    return normalise(text.strip().strip("[]()")) if isinstance(text, str) else None


def time_of(item: Item) -> datetime | None:
    """Return when an item was measured, as far as it says."""
    for key, value in item.items():
        if key in TIME_KEYS or (isinstance(key, str) and _is_time(key, value)):
            if isinstance(value, str):
                return parse_time(value)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return epoch(value)
    return None


def _is_time(key: object, value: object) -> bool:
    return isinstance(value, str) and isinstance(key, str) and parse_time(value) is not None


def sensecap(item: Item) -> tuple[str | None, Unit | None]:
    """Return the name and unit that a measurement number of SenseCAP's stands for."""
    number = item.get("measurementId")
    if isinstance(number, str) and number.isdecimal():
        number = int(number[:9])
    return MEASUREMENTS.get(number, (None, None)) if isinstance(number, int) else (None, None)


def label_of(item: Item) -> str | None:
    """Return what names the value in an item of a list, if a usual key does."""
    if not any(key in item for key in VALUE_KEYS):
        return None
    name = sensecap(item)[0]
    for key in LABEL_KEYS:
        label = item.get(key)
        if not isinstance(label, str) or not label or len(label) > _LONGEST_LABEL:
            continue
        if key == "type" and name is not None and _MESSAGE_TYPE.match(label):
            return name
        if key != "type" or "measurementValue" in item:
            return label
    return name


def kind_of(item: Item, label: str) -> tuple[str, str]:
    """Return the text of an item that says what is measured, where its label doesn't, and its key.

    Both are empty where nothing does.
    """
    if _says_what(label):
        return "", ""
    found = _by_rank(item, {key for key, value in item.items() if value == label})
    text = item[found] if found is not None else None
    if isinstance(text, str) and text.casefold() != label.casefold():
        return (text, str(found)) if _says_what(text) else ("", "")
    return "", ""


def with_kinds(items: Sequence[Item], labels: Sequence[str | None]) -> list[str | None]:
    """Return the labels of items; what is measured is added where several have the same label.

    "Node 1" with a temperature and a humidity becomes "Node 1 temperature", "Node 1 humidity".
    """
    kinds = [
        kind_of(item, label)[0] if label is not None and labels.count(label) > 1 else ""
        for item, label in zip(items, labels, strict=True)
    ]
    told: dict[str | None, list[str]] = {}
    for label, kind in zip(labels, kinds, strict=True):
        told.setdefault(label, []).append(kind)
    return [
        f"{label} {kind}" if kind and len(set(told[label])) > 1 and all(told[label]) else label
        for label, kind in zip(labels, kinds, strict=True)
    ]


def _says_what(text: str) -> bool:
    """Return whether a text names something that can be measured or reported."""
    words = words_of(text).words
    if text.casefold() in BY_FULL_NAME or any(word.concept in _DUST for word in words):
        return True
    return any(word.text.casefold() in CONCEPTS and word.concept not in _PLACES for word in words)


def describing_keys(item: Item) -> frozenset[str]:
    """Return the keys of an item that number or describe its value."""
    return frozenset(
        key
        for key, value in item.items()
        if isinstance(key, str) and (_describes(key) or _is_numbering(key, value))
    )


def place_of(item: Item, index: int) -> tuple[str, str, str]:
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


def shapes_of(items: Sequence[Item]) -> list[Shape] | None:
    """Return which keys of a list's items do what; None where not all of them have a label."""
    shapes = [shape_of(item) for item in items]
    known = [shape for shape in shapes if shape is not None]
    return known if len(known) == len(items) else None


def shape_of(item: Item) -> Shape | None:
    """Return which keys of an item are its label, value and unit; None where it has no label.

    The value is a number or a truth, the unit a text that spells one, and the label the text
    that is left; the keys' names decide only between several.
    """
    unit = next((key for key in item if _names_unit(key)), None)
    if unit is None:
        unit = next((key for key, text in item.items() if _is_clearly_unit(key, text)), None)
    label = _by_rank(item, {unit})
    if label is None:
        return None
    value = _value_key(item, {unit, label})
    if value is None:
        return None
    rest = [key for key in item if key not in (unit, label, value)]
    numbering = next((key for key in rest if _is_numbering(key, item[key])), None)
    return Shape(value, label, unit, numbering)


def meta_keys(item: Item, shape: Shape) -> frozenset[object]:
    """Return the keys of an item that describe its value and are no fields of their own."""
    described = {
        key
        for key, value in item.items()
        if isinstance(key, str)
        and (
            _is_time(key, value)
            or _describes(key)
            or (isinstance(value, str) and number_of(value) is None)
        )
    }
    return META_KEYS | {shape.value, shape.label, shape.unit, shape.numbering} | described


def labels_in(items: Sequence[Item], shapes: Sequence[Shape]) -> list[str]:
    """Return the labels of a list's items; where two have the same, with what tells them apart."""
    labels = [str(item[shape.label]).strip() for item, shape in zip(items, shapes, strict=True)]
    return [
        f"{label} {item[more]}"
        if labels.count(label) > 1 and (more := _telling_apart(items, shapes, labels, label))
        else label
        for label, item in zip(labels, items, strict=True)
    ]


def _telling_apart(
    items: Sequence[Item], shapes: Sequence[Shape], labels: Sequence[str], label: str
) -> object:
    """Return the key of a number or text that is different in all items with the same label."""
    alike = [
        (item, shape)
        for item, shape, own in zip(items, shapes, labels, strict=True)
        if own == label
    ]
    first, shape = alike[0]
    if shape.numbering is not None and all(shape.numbering in item for item, _ in alike):
        return shape.numbering
    described = (shape.label, shape.unit, shape.value)
    for key in sorted(key for key in first if isinstance(key, str)):
        texts = [item.get(key) for item, _ in alike]
        are_texts = all(isinstance(text, str) and 0 < len(text) <= _LONGEST_APART for text in texts)
        if key in described or not are_texts or any(_is_time(key, text) for text in texts):
            continue
        if len(set(texts)) == len(texts):
            return key
    return None


def _concepts(key: object) -> frozenset[str]:
    return frozenset(words_of(key).concepts) if isinstance(key, str) else frozenset()


def _names_unit(key: object) -> bool:
    return key in UNIT_KEYS or bool(_concepts(key) & {"unit", "units", "uom"})


def _is_unit(text: object) -> bool:
    found = unit_in(text)
    return found is not None and found.symbol is not None


def _is_clearly_unit(key: object, text: object) -> bool:
    """Return whether a text spells a unit, and is no channel "A", direction "in" or label "rh"."""
    if not isinstance(text, str) or not _is_unit(text):
        return False
    names = isinstance(key, str) and any(word in key.casefold() for word in _LABELLING)
    one_letter = len(text) == 1 and text.isalpha()
    return not names and not one_letter and text.casefold() not in _UNCLEAR_UNITS


def _is_numbering(key: object, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return False
    return bool(_concepts(key) & _NUMBERING) and len(str(value)) <= 16


def _describes(key: str) -> bool:
    """Return whether a key is one of a number or code for what its neighbours say in words."""
    concepts = _concepts(key)
    return bool(concepts & {"time", "raw"}) or bool(
        concepts and concepts <= _NUMBERING | {"type", "code", "unit", "vif", "dif", "storage"}
    )


def _by_rank(item: Item, used: set[object]) -> object:
    """Return the key of the text that names an item best."""
    has_unit = any(_names_unit(key) for key in item)
    texts = [
        key
        for key, text in item.items()
        if key not in used
        and isinstance(key, str)
        and isinstance(text, str)
        and 0 < len(text.strip()) <= _LONGEST_LABEL
        and number_of(text) is None
        and parse_time(text) is None
        and _IDENTIFIER.fullmatch(text.strip()) is None
        and key.casefold() not in _VALUE_NAMES
        and not _names_unit(key)
        and (has_unit or not _is_clearly_unit(key, text))
    ]
    texts = [key for key in texts if not _is_statistic(str(item[key]))] or texts
    for words in _NAMING_WORDS:
        for key in texts:
            if any(word in key.casefold() for word in words):
                return key
    if len(texts) == 1:
        return texts[0]
    # None of the keys says so: the text that is in the vocabulary.
    known = [key for key in texts if _in_vocabulary(str(item[key]))]
    return known[0] if len(known) == 1 else None


def _is_statistic(text: str) -> bool:
    """Return whether a text says how a value was got, not of what: "average", "instant"."""
    return _STATISTICS.issuperset(words_of(text).concepts)


def _in_vocabulary(text: str) -> bool:
    return not CONCEPTS.keys().isdisjoint(word.text.casefold() for word in words_of(text).words)


def _value_key(item: Item, used: set[object]) -> object:
    for key in item:
        if key not in used and isinstance(key, str) and key.casefold() in _VALUE_NAMES:
            return key
    numbers = [
        key
        for key, value in item.items()
        if key not in used
        and isinstance(key, str)
        and (isinstance(value, bool) or number_of(value) is not None)
        and not _describes(key)
        and not _is_numbering(key, value)
        and key not in TIME_KEYS
    ]
    # Without a unit, a number beside a text may be any field of an object with a name.
    has_unit = any(_names_unit(key) or _is_clearly_unit(key, text) for key, text in item.items())
    return numbers[0] if len(numbers) == 1 and has_unit else None
