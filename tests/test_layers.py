"""Rules about rooms: who may import whom (docs/architecture.md says why)."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

from homeassistant.const import Platform
import pytest

PACKAGE = Path(__file__).parent.parent / "custom_components" / "thethingsstack"
SIMULATOR = Path(__file__).parent / "simulator"
PLATFORMS = set(map(str, Platform))
# What Home Assistant looks for, and what all platforms share.
TOP = PLATFORMS.union(
    ("__init__", "config_flow", "const", "coordinator", "diagnostics", "entity"),
    ("logbook", "repairs", "system_health", "trigger"),
)
SDK = {"client": {"aiohttp", "orjson", "paho", "rich", "typer"}, "payload": set[str]()}
# From low to high: what a room shows to others imports only rooms of a lower row.
ROWS = (
    {"issues"},
    {"application"},
    {"webhook"},
    {"doors"},
    {"dialogs", "fields"},
    {"end_devices"},
    {"downlinks"},
    {"controls", "core_lorawan", "formatters", "gateways", "statistics"},
    {"provisioning", "takeover"},
    {"setup_flow", "actions", "condition", "llm", "panel"},
)
ROOMS = set[str]().union(*ROWS)


def imports(module: Path) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield each import as a path from the top of the package, and whether for types only."""
    tree = ast.parse(module.read_text("utf-8"))
    here = module.relative_to(PACKAGE).parent.parts if module.is_relative_to(PACKAGE) else ()
    for_types = {
        id(node)
        for check in ast.walk(tree)
        if isinstance(check, ast.If) and ast.unparse(check.test) == "TYPE_CHECKING"
        for node in ast.walk(check)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (f"library {alias.name.split('.')[0]}",), id(node) in for_types
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (f"library {(node.module or '').split('.')[0]}",), id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            base = (*here[: len(here) - node.level + 1], *filter(None, [node.module]))
            path = tuple(".".join(base).split(".")) if base else ()
            for alias in node.names:
                named = (PACKAGE.joinpath(*path, alias.name)).with_suffix(".py").exists()
                yield (*path, alias.name) if named or not path else path, id(node) in for_types


def shown(room: str) -> set[Path]:
    """Return the modules that come with a room's `__init__`."""
    found, todo = set[Path](), [PACKAGE / room / "__init__.py"]
    while todo:
        found.add(module := todo.pop())
        own = [p for p, for_types in imports(module) if p[0] == room and not for_types]
        files = {PACKAGE.joinpath(*path).with_suffix(".py") for path in own}
        todo += [file for file in files - found if file.exists()]
    return found


def place(module: Path) -> str:
    return str(module.relative_to(PACKAGE.parent.parent if "tests" in module.parts else PACKAGE))


MODULES = {module: module.relative_to(PACKAGE).parts for module in sorted(PACKAGE.rglob("*.py"))}
each_module = pytest.mark.parametrize("module", MODULES, ids=place)


def test_the_top_has_only_what_home_assistant_looks_for() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} <= TOP
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == ROOMS | set(SDK)
    assert not ROOMS & PLATFORMS, "Home Assistant takes such a folder for a platform"


@pytest.mark.parametrize("room", sorted(ROOMS | set(SDK)))
def test_a_room_says_in_one_line_what_happens_there(room: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")))
    assert text is not None
    assert "\n" not in text


@each_module
def test_a_module_imports_only_what_it_may(module: Path) -> None:
    """Of another room what its `__init__` exports; platforms and the command line never."""
    room = MODULES[module][0]
    for path, _ in imports(module):
        assert path[0] not in PLATFORMS, path
        assert "cli" not in path or "cli" in MODULES[module], path
        if room in ROOMS and path[0] in ROOMS - {room}:
            assert len(path) == 1, path
        if room in SDK:
            library = path[0].removeprefix("library ")
            assert path[0] == room or library in sys.stdlib_module_names | SDK[room], path


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_what_a_room_shows_imports_only_what_is_lower(room: str) -> None:
    height = {name: number for number, names in enumerate(ROWS) for name in names}
    for module in shown(room):
        for path, for_types in imports(module):
            if not (
                for_types or path[0].startswith("library ") or path[0] in {room, "const", *SDK}
            ):
                assert height.get(path[0], len(ROWS)) < height[room], (place(module), path)


@pytest.mark.parametrize("module", sorted(SIMULATOR.rglob("*.py")), ids=place)
def test_the_simulator_reads_the_protocol_itself(module: Path) -> None:
    ours = {"custom_components", "thethingsstack", "homeassistant"}
    assert not {path[0].removeprefix("library ") for path, _ in imports(module)} & ours
