"""The benchmark runs; what it measures is for people to read, on a machine that is quiet."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

DEVICES = 10
FIELDS = 8 * DEVICES
FEW = ("--quick", "--plain", "--devices", str(DEVICES), "--uplinks", "30", "--rounds", "1")


@pytest.mark.timeout(1800)  # a fraction of a minute where nothing else runs
def test_benchmark_measures_all_variants(tmp_path: Path) -> None:
    """Every uplink moves all fields of its end device, in ours and in both yardsticks."""
    written = tmp_path / "results.json"
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *FEW, "--json", written],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    results = json.loads(written.read_text(encoding="utf-8"))[str(DEVICES)]
    assert results.keys() == {"mqtt", "floor", "ours"}
    for result in results.values():
        assert result["lost"] == 0
        assert result["entities"]["fields"] == FIELDS
        assert result["states"][0] >= 8
        assert result["cpu"][0] > 0
        assert len(result["latencies"][0]) == 50
    assert "CPU per uplink / A" in run.stdout
    assert "p99 over that of E" in run.stdout
    assert "model library of 20 brands, ms" in run.stdout


@pytest.mark.timeout(1800)  # likewise
def test_a_flood_of_deliveries_is_taken_in(tmp_path: Path) -> None:
    """However slow the machine is, none of 2,000 in two seconds is lost."""
    written = tmp_path / "results.json"
    run = subprocess.run(
        [
            sys.executable,
            *("-m", "tests.benchmarks", "--flood", "--quick"),
            *("--devices", str(DEVICES), "--json", written),
        ],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    became = json.loads(written.read_text(encoding="utf-8"))
    assert became["statuses"] == {"200": 2000}
    assert became["lost"] == 0
    assert became["busy"] > 0
