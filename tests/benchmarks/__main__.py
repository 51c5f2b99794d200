"""Measure, and print a table: scripts/bench [--quick] [--devices N …]."""

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
from .library import library_cost
from .measure import STEPS, Plan, processes
from .report import table, targets
from .results import Result
from .variants import OURS, VARIANTS


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure the integration beside Home Assistant's mqtt with discovery (A) "
        "and the least that writes the same states (E), in one run. Install mosquitto "
        "(apt install mosquitto, brew install mosquitto) for a broker that is not in the way. "
        "The machine should have nothing else to do; read ratios, not milliseconds.",
    )
    parser.add_argument("--devices", type=int, nargs="+", help="numbers of devices (100 1000)")
    parser.add_argument("--uplinks", type=int, help="uplinks per round (6000)")
    parser.add_argument("--rounds", type=int, help="rounds for the CPU per uplink (5)")
    parser.add_argument("--quick", action="store_true", help="a run of under a minute")
    parser.add_argument(
        "--compare",
        metavar="REV",
        help="instead: this revision beside that one, in turns, and how they differ",
    )
    parser.add_argument("--only", nargs="+", choices=VARIANTS, help="leave variants out")
    parser.add_argument("--plain", action="store_true", help="do without mosquitto")
    parser.add_argument("--profile", action="store_true", help="print where our time goes")
    parser.add_argument(
        "--flood",
        action="store_true",
        help="instead: 1,000 deliveries of a webhook a second for 10 s (with --quick: 2 s)",
    )
    parser.add_argument("--json", type=Path, help="write all results to this file")
    return parser.parse_args(argv)


def plans(asked: argparse.Namespace) -> list[Plan]:
    """Return what to measure."""
    quick = asked.quick
    variants = [key for key in VARIANTS if key in (asked.only or VARIANTS)]
    if OURS.key not in variants:
        variants.append(OURS.key)
    return [
        Plan(
            devices=devices,
            uplinks=asked.uplinks or (500 if quick else 6000),
            rounds=asked.rounds or (2 if quick else 5),
            latency_uplinks=50 if quick else 500,
            latency_rounds=1 if quick else 3,
            steps=(500, 2000) if quick else STEPS,
            step_seconds=0.5 if quick else 2,
            repeated_setups=1 if quick else 3,
            profile=asked.profile,
            variants=variants,
            broker="plain" if asked.plain else "any",
        )
        for devices in asked.devices or ([50] if quick else [100, 1000])
    ]


def say(what: str) -> None:
    """Print what is being done."""
    print(f"… {what}", file=sys.stderr, flush=True)


async def measure(todo: Sequence[Plan]) -> tuple[str, dict[int, dict[str, Result]]]:
    """Return the broker's name and the results by number of end devices and variant."""
    results = {}
    for plan in todo:
        async with processes(plan, say) as (broker, bench):
            results[plan.devices] = await bench.run()
    return broker, results


def flood(asked: argparse.Namespace) -> None:
    """Post to a webhook without end, and print what became of it."""
    (devices,) = asked.devices or [100]
    before = os.getloadavg()[0]
    became = asyncio.run(
        measure_flood(devices, say, seconds=2 if asked.quick else SECONDS, profile=asked.profile)
    )
    after = os.getloadavg()[0]
    print(
        f"{devices} end devices; load of {os.cpu_count()} processors {before:.1f}, then {after:.1f}"
    )
    print(*became.lines(), became.profile, sep="\n")
    if asked.json:
        asked.json.write_text(json.dumps(asdict(became)), encoding="utf-8")


def beside(asked: argparse.Namespace) -> None:
    """Measure this revision beside another one, and print how they differ."""
    (devices,) = asked.devices or [50 if asked.quick else 1000]
    plan = replace(
        plans(asked)[-1],
        devices=devices,
        uplinks=asked.uplinks or (500 if asked.quick else 3000),
        rounds=asked.rounds or (5 if asked.quick else 12),
        repeated_setups=1 if asked.quick else 2,
        latency_rounds=1 if asked.quick else 4,
        latency_uplinks=50 if asked.quick else 250,
    )
    before = os.getloadavg()[0]
    broker, results = asyncio.run(compare(plan, asked.compare, 1 if asked.quick else 3, say))
    print(conditions(broker, before), f"{devices} end devices\n", sep="\n")
    print(*comparison(asked.compare, results), sep="\n")
    if asked.json:
        everything = {key: asdict(result) for key, result in results.items()}
        asked.json.write_text(json.dumps(everything), encoding="utf-8")


def conditions(broker: str, load_before: float) -> str:
    """Return under which conditions was measured."""
    return (
        f"Home Assistant {ha_version}, Python {platform.python_version()}, {broker}; "
        "8 fields per device, all changing, a listener to all states; load of "
        f"{os.cpu_count()} processors {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = arguments(argv)
    if asked.compare:
        beside(asked)
        return
    if asked.flood:
        flood(asked)
        return
    before = os.getloadavg()[0]
    broker, results = asyncio.run(measure(plans(asked)))
    print(f"{conditions(broker, before)}\n")
    print(*table(results), "", *targets(results, library_cost()), sep="\n")
    for devices, variants in results.items():
        if profile := variants[OURS.key].profile:
            print(f"\n{devices} devices\n{profile}")
    if asked.json:
        everything = {
            devices: {key: asdict(result) for key, result in variants.items()}
            for devices, variants in results.items()
        }
        asked.json.write_text(json.dumps(everything), encoding="utf-8")


if __name__ == "__main__":
    main()
