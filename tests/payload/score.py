"""Score the understanding of payload fields against labelled ones.

    python -m tests.payload.score FILE.csv [--json]
    python -m tests.payload.score --payloads FOLDER [--json] [--no-library] [--wrong]

A table has the columns of `field_path` and `example_value` (alternatives separated by
" | "), from which a payload is built, and those of the expected answer. With `--json` one
object per row and nothing else is printed.

A folder has a file for each end device, with its `decoded_payload` (or several `uplinks`, in
order) and what is expected of its fields. Each payload is sent whole, as an uplink would be.
With `--json` one object per file and nothing else is printed; `--no-library` leaves brand and
model out; `--wrong` lists what is not right.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
import csv
import hashlib
import json
from pathlib import Path
import re
import sys
from typing import Any

from tests.payload import cases
from thethingsstack.payload import QUANTITIES, Category, Meaning, Role, understand

_STEP = re.compile(r"(?<!\d)(?<!pm)(?<!PM)\.|\.(?!\d)")
_STATE_CLASSES = {
    Role.MEASUREMENT: "measurement",
    Role.TOTAL: "total_increasing",
    Role.ANGLE: "measurement_angle",
}
Row = Mapping[str, str]
_LENIENT = (
    {"motion", "moving"},
    {"occupancy", "presence"},
    {"door", "opening", "window"},
    {"pressure", "atmospheric_pressure"},
    {"water", "volume"},
)


def example(text: str) -> Any:
    """Return the first example as JSON where it is some, else as text; None where there is none."""
    first = text.split(" | ", maxsplit=1)[0].strip()
    if not first:
        return None
    try:
        return json.loads(first)
    except ValueError:
        return first


def payload(path: str, value: Any) -> dict[str, Any]:
    """Return a payload with just this field."""
    built = value
    for step in reversed([step for step in _STEP.split(path) if step]):
        name = step
        while name.endswith("[]"):
            name = name[:-2]
            built = built if isinstance(built, list) and built is value else [built]
        built = {name: built}
    return built if isinstance(built, dict) else {path: built}


def decide(row: Row) -> Meaning | None:
    """Return what an uplink with the row's field would make of it; None for nothing at all."""
    text = row.get("example_value") or ""
    understanding = understand(
        payload(row["field_path"], example(text)), decisions={}, decide_absent=True
    )
    return next(iter(understanding.new.values()), None)


def answer(row: Row) -> dict[str, Any]:
    """Return a row's answer in Home Assistant's words."""
    meaning = decide(row)
    blank = {"device_class": "", "unit": "", "state_class": "", "entity_category": ""}
    if meaning is None:
        return {
            "field_path": row["field_path"],
            "platform": "ignore",
            **blank,
            "enabled": False,
            "reason": "no current value",
        }
    platform = "device_tracker" if meaning.role is Role.POSITION else str(meaning.kind)
    known = QUANTITIES[meaning.quantity] if meaning.quantity else None
    sensor = platform == "sensor"
    if platform in ("ignore", "device_tracker", "event"):
        return {
            "field_path": row["field_path"],
            "platform": platform,
            **blank,
            "enabled": platform != "ignore",
            "reason": meaning.reason,
        }
    return {
        "field_path": row["field_path"],
        "platform": platform,
        "device_class": (known.device_class if known else None) or "",
        "unit": (meaning.unit or "") if sensor else "",
        "state_class": _STATE_CLASSES.get(meaning.role, "") if sensor else "",
        "entity_category": "" if meaning.category is Category.PRIMARY else "diagnostic",
        "enabled": meaning.enabled,
        "reason": meaning.reason,
    }


def same_class(expected: str, given: str) -> bool:
    """Return whether two device classes are the same, or as good."""
    return expected == given or any({expected, given} <= alike for alike in _LENIENT)


