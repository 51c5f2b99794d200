"""Create and delete issues in Home Assistant's Repairs, one for each cause."""

from collections.abc import Collection, Mapping, Sequence
import re
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from ..const import DOMAIN
from .pages import page_url

LISTED_DEVICES = 10
if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

# Start of code, emphasis, links, images and HTML; other Markdown is harmless.
_MARKUP = re.compile(r"[\\`*\[\]<]")


def escape_markdown(text: str) -> str:
    """Return an external text, such as a device's name, escaped for Markdown.

    Repairs and dialogues show Markdown: an image in a name would be loaded.
    """
    return _MARKUP.sub(r"\\\g<0>", text)


def application_name(entry: TtsConfigEntry) -> str:
    """Return the application's current name: the user's, else that in The Things Stack."""
    coordinator = entry.runtime_data
    device = dr.async_get(coordinator.hass).async_get(coordinator.roster.application_registry_id)
    return (device and (device.name_by_user or device.name)) or entry.title


@callback
def raise_issue(
    hass: HomeAssistant,
    issue_id: str,
    translation_key: str,
    placeholders: Mapping[str, str],
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    repair: Mapping[str, str] | None = None,
) -> None:
    """Create an issue, or update the placeholders of an existing one.

    Descriptions are Markdown, so each placeholder is escaped for them; titles are plain text and
    use the unchanged one, which has `_plain` after its name. With `repair`, a dialogue with this
    data can repair it: see `repairs.py`. *Learn more* leads to the issue's page (`pages.py`).
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data=None if repair is None else dict(repair),
        is_fixable=repair is not None,
        is_persistent=False,
        learn_more_url=page_url(translation_key),
        severity=severity,
        translation_key=translation_key,
        translation_placeholders={
            **{name: escape_markdown(text) for name, text in placeholders.items()},
            **{f"{name}_plain": text for name, text in placeholders.items()},
        },
    )


@callback
def clear_issue(hass: HomeAssistant, issue_id: str) -> None:
    """Delete an issue, if it exists."""
    ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def update_issue(
    hass: HomeAssistant,
    issue_id: str,
    translation_key: str,
    placeholders: Mapping[str, str] | None,
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
) -> None:
    """Create or update an issue; delete it if `placeholders` is None."""
    if placeholders is None:
        clear_issue(hass, issue_id)
    else:
        raise_issue(hass, issue_id, translation_key, placeholders, severity=severity)


@callback
def clear_issues(hass: HomeAssistant, prefix: str, keep: Collection[str] = ()) -> None:
    """Delete the issues whose id begins with `prefix`, unless the rest of it is in `keep`."""
    for issue_id in _issue_ids(hass):
        if issue_id.startswith(prefix) and issue_id.removeprefix(prefix) not in keep:
            clear_issue(hass, issue_id)


@callback
def clear_issues_of_entry(hass: HomeAssistant, entry_id: str) -> None:
    """Delete all issues of a config entry; their ids contain the entry's id."""
    for issue_id in _issue_ids(hass):
        if entry_id in issue_id:
            clear_issue(hass, issue_id)


def _issue_ids(hass: HomeAssistant) -> list[str]:
    return [issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN]


def listed(devices: Sequence[str]) -> str:
    """Return the first end devices as a Markdown list, with the total if it is cut off."""
    lines = [f"- {device}" for device in devices[:LISTED_DEVICES]]
    if len(devices) > LISTED_DEVICES:
        lines.append(f"- … ({len(devices)})")
    return "\n".join(lines)
