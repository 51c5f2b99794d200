"""Names of fields in Home Assistant's language, where the quantity is known."""

from collections.abc import Mapping
import re

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..payload import QUANTITIES, Kind, Meaning

# Languages that write nouns with a capital letter, also inside a name.
CAPITAL_NOUNS = ("de", "gsw", "lb")


class FieldNames:
    """Translates field names that contain the name of a quantity."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        """Keep the integration's translated entity texts."""
        self._capital = language.split("-", maxsplit=1)[0] in CAPITAL_NOUNS
        self._texts = texts

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> FieldNames:
        """Return the names for Home Assistant's language."""
        language = hass.config.language
        return cls(language, await async_get_translations(hass, language, "entity", {DOMAIN}))

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
        if found.start() > 0 and not self._capital and not translated[:2].isupper():
            translated = translated[:1].lower() + translated[1:]
        return name[: found.start()] + translated + name[found.end() :]

    def _of_another_kind(self, quantity: str, kind: Kind) -> str | None:
        """Return the quantity's name if this kind of entity has no translation for it."""
        if f"component.{DOMAIN}.entity.{kind}.{quantity}.name" in self._texts:
            return None
        known = QUANTITIES[quantity]
        key = f"component.{DOMAIN}.entity.{known.kind}.{quantity}.name"
        return None if known.kind is kind else self._texts.get(key, known.name)
