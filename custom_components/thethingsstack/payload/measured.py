"""The rule on fields that say nothing, on models that measure one thing only."""

from .evidence import Clue, Verdict
from .vocabulary import QUANTITIES, word_set

# What the Device Repository calls what a model measures, where its unit is beyond doubt.
_SENSORS: dict[str, str] = {
    "temperature": "temperature",
    "humidity": "humidity",
    "co2": "carbon_dioxide",
    "light": "illuminance",
    "barometer": "atmospheric_pressure",
    "pm2.5": "pm25",
    "pm10": "pm10",
    "radon": "radon",
    "pH": "ph",
    "moisture": "moisture",
}
# What any model has besides.
_ASIDE = word_set("battery rssi snr button time link")
_SAYS_NOTHING = word_set("value sensor channel mean last min max raw")


def by_model(clue: Clue) -> Verdict | None:
    """Return the one quantity that the model measures, for a number named "value" or the like."""
    if clue.number is None or not frozenset(clue.leaf) <= _SAYS_NOTHING or not clue.leaf:
        return None
    measured = [name for name in clue.context.sensors if name not in _ASIDE]
    quantity = _SENSORS.get(measured[0]) if len(measured) == 1 else None
    if quantity is None:
        return None
    limits = QUANTITIES[quantity].limits or QUANTITIES[quantity].usual
    if clue.unit is not None or (limits and not limits[0] <= clue.number <= limits[1]):
        return None
    return Verdict(rule="model measures", quantity=quantity, used=frozenset(clue.leaf), why=f"the model measures {measured[0]} alone")  # fmt: skip
