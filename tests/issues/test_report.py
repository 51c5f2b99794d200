"""Issues are raised, changed and taken away by their ids."""

import json

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.issues import (
    clear_issue,
    clear_issues,
    clear_issues_of_entry,
    escape_markdown,
    raise_issue,
    update_issue,
)
from custom_components.thethingsstack.issues.pages import PAGES, REPOSITORY, page_url
from custom_components.thethingsstack.issues.report import LISTED_DEVICES, listed
from tests.test_docs import ROOT, anchors

PACKAGE = ROOT / "custom_components" / "thethingsstack"


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the issues of the integration by id."""
    return {
        issue_id: issue
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


async def test_an_issue_is_raised_changed_and_cleared(hass: HomeAssistant) -> None:
    """An id has one issue, with the placeholders of the last time; the rest stays."""
    raise_issue(hass, "stream_lost_1", "stream_lost", {"application": "Garden", "error": "none"})
    raise_issue(hass, "half_created_1_valve", "half_created", {}, repair={"entry_id": "1"})
    update_issue(hass, "stream_lost_1", "stream_lost", {"application": "Garden", "error": "reset"})
    found = issues(hass)
    assert set(found) == {"stream_lost_1", "half_created_1_valve"}
    assert found["stream_lost_1"].translation_placeholders == {
        "application": "Garden",
        "application_plain": "Garden",
        "error": "reset",
        "error_plain": "reset",
    }
    assert not found["stream_lost_1"].is_fixable
    assert found["half_created_1_valve"].is_fixable
    assert found["stream_lost_1"].learn_more_url == page_url("stream_lost")
    assert found["half_created_1_valve"].data == {"entry_id": "1"}
    update_issue(hass, "stream_lost_1", "stream_lost", None)
    clear_issue(hass, "never_raised")
    assert set(issues(hass)) == {"half_created_1_valve"}


def test_every_issue_has_its_page() -> None:
    """*Learn more* leads to a heading that exists."""
    texts = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))
    assert set(PAGES) == set(texts["issues"])
    for key, link in PAGES.items():
        path, _, anchor = link.partition("#")
        assert anchor in anchors(ROOT / path), key
    manifest = json.loads((PACKAGE / "manifest.json").read_text("utf-8"))
    assert manifest["documentation"].startswith(REPOSITORY)


async def test_many_are_cleared_at_once(hass: HomeAssistant) -> None:
    """By how their ids begin, or by their entry; those of other integrations stay."""
    for issue_id in ("undecoded_1_a", "undecoded_1_b", "undecoded_2_a", "too_many_entities_1"):
        raise_issue(hass, issue_id, "undecoded", {})
    ir.async_create_issue(
        hass,
        "demo",
        "undecoded_1_b",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="undecoded",
    )
    clear_issues(hass, "undecoded_1_", keep={"a"})
    assert set(issues(hass)) == {"undecoded_1_a", "undecoded_2_a", "too_many_entities_1"}
    clear_issues_of_entry(hass, "_1")
    assert set(issues(hass)) == {"undecoded_2_a"}
    assert ir.async_get(hass).async_get_issue("demo", "undecoded_1_b") is not None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Pump 2 (roof) - old_one", "Pump 2 (roof) - old_one"),
        ("![x](https://example.org/x.png)", r"!\[x\](https://example.org/x.png)"),
        ("<img src=x>", r"\<img src=x>"),
        ("*bold* `code` \\", r"\*bold\* \`code\` \\"),
    ],
)
async def test_names_are_no_markdown(hass: HomeAssistant, text: str, shown: str) -> None:
    """An external name is shown as it is: escaped in descriptions, unchanged in plain titles."""
    assert escape_markdown(text) == shown
    raise_issue(hass, "control_1_x", "control_invalid", {"control": text})
    assert issues(hass)["control_1_x"].translation_placeholders == {
        "control": shown,
        "control_plain": text,
    }


def test_long_lists_are_cut() -> None:
    """The first ones, and how many there are."""
    names = [f"Device {number}" for number in range(LISTED_DEVICES + 1)]
    assert listed(names[:2]) == "- Device 0\n- Device 1"
    lines = listed(names).splitlines()
    assert len(lines) == LISTED_DEVICES + 1
    assert lines[-1] == f"- … ({len(names)})"
