"""Issues in Home Assistant's Repairs: one for each cause, gone when the cause is."""

from collections.abc import Collection, Mapping, Sequence
import re
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from ..const import DOMAIN

LISTED_DEVICES = 10
if TYPE_CHECKING:
    from ..coordinator import TtsConfigEntry

# What begins code, emphasis, links, images and HTML; the rest of Markdown does no harm.
_MARKUP = re.compile(r"[\\`*\[\]<]")


def escape_markdown(text: str) -> str:
    """Return a text that comes from elsewhere, such as a device's name, to be shown as it is.

    Repairs and dialogues show Markdown: an image in a name would be loaded.
    """
    return _MARKUP.sub(r"\\\g<0>", text)


def application_name(entry: TtsConfigEntry) -> str:
    """Return what the application is called now, by the user or in The Things Stack."""
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
    """Show an issue; one that is shown already gets the new placeholders, free of Markdown.

    With `repair` a dialogue repairs it, which gets this data: see `repairs.py`.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data=None if repair is None else dict(repair),
        is_fixable=repair is not None,
        is_persistent=False,
        severity=severity,
        translation_key=translation_key,
        translation_placeholders={
            name: escape_markdown(text) for name, text in placeholders.items()
        },
    )


@callback
def clear_issue(hass: HomeAssistant, issue_id: str) -> None:
    """Take an issue away, if it is shown."""
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
    """Show an issue, or take it away where `placeholders` is None."""
    if placeholders is None:
        clear_issue(hass, issue_id)
    else:
        raise_issue(hass, issue_id, translation_key, placeholders, severity=severity)


@callback
def clear_issues(hass: HomeAssistant, prefix: str, keep: Collection[str] = ()) -> None:
    """Take away the issues whose id begins with `prefix`, but not where the rest is in `keep`."""
    for issue_id in _issue_ids(hass):
        if issue_id.startswith(prefix) and issue_id.removeprefix(prefix) not in keep:
            clear_issue(hass, issue_id)


@callback
def clear_issues_of_entry(hass: HomeAssistant, entry_id: str) -> None:
    """Take away all issues of a config entry, whose ids all contain the entry's."""
    for issue_id in _issue_ids(hass):
        if entry_id in issue_id:
            clear_issue(hass, issue_id)


def _issue_ids(hass: HomeAssistant) -> list[str]:
    return [issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN]


def listed(devices: Sequence[str]) -> str:
    """Return the first end devices as a Markdown list, and how many there are if not all."""
    lines = [f"- {device}" for device in devices[:LISTED_DEVICES]]
    if len(devices) > LISTED_DEVICES:
        lines.append(f"- … ({len(devices)})")
    return "\n".join(lines)
