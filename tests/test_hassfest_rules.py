"""The integration keeps Home Assistant's rules for files, and each rule is really looked at."""

from collections.abc import Callable
import json
from pathlib import Path
import shutil
from typing import Any

import pytest

from custom_components.thethingsstack.const import DOMAIN
from tests.hassfest_rules import violations

PACKAGE = Path(__file__).parent.parent / "custom_components" / DOMAIN
FILES = ("manifest.json", "icons.json", "services.yaml", "triggers.yaml", "conditions.yaml")
ACTION = "send_downlink"

type Break = Callable[[dict[str, Any]], object]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the files that rules are about."""
    folder = tmp_path / DOMAIN
    (folder / "translations").mkdir(parents=True)
    for name in (*FILES, "config_flow.py", "translations/en.json"):
        shutil.copy(PACKAGE / name, folder / name)
    return folder


def test_the_integration_keeps_all_rules(copy: Path) -> None:
    assert violations(PACKAGE) == violations(copy) == []


def _put(*path: str, value: object) -> Break:
    """Return what puts a value at a place."""

    def change(tree: dict[str, Any]) -> None:
        for key in path[:-1]:
            tree = tree.setdefault(key, {})
        tree[path[-1]] = value

    return change


def _drop(*path: str) -> Break:
    """Return what drops what is at a place."""

    def change(tree: dict[str, Any]) -> None:
        for key in path[:-1]:
            tree = tree[key]
        del tree[path[-1]]

    return change


TITLE = ("options", "step", "init", "title")
EN = "translations/en.json"


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("manifest.json", _drop("version"), "required key not provided"),
        ("manifest.json", _put("version", value="newest"), "no version"),
        ("manifest.json", _put("domain", value="other"), "not the folder's name"),
        ("manifest.json", _put("iot_class", value="cloud"), "iot_class"),
        ("manifest.json", _put("documentation", value="http://a.example"), "no https"),
        ("manifest.json", _put("requirements", value=["paho-mqtt>=2"]), "requirements"),
        ("manifest.json", _put("codeowners", value=["somebody"]), "codeowners"),
        ("manifest.json", _put("homepage", value="x"), "not a valid option"),
        ("manifest.json", _put("a_key", value="x"), "alphabetical"),
        ("manifest.json", _put("after_dependencies", value=["http"]), "a dependency twice"),
        (EN, _put(*TITLE, value="<b>Options</b>"), "HTML"),
        (EN, _put(*TITLE, value=" Options"), "spaces around"),
        (EN, _put(*TITLE, value="See https://a.example"), "an address"),
        (EN, _put(*TITLE, value="Of '{name}'"), "in single quotes"),
        (EN, _put(*TITLE, value="Of {first name}"), "no identifier"),
        (EN, _put(*TITLE, value="Of {name"), "a single brace"),
        (EN, _put(*TITLE, value="See [%key:common::yes%]"), "a reference within"),
        (EN, _put(*TITLE, value=3), "no text"),
        (EN, _put("options", "steps", "init", value="Options"), "no such text"),
        (EN, _put("entity", "sensor", "Rain", "name", value="Rain"), "is no key"),
        (EN, _put("entity", "sensor", "status", "state", "active", value="{x}"), "is filled in"),
        (EN, _put("options", "step", "new", "data_description", "a", value="A"), "not in data"),
        (EN, _put("issues", "new", "title", value="New"), "either a description or a fix_flow"),
        (EN, _drop("config", "step"), "step is missing"),
        (EN, _drop("config_subentries", "control", "entry_type"), "entry_type is missing"),
        (EN, _drop("services", ACTION, "description"), "description is missing"),
        (EN, _drop("services", ACTION, "fields", "hex"), "hex is missing"),
        (EN, _put("services", ACTION, "fields", "new", value={"name": "N"}), "is no field"),
        (EN, _drop("services", ACTION), f"services.{ACTION} is missing"),
        (EN, _drop("triggers", "device_joined"), "triggers.device_joined is missing"),
        (EN, _drop("conditions", "is_overdue", "name"), "name is missing"),
        (EN, _drop("selector", "wait_for"), "selector.wait_for is missing"),
        ("icons.json", _drop("services", ACTION), f"services.{ACTION} is missing"),
        ("icons.json", _drop("triggers", "device_joined"), "device_joined is missing"),
        ("icons.json", _put("services", "gone", "service", value="mdi:x"), "gone is missing"),
        ("icons.json", _put("entity", "sensor", "rain", "icon", value="mdi:x"), "no such icon"),
        ("icons.json", _put("entity", "sensor", "rain", "default", value="rain"), "no icon of"),
    ],
)
def test_each_rule_bites(copy: Path, file: str, change: Break, said: str) -> None:
    """A file that breaks one of them is found out."""
    path = copy / file
    tree = json.loads(path.read_text("utf-8"))
    change(tree)
    path.write_text(json.dumps(tree), "utf-8")
    assert any(said in one for one in violations(copy)), violations(copy)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("services.yaml", "send_downlink:\n  fields: {hex: {selector: {rainbow: }}}", "rainbow"),
        ("services.yaml", "send_downlink:\n  fields: {hex: {kind: text}}", "not a valid option"),
        ("services.yaml", "send_downlink:\n  colour: blue", "colour is not known"),
        ("services.yaml", "Send downlink:\n", "is no key"),
        (
            "services.yaml",
            "send_downlink:\n  fields: {hex: {filter: {supported_features: []}}}",
            "a filter without a target",
        ),
        (
            "services.yaml",
            "send_downlink:\n  fields: {hex: {}, more: {fields: {hex: {}}}}",
            "hex is there twice",
        ),
        ("services.yaml", "send_downlink: [", "services.yaml"),
        ("triggers.yaml", "device_joined:\n  target: {rooms: []}", "target"),
        ("triggers.yaml", "device_joined:\n", "uplink_received is missing"),
        ("conditions.yaml", "is_overdue:\n  fields: {behavior: {required: 1}}", "expected bool"),
    ],
)
def test_each_rule_of_descriptions_bites(copy: Path, file: str, text: str, said: str) -> None:
    """Those of actions, triggers and conditions."""
    (copy / file).write_text(text, "utf-8")
    assert any(said in one for one in violations(copy)), violations(copy)
