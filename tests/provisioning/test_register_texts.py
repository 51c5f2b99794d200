"""Every text of the dialogue that adds end devices exists, and none is left over."""

import ast
import json
from pathlib import Path
import re
from typing import Any

import pytest
import voluptuous as vol

from custom_components.thethingsstack.application.error_texts import FORM_KEYS
from custom_components.thethingsstack.client import DeviceTemplate
from custom_components.thethingsstack.dialogs import ModelSteps
from custom_components.thethingsstack.provisioning.import_flow import ImportFlow
from custom_components.thethingsstack.provisioning.register_flow import RegisterFlow
from custom_components.thethingsstack.provisioning.register_form import (
    ABP,
    OTAA,
    by_hand_schema,
    device_schema,
)

PACKAGE = Path(__file__).parents[2] / "custom_components" / "thethingsstack"
TEXTS: dict[str, Any] = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))
FLOW: dict[str, Any] = TEXTS["config_subentries"]["end_device"]
SILENT = {"register", "registered", "interrupted"}.union(
    ("check_several", "register_several", "several_registered", "several_interrupted")
)
"""Steps without a form."""


def fields_of(schema: vol.Schema) -> set[str]:
    """Return the fields of a form."""
    return {str(key) for key in schema.schema}


def refusals(module: str) -> dict[str, set[str]]:
    """Return each reason with the placeholders that it is given."""
    found: dict[str, set[str]] = {}
    path = PACKAGE / "provisioning" / f"{module}.py"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "Refusal" and isinstance(node.args[1], ast.Constant):
            names = {str(given.arg) for given in node.keywords}
            found[str(node.args[1].value)] = names
    return found


def test_every_step_has_its_texts() -> None:
    """As many steps as texts, each field and menu item with a name and a description."""
    steps = {
        name.removeprefix("async_step_")
        for flow in (RegisterFlow, ModelSteps, ImportFlow)
        for name in vars(flow)
        if name.startswith("async_step_")
    }
    assert set(FLOW["step"]) == steps - SILENT
    for step in FLOW["step"].values():
        assert step["title"]
        assert set(step.get("data", {})) == set(step.get("data_description", {}))
        assert set(step.get("menu_options", {})) == set(step.get("menu_option_descriptions", {}))
    assert set(FLOW["initiate_flow"]) == {"user"}
    assert set(FLOW["progress"]) == {"register", "check_several", "register_several"}
    assert set(TEXTS["selector"]["activation"]["options"]) == {OTAA, ABP}


@pytest.mark.parametrize(("step", "joins"), [("device", True), ("session", False)])
def test_every_field_has_its_texts(step: str, joins: bool) -> None:
    """Of all LoRaWAN versions."""
    asked = set[str]()
    for version in ("MAC_V1_0_3", "MAC_V1_1"):
        template = DeviceTemplate(lorawan_version=version, supports_join=joins, mac_settings={})
        asked |= fields_of(device_schema(template, {}, None, claimed=False))
    assert set(FLOW["step"][step]["data"]) == asked
    assert set(FLOW["step"]["by_hand"]["data"]) == fields_of(by_hand_schema())
    for name in ("brand", "model", "version", "band", "qr_code"):
        assert set(FLOW["step"][name]["data"]) == {name}


def test_every_refusal_has_its_text() -> None:
    """Every reason that the code may give, and no other, naming only what it is given."""
    given = {key: set(names) for key, names in FORM_KEYS.items()}
    given["half_created_blocks"] = {"device"}
    read = given.keys() & {
        "missing_rights", "key_refused", "rate_limited", "cannot_connect", "not_found", "refused",
    }  # fmt: skip
    shown = given | refusals("register_form") | refusals("register_flow")
    shown |= refusals("import_flow")
    del shown["partly_deleted"]  # nothing is deleted here
    assert set(FLOW["error"]) == set(shown)
    ends = {"no_api_key", "not_loaded", "no_versions", "registered", "registered_with_keys"}
    ends.add("several_registered")
    assert set(FLOW["abort"]) == read | ends
    for texts in (FLOW["error"], {name: FLOW["abort"][name] for name in read}):
        for name, text in texts.items():
            assert set(re.findall(r"{(\w+)}", text)) <= shown[name], name
