"""What one uplink says: new fields are decided on, known ones only read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from .enumerations import add_state, start_enumeration
from .flatten import (
    MAX_DEPTH,
    MAX_LEAVES,
    MAX_PATH,
    Flattened,
    Leaf,
    flatten,
    is_history_key,
    normalized_leaves,
)
from .full_scale import is_full_scale
from .infer import Uplink, infer
from .names import quantity_name
from .observations import Observations
from .override import NUMERIC_ROLES
from .quantities import QUANTITIES
from .reading import contradiction, position_of, value_of
from .revision import may_be_corrected, revise
from .sensor_attributes import SENSOR_ATTR, attributes_in
from .tokens import words_of
from .types import Context, Kind, Meaning, Role, Source, Understanding, Value
from .units import factor
from .uplink_rules import MAX_FIELDS, choose, hide_repetitions, hide_settings, says_settings
from .values import MAX_TEXT, Shape, number_of, read
from .vocabulary import NORMALIZED, OPTIONS

__all__ = ["MAX_FIELDS", "raw_values", "understand", "value_of"]

_NO_CONTEXT = Context()
_NOTHING_OBSERVED: Mapping[str, Observations] = {}


def understand(
    decoded: Mapping[str, object] | None,
    normalized: Sequence[Mapping[str, object]] = (),
    *,
    decisions: Mapping[str, Meaning],
    context: Context = _NO_CONTEXT,
    observations: Mapping[str, Observations] | None = None,
    decide_absent: bool = False,
) -> Understanding:
    """Return the values of an uplink's fields, and decisions on those that have none yet.

    A field without a value (null, "NULL", a sentinel) is decided on when it first has
    one; with `decide_absent` at once, by its name. Fields that are in `observations` may
    still be corrected; without any given no decision ever changes. Never raises, whatever
    the payload is.
    """
    understanding = Understanding()
    if type(decoded) is dict or isinstance(decoded, Mapping):
        open_fields = observations or _NOTHING_OBSERVED
        others = _read_known_scalars(decoded, decisions, open_fields, understanding)
        if others and not _read_known_objects(others, decisions, open_fields, understanding):
            flattened = Flattened()
            for key, raw in others:
                flattened.member(key, raw, decoded, "", ())
            flattened.join_places()
            understanding.skipped = flattened.skipped
            if flattened.leaves:
                _take_in(
                    flattened.leaves,
                    understanding,
                    decisions=decisions,
                    uplink=Uplink(context, attributes=attributes_in(decoded)),
                    observations=observations,
                    decide_absent=decide_absent,
                )
    if normalized:
        _read_normalized(normalized, decisions, understanding)
    _learn_options(decisions, understanding)
    return understanding


def _read_known_scalars(
    decoded: Mapping[str, object],
    decisions: Mapping[str, Meaning],
    open_fields: Mapping[str, Observations],
    understanding: Understanding,
) -> list[tuple[str, object]]:
    """Read the values of known scalars at the top: the common case, kept short.

    Returns the other members.
    """
    values, others = understanding.values, []
    for path, raw in decoded.items():
        meaning = decisions.get(path)
        shape = type(raw)
        if (
            meaning is None
            or shape is dict
            or shape is list
            or path in open_fields
            or meaning.role is Role.POSITION
            or "." in path
        ):
            if path != SENSOR_ATTR:
                others.append((path, raw))
        elif meaning.kind is not Kind.IGNORE:
            values[path] = value = value_of(meaning, raw)
            if value is None:
                _note_contradiction(path, meaning, raw, understanding)
    return others


def _read_known_objects(
    members: Sequence[tuple[object, object]],
    decisions: Mapping[str, Meaning],
    open_fields: Mapping[str, Observations],
    understanding: Understanding,
) -> bool:
    """Read the members of objects, where these have nothing but known scalars.

    Returns False, and reads nothing, where they have anything else: a new field is decided on, and
    a position read, by all that is beside it.
    """
    found: list[tuple[str, Meaning, object]] = []

    def take(path: str, raw: object) -> bool:
        meaning = decisions.get(path)
        if meaning is None or meaning.role is Role.POSITION or path in open_fields:
            return False
        found.append((path, meaning, raw))
        return len(path) <= MAX_PATH

    for key, raw in members:
        if type(raw) is not dict or not _take_object(key, raw, "", 1, take):
            return False
    if len(found) > MAX_LEAVES:
        return False
    for path, meaning, raw in found:
        if meaning.kind is not Kind.IGNORE:
            understanding.values[path] = value = value_of(meaning, raw)
            if value is None:
                _note_contradiction(path, meaning, raw, understanding)
    return True


def _take_object(
    key: object,
    members: Mapping[object, object],
    prefix: str,
    depth: int,
    take: Callable[[str, object], bool],
) -> bool:
    """Call `take` with path and value of each scalar in an object; False ends it.

    Returns False where that isn't all that the object has.
    """
    if not _is_plain(key) or depth >= MAX_DEPTH or is_history_key(key):
        return False
    prefix = f"{prefix}{key}."
    for name, raw in members.items():
        shape = type(raw)
        if shape is dict:
            members_of_it: dict[object, object] = raw  # type: ignore[assignment]
            if not _take_object(name, members_of_it, prefix, depth + 1, take):
                return False
        elif shape is list or not _is_plain(name) or not take(prefix + name, raw):
            return False
    return True


def _is_plain(key: object) -> TypeGuard[str]:
    """Return whether a key is a step of a path as it is."""
    return type(key) is str and "." not in key and "\\" not in key


def _take_in(
    leaves: Sequence[Leaf],
    understanding: Understanding,
    *,
    decisions: Mapping[str, Meaning],
    uplink: Uplink,
    observations: Mapping[str, Observations] | None,
    decide_absent: bool,
) -> None:
    """Decide on the fields that are new, and read all."""
    if bool(observations) or any(leaf.path not in decisions for leaf in leaves):
        uplink = replace(uplink, repeats_settings=says_settings(leaves))
        fitting = _decide(leaves, decisions, uplink, understanding, decide_absent)
        if observations is not None:
            raw = {leaf.path: leaf.raw for leaf in fitting}
            for path, meaning in understanding.new.items():
                if may_be_corrected(meaning):
                    understanding.observations[path] = Observations().with_value(raw[path])
    _read(leaves, decisions, uplink, observations, understanding)


def _learn_options(decisions: Mapping[str, Meaning], understanding: Understanding) -> None:
    new = understanding.new
    for path, value in understanding.values.items():
        if (meaning := decisions.get(path)) is not None:
            if meaning.options and value is not None and value not in meaning.options:
                learned = add_state(meaning, value)  # type: ignore[arg-type]
                if learned is not meaning:
                    understanding.grown[path] = learned
        elif type(value) is str:
            new[path] = start_enumeration(new[path], value)


def raw_values(
    decoded: Mapping[str, object] | None, normalized: Sequence[Mapping[str, object]] = ()
) -> dict[str, object]:
    """Return what a payload says of each field, by path, without knowing what it means."""
    raw = {leaf.path: leaf.raw for leaf in normalized_leaves(normalized)}
    if isinstance(decoded, Mapping):
        raw |= {leaf.path: leaf.raw for leaf in flatten(decoded).leaves}
    return raw


def _decide(
    leaves: Sequence[Leaf],
    decisions: Mapping[str, Meaning],
    uplink: Uplink,
    understanding: Understanding,
    decide_absent: bool,
) -> list[Leaf]:
    """Decide on the fields that have no decision yet, as far as they say something."""
    new = understanding.new
    undecided = [
        leaf
        for leaf in leaves
        if leaf.path not in decisions and (decide_absent or _says_something(leaf, uplink))
    ]
    if not undecided:
        return []
    fitting = [leaf for leaf in undecided if not _too_long(leaf.raw)]
    fitting = choose(fitting, decisions)
    understanding.skipped += len(undecided) - len(fitting)
    for leaf in fitting:
        meaning = infer(leaf, uplink)
        if not decide_absent and _not_connected(meaning, leaf):
            continue  # The next value says more.
        new[leaf.path] = meaning
        understanding.reported[leaf.path] = leaf.raw
    known = {path: meaning for path, meaning in new.items() if meaning.source is Source.LIBRARY}
    hide_settings(new)
    hide_repetitions(leaves, decisions, new)
    new |= known
    return fitting


def _says_something(leaf: Leaf, uplink: Uplink) -> bool:
    """Return whether a value can be decided on; "none" is one for a field with the name of a state."""
    if read(leaf.raw).shape is not Shape.ABSENT:
        return True
    is_word = isinstance(leaf.raw, str) and leaf.raw.strip().casefold() == "none"
    return is_word and infer(leaf, uplink, absent=True).role is Role.FLAG


def _read(
    leaves: Sequence[Leaf],
    decisions: Mapping[str, Meaning],
    uplink: Uplink,
    observations: Mapping[str, Observations] | None,
    understanding: Understanding,
) -> None:
    """Read the values of all fields; correct a decision that they contradict, while it may be."""
    for leaf in leaves:
        path = leaf.path
        meaning = understanding.new.get(path)
        if meaning is None:
            meaning = decisions.get(path)
            if meaning is not None and observations and path in observations:
                meaning = _observe(leaf, meaning, observations[path], uplink, understanding)
        if meaning is None or meaning.kind is Kind.IGNORE:
            continue
        understanding.values[path] = value = _value(meaning, leaf)
        if value is None and meaning.role is not Role.POSITION:
            _note_contradiction(path, meaning, leaf.raw, understanding)


def _observe(
    leaf: Leaf,
    meaning: Meaning,
    before: Observations,
    uplink: Uplink,
    understanding: Understanding,
) -> Meaning:
    """Return the decision on a field after one more value."""
    path = leaf.path
    observed = before.with_value(leaf.raw)
    if observed is before:
        return meaning
    corrected = meaning
    if observed.says_more_than(before) or value_of(meaning, leaf.raw) is None:
        corrected = revise(leaf, meaning, observed, uplink)
    if _not_connected(corrected, leaf):
        return meaning  # Whatever the field is.
    if not may_be_corrected(meaning) or observed.settled:
        understanding.settled.add(path)
    else:
        understanding.observations[path] = observed
    if corrected is not meaning:
        understanding.corrected[path] = corrected
    return corrected


def _value(meaning: Meaning, leaf: Leaf) -> Value:
    return position_of(leaf) if meaning.role is Role.POSITION else value_of(meaning, leaf.raw)


def _not_connected(meaning: Meaning, leaf: Leaf) -> bool:
    """Return whether it is a full-scale number, which stands for "not connected"."""
    number = read(leaf.raw).value if isinstance(leaf.raw, str) else leaf.raw
    return (
        isinstance(number, int | float)
        and is_full_scale(number)
        and value_of(meaning, leaf.raw) is None
    )


def _note_contradiction(
    path: str, meaning: Meaning, raw: object, understanding: Understanding
) -> None:
    note = contradiction(meaning, raw)
    if note is not None:
        understanding.contradictions[path] = note


def _too_long(raw: object) -> bool:
    return isinstance(raw, str) and len(raw) > MAX_TEXT


def _read_normalized(
    normalized: Sequence[Mapping[str, object]],
    decisions: Mapping[str, Meaning],
    understanding: Understanding,
) -> None:
    """Add what only the normalized payload has, in the units of its schema."""
    values, new = understanding.values, understanding.new
    for leaf in normalized_leaves(normalized):
        path = leaf.path
        meaning = decisions.get(path) or new.get(path)
        if path in values and path in decisions:
            continue
        fixed = NORMALIZED.get(path)
        if path in values and meaning is not None:
            # Both have it, and the schema knows the unit: it decides as long as nothing is decided.
            if (
                fixed is not None
                and meaning.role in NUMERIC_ROLES
                and values[path] == number_of(leaf.raw)
            ):
                new[path] = _normalized_meaning(leaf, fixed)
                understanding.reported[path] = leaf.raw
                values[path] = value_of(new[path], leaf.raw)
            continue
        if meaning is None:
            if read(leaf.raw).shape is Shape.ABSENT or _too_long(leaf.raw):
                continue
            if len(decisions) + len(new) >= MAX_FIELDS:
                understanding.skipped += 1
                continue
            meaning = _normalized_meaning(leaf, fixed)
            _say_water(meaning, leaf, understanding)
            if meaning.kind is not Kind.IGNORE and _decoded_already(
                meaning, leaf, decisions, understanding
            ):
                meaning = replace(
                    meaning,
                    kind=Kind.IGNORE,
                    source=Source.HINTS,
                    rule="normalized",
                    reason="The decoded payload has the same.",
                )
            new[path] = meaning
            understanding.reported[path] = leaf.raw
        if meaning.kind is not Kind.IGNORE:
            values[path] = _value(meaning, leaf)


_SAME = {
    "soil_temperature": "temperature",
    "water_temperature": "temperature",
    "soil_moisture": "moisture",
    "opening": "door",
}


def _say_water(meaning: Meaning, leaf: Leaf, understanding: Understanding) -> None:
    """Call a new decoded total of some volume water, where the schema says so of the same number."""
    if meaning.quantity != "water":
        return
    for path, other in understanding.new.items():
        if (
            (other.quantity == "volume" or other.is_undecided)
            and other.source is not Source.LIBRARY
            and understanding.reported[path] == leaf.raw
            and any("volume" in words_of(key).concepts for key in path.split("."))
        ):
            understanding.new[path] = water = replace(meaning, precision=other.precision)
            understanding.values[path] = value_of(water, leaf.raw)
            understanding.observations.pop(path, None)  # nothing is left to be found out


def _decoded_already(
    meaning: Meaning, leaf: Leaf, decisions: Mapping[str, Meaning], understanding: Understanding
) -> bool:
    """Return whether a decoded field of the same quantity has the same value in this uplink."""
    quantity = _SAME.get(meaning.quantity or "", meaning.quantity)
    value = _value(meaning, leaf)
    for path, decoded in understanding.values.items():
        other = decisions.get(path) or understanding.new.get(path)
        if other is None or _SAME.get(other.quantity or "", other.quantity) != quantity:
            continue
        if decoded == value:
            return True
        ratio = factor(other.unit, meaning.unit) if other.unit and meaning.unit else None
        if (
            ratio
            and isinstance(decoded, int | float)
            and isinstance(value, int | float)
            and abs(decoded * ratio - value) <= 0.01 * max(1.0, abs(value))
        ):
            return True
    return False


def _normalized_meaning(leaf: Leaf, fixed: tuple[str, str | None] | None) -> Meaning:
    guessed = infer(leaf)
    if leaf.path == "time":
        return replace(
            guessed,
            kind=Kind.IGNORE,
            source=Source.HINTS,
            rule="normalized",
            reason="The time of the measurement.",
        )
    options = OPTIONS.get(leaf.path, ())
    if options:
        return replace(guessed, options=options, role=Role.STATE)
    if fixed is None or guessed.role is Role.POSITION:
        return guessed
    quantity, unit = fixed
    if leaf.path == "battery" and (number_of(leaf.raw) or 0) > 5:
        return guessed  # Some formatters put a percentage here.
    known = QUANTITIES[quantity]
    used = frozenset(c for key in leaf.keys for c in words_of(key).concepts)
    stats = used & {"min", "max", "mean", "last", "active"}
    return Meaning(
        kind=known.kind,
        quantity=quantity,
        unit=unit,
        role=known.role,
        category=known.category,
        enabled=True,
        name=quantity_name(leaf.keys, quantity, used - stats | {"event"}) if stats else None,
        precision=guessed.precision,
        source=Source.HINTS,
        rule="normalized",
        reason=f"{known.name}. The normalized payload's {leaf.path}"
        + (f" is in {unit}" if unit else ""),
    )
