"""Long lists in dialogues: with a search box, and nothing chosen before the user chooses."""

from collections.abc import Iterable

from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol


def searchable(choices: Iterable[str]) -> SelectSelector:
    """Return a list with a search box, which Home Assistant has where free text is allowed.

    There it shows what was chosen by its value: so labels are the values, too.
    """
    return SelectSelector(
        SelectSelectorConfig(
            options=list(choices), custom_value=True, mode=SelectSelectorMode.DROPDOWN
        )
    )


def unchosen(field_name: str, usual: str | None = None) -> vol.Required:
    """Return a field to be chosen: the usual one is, or none; the frontend would take the first."""
    if usual is not None:
        return vol.Required(field_name, default=usual)
    return vol.Required(field_name, description={"suggested_value": ""})
