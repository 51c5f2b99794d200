"""Which decisions on fields are replaced when more becomes known than their payload said."""

from collections.abc import Mapping

from ..payload import Kind, Meaning, Observations, Source


def better(
    decided: Mapping[str, Meaning],
    decisions: Mapping[str, Meaning],
    young: Mapping[str, Observations],
    *,
    is_new: bool,
    model_chosen: bool = False,
) -> dict[str, Meaning]:
    """Return those of the newly `decided` that replace the present `decisions`.

    What the model library says does, for an end device that `is_new` in Home Assistant: entities
    of another one stay what they are. What the payload formatter says does for fields that are
    `young`: their decision may still be corrected. Where the user has just chosen the model
    (`model_chosen`), its library replaces all else, and that of an earlier model counts no more.
    """
    found: dict[str, Meaning] = {}
    for path, meaning in decided.items():
        before = decisions.get(path)
        if before is None:
            continue
        if model_chosen:
            if Source.LIBRARY in (meaning.source, before.source):
                found[path] = meaning
            continue
        if before.source is Source.LIBRARY:
            continue
        if meaning.source is Source.LIBRARY:
            replaces = is_new
        else:
            replaces = path in young and _replaces(meaning, before, young[path])
        if replaces:
            found[path] = meaning
    return found


def _replaces(meaning: Meaning, before: Meaning, observed: Observations) -> bool:
    """Return whether a decision by the formatter is another one, and fits all values so far."""
    if meaning.source is not Source.FORMATTER:
        return False
    if meaning.kind is Kind.BINARY_SENSOR and observed.numbers and not observed.only_zero_and_one:
        return False
    return (meaning.kind, meaning.unit, meaning.quantity, meaning.scale, meaning.options) != (
        before.kind,
        before.unit,
        before.quantity,
        before.scale,
        before.options,
    )
