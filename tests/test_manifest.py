"""What Home Assistant, HACS and the quality scale want to find in files."""

import json
from pathlib import Path
import re
import struct
from typing import Any

from awesomeversion import AwesomeVersion
from homeassistant import components
from homeassistant.const import Platform
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.thethingsstack.client import __version__
from custom_components.thethingsstack.const import DOMAIN, VERSION

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "custom_components" / "thethingsstack"
MANIFEST: dict[str, Any] = json.loads((PACKAGE / "manifest.json").read_text("utf-8"))
HACS: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text("utf-8"))

ALWAYS_THERE = {
    *Platform,
    *("diagnostics", "homeassistant", "llm", "logbook", "persistent_notification", "repairs"),
    *("system_health", "websocket_api"),
}
"""Integrations that Home Assistant sets up by itself where one has what belongs to them."""

RULES = [
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow-test-coverage",
    "config-flow",
    "dependency-transparency",
    "docs-actions",
    "docs-triggers",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "stale-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "async-dependency",
    "inject-websession",
    "strict-typing",
]


def test_manifest_is_what_a_custom_integration_needs() -> None:
    """The keys that Home Assistant and HACS require, in the order that they require."""
    assert list(MANIFEST) == ["domain", "name", *sorted(set(MANIFEST) - {"domain", "name"})]
    assert {
        "codeowners",
        "config_flow",
        "documentation",
        "integration_type",
        "iot_class",
        "issue_tracker",
        "requirements",
        "version",
    } <= set(MANIFEST)
    assert MANIFEST["domain"] == DOMAIN == PACKAGE.name
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "cloud_push"
    owner = MANIFEST["documentation"].split("/")[3]
    assert MANIFEST["codeowners"] == [f"@{owner}"]
    assert all(MANIFEST[key].startswith("https://") for key in ("documentation", "issue_tracker"))


def test_manifest_says_where_the_integration_belongs() -> None:
    """In words that Home Assistant knows from 2026.11 on; before, it reads neither."""
    assert MANIFEST["categories"]
    assert MANIFEST["connectivity"]
    generated = Path(components.__path__[0]).parent / "generated"
    if not (generated / "integration_categories.json").exists():
        return
    categories = json.loads((generated / "integration_categories.json").read_text("utf-8"))
    known = {
        f"{one['slug']}.{sub['slug']}" for one in categories for sub in one["subcategories"]
    } | {one["slug"] for one in categories}
    assert set(MANIFEST["categories"]) <= known
    ways = json.loads((generated / "integration_connectivity.json").read_text("utf-8"))
    assert set(MANIFEST["connectivity"]) <= {way["slug"] for way in ways}


def test_what_the_manifest_says_is_started_before_is_used() -> None:
    """And what is used is named, as an integration that must or may be there."""
    used = set[str]()
    for path in PACKAGE.rglob("*.py"):
        used |= set(
            re.findall(
                r"(?:from|import) homeassistant\.components(?:\.| import )(\w+)",
                path.read_text("utf-8"),
            )
        )
    named = {*MANIFEST["after_dependencies"], *MANIFEST["dependencies"]}
    assert named <= used
    assert used - named <= ALWAYS_THERE


def test_no_integration_of_home_assistant_has_our_domain() -> None:
    """Neither this one nor those that it knows for LoRaWAN."""
    known = {path.name for path in Path(components.__path__[0]).iterdir()}
    assert DOMAIN not in known


def test_versions_agree() -> None:
    """The manifest's is that of the code; the Python package reads it from there."""
    version = AwesomeVersion(MANIFEST["version"])
    assert version.valid
    assert version == VERSION
    assert __version__ == VERSION


def test_requirements_are_pinned() -> None:
    """And the tests use the same."""
    tested = (ROOT / "requirements_test.txt").read_text("utf-8").splitlines()
    for requirement in MANIFEST["requirements"]:
        assert re.fullmatch(r"[a-z0-9_-]+==[\d.]+", requirement)
        assert requirement in tested


def test_hacs_has_what_it_needs() -> None:
    """Name and least version; nothing that HACS doesn't know."""
    texts = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))
    assert HACS["name"] == texts["title"]
    assert AwesomeVersion(HACS["homeassistant"]) >= "2026.10.0"
    assert set(HACS) <= {"name", "homeassistant", "render_readme", "zip_release", "filename"}
    release = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert HACS["zip_release"] is True
    assert HACS["filename"] in release
    assert (ROOT / "README.md").read_text("utf-8").startswith("# ")


def png_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.parametrize("dark", ["", "dark_"])
def test_brand_images_have_their_sizes(dark: str) -> None:
    """Icons are square, logos wide, in both densities."""
    brand = PACKAGE / "brand"
    assert png_size(brand / f"{dark}icon.png") == (256, 256)
    assert png_size(brand / f"{dark}icon@2x.png") == (512, 512)
    width, height = png_size(brand / f"{dark}logo.png")
    assert 128 <= height <= 256
    assert width > height
    _, double = png_size(brand / f"{dark}logo@2x.png")
    assert double == 2 * height


def test_quality_scale_has_every_rule() -> None:
    """Every rule stands there once, done or with the reason why not."""
    rules = load_yaml_dict(str(PACKAGE / "quality_scale.yaml"))["rules"]
    assert len(RULES) == 54
    assert sorted(rules) == sorted(RULES)
    for name, rule in rules.items():
        if isinstance(rule, str):
            assert rule in ("done", "todo"), name
        else:
            assert set(rule) == {"status", "comment"}, name
            assert rule["status"] == "exempt", name
            assert rule["comment"], name


@pytest.mark.parametrize("kind", ["triggers", "conditions"])
def test_each_trigger_and_condition_has_a_section_of_its_own(kind: str) -> None:
    """In docs/actions.md, with its key, under the name that the editor shows."""
    texts = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))[kind]
    described = load_yaml_dict(str(PACKAGE / f"{kind}.yaml"))
    assert set(texts) == {key for key in described if not key.startswith(".")}
    page = (ROOT / "docs" / "actions.md").read_text("utf-8")
    for key, item in texts.items():
        assert f"#### {item['name']}\n\n`{DOMAIN}.{key}`" in page, key
