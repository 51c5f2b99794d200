"""Repair issues as this integration tells them: one for each cause, gone when the cause is."""

from collections.abc import Collection, Mapping
import re
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir

from ..const import DOMAIN

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
    key: str,
    said: Mapping[str, str] | None,
    *,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    mend: Mapping[str, str] | None = None,
) -> None:
    """Show an issue with what it names; take it back where there is nothing to say (None).

    With `mend` a dialogue repairs it, and is told this.
    """
    if said is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data=None if mend is None else dict(mend),
        is_fixable=mend is not None,
        is_persistent=False,
        severity=severity,
        translation_key=key,
        translation_placeholders={name: escape_markdown(text) for name, text in said.items()},
    )


@callback
def take_back(hass: HomeAssistant, prefix: str, but: Collection[str] = ()) -> None:
    """Take back the issues whose id begins so, but those that end with one of these."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if (
            domain == DOMAIN
            and issue_id.startswith(prefix)
            and issue_id.removeprefix(prefix) not in but
        ):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
