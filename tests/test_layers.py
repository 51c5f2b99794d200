"""Who may import whom: data flows one way, calls the other."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

import pytest

PACKAGE = Path(__file__).parent.parent / "custom_components" / "thethingsstack"
SIMULATOR = Path(__file__).parent / "simulator"
PLATFORMS = {
    path.stem
    for path in PACKAGE.glob("*.py")
    if path.stem in {"binary_sensor", "device_tracker", "event", "sensor"}
}
CONTROL_PLATFORMS = {
    "button", "climate", "cover", "light", "lock", "number", "select", "siren", "switch", "text",
    "valve",
}  # fmt: skip
"""Thin shells around a control."""
STATE = {"coordinator", "device", "downlinks", "fate", "roster"}
"""The coordinator's tier: the live state that entities read."""

ALLOWED: dict[str, set[str]] = {
    "const": set(),
    "describe": {"payload"},
    "fields": {"payload", "const", "overrides"},
    "overrides": {"payload"},
    "redecide": {"const", "payload", *STATE},
    "connection": {"client", "const", "issues"},
    "dialogues": {"registration_errors", *STATE},
    "dialogue_work": {"const"},
    "halves": {
        "client",
        "connection",
        "const",
        "device",
        "fields",
        "link",
        "membership",
        "roster",
        "signals",
        "sync",
    },
    "activity": {"client", "const"},
    "device": {"activity", "client", "payload", "const", "fate"},
    "fate": {"client", "const"},
    "rebuild": {"client", "fate"},
    "downlink_request": {"client", "const"},
    "downlink_errors": {"client", "const"},
    "downlink_check": {
        "client",
        "const",
        "device",
        "downlink_errors",
        "downlink_request",
        "link",
        "roster",
    },
    "downlink_news": {"activity", "client", "const", "device", "fate", "rebuild", "roster"},
    "downlink_watch": {
        "client",
        "const",
        "device",
        "downlink_check",
        "downlink_news",
        "fate",
        "rebuild",
    },
    "downlinks": {
        "client",
        "device",
        "downlink_check",
        "downlink_errors",
        "downlink_news",
        "downlink_watch",
        "fate",
    },
    "naming": {"const", "payload"},
    "areas": {"const"},
    "repository": {"client", "device", "fields"},
    "roster": {"areas", "client", "fields", "device", "const"},
    "hub": set(),
    "link": {"client", "const", "hub", "offers", "roster"},
    "silence": {"activity", "const", "device", "roster"},
    "signals": {"const", "device", "payload"},
    "position": {"payload"},
    "catch_up": {"client", "const", "device", "fields", "hub", "roster"},
    "membership": {
        "client",
        "const",
        "controls",
        "device",
        "downlinks",
        "fields",
        "hub",
        "link",
        "payload",
        "position",
        "repository",
        "roster",
        "signals",
    },
    "sync": {"client", "const", "link", "membership", "roster"},
    "gateways": {"issues", "client", "connection", "const", "roster"},
    "gateway_entity": {"client", "gateways", *STATE},
    "gateway_flow": {"client", "gateways", *STATE},
    "coordinator": {
        "activity",
        "catch_up",
        "client",
        "const",
        "controls",
        "device",
        "downlinks",
        "fields",
        "gateways",
        "halves",
        "hub",
        "link",
        "membership",
        "naming",
        "payload",
        "position",
        "roster",
        "signals",
        "silence",
        "sync",
    },
    "entity": {"const", "payload", *STATE},
    "downlink_sensor": {"entity", *STATE},
    "health_sensor": {"entity", *STATE},
    "config_flow": {
        "addresses",
        "client",
        "connection",
        "const",
        "control",
        "control_flow",
        "end_device_flow",
        "gateway_flow",
        "gateways",
        "offers",
        "options_flow",
        "survey",
        "user_key",
    },
    "frame": set(),
    "control_kinds": set(),
    "control": {"client", "control_kinds", "frame"},
    "preset": {"const", "control"},
    "controls": {"issues", "const", "control", "device", "roster"},
    "control_entity": {"const", "control", "control_kinds", "fate", "frame", *STATE},
    "control_form": {"control", "control_kinds", "frame"},
    "control_preview": {
        "control",
        "control_entity",
        "control_form",
        "control_kinds",
        "frame",
        *STATE,
    },
    "control_flow": {
        "dialogues",
        "client",
        "const",
        "control",
        "control_form",
        "control_kinds",
        "control_preview",
        "preset",
        *STATE,
    },
    "issues": {"const"},
    "offers": {"client"},
    "registration_errors": {"client"},
    "lists": set(),
    "registration_form": {"client", "lists", "registration_errors"},
    "enrolment": {"client", "const", "registration_form", *STATE},
    "end_device_flow": {
        "dialogues",
        "lists",
        "client",
        "const",
        "dialogue_work",
        "enrolment",
        "registration_errors",
        "registration_form",
        *STATE,
    },
    "addresses": {"client", "const"},
    "user_key": {"addresses", "client", "const", "survey"},
    "survey": {"addresses", "client", "connection", "const"},
    "completion": {"lists", "client", "registration_errors", "registration_form", *STATE},
    "half_repair": {
        "dialogues",
        "client",
        "completion",
        "dialogue_work",
        "enrolment",
        "forgetting",
        "registration_errors",
        "registration_form",
        "removal_flow",
        *STATE,
    },
    "halves_flow": {"dialogues", "client", "dialogue_work", "half_repair", "halves", *STATE},
    "options_flow": {
        "change_flow",
        "const",
        "fields_flow",
        "halves_flow",
        "removal_flow",
        "replacement_flow",
    },
    "change_form": {"areas", "client", "const", "registration_errors"},
    "change_flow": {
        "dialogues",
        "lists",
        "areas",
        "change_form",
        "client",
        "formatter_flow",
        "registration_errors",
        "registration_form",
    },
    "formatter_flow": {
        "dialogues",
        "client",
        "const",
        "formatter_choice",
        "registration_errors",
        *STATE,
    },
    "formatter_choice": {"dialogues", "client", *STATE},
    "removal_flow": {
        "dialogues",
        "lists",
        "client",
        "forgetting",
        "registration_errors",
        "registration_form",
        *STATE,
    },
    "replacement": {"dialogues", "client", "const", "forgetting", *STATE},
    "replacement_flow": {
        "dialogues",
        "lists",
        "client",
        "const",
        "registration_errors",
        "registration_form",
        "replacement",
        *STATE,
    },
    "fields_flow": {
        "dialogues",
        "lists",
        "const",
        "describe",
        "field_edit",
        "fields",
        "overrides",
        "payload",
        "redecide",
        *STATE,
    },
    "field_edit": {"describe", "fields", "naming", "overrides", "payload", *STATE},
    "diagnostics": {"const", "payload", *STATE},
    "forgetting": {"const", *STATE},
    "key_repairs": {"issues", "client", "connection", "const", "control", *STATE},
    "repairs": {
        "issues",
        "const",
        "client",
        "formatter_repair",
        "half_repair",
        "key_repairs",
        *STATE,
    },
    "formatter_repair": {"client", "formatter_choice", "registration_errors", *STATE},
    "system_health": {"const", *STATE},
    "trigger": {"activity"},
    "management_errors": {"client", "const"},
    "targets": {"const", "management_errors", *STATE},
    "management_services": {
        "client",
        "enrolment",
        "const",
        "downlink_request",
        "management_errors",
        "targets",
    },
    "application_services": {
        "client",
        "const",
        "downlink_request",
        "management_errors",
        "management_services",
        "targets",
    },
    "services": {"client", "const", "downlink_errors", "downlink_request", *STATE},
    "__init__": {
        "key_repairs",
        "forgetting",
        "client",
        "connection",
        "const",
        "fields",
        "gateways",
        "redecide",
        "repairs",
        "services",
        "application_services",
        "management_services",
        "offers",
        *STATE,
    },
    **{
        name: {
            "const",
            "describe",
            "downlink_sensor",
            "entity",
            "gateway_entity",
            "health_sensor",
            "payload",
            *STATE,
        }
        for name in PLATFORMS
    },
    **{name: {"control", "control_entity", "control_kinds", *STATE} for name in CONTROL_PLATFORMS},
}
LIBRARIES = {
    "client": {"aiohttp", "aiomqtt", "orjson", "typer", "paho"},
    "payload": set[str](),
}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield level and name of each imported module; names of a package import count as modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.module is None:
                for alias in node.names:
                    yield node.level, alias.name
            else:
                yield node.level, node.module


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_integration_modules_import_only_their_tier(path: Path) -> None:
    """Each module has its list of what it may use of ours."""
    used = {name.split(".")[0] for level, name in imports(path) if level == 1}
    assert path.stem in ALLOWED, f"{path.name} needs its place in the layers"
    assert used <= ALLOWED[path.stem]
    assert not any(name.startswith("custom_components") for _, name in imports(path))


