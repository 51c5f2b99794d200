"""Texts of the Fields dialogue that aren't in its forms: labels of fields and the list of them."""

from collections.abc import Iterable, Mapping
from typing import Self

from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..end_devices import field_entry
from ..payload import Kind, Source
from .descriptions import device_class_of
from .edit_form import HIDDEN, FieldEdit, shown_value

LONGEST_CELL = 60
LONGEST_REASON = 90
EXPECTED = "expected"
"""Who decided on a field that was not reported yet: an example of its model."""


class FieldTexts:
    """Translated names of platforms, device classes and reasons, in Home Assistant's language."""

    def __init__(self, own: Mapping[str, str], classes: Mapping[str, str]) -> None:
        """Keep the integration's texts and those of Home Assistant's device classes."""
        self._own = own
        self._classes = classes

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Return the texts for Home Assistant's language."""
        language = hass.config.language
        own = {
            **await async_get_translations(hass, language, "selector", {DOMAIN}),
            **await async_get_translations(hass, language, "options", {DOMAIN}),
        }
        platforms = {"sensor", "binary_sensor"}
        classes = await async_get_translations(hass, language, "entity_component", platforms)
        return cls(own, classes)

    def error(self, key: str) -> str:
        """Return the text of a form's error."""
        return self._own.get(f"component.{DOMAIN}.options.error.{key}", key)

    def platform(self, key: str) -> str:
        """Return the translated name of a platform."""
        return self._own.get(f"component.{DOMAIN}.selector.field_platform.options.{key}", key)

    def source(self, edit: FieldEdit) -> str:
        """Return in words who decided what a field is."""
        meaning = edit.meaning
        key = "undecided" if meaning.is_undecided else str(meaning.source)
        if meaning.expected:
            key = EXPECTED
        return self._own.get(f"component.{DOMAIN}.selector.field_source.options.{key}", key)

    def left_out(self, count: int) -> str:
        """Return a sentence about fields for which there was no room; empty if there are none."""
        key = f"component.{DOMAIN}.selector.field_note.options.left_out"
        return self._own.get(key, "").format(count=count) if count else ""

    def what(self, edit: FieldEdit) -> str:
        """Return a short description of how a field is used."""
        meaning = edit.meaning
        if meaning.kind is Kind.IGNORE:
            return self.platform(HIDDEN)
        name, kind = device_class_of(meaning), meaning.kind
        device_class = self._classes.get(f"component.{kind}.entity_component.{name}.name", name)
        shown = edit.name
        if device_class and device_class.casefold() in shown.casefold():
            device_class = None
        return ", ".join(filter(None, (shown, self.platform(kind), device_class, meaning.unit)))


def field_label(edit: FieldEdit, texts: FieldTexts) -> str:
    """Return the label of a field in a list: path, value and use."""
    meaning = edit.meaning
    value = shown_value(edit.device.values.get(edit.path), meaning.unit)
    shown = "" if meaning.kind is Kind.IGNORE else f" = {value[:LONGEST_CELL]}"
    return f"{edit.path}{shown} · {texts.what(edit)}"


def fields_list(edits: Iterable[FieldEdit], texts: FieldTexts) -> str:
    """Return a list in Markdown: field, value, decision, reason; a phone has no room for a table.

    Of what the model library decided, only that is said: its sources are the same for all fields.
    """
    lines = []
    for edit in edits:
        meaning = edit.meaning
        value = shown_value(edit.device.values.get(edit.path), meaning.unit)
        mark = "✎ " if edit.override is not None else ""
        why = edit.contradiction or meaning.reason.partition("”: ")[2] or meaning.reason
        path, value, what = (escaped(part) for part in (edit.path, value, texts.what(edit)))
        known = meaning.source is Source.LIBRARY and not meaning.is_undecided
        reason = texts.source(edit)
        if edit.contradiction or not known:
            reason = f"{reason}: {why}"
        reason = escaped(reason, LONGEST_REASON)
        lines.append(f"- {mark}**{path}**: {value} · {what} · {reason}")
    return "\n".join(lines)


def value_in_both_units(hass: HomeAssistant, edit: FieldEdit) -> str:
    """Return a field's last value in its unit, and in that of its entity where it is another.

    Home Assistant keeps the unit that a sensor is shown in, and converts what is reported.
    """
    value, meaning = edit.device.values.get(edit.path), edit.meaning
    text = shown_value(value, meaning.unit)
    entry = field_entry(hass, edit.device, edit.path)
    unit = entry.unit_of_measurement if entry is not None else None
    converter = UNIT_CONVERTERS.get(device_class_of(meaning))
    if unit == meaning.unit or converter is None or not isinstance(value, int | float):
        return text
    if not {unit, meaning.unit} <= converter.VALID_UNITS:
        return text
    return f"{text} = {shown_value(converter.convert(value, meaning.unit, unit), unit)}"


def escaped(text: str, longest: int = LONGEST_CELL) -> str:
    """Return a text, shortened and escaped for Markdown."""
    text = " ".join(text.split())
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#|~!" else char for char in text)
