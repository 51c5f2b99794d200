"""Whole payloads with labels: what the product makes of them, and how much of that is right."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from tests.payload.devices import context_of
from thethingsstack.payload import QUANTITIES, Category, Meaning, Role, Value, understand
from thethingsstack.payload.flatten import Leaf, flatten
from thethingsstack.payload.lists import VALUE_KEYS, shape_of
from thethingsstack.payload.observations import Observations

STATE_CLASSES = {
    Role.MEASUREMENT: "measurement",
    Role.TOTAL: "total_increasing",
    Role.AMOUNT: "total",
    Role.ANGLE: "measurement_angle",
}
ALIKE = (
    {"motion", "moving"},
    {"occupancy", "presence"},
    {"door", "opening", "window"},
    {"pressure", "atmospheric_pressure"},
    {"water", "volume"},
)
QUESTIONS = ("right", "false class", "false unit", "false polarity", "lost", "hidden", "shown")
_ABSENT: dict[str, Any] = {"platform": "ignore", "enabled": False, "device_class": "", "unit": ""}


@dataclass(frozen=True, slots=True)
class Case:
    """One end device: what it sends, in order, and what is expected of its fields."""

    file: str
    uplinks: tuple[Mapping[str, Any], ...]
    f_port: int | None
    brand_id: str | None
    model_id: str | None
    expected: Mapping[str, Mapping[str, Any]]


def load(path: Path) -> Case:
    """Return the case in a file; its labels stay apart from what the product gets to see."""
    data = json.loads(path.read_text(encoding="utf-8"))
    uplinks = data.get("uplinks") or [data]
    ids = data.get("brand_model_given_to_product") or (None, None)
    return Case(
        file=path.name,
        uplinks=tuple(uplink.get("decoded_payload", uplink) for uplink in uplinks),
        f_port=data.get("f_port"),
        brand_id=ids[0],
        model_id=ids[1],
        expected=data.get("expected", {}),
    )


def load_all(folder: Path) -> list[Case]:
    """Return the cases of a folder, in the order of the files' names."""
    return [load(path) for path in sorted(folder.glob("*.json"))]


def decide(case: Case, *, library: bool = True) -> tuple[dict[str, Meaning], dict[str, Value]]:
    """Return the decisions and values that an end device has after all of its uplinks."""
    brand, model = (case.brand_id, case.model_id) if library else (None, None)
    context = context_of(brand, model, f_port=case.f_port)
    decisions: dict[str, Meaning] = {}
    observations: dict[str, Observations] = {}
    values: dict[str, Value] = {}
    for decoded in case.uplinks:
        understanding = understand(
            decoded, decisions=decisions, context=context, observations=observations
        )
        decisions |= understanding.new
        decisions |= understanding.grown
        decisions |= understanding.corrected
        observations |= understanding.observations
        for path in understanding.settled:
            observations.pop(path, None)
        values |= understanding.values
    return decisions, values


