"""The unit in which a new sensor is shown, where the reported one makes numbers that nobody reads.

Home Assistant keeps it as the entity's unit; users can choose another one there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.util.unit_system import UnitSystem

from ..payload import Meaning, Role
from .descriptions import sensor_class


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A better unit for numbers of a certain size."""

    unit: str
    decimals: int
    """How many more digits a number has behind the point than in the reported unit."""
    least: float = 0.0
    """The size of the first value from which on it is better."""


_KILO = 3
OF_TOTALS: Mapping[tuple[str, str], Suggestion] = {
    ("energy", "Wh"): Suggestion("kWh", _KILO),
    ("water", "L"): Suggestion("m³", _KILO),
    ("gas", "L"): Suggestion("m³", _KILO),
    ("volume", "mL"): Suggestion("L", _KILO),
    ("volume", "L"): Suggestion("m³", _KILO),
    ("duration", "ms"): Suggestion("h", 1),
    ("duration", "s"): Suggestion("h", 1),
    ("duration", "min"): Suggestion("h", 1),
}
"""Counters that only grow: what is a small number today is a large one in a year."""
_OF_QUANTITIES: Mapping[tuple[str, str], Suggestion] = {
    ("battery_voltage", "mV"): Suggestion("V", _KILO),
    ("supply_voltage", "mV"): Suggestion("V", _KILO),
}
OF_CLASSES: Mapping[tuple[str, str], Suggestion] = {  # of what is about as large all the time
    ("voltage", "mV"): Suggestion("V", _KILO, 1000),
    ("pressure", "Pa"): Suggestion("kPa", _KILO, 10_000),
    ("distance", "mm"): Suggestion("m", _KILO, 10_000),
    ("duration", "ms"): Suggestion("s", _KILO, 1000),
    ("duration", "s"): Suggestion("min", 1, 3600),
}
_REPLACED = frozenset(unit for _, unit in (*OF_TOTALS, *_OF_QUANTITIES, *OF_CLASSES))
_MOST_DECIMALS = 3


def suggestion_for(meaning: Meaning) -> Suggestion | None:
    """Return a better unit for a field's numbers, at least if they are large; None without one."""
    unit = meaning.unit
    if unit not in _REPLACED or (device_class := sensor_class(meaning)) is None:
        return None
    if meaning.role is Role.TOTAL:
        return OF_TOTALS.get((device_class, unit))
    always = _OF_QUANTITIES.get((meaning.quantity or "", unit))
    return always or OF_CLASSES.get((device_class, unit))


def unit_and_precision(
    meaning: Meaning, value: object, shown_in: str | None, units: UnitSystem
) -> tuple[str, int] | None:
    """Return unit and decimals to suggest for a field's sensor; None: those that are reported.

    `value` is what a new sensor begins with, in the reported unit; `shown_in` the unit of one that
    is registered already, which stays. So does the unit that Home Assistant's unit system chooses.
    """
    device_class = sensor_class(meaning)
    if (suggestion := suggestion_for(meaning)) is None:
        return None
    if units.get_converted_unit(device_class, meaning.unit) is not None:
        return None
    unit = units.get_converted_unit(device_class, suggestion.unit) or suggestion.unit
    if shown_in is not None:
        fits = shown_in == unit
    else:
        fits = suggestion.least == 0 or (
            isinstance(value, int | float) and abs(value) >= suggestion.least
        )
    precision = min((meaning.precision or 0) + suggestion.decimals, _MOST_DECIMALS)
    return (unit, precision) if fits else None
