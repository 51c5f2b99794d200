"""Measure, and print a table: scripts/bench [--rows GROUP …] [--all] [--quick] [--compare REV] …"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
import json
import os
from pathlib import Path
import platform
import sys

from homeassistant.const import __version__ as ha_version

from .compare import compare, comparison
from .flood import SECONDS, measure_flood
from .groups import GROUPS, Amount
from .machine import Machine
from .rows import row_lines
from .variants import VARIANTS

VERSIONS = f"Home Assistant {ha_version}, Python {platform.python_version()}"


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    groups = "; ".join(f"{key}: {group.title}" for key, group in GROUPS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure the integration beside Home Assistant's mqtt with discovery (A), the "
        "least that writes the same states by entities (E), and the least that writes them at all "
        "(B), in one run. Install mosquitto (apt install mosquitto, brew install mosquitto) for a "
        "broker that is not in the way. The machine should have nothing else to do; read ratios, "
        f"not milliseconds. Groups of rows: {groups}.",
    )
    parser.add_argument(
        "--rows", nargs="+", choices=GROUPS, default=["main"], metavar="GROUP", help="which groups"
    )
    parser.add_argument("--all", action="store_true", help="all groups: half an hour")
    parser.add_argument("--devices", type=int, nargs="+", help="numbers of devices")
    parser.add_argument("--uplinks", type=int, help="uplinks per round (6000; main: 20000)")
    parser.add_argument("--rounds", type=int, help="rounds for the CPU per uplink (5)")
    parser.add_argument("--quick", action="store_true", help="each group in under a minute")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, help="leave variants of main out")
    parser.add_argument("--plain", action="store_true", help="do without mosquitto")
    parser.add_argument("--profile", action="store_true", help="print where our time goes")
    parser.add_argument(
        "--compare",
        metavar="REV",
        help="instead: this revision beside that one, in turns, and how they differ",
    )
    parser.add_argument(
        "--flood",
        action="store_true",
        help="instead: 1,000 deliveries of a webhook a second for 10 s (with --quick: 2 s)",
    )
    parser.add_argument("--json", type=Path, help="write all results to this file")
    return parser.parse_args(argv)


def amount(asked: argparse.Namespace) -> Amount:
    """Return how much to measure."""
    return Amount(
        say=say,
        quick=asked.quick,
        devices=asked.devices,
        uplinks=asked.uplinks,
        rounds=asked.rounds,
        variants=asked.only,
        plain=asked.plain,
        profile=asked.profile,
    )


def say(what: str) -> None:
    """Print what is being done."""
    print(f"… {what}", file=sys.stderr, flush=True)


def flood(asked: argparse.Namespace) -> None:
    """Post to a webhook without end, and print what became of it."""
    (devices,) = asked.devices or [100]
    machine = Machine()
    became = asyncio.run(
        measure_flood(devices, say, seconds=2 if asked.quick else SECONDS, profile=asked.profile)
    )
    print(f"{devices} end devices", machine.end().line(), sep="\n")
    print(*became.lines(), became.profile, sep="\n")
    write(asked, asdict(became))


def beside(asked: argparse.Namespace) -> None:
    """Measure this revision beside another one, and print how they differ."""
    quick = asked.quick
    plan = replace(
        amount(asked).plan(uplinks=500 if quick else 3000, rounds=5 if quick else 12),
        repeated_setups=1 if quick else 2,
        latency_rounds=1 if quick else 4,
        latency_uplinks=50 if quick else 250,
    )
    machine = Machine()
    broker, results = asyncio.run(compare(plan, asked.compare, 1 if quick else 3, say))
    print(f"{VERSIONS}, {broker}; {plan.devices} end devices", machine.end().line(), "", sep="\n")
    print(*comparison(asked.compare, results), sep="\n")
    write(asked, {key: asdict(result) for key, result in results.items()})


def measure(asked: argparse.Namespace) -> None:
    """Measure groups one after the other, and print each when it is done."""
    raw = {}
    print(f"{VERSIONS}; a listener to all states")
    for key in GROUPS if asked.all else asked.rows:
        machine = Machine()
        section = asyncio.run(GROUPS[key].measure(amount(asked)))
        print(f"\n{key}: {GROUPS[key].title}; {section.devices} end devices, {section.broker}")
        print(machine.end().line(), "")
        if section.tables:
            print(*section.tables, "", sep="\n")
        print(*row_lines(section.rows), sep="\n", flush=True)
        raw[key] = {
            "results": section.raw,
            "rows": [asdict(row) | {"verdict": row.verdict} for row in section.rows],
            "others": machine.others,
            "steal": machine.steal,
        }
    write(asked, raw)


def write(asked: argparse.Namespace, raw: object) -> None:
    """Write results to the file that was asked for."""
    if asked.json:
        asked.json.write_text(json.dumps(raw), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = arguments(argv)
    os.environ["PYTHONHASHSEED"] = "0"  # of the processes: the order of sets costs time, too
    if asked.compare:
        beside(asked)
    elif asked.flood:
        flood(asked)
    else:
        measure(asked)


if __name__ == "__main__":
    main()
