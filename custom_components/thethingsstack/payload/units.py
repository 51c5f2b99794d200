"""Unit spellings that payloads use, and what they are in Home Assistant's spelling."""

from functools import lru_cache
import re
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit in Home Assistant's spelling; a reported number times scale is a number in it."""

    symbol: str | None
    scale: float = 1.0


NO_UNIT = Unit(None)

# dimension: unit and how much of the dimension's first unit one of it is
DIMENSIONS: dict[str, dict[str, float]] = {
    "voltage": {"V": 1, "mV": 1e-3, "μV": 1e-6, "kV": 1e3, "MV": 1e6},
    "current": {"A": 1, "mA": 1e-3, "μA": 1e-6},
    "power": {"W": 1, "mW": 1e-3, "kW": 1e3, "MW": 1e6, "GW": 1e9},
    "apparent_power": {"VA": 1, "mVA": 1e-3, "kVA": 1e3},
    "reactive_power": {"var": 1, "kvar": 1e3, "mvar": 1e-3},
    "energy": {
        "Wh": 1,
        "mWh": 1e-3,
        "kWh": 1e3,
        "MWh": 1e6,
        "GWh": 1e9,
        "J": 1 / 3600,
        "kJ": 1 / 3.6,
        "MJ": 1e3 / 3.6,
        "GJ": 1e6 / 3.6,
        "cal": 1.163e-3,
        "kcal": 1.163,
        "Mcal": 1163,
        "Gcal": 1163e3,
    },
    "apparent_energy": {"VAh": 1, "kVAh": 1e3},
    "reactive_energy": {"varh": 1, "kvarh": 1e3},
    "pressure": {
        "hPa": 1,
        "Pa": 1e-2,
        "kPa": 10,
        "bar": 1e3,
        "mbar": 1,
        "cbar": 10,
        "mPa": 1e-5,
        "psi": 68.94757,
        "mmHg": 1.333224,
        "inHg": 33.86389,
        "atm": 1013.25,
        "inH₂O": 2.490889,
    },
    "length": {
        "m": 1,
        "mm": 1e-3,
        "cm": 1e-2,
        "km": 1e3,
        "in": 0.0254,
        "ft": 0.3048,
        "yd": 0.9144,
        "mi": 1609.344,
        "nmi": 1852,
        "μm": 1e-6,
        "nm": 1e-9,
        "dm": 0.1,
    },
    "speed": {
        "m/s": 1,
        "km/h": 1 / 3.6,
        "mph": 0.44704,
        "kn": 0.514444,
        "ft/s": 0.3048,
        "mm/s": 1e-3,
        "cm/s": 1e-2,
        "m/min": 1 / 60,
        "in/s": 0.0254,
    },
    "wind_force": {"Beaufort": 1},
    "duration": {"s": 1, "ms": 1e-3, "μs": 1e-6, "min": 60, "h": 3600, "d": 86400, "w": 604800},
    "volume": {
        "L": 1,
        "m³": 1e3,
        "mL": 1e-3,
        "hL": 100,
        "gal": 3.785412,
        "ft³": 28.31685,
        "dL": 0.1,
        "cL": 0.01,
        "fl. oz.": 0.02957353,
        "CCF": 2831.685,
        "MCF": 28316.85,
    },
    "flow": {
        "L/h": 1,
        "L/min": 60,
        "L/s": 3600,
        "m³/h": 1e3,
        "m³/min": 6e4,
        "m³/s": 3.6e6,
        "mL/s": 3.6,
        "gal/min": 227.1247,
        "gal/h": 3.785412,
        "ft³/min": 1699.011,
    },
    "mass": {"g": 1, "kg": 1e3, "mg": 1e-3, "μg": 1e-6, "lb": 453.5924, "oz": 28.34952},
    "ratio": {"%": 1, "‰": 0.1, "ppm": 1e-4, "ppb": 1e-7},
    "density": {"μg/m³": 1, "mg/m³": 1e3, "g/m³": 1e6, "ng/m³": 1e-3},
    "conductivity": {"μS/cm": 1, "mS/cm": 1e3, "S/cm": 1e6},
    "frequency": {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "mHz": 1e-3},
    "signal": {"dBm": 1},
    "level": {"dB": 1, "dBA": 1},
    "illuminance": {"lx": 1, "klx": 1e3},
    "irradiance": {"W/m²": 1, "mW/m²": 1e-3},
    "intensity": {"mm/h": 1, "mm/d": 1 / 24, "in/h": 25.4, "cm/h": 10},
    "radon": {"Bq/m³": 1, "pCi/L": 37},
    "rotation": {"°/s": 1},
    "acceleration": {"m/s²": 1},
    "light_flux": {"μmol/(m²⋅s)": 1},
    "resistance": {"Ω": 1, "kΩ": 1e3, "MΩ": 1e6},
    "charge": {"Ah": 1, "mAh": 1e-3},
    "concentration": {"mg/L": 1, "μg/L": 1e-3, "g/L": 1e3},
    "mass_fraction": {"mg/kg": 1},
    "turbidity": {"NTU": 1, "FNU": 1},
    "memory": {"B": 1, "kB": 1e3, "MB": 1e6},
    "angle": {"°": 1},
    "temperature": {"°C": 1, "°F": 1, "K": 1},
}
DIMENSION_OF = {unit: name for name, units in DIMENSIONS.items() for unit in units}

