"""Which fields a model will report, as the examples of its payload formatter say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .types import Category, Context, Kind, Meaning
from .understand import raw_values, understand

MOST_EXAMPLES = 20
_KINDS = frozenset({Kind.SENSOR, Kind.BINARY_SENSOR})


def expected_fields(
    examples: Sequence[Mapping[str, object]], context: Context
) -> dict[str, Meaning]:
    """Return decisions on fields that an end device will certainly report, by path.

    `examples` are decoded payloads. One formatter often is that of many models, and its examples
    show what others measure: so a field counts if the model library has it for this model, or if
    every example has it. Only what people look at first counts: no settings, no diagnostics.
    Never raises, whatever the examples are.
    """
    decisions: dict[str, Meaning] = {}
    known = context.known.own_paths if context.known is not None else frozenset[str]()
    having: Counter[str] = Counter()
    examples = examples[:MOST_EXAMPLES]
    for decoded in examples:
        decisions |= understand(decoded, decisions=decisions, context=context).new
        having.update(raw_values(decoded).keys())
    return {
        path: replace(meaning, expected=True)
        for path, meaning in decisions.items()
        if meaning.kind in _KINDS
        and meaning.category is Category.PRIMARY
        and meaning.enabled
        and not meaning.is_undecided
        and (having[path] == len(examples) or path in known)
    }
