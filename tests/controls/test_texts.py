"""Every text of the dialogue for controls exists, and none is left over."""

import ast
import json
from pathlib import Path
from typing import Any

from homeassistant.data_entry_flow import section
import pytest
import voluptuous as vol

from custom_components.thethingsstack.controls.flow import ControlFlow
from custom_components.thethingsstack.controls.form import (
    NO,
    SAME,
    SINGLE,
    YES,
    commands_schema,
    report_schema,
)
from custom_components.thethingsstack.controls.kinds import KINDS

PACKAGE = Path(__file__).parents[2] / "custom_components" / "thethingsstack"
TEXTS: dict[str, Any] = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))
FLOW: dict[str, Any] = TEXTS["config_subentries"]["control"]
MODULES = ("entity", "flow", "form", "preview", "payload_template")


def fields_of(schema: vol.Schema) -> set[str]:
    """Return the fields of a form, without its sections."""
    return {str(key) for key, value in schema.schema.items() if not isinstance(value, section)}


def test_every_step_has_its_texts() -> None:
    """As many steps as texts, each field with a name and a description."""
    steps = {
        name.removeprefix("async_step_")
        for name in vars(ControlFlow)
        if name.startswith("async_step_")
    }
    assert set(FLOW["step"]) == steps
    for step in FLOW["step"].values():
        assert step["title"]
        for part in (step, *step.get("sections", {}).values()):
            assert set(part.get("data", {})) == set(part.get("data_description", {}))
        assert set(step.get("menu_options", {})) == set(step.get("menu_option_descriptions", {}))
    assert set(FLOW["initiate_flow"]) == {"user", "reconfigure"}


def test_every_field_of_every_platform_has_its_texts() -> None:
    """All that a form may ask, and nothing else."""
    commands, single, reports = set[str](), set[str](), set[str]()
    for platform in KINDS:
        schema = commands_schema(platform)
        commands |= fields_of(schema)
        for key, value in schema.schema.items():
            if key == SINGLE:
                single |= fields_of(value.schema)
        reports |= fields_of(report_schema(platform, {}))
    step = FLOW["step"]
    assert set(step["commands"]["data"]) == commands
    assert set(step["commands"]["sections"][SINGLE]["data"]) == single
    assert set(step["reports"]["data"]) == reports


def test_every_refusal_has_its_text() -> None:
    """Every reason that the code may give, and no other."""
    reasons = set[str]()
    for module in MODULES:
        for node in ast.walk(ast.parse((PACKAGE / "controls" / f"{module}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                position = {"PayloadTemplateError": 0, "FieldError": 1}.get(node.func.id)
                if position is not None and isinstance(node.args[position], ast.Constant):
                    reasons.add(str(node.args[position].value))  # type: ignore[attr-defined]
            elif (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Subscript)
                and isinstance(node.targets[0].value, ast.Name)
                and node.targets[0].value.id == "errors"
                and isinstance(node.value, ast.Constant)
            ):
                reasons.add(str(node.value.value))
    assert set(FLOW["error"]) == reasons
    assert set(FLOW["abort"]) == {"not_loaded", "no_devices", "controls_added"}


@pytest.mark.parametrize(
    ("selector", "options"),
    [
        ("platform", {str(platform) for platform in KINDS}),
        ("confirmed", {SAME, YES, NO}),
        ("command", {command.name for kind in KINDS.values() for command in kind.commands}),
        (
            "preview",
            {
                "assumed",
                "command",
                "no_right",
                "none",
                "payload",
                "port",
                "unknown",
                "warnings",
            },
        ),
    ],
)
def test_choices_have_their_texts(selector: str, options: set[str]) -> None:
    """Every option of every select, and the words of the preview."""
    assert set(TEXTS["selector"][selector]["options"]) == options