def test_platforms_do_not_infer() -> None:
    """Decisions are made before an entity exists."""
    for name in PLATFORMS:
        assert "payload.infer" not in {module for _, module in imports(PACKAGE / f"{name}.py")}


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        (folder, path)
        for folder in ("client", "payload")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
    ],
    ids=lambda value: value if isinstance(value, str) else value.stem,
)
def test_sdk_stands_alone(folder: str, path: Path) -> None:
    """Client and payload use the standard library, their libraries, and their own folder."""
    for level, name in imports(path):
        top = name.split(".")[0]
        if level == 0:
            assert top in sys.stdlib_module_names or top in LIBRARIES[folder], name
        else:
            depth = len(path.relative_to(PACKAGE / folder).parts)
            assert level <= depth, f"{name} is outside of {folder}"


def test_nothing_imports_the_command_line() -> None:
    """The command line is an end, and the only user of its library."""
    for path in PACKAGE.rglob("*.py"):
        if not path.stem.startswith("cli"):
            assert not any(name.split(".")[-1].startswith("cli_") for _, name in imports(path)), (
                path
            )
            assert not any(name.split(".")[-1] == "cli" for _, name in imports(path)), path
            assert not any(name == "typer" for _, name in imports(path)), path


def test_simulator_reads_the_protocol_itself() -> None:
    """Two errors must not cancel each other out."""
    for path in SIMULATOR.rglob("*.py"):
        for level, name in imports(path):
            assert level > 0 or name.split(".")[0] not in {
                "custom_components",
                "thethingsstack",
                "homeassistant",
            }, path
