"""What the names and values of single models' fields can't say: corrections, one line each.

An entry says whose field it is (the Device Repository's brand id, its model ids separated by
spaces or "*" for all of the brand), its path, what it is, and where that is written.
"""

from typing import NamedTuple

from .types import Context, Kind, Role
from .units import Unit


class Correction(NamedTuple):
    """What a field of a certain model is."""

    quantity: str | None
    """Key of `QUANTITIES`; None: no quantity that is known here."""
    unit: Unit | None
    """What the model reports in, with the factor into it; None: the quantity's own."""
    source: str
    """The public document that says so."""
    kind: Kind | None = None
    role: Role | None = None
    invert: bool = False


_WS52 = "ws523 ws525"
_CT10 = "ct101 ct103 ct105"
_AM = "am104 am107 am307 am307l am308 am308l am319 am319l"

_ENTRIES: tuple[tuple[str, str, str, Correction], ...] = (
    ("elsys", "*", "vdd", Correction("battery_voltage", Unit("mV"), "Elsys payload format")),
    ("elsys", "*", "analog1", Correction("voltage", Unit("mV"), "Elsys payload format")),
    ("elsys", "*", "analog2", Correction("voltage", Unit("mV"), "Elsys payload format")),
    (
        "milesight-iot",
        _WS52,
        "power_consumption",
        Correction("energy", Unit("Wh"), "Milesight WS52x user guide"),
    ),
    (
        "milesight-iot",
        _WS52,
        "current",
        Correction("current", Unit("mA"), "Milesight WS52x user guide"),
    ),
    (
        "milesight-iot",
        _WS52,
        "factor",
        Correction("power_factor", Unit("%"), "Milesight WS52x user guide"),
    ),
    (
        "milesight-iot",
        _CT10,
        "total_current",
        Correction("charge", Unit("Ah"), "Milesight CT10x user guide", role=Role.TOTAL),
    ),
    (
        "milesight-iot",
        _AM,
        "light_level",
        Correction(None, None, "Milesight AM300 user guide: a level from 0 to 5"),
    ),
    (
        "dragino",
        "lds02",
        "LAST_DOOR_OPEN_DURATION",
        Correction("duration", Unit("min"), "Dragino LDS02 user manual"),
    ),
    (
        "dragino",
        "lwl02",
        "LAST_WATER_LEAK_DURATION",
        Correction("duration", Unit("min"), "Dragino LWL02 user manual"),
    ),
    (
        "sensative",
        "*",
        "door.value",
        Correction("door", None, "Sensative Strips payload: true is closed", invert=True),
    ),
)

CORRECTIONS: dict[tuple[str, str, str], Correction] = {
    (brand, model, path): correction
    for brand, models, path, correction in _ENTRIES
    for model in models.split()
}
BRANDS = frozenset(brand for brand, _, _ in CORRECTIONS)


def correction_of(context: Context, path: str) -> Correction | None:
    """Return what is known of a model's field, None where its name and value have to do."""
    brand = context.brand_id
    if brand not in BRANDS or brand is None:
        return None
    found = CORRECTIONS.get((brand, context.model_id or "*", path))
    return found or CORRECTIONS.get((brand, "*", path))
