"""The commands that register the end devices in a file and write them to one, as a user runs them."""

import csv
import json
from pathlib import Path

from tests.simulator import Simulator

from .test_bulk import ALL_COLUMNS, JSON_STREAM, KEY
from .test_cli import Run, run

__all__ = ["run"]

ONE_WRONG = ALL_COLUMNS.replace("260B1234", "no-address")


async def test_a_dry_run_changes_nothing(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    (path := tmp_path / "devices.csv").write_text(ONE_WRONG)
    before = set(simulator.devices)
    result = await run("devices", "import", str(path), "--dry-run", role="manage")
    assert result.code == 1
    why = "dev_addr: device address `no-address`: only the digits 0-9 and A-F are allowed"
    assert result.out.splitlines() == [
        "2  cellar-one  can be registered",
        f"3  cellar-abp  refused            {why}",
    ]
    assert result.err == "1 can be registered, 1 refused\n"
    assert set(simulator.devices) == before


async def test_import_with_a_report(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    (path := tmp_path / "devices.csv").write_text(ONE_WRONG)
    report = tmp_path / "report.json"
    arguments = ("devices", "import", str(path), "--report", str(report))
    result = await run(*arguments, role="manage")
    assert result.code == 2
    assert "Register 1 end device? (1 refused)" in result.err
    assert "cellar-one" not in simulator.devices
    assert json.loads(report.read_text())["counts"] == {"ready": 1, "refused": 1}
    result = await run(*arguments, "--yes", "--json", role="manage")
    assert result.code == 1
    assert "cellar-one" in simulator.devices
    assert result.json["counts"] == {"refused": 1, "registered": 1}
    assert json.loads(report.read_text())["end_devices"] == result.json["end_devices"]
    assert KEY not in result.out + result.err + report.read_text()
    table = tmp_path / "report.csv"
    path.write_text(ALL_COLUMNS)
    result = await run("devices", "import", str(path), f"--report={table}", "--yes", role="manage")
    assert result.code == 0, result.err
    rows = csv.DictReader(table.read_text().splitlines(), delimiter=";")
    assert [row["status"] for row in rows] == ["present", "registered"]


async def test_files_that_cannot_be_used(run: Run, simulator: Simulator, tmp_path: Path) -> None:
    """Said before anything is changed."""
    result = await run("devices", "import", str(tmp_path / "none.csv"), role="manage")
    assert (result.code, "can't be read" in result.err) == (2, True)
    (path := tmp_path / "devices.txt").write_text("no;known\n1;2\n")
    result = await run("devices", "import", str(path), role="manage")
    assert result.code == 2
    assert result.err.startswith("no_known_columns: ")
    path.write_text(ALL_COLUMNS)
    report = f"--report={tmp_path}/no/folder.json"
    result = await run("devices", "import", str(path), report, "--yes", role="manage")
    assert (result.code, "can't be written" in result.err) == (2, True)
    assert "cellar-one" not in simulator.devices


async def test_fallbacks_for_end_devices_without_versions(
    run: Run, simulator: Simulator, tmp_path: Path
) -> None:
    (path := tmp_path / "devices.csv").write_text(f"dev_eui,app_key\n70B3D57ED0A60021,{KEY}\n")
    options = ("--frequency-plan", "EU_863_870_TTN", "--lorawan-version", "1.0.3", "--yes")
    result = await run("devices", "import", str(path), *options, role="manage")
    assert result.code == 0, result.err
    documents = simulator.devices["eui-70b3d57ed0a60021"].documents
    assert documents["ns"]["lorawan_version"] == "MAC_V1_0_3"


async def test_export(run: Run, tmp_path: Path) -> None:
    (path := tmp_path / "devices.json").write_text(JSON_STREAM)
    assert (await run("devices", "import", str(path), "--yes", role="manage")).code == 0
    result = await run("devices", "export", role="manage")
    assert result.code == 0
    assert '"device_id": "attic"' in result.out
    assert KEY not in result.out
    result = await run("devices", "export", "--keys", "--format", "csv", role="manage")
    assert KEY in result.out
    assert result.out.startswith("id;dev_eui;join_eui;")
    assert "CSV has no columns for attributes, formatters, locations.user" in result.err
