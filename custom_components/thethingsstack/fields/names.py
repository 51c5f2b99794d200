"""Names of fields in Home Assistant's language, as far as they are known; else in English.

No name is in two languages: where a word beside the quantity isn't known, all of it stays English.
"""

from collections.abc import Mapping
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..payload import QUANTITIES, Kind, Meaning

_WORD = f"component.{DOMAIN}.selector.field_word.options."
"""Start of the keys of words that stand beside a quantity, each with `{name}` for what it is of."""
_NO_WORD = re.compile(r"\(?(?:[A-Za-z]|[A-Z0-9µμ.,/+-]*\d[\w.,/+-]*|[A-Z]{2,5}|[µμ]m)\)?")
"""Numbers, letters, abbreviations: the same in all languages."""


class FieldNames:
    """Translates field names that are made of a quantity and known words."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Keep the integration's translated texts of entities and of words in names."""
        self._texts = texts

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> FieldNames:
        """Return the names for Home Assistant's language."""
        language = hass.config.language
        texts = {
            **await async_get_translations(hass, language, "selector", {DOMAIN}),
            **await async_get_translations(hass, language, "entity", {DOMAIN}),
        }
        return cls(texts)

    def shown(self, meaning: Meaning, given: str | None = None) -> str:
        """Return the name that users see; `given` is the user's own name, if any."""
        name = given or self.own(meaning)
        if name is not None or meaning.quantity is None:
            return name or ""
        key = f"component.{DOMAIN}.entity.{meaning.kind}.{meaning.quantity}.name"
        return self._texts.get(key, QUANTITIES[meaning.quantity].name)

    def own(self, meaning: Meaning) -> str | None:
        """Return a field's own name; None if the translated quantity is the full name."""
        name = meaning.name
        if meaning.quantity is None or meaning.quantity not in QUANTITIES:
            return name
        if name is None:
            return self._of_another_kind(meaning.quantity, meaning.kind)
        english = QUANTITIES[meaning.quantity].name
        key = f"component.{DOMAIN}.entity.{meaning.kind}.{meaning.quantity}.name"
        translated = self._texts.get(key, english)
        found = re.search(rf"(?<!\w){re.escape(english)}(?!\w)", name, re.IGNORECASE)
        if translated == english or found is None:
            return name
        for word in (name[: found.start()] + name[found.end() :]).split():
            if (of_it := self._texts.get(_WORD + word.casefold())) is not None:
                translated = of_it.format(name=translated)
            elif _NO_WORD.fullmatch(word):
                translated = f"{translated} {word}"
            else:
                return name
        return translated

    def _of_another_kind(self, quantity: str, kind: Kind) -> str | None:
        """Return the quantity's name if this kind of entity has no translation for it."""
        if f"component.{DOMAIN}.entity.{kind}.{quantity}.name" in self._texts:
            return None
        known = QUANTITIES[quantity]
        key = f"component.{DOMAIN}.entity.{known.kind}.{quantity}.name"
        return None if known.kind is kind else self._texts.get(key, known.name)
