"""The Python package as others get it: built, and installed into empty environments."""

from email import message_from_bytes
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from tests.simulator import Simulator

from .test_cli import process

pytestmark = [pytest.mark.package, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
VERSION = json.loads((ROOT / "custom_components/thethingsstack/manifest.json").read_text())[
    "version"
]
# What a program of others says to a type checker; the last two names don't exist.
PROGRAM = """
import thethingsstack
from thethingsstack import Connection, Stack, UplinkMessage, __version__
from thethingsstack.payload import understand


async def name(stack: Stack) -> str:
    return (await stack.device("x")).ids.device_id


version: str = __version__
thethingsstack.nonsense
thethingsstack.Outline
"""


def uv(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run uv, which `scripts/test` names in UV."""
    program = os.environ.get("UV") or shutil.which("uv")
    assert program, "uv is needed: scripts/test finds or installs it"
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def interpreter(version: str) -> str:
    """Return a Python for uv: this one, one of pyenv's, or else one that uv finds or downloads."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    return str(found[-1]) if found else version


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is built from it."""
    sources, target = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("built")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, sources / name)
    done = uv("build", "--python", sys.executable, "--out-dir", target, sources)
    assert done.returncode == 0, done.stderr
    return {
        "sdist": next(target.glob("*.tar.gz")),
        "wheel": next(target.glob("*.whl")),
    }


@pytest.fixture(params=["3.12", "3.14"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty environment."""
    made = uv("venv", "--no-project", "--python", interpreter(request.param), tmp_path / "venv")
    if made.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"no Python {request.param} here, and none can be downloaded")
    assert made.returncode == 0, made.stderr
    return tmp_path / "venv"


def install(environment: Path, *requirements: str) -> None:
    """Install packages into an environment."""
    python = environment / "bin" / "python"
    done = uv("pip", "install", "--python", python, *requirements)
    assert done.returncode == 0, done.stderr


def test_contents(built: dict[str, Path]) -> None:
    """All modules of the library, its licence, and a description of its own."""
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = set(wheel.namelist())
        described = message_from_bytes(wheel.read(f"thethingsstack-{VERSION}.dist-info/METADATA"))
    package = ROOT / "custom_components" / "thethingsstack"
    expected = {
        str(Path("thethingsstack") / path.relative_to(package / "client"))
        for path in (package / "client").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    } | {
        str(Path("thethingsstack") / path.relative_to(package))
        for path in (package / "payload").rglob("*")
        if path.suffix in {".py", ".json"} or path.name == "py.typed"
    }
    assert {name for name in names if ".dist-info" not in name} == expected
    assert f"thethingsstack-{VERSION}.dist-info/licenses/LICENSE" in names
    assert described["Version"] == VERSION
    assert described["Description-Content-Type"] == "text/markdown"
    text = str(described.get_payload())
    assert text.startswith("# thethingsstack")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert links
    assert all(link.startswith("https://") for link in links)
    with tarfile.open(built["sdist"]) as sdist:
        members = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"setup.py", "LICENSE", "docs/library.md"} <= members


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
async def test_installed_in_an_empty_environment(
    built: dict[str, Path], environment: Path, simulator: Simulator, kind: str
) -> None:
    install(environment, f"{built[kind]}[cli]")
    command = str(environment / "bin" / "thethingsstack")
    variables = {
        "PATH": os.environ["PATH"],
        "TTN_SERVER": simulator.server_url,
        "TTN_IDENTITY_SERVER": simulator.identity_server_url,
        "TTN_API_KEY": simulator.key("read"),
    }
    result = await process(command, "--version", env=variables)
    assert result.out == f"thethingsstack {VERSION}\n", result.err
    result = await process(command, "devices", "list", env=variables)
    assert (result.code, len(result.out.splitlines())) == (0, len(simulator.devices)), result.err
    python = str(environment / "bin" / "python")
    script = (
        "import thethingsstack, thethingsstack.payload as payload\n"
        "assert [getattr(thethingsstack, name) for name in thethingsstack.__all__]\n"
        "assert [getattr(payload, name) for name in payload.__all__]\n"
    )
    result = await process(python, "-c", script, env=variables)
    assert result.code == 0, result.err


@pytest.mark.parametrize("environment", ["3.14"], indirect=True)
async def test_type_checkers_see_its_types(
    built: dict[str, Path], environment: Path, tmp_path: Path
) -> None:
    required = (ROOT / "requirements_test.txt").read_text().splitlines()
    mypy = next(line for line in required if line.startswith("mypy=="))
    install(environment, str(built["wheel"]), mypy)
    (tmp_path / "program.py").write_text(PROGRAM)
    checker = ("-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"))
    result = await process(
        str(environment / "bin" / "python"), *checker, str(tmp_path / "program.py")
    )
    found = [line.partition("error: ")[2] for line in result.out.splitlines() if "error: " in line]
    assert found == [
        'Module has no attribute "nonsense"  [attr-defined]',
        'Module has no attribute "Outline"  [attr-defined]',
    ], result.out + result.err