def judge(row: Row, given: Mapping[str, Any]) -> Iterable[tuple[str, bool]]:
    """Yield the questions that a row answers, and whether the answer is right."""
    platform, wanted = row["suggested_platform"], row["device_class"]
    if row["note"].startswith("configuration echo"):
        yield (
            "configuration echoes out of the way",
            given["platform"] == "ignore" or not given["enabled"],
        )
    elif platform == "ignore":
        yield "overhead ignored", given["platform"] == "ignore"
    elif platform == "device_tracker":
        yield "coordinates", given["platform"] == "device_tracker"
    elif wanted:
        right = given["platform"] == platform and same_class(wanted, given["device_class"])
        yield "platform and class", right
        yield "wrong class (share)", bool(given["device_class"]) and not right
        yield f"class {wanted}", right
        if right and row["unit_certain"] == "yes" and platform == "sensor":
            yield "unit", given["unit"] == row["unit"].replace("µ", "μ")
        if right and platform == "sensor":
            yield "state class", given["state_class"] == row["state_class"]
    else:
        yield "plain without class", not given["device_class"]
        yield "plain platform", given["platform"] == platform
    if platform in ("sensor", "binary_sensor") and not row["note"].startswith("configuration echo"):
        yield "category", given["entity_category"] == row["entity_category"]


def score(rows: Iterable[Row]) -> dict[str, tuple[int, int]]:
    """Return, by question, how many answers are right and how many were asked for."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for row in rows:
        for question, good in judge(row, answer(row)):
            asked[question] += 1
            right[question] += good
    return {question: (right[question], asked[question]) for question in sorted(asked)}


def half(row: Row) -> int:
    """Return in which random half of the brands a row is."""
    return hashlib.sha256(row.get("brand", "").encode()).digest()[0] & 1


def load(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {key: value or "" for key, value in row.items() if key} for row in csv.DictReader(file)
        ]


def table(rows: list[dict[str, str]]) -> str:
    """Return the score as text: all rows, and both halves of the brands."""
    halves: defaultdict[int, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        halves[half(row)].append(row)
    columns = [score(rows), score(halves[0]), score(halves[1])]
    lines = [f"{'':<44}{'all':>20}{'half A':>20}{'half B':>20}"]
    for question in columns[0]:
        cells = []
        for column in columns:
            good, asked = column.get(question, (0, 0))
            cells.append(f"{good}/{asked} {100 * good / asked:5.1f} %" if asked else "-")
        lines.append(f"{question:<44}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the score of a table or of a folder of payloads."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.payload.score",
        usage=__doc__,
        exit_on_error=False,
        add_help=False,
    )
    parser.add_argument("table", nargs="?", type=Path)
    parser.add_argument("--payloads", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-library", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    try:
        options = parser.parse_args(arguments)
    except argparse.ArgumentError, SystemExit:
        return _refused()
    if options.payloads is not None and options.table is None:
        return _payloads(options)
    if options.table is None or options.payloads is not None:
        return _refused()
    rows = load(options.table)
    if options.json:
        for row in rows:
            print(json.dumps(answer(row), ensure_ascii=False))
    elif rows and "suggested_platform" in rows[0]:
        print(table(rows))
    else:
        print("The table has no expected answers; use --json.", file=sys.stderr)
        return 2
    return 0


def _refused() -> int:
    print(__doc__, file=sys.stderr)
    return 2


def _payloads(options: argparse.Namespace) -> int:
    found = cases.load_all(options.payloads)
    if not found:
        print(f"There are no payloads in {options.payloads}.", file=sys.stderr)
        return 2
    library = not options.no_library
    if options.json:
        for case in found:
            print(json.dumps(cases.answer(case, library=library), ensure_ascii=False))
        return 0
    counts, wrong = cases.score(found, library=library)
    if options.wrong:
        print("\n".join(wrong))
    total = counts["fields"]
    print(f"{'fields':<16}{total:>6}")
    for question in cases.QUESTIONS:
        share = 100 * counts[question] / total if total else 0.0
        print(f"{question:<16}{counts[question]:>6}{share:>8.1f} %")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
