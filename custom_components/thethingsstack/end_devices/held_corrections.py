"""Corrections of decisions that are not made with the uplink that leads to them."""

from collections.abc import Iterable, Mapping

from ..payload import Meaning, Understanding, contradiction, value_of


def hold_back(
    understanding: Understanding,
    paths: Iterable[str],
    decisions: Mapping[str, Meaning],
    raw: Mapping[str, object],
) -> None:
    """Take corrections out of what an uplink says; read these values as decided until now.

    What was observed until now stays, so that the next value leads to the correction again.
    """
    for path in paths:
        del understanding.corrected[path]
        understanding.observations.pop(path, None)
        understanding.settled.discard(path)
        meaning = decisions[path]
        understanding.values[path] = value = value_of(meaning, raw[path])
        if value is None and (note := contradiction(meaning, raw[path])) is not None:
            understanding.contradictions[path] = note