# Spellings after folding (see _fold); what is spelled as in DIMENSIONS need not be here.
_SPELLINGS: dict[str, Unit] = {
    spelling: unit
    for spellings, unit in (
        (
            "℃ °c degc deg.c celsius cel ºc °celsius degreescelsius degreecelsius degreesc c",
            Unit("°C"),
        ),
        ("℉ °f degf deg.f fahrenheit degreesf ºf f", Unit("°F")),
        ("kelvin k", Unit("K")),
        (
            "%rh rh %r.h. rh% %vwc %vol percent percentage pct perc prct prozent pourcent %lel",
            Unit("%"),
        ),
        ("lux", Unit("lx")),
        ("klux", Unit("klx")),
        ("volt volts vdc vac vrms", Unit("V")),
        ("millivolt millivolts mvolt", Unit("mV")),
        ("amp amps ampere amperes adc arms", Unit("A")),
        ("milliamp milliamps milliampere", Unit("mA")),
        ("watt watts", Unit("W")),
        ("w*h w.h whr watthour watthours", Unit("Wh")),
        ("kw*h kw.h kwhr", Unit("kWh")),
        ("w⋅h", Unit("Wh")),
        ("vars volt-ampere-reactive", Unit("var")),
        ("pascal pascals", Unit("Pa")),
        ("hectopascal", Unit("hPa")),
        ("mpa", Unit("bar", 10)),
        ("millibar", Unit("mbar")),
        ("bars", Unit("bar")),
        ("cb centibar", Unit("cbar")),
        ("mh2o mh₂o mca mwc", Unit("kPa", 9.80665)),
        ("cmh2o cmh₂o", Unit("Pa", 98.0665)),
        ("inh2o", Unit("inH₂O")),
        ("sec second seconds secs sekunden", Unit("s")),
        ("msec millisecond milliseconds", Unit("ms")),
        ("us usec μsec", Unit("μs")),
        ("minute minutes mins minuten", Unit("min")),
        ("hour hours hr hrs stunden", Unit("h")),
        ("day days tage jours", Unit("d")),
        ("week weeks", Unit("d", 7)),
        ("meter meters metre metres mslm msl masl mtr", Unit("m")),
        ("millimeter millimeters millimetre", Unit("mm")),
        ("centimeter centimeters centimetre centimetres", Unit("cm")),
        ("kilometer kilometers", Unit("km")),
        ("inch inches", Unit("in")),
        ("feet foot", Unit("ft")),
        ("um micron microns", Unit("μm")),
        ("ms-1 m.s-1 m⋅s-1 mps meter/second", Unit("m/s")),
        ("kmh kmph kph", Unit("km/h")),
        ("knots knot kt kts", Unit("kn")),
        ("bft", Unit("Beaufort")),
        ("cm/s", Unit("m/s", 0.01)),
        ("w/m2 wm2 wm-2 w⋅m-2 w/m^2", Unit("W/m²")),
        ("g/m3 gm3", Unit("g/m³")),
        ("ug/m3 μg/m3 μgm-3 μg⋅m-3 ugm3 μg/m^3 ug/m^3 ug⋅m-3", Unit("μg/m³")),
        ("mg/m3 mgm3 mg⋅m-3", Unit("mg/m³")),
        ("us/cm μs/cm μs⋅cm-1 us⋅cm-1 uscm", Unit("μS/cm")),
        ("ms/cm ds/m ds⋅m-1 ms⋅cm-1", Unit("mS/cm")),
        ("ms/m", Unit("μS/cm", 10)),
        ("deg degree degrees grad º", Unit("°")),
        ("deg/s °/s dps degrees/s", Unit("°/s")),
        ("l liter liters litre litres lit", Unit("L")),
        ("ml milliliter", Unit("mL")),
        ("m3 m^3 cbm cubicmeters", Unit("m³")),
        ("gallon gallons", Unit("gal")),
        ("ft3 cf", Unit("ft³")),
        ("m3/h m3/hour m^3/h m3h m³⋅h-1 m3⋅h-1", Unit("m³/h")),
        ("l/h l⋅h-1 lph l/hour", Unit("L/h")),
        ("l/min lpm", Unit("L/min")),
        ("l/s", Unit("L/s")),
        ("gpm", Unit("gal/min")),
        ("mm/h mm/hr mm⋅h-1", Unit("mm/h")),
        ("cm⋅h-1 cm/h", Unit("mm/h", 10)),
        ("dba db(a)", Unit("dBA")),
        ("gram grams", Unit("g")),
        ("kilogram kilograms kilo", Unit("kg")),
        ("mg/l mg⋅l-1 mgl", Unit("mg/L")),
        ("g/l g⋅l-1", Unit("g/L")),
        ("ug/l μg/l", Unit("μg/L")),
        ("ohm ohms", Unit("Ω")),
        ("hertz", Unit("Hz")),
        ("kohm", Unit("kΩ")),
        ("m/s2 ms-2 m⋅s-2 m/s^2", Unit("m/s²")),
        (
            "μmol⋅m-2⋅s-1 umol/m2s umol/m2/s μmol/m2/s μmol/(m2s) umol/m2/s ppfd",
            Unit("μmol/(m²⋅s)"),
        ),
        ("bq/m3 bqm3", Unit("Bq/m³")),
        ("bytes byte", Unit("B")),
        ("dv decivolt", Unit("V", 0.1)),
        ("cv centivolt", Unit("V", 0.01)),
        (
            "ph null none bool boolean string ndef count counts - n/a na unitless pulses 1 index",
            NO_UNIT,
        ),
    )
    for spelling in spellings.split()
}
_EXACT = {unit: Unit(unit) for unit in DIMENSION_OF} | {"MPa": Unit("bar", 10), "": NO_UNIT}
# Folding the case must not make mega of milli: what differs only by case stays exact.
_FOLDED = {
    **{unit.casefold(): Unit(unit) for unit in reversed(tuple(DIMENSION_OF))},
    **{unit.casefold(): Unit(unit) for unit in ("mV", "mW", "mWh", "mPa", "mA", "mHz", "var")},
    "kva": Unit("kVA"),
    **_SPELLINGS,
}
_SUPERSCRIPTS = str.maketrans(
    {"⁻": "-", "¹": "1", "²": "2", "³": "3", "·": "⋅", "µ": "μ", "∙": "⋅", "º": "°", "Ω": "Ω"}
)
_LONGEST = 24