def _objects_in_lists(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects inside lists, each with its path by position."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _objects_in_lists(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            here = f"{path}.{index}"
            if isinstance(item, Mapping):
                yield here, item
            yield from _objects_in_lists(item, here)


def positions(case: Case) -> dict[str, str]:
    """Return where fields that are found by a label stand in the payload: by position."""
    found: dict[str, str] = {}
    for decoded in case.uplinks:
        places = {id(item): path for path, item in _objects_in_lists(decoded)}
        for leaf in flatten(decoded).leaves:
            if leaf.siblings is None or (place := places.get(id(leaf.siblings))) is None:
                continue
            key = _key_of(leaf)
            if key is not None and f"{place}.{key}" != leaf.path:
                found[f"{place}.{key}"] = leaf.path
    return found


def _key_of(leaf: Leaf) -> str | None:
    """Return under which key of its object a field stands."""
    assert leaf.siblings is not None
    if leaf.listed:
        shape = shape_of(leaf.siblings)
        usual = next((key for key in VALUE_KEYS if key in leaf.siblings), None)
        return str(shape.value if shape is not None else usual)
    last = leaf.keys[-1]
    if leaf.siblings.get(last) is leaf.raw and leaf.path.endswith(last):
        return last
    return next((str(key) for key, value in leaf.siblings.items() if value is leaf.raw), None)


def described(meaning: Meaning) -> dict[str, Any]:
    """Return a decision in Home Assistant's words."""
    platform = "device_tracker" if meaning.role is Role.POSITION else str(meaning.kind)
    if not meaning.enabled and platform == "device_tracker":
        platform = "ignore"
    sensor = platform == "sensor"
    known = QUANTITIES[meaning.quantity] if meaning.quantity else None
    plain = platform in ("ignore", "device_tracker", "event")
    name = meaning.name if meaning.name is not None else known.name if known else None
    return {
        "platform": str(meaning.kind) if meaning.kind == "ignore" else platform,
        "device_class": "" if plain else (known.device_class if known else None) or "",
        "unit": (meaning.unit or "") if sensor else "",
        "state_class": STATE_CLASSES.get(meaning.role, "") if sensor else "",
        "entity_category": "" if meaning.category is Category.PRIMARY else "diagnostic",
        "enabled": meaning.enabled and platform != "ignore",
        "name": name,
        "source": str(meaning.source),
        "reason": meaning.reason,
    }


def answer(case: Case, *, library: bool = True) -> dict[str, Any]:
    """Return what the product makes of a case; items of lists under label and position."""
    decisions, _ = decide(case, library=library)
    fields = {path: described(meaning) for path, meaning in decisions.items()}
    for place, path in positions(case).items():
        if path in fields:
            fields.setdefault(place, fields[path])
    return {"file": case.file, "fields": fields}


def same_class(expected: str, given: str) -> bool:
    """Return whether two device classes are the same, or as good."""
    return expected == given or any({expected, given} <= alike for alike in ALIKE)


def _accepted(label: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [label, *label.get("also_accepted", ())]


def _fits(accepted: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Return whether platform and class are as one of the accepted answers has them."""
    if accepted["platform"] == "hidden":
        return given["platform"] == "ignore" or not given["enabled"]
    if accepted["platform"] != given["platform"] or not given["enabled"]:
        return False
    return same_class(accepted.get("device_class") or "", given["device_class"])


def judge(label: Mapping[str, Any], given: Mapping[str, Any] | None) -> set[str]:
    """Return what is true of an answer, of `QUESTIONS`."""
    accepted = _accepted(label)
    answered = _ABSENT if given is None else given
    fitting = [item for item in accepted if _fits(item, answered)]
    if fitting:
        units = {item.get("unit") or "" for item in fitting}
        seen = answered["platform"] == "sensor" and answered["enabled"]
        if seen and "*" not in units and answered["unit"] not in units:
            return {"right", "false unit"}
        return {"right"}
    if given is None:
        return {"lost"}
    if given["platform"] == "ignore" or not given["enabled"]:
        return {"hidden"}
    wrong: set[str] = set()
    if all(item["platform"] == "hidden" for item in accepted):
        wrong.add("shown")
    classes = {item.get("device_class") or "" for item in accepted}
    if given["device_class"] and not any(same_class(c, given["device_class"]) for c in classes):
        wrong.add("false class")
    return wrong


def _polarity_is_false(label: Mapping[str, Any], value: Value) -> bool:
    """Return whether a label says that the last value is on (or off), and it is not."""
    return "on" in label and isinstance(value, bool) and value is not label["on"]


def score(cases: list[Case], *, library: bool = True) -> tuple[Counter[str], list[str]]:
    """Return how often each of `QUESTIONS` is true, and a line for each answer that is wrong."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for case in cases:
        fields = answer(case, library=library)["fields"]
        _, values = decide(case, library=library)
        places = positions(case)
        for path, label in case.expected.items():
            counts["fields"] += 1
            verdict = judge(label, fields.get(path))
            if _polarity_is_false(label, values.get(places.get(path, path))):
                verdict.add("false polarity")
            counts.update(verdict)
            if verdict != {"right"}:
                wrong.append(_line(case, path, label, fields.get(path), verdict))
    return counts, wrong


def _line(
    case: Case,
    path: str,
    label: Mapping[str, Any],
    given: Mapping[str, Any] | None,
    verdict: set[str],
) -> str:
    wanted = " | ".join(
        "/".join(str(item.get(key) or "") for key in ("platform", "device_class", "unit"))
        for item in _accepted(label)
    )
    got = (
        "nothing"
        if given is None
        else "/".join(
            [given["platform"], given["device_class"], given["unit"]]
            + ([] if given["enabled"] else ["disabled"])
        )
    )
    reason = "" if given is None else given["reason"]
    said = ", ".join(sorted(verdict - {"right"})) or "other platform or class"
    return f"{case.file}  {path}: {said}\n    wanted {wanted}\n    got    {got}  ({reason})"
