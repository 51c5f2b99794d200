"""A value read by another decision than before, where the reported one isn't known any more."""

from ..payload import NUMERIC_ROLES, Meaning, Value, value_of


def recalculated(value: Value, before: Meaning, now: Meaning) -> Value:
    """Return a value read by another decision, without the reported value that it came from.

    None if the reported value can't be calculated back.
    """
    if before.value_map or now.value_map or value is None:
        return None
    if before.role in NUMERIC_ROLES and isinstance(value, int | float) and before.scale:
        reported = round((value - before.offset) / before.scale, 9)
        return value_of(now, int(reported) if reported.is_integer() else reported)
    if isinstance(value, bool):
        return value_of(now, value is not before.invert)
    return value_of(now, value) if isinstance(value, str) else None