def _fold(text: str) -> str:
    return "".join(text.translate(_SUPERSCRIPTS).split()).casefold()


_BY_FOLDED = {_fold(spelling): unit for spelling, unit in _FOLDED.items()}


@lru_cache(maxsize=2048)
def normalise(text: str) -> Unit | None:
    """Return the unit that a text spells; `NO_UNIT` for "none" and the like, None if unknown."""
    if len(text) > _LONGEST:
        return None
    text = text.strip().replace("µ", "μ")
    if text in _EXACT:
        return _EXACT[text]
    return _BY_FOLDED.get(_fold(text))


@lru_cache(maxsize=512)
def factor(given: str, wanted: str) -> float | None:
    """Return what to multiply a number in one unit with, for another of the same dimension."""
    if given == wanted:
        return 1.0
    dimension = DIMENSION_OF.get(given)
    if dimension is None or dimension == "temperature" or DIMENSION_OF.get(wanted) != dimension:
        return None
    units = DIMENSIONS[dimension]
    return units[given] / units[wanted]


# Units that names end with, written as in units of measurement: cut before a name is
# split at its capitals, or "IDC_mA" would read as ampere.
_MIXED_CASE = """
    mV kV mA uA kPa hPa MPa mPa dBm dBA mWh kWh MWh Wh VARh varh kvarh kVArh VAh kW mW kVA kmh
    Kmph KmH Km mAh Ah mG mg kHz MHz Hz
"""
_ANY_CASE = """
    ppm ppb pct perc prct prozent pourcent percent percentage celsius cel fahrenheit degc degf lux lx mm cm km kpa hpa
    mpa pa bar mbar dbm db kwh mwh wh mv ma lph volts volt watts amps hz khz lpm ugm3 mgm3 kmh kmph kg
    gram grams sec secs seconds minutes hours days stunden minuten sekunden tage litres liters litre liter meters metres m3 l
    mins kw cbar cb kva kvar kvarh varh vah mah ah psi bpm ntu dba um mbars
    beaufort bft
"""
_SUFFIX = re.compile(
    rf"(?:(?<=[_\s.-])|(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=m[VA]$|kPa$|hPa$|kWh$|dBm$))"
    rf"(?:{'|'.join(_MIXED_CASE.split())})$"
    rf"|(?<=[_\s.-])(?i:{'|'.join(_ANY_CASE.split())}|%|°[cf]?|μg/m³)$"
    rf"|(?<=[a-z0-9])(?:Celsius|Fahrenheit|Percent|Percentage|Pct|Perc|Ppm|Ppb|Lux|Volts|Watts|"
    rf"Seconds|Minutes|Hours|Days|Weeks|Knots|Cm|Mm|M3|Kmh|Kwh|Mv|Ma|Hpa|Kpa|Dbm|Mbar|Bar|Psi|"
    rf"Meters|Liters|Litres|PPM|PPB)$"
    rf"|(?<=[a-zA-Z0-9])[%℃℉]$"
    rf"|(?<=[_\s.-])(?i:l_min|l_h|l_s|m3_h|m_s|km_h|mm_h|u?g_m3|mg_m3|us_cm|ms_cm|ds_m|w_m2|wm2|"
    rf"[mu]?g_l|mgl|gm3|m3h|umol_m2_s|umol_m2s|l_per_min|l_per_hour|m3_per_hour)$"
    rf"|(?<=[_\s.-])(?i:"
    rf"(?:meters?|metres?|km|mm|cm|kilomet(?:er|re)s?|liters?|litres?|m3|gallons?|feet|inch(?:es)?)"
    rf"[_\s](?:per[_\s])?(?:s|sec|seconds?|min|minutes?|h|hr|hours?|days?))$"
)
_BRACKET = re.compile(r"[\s_]*[\(\[]([^)\]]*)[\)\]]")
# What stands behind a known word without anything between them, whatever the capitals.
GLUED = tuple(
    sorted(
        [
            "ppm",
            "ppb",
            "celsius",
            "fahrenheit",
            "degc",
            "degf",
            "lux",
            "mm",
            "cm",
            "km",
            "kpa",
            "hpa",
            "mpa",
            "mbar",
            "psi",
            "dbm",
            "dba",
            "kwh",
            "mwh",
            "wh",
            "mv",
            "kv",
            "ma",
            "volts",
            "volt",
            "watts",
            "watt",
            "amps",
            "lph",
            "lpm",
            "gpm",
            "kmh",
            "kmph",
            "mph",
            "kg",
            "grams",
            "khz",
            "mhz",
            "hz",
            "seconds",
            "minutes",
            "hours",
            "days",
            "liters",
            "litres",
            "meters",
            "metres",
            "m3h",
            "m3",
            "kva",
            "kvar",
            "kvarh",
            "varh",
            "vah",
            "mah",
            "ah",
            "bpm",
            "ntu",
            "percent",
            "pct",
            "perc",
            "ugm3",
            "cbar",
            "bar",
            "pa",
            "db",
            "lx",
            "kw",
        ],
        key=lambda spelling: (-len(spelling), spelling),
    )
)


