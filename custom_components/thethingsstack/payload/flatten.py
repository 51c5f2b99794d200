"""The fields of a decoded payload, whatever shape the formatter gave them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
import re
from typing import Any, NamedTuple

from .coordinates import coordinate_of, stem_of
from .lists import (
    INDEX_KEYS,
    META_KEYS,
    NAMING_KEYS,
    UNIT_SUFFIXES,
    VALUE_KEYS,
    Item,
    Shape,
    describing_keys,
    kind_of,
    label_of,
    labels_in,
    meta_keys,
    place_of,
    sensecap,
    shapes_of,
    time_of,
    unit_in,
    with_kinds,
)
from .sensor_attributes import SENSOR_ATTR
from .siblings import sibling_unit
from .tokens import words_of
from .units import Unit, normalise
from .values import number_of, parse_time
from .vocabulary import OVERHEAD, word_set

MAX_DEPTH = 8
MAX_LEAVES = 1000
MAX_ITEMS = 32
MAX_VECTOR = 16
MAX_PATH = 200

_LONGITUDE_FIRST = re.compile(r"(?i)coord|lo?ng?_?lat")
_PATH_STEP = re.compile(r"(?<!\\)\.")
_AXES = frozenset({"latitude", "longitude"})
_SCALAR_VALUE_KEYS = frozenset({"value", "val", "Value"})
SERIES_KEYS = frozenset({"values", "samples", "series"})
HISTORY = re.compile(
    r"(?i)(?:^|_)(?:hist(?:ory|oric|orical)?|data_?log\d*|logs?|backlog|records?|past|archive"
    r"|buffer(?:ed)?|load_?profile)$"
)
_HISTORY_WORDS = word_set("""
    history historic historical log logs datalog backlog records archive buffer buffered fdr
    past
