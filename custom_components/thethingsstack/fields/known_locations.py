"""Meanings of positions that don't come from a payload."""

from ..payload import Category, Kind, Meaning, Role


def solved_location(service: str) -> Meaning:
    """Return the meaning of a position found by a location service."""
    return _location("location service", f"The service {service} found the position.")


def registered_location() -> Meaning:
    """Return the meaning of the position registered in The Things Stack."""
    return _location("registry", "The position is the one in The Things Stack's registry.")


def _location(rule: str, reason: str) -> Meaning:
    return Meaning(
        kind=Kind.DEVICE_TRACKER,
        quantity="position",
        unit=None,
        role=Role.POSITION,
        category=Category.PRIMARY,
        enabled=True,
        name=None,
        rule=rule,
        reason=reason,
    )