def cut(name: str) -> tuple[str, Unit | None]:
    """Return a name without the unit in it, and that unit ("Battery(%)", "IDC_intput_mA")."""
    found: Unit | None = None
    if name in _EXACT:
        return name, None
    for bracket in reversed(list(_BRACKET.finditer(name))):
        if bracket[1].strip().isdecimal():
            continue  # It numbers: "temp[1]".
        if (found := normalise(bracket[1])) is not None:
            name = name[: bracket.start()] + name[bracket.end() :]
            break
    if suffix := _SUFFIX.search(name):
        unit = _spelled_in_a_name(suffix[0])
        if unit is not None and suffix.start() > 0:
            return name[: suffix.start()].rstrip("_ .-"), found or unit
    return name, found


def _spelled_in_a_name(text: str) -> Unit | None:
    """Return the unit that the end of a name spells: "l_min", "meter_sec", "mm per hour"."""
    if text.casefold() == "mwh":
        return Unit("MWh" if text != "mWh" else "mWh")
    parts = [part for part in re.split(r"[_\s]", text) if part.casefold() != "per"]
    if len(parts) == 2:
        above, below = (normalise(part) for part in parts)
        if above is not None and below is not None and above.symbol and below.symbol:
            unit = normalise(f"{above.symbol}/{below.symbol}")
            if unit is not None:
                return unit
    return normalise("/".join(parts))
