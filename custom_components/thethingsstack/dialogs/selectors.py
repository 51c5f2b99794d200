"""Long lists in dialogues: with a search box and without preselection; what was chosen of them."""

from collections.abc import Iterable, Mapping
from typing import override

from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode
import voluptuous as vol

from ..application import Refusal

SEEN_AT_ONCE = 12
"""A list of so many choices needs no search box."""


class ListSelector(SelectSelector):
    """A select whose answer is checked by its dialogue, which says in words what is wrong."""

    @override
    def __call__(self, data: object) -> str:
        """Return the answer if it is a text."""
        if not isinstance(data, str):
            raise vol.Invalid("Value should be a string")
        return data


def searchable(choices: Iterable[str]) -> SelectSelector:
    """Return a select; a long list has a search box.

    The frontend has a search box only where free text is allowed, and then offers to add what was
    typed. Such a select shows the value of the chosen option, so labels are used as values.
    """
    options = list(choices)
    return ListSelector(
        SelectSelectorConfig(
            options=options,
            custom_value=len(options) > SEEN_AT_ONCE,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def unchosen(field_name: str, usual: str | None = None) -> vol.Required:
    """Return a required field with `usual` or nothing preselected, instead of the first."""
    if usual is not None:
        return vol.Required(field_name, default=usual)
    return vol.Required(field_name, description={"suggested_value": ""})


def labels(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return IDs by label: the name, and the ID, too, if several have the same name."""
    pairs = list(named)
    names = [name for _, name in pairs]
    return {(name if names.count(name) == 1 else f"{name} ({key})"): key for key, name in pairs}


def chosen(field_name: str, answer: str, choices: Mapping[str, str]) -> str:
    """Return the ID that was chosen by label or typed; raises Refusal for an unknown one."""
    wanted = answer.strip().casefold()
    for label, key in choices.items():
        if wanted in (label.casefold(), key.casefold()):
            return key
    raise Refusal(field_name, "choose_from_list")
