"""The benchmark runs; what it measures is for people to read, on a machine that is quiet."""

import asyncio
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from thethingsstack import UplinkMessage, parse_message

from .benchmarks.clock import HELD, SkippingLoop
from .benchmarks.compare import comparison
from .benchmarks.groups import GROUPS
from .benchmarks.results import Result
from .benchmarks.rows import Row
from .benchmarks.workload import ON_THE_WAY, envelope, times_from_now

DEVICES = 6
FEW = ("--quick", "--plain", "--devices", str(DEVICES), "--uplinks", "30", "--rounds", "1")
REPOSITORY = Path(__file__).parent.parent


def run(*arguments: object) -> str:
    """Run the benchmark; returns what it prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def rows_of(section: dict[str, Any]) -> dict[str, float]:
    """Return the first value of each row by its title."""
    return {row["title"]: row["values"][0] for row in section["rows"]}


@pytest.mark.timeout(1800)  # a minute where nothing else runs
def test_all_rows_are_measured(tmp_path: Path) -> None:
    """Every uplink moves all fields of its end device, in ours and in all yardsticks."""
    printed = run(*FEW, "--all", "--json", written := tmp_path / "results.json")
    sections = json.loads(written.read_text(encoding="utf-8"))

    assert sections.keys() == GROUPS.keys()
    for name, section in sections.items():
        assert f"{name}: {GROUPS[name].title}" in printed
        for row in section["rows"]:
            assert row["values"], row["title"]
            assert row["title"] in printed
            if row["limit"] is not None:
                assert row["verdict"].startswith(("met", "missed", "invalid")), row
            if "uplinks lost" in row["title"]:
                assert row["values"] == [0], name
    main = sections["main"]["results"][str(DEVICES)]
    assert main.keys() == {"mqtt", "floor", "bare", "ours"}
    for key, result in main.items():
        assert result["lost"] == 0
        assert result["entities"]["fields"] == (0 if key == "bare" else 8 * DEVICES)
        assert result["states"][0] >= 8
        assert result["cpu"][0] > 0
        assert len(result["latencies"][0]) == 50
    assert all(cpu > 0 for cpu in main["ours"]["background_cpu"])
    assert rows_of(sections["partly"])["states written per uplink"] < 8
    assert rows_of(sections["recorder"])["states recorded per uplink"] >= 8
    for shape in ("flat", "nested"):
        assert sections["fields"]["results"][shape]["ours"]["states"][0] >= 80
    assert rows_of(sections["stalls"])["stored uplinks read after a lost connection"] == 500


@pytest.mark.timeout(1800)  # likewise
def test_a_flood_of_deliveries_is_taken_in(tmp_path: Path) -> None:
    """However slow the machine is, none of 2,000 in two seconds is lost."""
    written = tmp_path / "results.json"
    run("--flood", "--quick", "--devices", DEVICES, "--json", written)

    became = json.loads(written.read_text(encoding="utf-8"))
    assert became["statuses"] == {"200": 2000}
    assert became["lost"] == 0
    assert became["busy"] > 0


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row(title="", values=[1.0, 1.1, 1.2], limit=1.1), "met"),
        (Row(title="", values=[1.21], limit=1.1), "missed by 10%"),
        (Row(title="", values=[3000], limit=2000, at_least=True), "met"),
        (Row(title="", values=[1000], limit=2000, at_least=True), "missed by 50%"),
        (Row(title="", values=[1.0, 1.5, 2.0], limit=1.6), "met, rounds differ much"),
        (Row(title="", values=[1.0, 1.5, 2.0], limit=3), "met"),
        (
            Row(title="", values=[120], limit=100, digits=0, cpu=60),
            "missed by 20%, 60 without others and garbage collection",
        ),
        (Row(title="", values=[2.0], limit=1, invalid="E failed"), "invalid: E failed"),
        (Row(title="", values=[2.0]), ""),
    ],
)
def test_verdicts(row: Row, verdict: str) -> None:
    """A row says whether its goal was reached, and what speaks against believing it."""
    assert row.verdict == verdict


def test_a_comparison_tells_what_became_less() -> None:
    """The rounds' own ratios count: a busy machine makes both revisions slower."""

    def result(factor: float) -> Result:
        busy = [1.0, 3.0, 1.2, 2.0, 1.1, 1.5]
        values = [factor * load for load in busy]
        return Result(
            setups=[{"cpu": value, "stall": value} for value in values],
            setups_again=[{"cpu": value, "stall": value} for value in values],
            cpu=values,
            idle_cpu=[load * (1 + 0.1 * (number % 2)) for number, load in enumerate(busy)],
            idle_states=[9.0] * len(busy),
            latencies=[[value] for value in values],
            states=[8.0] * len(busy),
            memory=values,
            entities={"states": 1},
        )

    lines = list(comparison("v1", {"before": result(1), "floor": result(0.5), "ours": result(0.9)}))

    assert "0.900 (0.900…0.900) |          less |    1.80 |" in lines[2]
    assert "1.000 (1.000…1.000) | no difference |" in next(
        line for line in lines if "one at" in line
    )


def test_uplinks_carry_the_present_time() -> None:
    """All of one end device differ, so that none is a duplicate, and none comes late."""
    before = datetime.now(UTC)
    times = list(times_from_now(1000, 1e5))
    after = datetime.now(UTC)
    uplinks = [_read(envelope("garden", number, 1, at)) for number, at in enumerate(times)]

    assert before <= times[0] <= after
    assert times[-1] - times[0] == timedelta(milliseconds=9.99)
    assert len({uplink.identity for uplink in uplinks}) == 1000
    assert [uplink.received_at for uplink in uplinks] == times
    assert [uplink.network_received_at for uplink in uplinks] == [at - ON_THE_WAY for at in times]


def _read(payload: bytes) -> UplinkMessage:
    message = parse_message("v3/garden/devices/node-00000/up", payload)
    assert isinstance(message, UplinkMessage)
    return message


def test_held_pauses_last_until_they_end() -> None:
    """What a benchmark holds back begins when it says so, and goes on without pauses then."""
    happened: list[str] = []

    async def read(name: str) -> None:
        while len(happened) < 4:
            await asyncio.sleep(HELD)
            happened.append(name)

    async def benchmark() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SkippingLoop)
        stopped = asyncio.create_task(read("stopped"))
        reading = asyncio.create_task(read("read"))
        await asyncio.sleep(0)
        stopped.cancel()
        loop.skip(HELD / 2)
        await asyncio.sleep(0)
        assert happened == []
        loop.end_held()
        await reading

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(benchmark())
    assert happened == ["read"] * 4