""")


class Leaf(NamedTuple):
    """A field: its permanent path, the keys that name it, its value, and the object around it."""

    path: str
    keys: tuple[str, ...]
    raw: object
    unit: Unit | None = None
    siblings: Mapping[Any, object] | None = None
    """The object that it is a member of."""
    prefix: str = ""
    """The path of that object, with the dot."""
    listed: bool = False
    """Whether it is the value of an item of a list, named by a label beside it."""
    place: Mapping[str, object] | None = None
    """Latitude and longitude, where the two stand in objects of their own."""


@lru_cache(maxsize=1024)
def is_history_key(key: str) -> bool:
    """Return whether an object with this key holds earlier values, which are left out."""
    return HISTORY.search(key) is not None


def escape(key: str) -> str:
    """Return a key as one step of a path, so that no two fields share a path."""
    if "." in key or "\\" in key:
        return key.replace("\\", "\\\\").replace(".", "\\.")
    return key


def _part_of_place(name: str) -> str | None:
    """Return which part of a place a name is about: a coordinate, altitude or accuracy."""
    others = (c for c in words_of(name).concepts if c in ("altitude", "accuracy"))
    return coordinate_of(name) or next(others, None)


class Flattened:
    """The fields of one payload, gathered within limits."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.leaves: list[Leaf] = []
        self.skipped = 0
        self._apart: list[tuple[str, int, str]] = []
        """Fields named by a step above or a label: the name, how many steps are theirs, the path."""

    def add(self, leaf: Leaf) -> None:
        """Keep a field, unless there are too many or its path is too long."""
        if len(leaf.path) > MAX_PATH or len(self.leaves) >= MAX_LEAVES:
            self.skipped += 1
            return
        if leaf.listed or (len(leaf.keys) > 1 and leaf.keys[-1] in VALUE_KEYS):
            name = leaf.keys[-1] if leaf.listed else leaf.keys[-2]
            if _part_of_place(name) is not None:
                self._apart.append((name, len(self.leaves), leaf.path))
        self.leaves.append(leaf)

    def join_places(self) -> None:
        """Give coordinates that stand in objects of their own, or in items of a list, each other."""
        places: dict[tuple[str, tuple[str, ...]], dict[str, object]] = {}
        coordinates: list[tuple[int, tuple[str, tuple[str, ...]]]] = []
        for name, index, path in sorted(self._apart, key=lambda apart: apart[2]):
            leaf = self.leaves[index]
            own = 1 if leaf.listed else 2
            part = _part_of_place(name) or ""
            stem = stem_of(name) if part in _AXES else ()
            place = (".".join(_PATH_STEP.split(path)[:-own]), stem)
            places.setdefault(place, {}).setdefault(part, leaf.raw)
            if part in _AXES:
                coordinates.append((index, place))
        for index, place in coordinates:
            if places[place].keys() >= _AXES:
                self.leaves[index] = self.leaves[index]._replace(place=places[place])

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
            elif not (keys and is_history_key(keys[-1])):
                self.walk_object(value, f"{path}.", keys)
        elif isinstance(value, list | tuple):
            self._walk_list(value, path, keys, siblings, prefix)
        else:
            unit = sibling_unit(keys[-1], siblings) if keys else None
            if len(keys) > 1 and keys[-1] in _SCALAR_VALUE_KEYS:
                kind, _ = kind_of(siblings, keys[-2])
                if kind:
                    keys = (*keys[:-2], f"{kind} {keys[-2]}", keys[-1])
            self.add(Leaf(path, keys, value, unit, siblings, prefix))

    def walk_object(
        self,
        value: Mapping[Any, object],
        prefix: str,
        keys: tuple[str, ...],
        left_out: frozenset[object] = frozenset(),
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
        if not items or OVERHEAD.intersection(words_of(name).concepts):
            return
        if _is_history(name) and not _of_one_moment(items[:MAX_ITEMS]):
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
            self.add(Leaf(path, keys, _pair(keys[-1], items, siblings), None, siblings, prefix))
        elif len(items) > MAX_VECTOR:
            self.skipped += 1
        else:
            for index, item in enumerate(items):
                own = _unit_at(keys[-1], siblings, index) or unit
                self.add(
                    Leaf(f"{path}.{index}", (*keys, str(index + 1)), item, own, siblings, prefix)
                )

    def _walk_objects(self, items: Sequence[Item], path: str, keys: tuple[str, ...]) -> None:
        if len(items) > MAX_ITEMS:
            self.skipped += len(items) - MAX_ITEMS
            items = items[:MAX_ITEMS]
        taken: dict[str, int] = {}
        if (newest := _newest(items)) is not None:
            items = [newest]
        shapes = _shapes(items)
        if shapes is not None:
            self._walk_labelled(items, shapes, path, keys)
            return
        labels = with_kinds(items, [label_of(item) for item in items])
        named = {id(item): label for item, label in zip(items, labels, strict=True)}
        items = _latest_of_each(items, labels)
        places = with_kinds(items, [place_of(item, index)[0] for index, item in enumerate(items)])
        for index, (item, place) in enumerate(zip(items, places, strict=True)):
            label = named[id(item)]
            if label is not None:
                label = _numbered(label, taken)
                value_key = next(key for key in VALUE_KEYS if key in item)
                kind, kind_key = kind_of(item, label)
                step, shown = f"{path}.{escape(label)}", f"{kind} {label}" if kind else label
                self._add_value(item, value_key, step, (*keys, shown), sensecap(item)[1])
                left_out = META_KEYS | {value_key, kind_key or value_key} | describing_keys(item)
                self.walk_object(item, f"{step}.", (*keys, label), left_out)
            else:
                _, shown, place_key = place_of(item, index)
                place = _numbered(place or shown, taken)
                kind = kind_key = ""
                if any(key in item for key in VALUE_KEYS):
                    kind, kind_key = kind_of(item, shown)
                shown = f"{kind} {shown}" if kind else shown
                left_out = NAMING_KEYS | {place_key, kind_key or place_key}
                self.walk_object(item, f"{path}.{escape(place)}.", (*keys, shown), left_out)

    def _walk_labelled(
        self, items: Sequence[Item], shapes: Sequence[Shape], path: str, keys: tuple[str, ...]
    ) -> None:
        """Gather the fields of items that name their value themselves."""
        taken: dict[str, int] = {}
        by_item = {id(item): shape for item, shape in zip(items, shapes, strict=True)}
        items = _latest_of_each(items, list(labels_in(items, shapes)))
        shapes = [by_item[id(item)] for item in items]
        for item, shape, label in zip(items, shapes, labels_in(items, shapes), strict=True):
            step = f"{path}.{escape(_numbered(label, taken))}"
            unit = unit_in(item.get(shape.unit)) if shape.unit is not None else None
            self._add_value(item, shape.value, step, (*keys, label), unit)
            self.walk_object(item, f"{step}.", (*keys, label), meta_keys(item, shape))

    def _add_value(
        self, item: Item, key: object, step: str, keys: tuple[str, ...], unit: Unit | None
    ) -> None:
        """Gather the value of an item that has a label."""
        inner = item[key]
        if isinstance(inner, Mapping | list):
            self.walk(inner, step, keys, item, f"{step}.")
        else:
            found = sibling_unit("value", item) or unit
            self.add(Leaf(step, keys, inner, found, item, f"{step}.", listed=True))


def _shapes(items: Sequence[Item]) -> list[Shape] | None:
    """Return what the keys of a list's items do, where no usual key names all of them."""
    if any(label_of(item) is not None or place_of(item, 0)[2] for item in items):
        return None
    return shapes_of(items)


def _newest(items: Sequence[Item]) -> Item | None:
    """Return the newest item where all have the same fields at different times."""
    if len(items) < 2 or any(item.keys() != items[0].keys() for item in items):
        return None
    if len(set(with_kinds(items, [label_of(item) for item in items]))) > 1:
        return None
    shapes = _shapes(items)
    if shapes is not None and len(set(labels_in(items, shapes))) > 1:
        return None
    if len({repr(item[key]) for key in INDEX_KEYS if key in items[0] for item in items}) > 1:
        return None
    times = [(time_of(item), item) for item in items]
    dated = [(moment, item) for moment, item in times if moment is not None]
    if len(dated) < len(items) or len({moment for moment, _ in dated}) < 2:
        return None
    return max(dated, key=lambda pair: pair[0])[1]


def _latest_of_each(items: Sequence[Item], labels: Sequence[str | None]) -> Sequence[Item]:
    """Return the items, of several with one label and different times the newest only."""
    kept: list[Item] = []
    for label in dict.fromkeys(labels):
        alike = [item for item, own in zip(items, labels, strict=True) if own == label]
        dated = [(moment, item) for item in alike if (moment := time_of(item)) is not None]
        times = {moment for moment, _ in dated}
        if label is not None and len(dated) == len(alike) and len(times) == len(alike) > 1:
            alike = [max(dated, key=lambda pair: pair[0])[1]]
        kept += alike
    order = {id(item): index for index, item in enumerate(items)}
    return sorted(kept, key=lambda item: order[id(item)])


def _of_one_moment(items: Sequence[object]) -> bool:
    """Return whether a list holds several records of one moment, each with a name of its own."""
    objects = [item for item in items if isinstance(item, Mapping)]
    if len(objects) < 2 or len(objects) < len(items):
        return False
    if len({time_of(item) for item in objects}) > 1:
        return False
    shapes = _shapes(objects)
    if shapes is not None:
        labels = labels_in(objects, shapes)
    else:
        labels = [label for item in objects if (label := label_of(item)) is not None]
    return len(labels) == len(objects) == len(set(labels))


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


def _pair(key: str, items: Sequence[object], siblings: Mapping[Any, object]) -> str:
    """Return coordinates as text; as in GeoJSON "coordinates" have the longitude first."""
    latitude, longitude = number_of(items[0]), number_of(items[1])
    turned = siblings.get("type") == "Point" or _LONGITUDE_FIRST.search(key) is not None
    if latitude is not None and longitude is not None and abs(latitude) > 90 >= abs(longitude):
        turned = True  # There is no such latitude.
    if turned:
        latitude, longitude = longitude, latitude
    return "" if latitude is None or longitude is None else f"{float(latitude)},{float(longitude)}"


def _unit_at(key: str, siblings: Mapping[Any, object], index: int) -> Unit | None:
    """Return the unit of an item that a list beside it names at the same place."""
    for suffix in UNIT_SUFFIXES:
        units = siblings.get(key + suffix)
        if isinstance(units, list) and index < len(units) and isinstance(units[index], str):
            return normalise(units[index])
    return None


def flatten(decoded: Mapping[str, object]) -> Flattened:
    """Return the fields of a decoded payload; histories in it are left out.

    What it says of its fields is none of them.
    """
    flattened = Flattened()
    flattened.walk_object(decoded, "", (), frozenset({SENSOR_ATTR}))
    flattened.join_places()
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
