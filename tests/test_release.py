"""What a release consists of: the archive that HACS unpacks, and the changelog's text."""

import json
from pathlib import Path
import subprocess
import sys
import zipfile

import pytest

from custom_components.thethingsstack.const import VERSION

ROOT = Path(__file__).parent.parent


def release(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the workflow does."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "release"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The archive, unpacked into the folder that Home Assistant looks into."""
    archive = tmp_path / "thethingsstack.zip"
    assert release("zip", str(archive)).returncode == 0
    folder = tmp_path / "custom_components" / "thethingsstack"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def test_the_archive_has_every_file_of_the_integration(unpacked: Path) -> None:
    package = ROOT / "custom_components" / "thethingsstack"
    tracked = subprocess.run(
        ["git", "ls-files", "--", str(package)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    there = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert there == {str((ROOT / name).relative_to(package)) for name in tracked}
    assert json.loads((unpacked / "manifest.json").read_text("utf-8"))["version"] == VERSION


def test_the_archive_can_be_imported(unpacked: Path) -> None:
    tried = subprocess.run(
        [sys.executable, "-c", "import custom_components.thethingsstack.config_flow"],
        cwd=unpacked.parent.parent,
        env={"PYTHONPATH": str(unpacked.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr


def test_notes_are_what_the_changelog_says() -> None:
    noted = release("notes")
    assert noted.returncode == 0
    assert noted.stdout.strip()
    assert noted.stdout.strip() in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## " not in noted.stdout.replace("### ", "")


def test_a_tag_must_be_the_version() -> None:
    assert release("check", f"v{VERSION}").returncode == 0
    refused = release("check", "v99.0.0")
    assert refused.returncode == 1
    assert VERSION in refused.stderr
