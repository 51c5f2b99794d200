"""Selectors for long lists in dialogues: with a search box and without preselection."""

from collections.abc import Iterable

from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol


def searchable(choices: Iterable[str]) -> SelectSelector:
    """Return a select with a search box: the frontend has one if free text is allowed.

    Such a select shows the value of the chosen option, so labels are used as values.
    """
    return SelectSelector(
        SelectSelectorConfig(
            options=list(choices), custom_value=True, mode=SelectSelectorMode.DROPDOWN
        )
    )


def unchosen(field_name: str, usual: str | None = None) -> vol.Required:
    """Return a required field with `usual` or nothing preselected, instead of the first."""
    if usual is not None:
        return vol.Required(field_name, default=usual)
    return vol.Required(field_name, description={"suggested_value": ""})
