"""Units: spellings, conversions, and those inside names."""

import pytest

from thethingsstack.payload.units import NO_UNIT, Unit, cut, factor, normalise


@pytest.mark.parametrize(
    ("text", "symbol", "scale"),
    [
        ("℃", "°C", 1),
        ("Deg C", "°C", 1),
        ("C", "°C", 1),
        ("%RH", "%", 1),
        ("% r.h.", "%", 1),
        ("lux", "lx", 1),
        ("Bar", "bar", 1),
        ("Pascal", "Pa", 1),
        ("seconds", "s", 1),
        ("us", "μs", 1),
        ("W*h", "Wh", 1),
        ("kVArh", "kvarh", 1),
        ("VAR", "var", 1),
        ("m⋅s⁻¹", "m/s", 1),
        ("W⋅m⁻²", "W/m²", 1),
        ("\u00b5g/m3", "\u03bcg/m³", 1),
        ("\u00b5g⋅m⁻³", "\u03bcg/m³", 1),
        ("\u00b5S⋅cm⁻¹", "\u03bcS/cm", 1),
        ("dS/m", "mS/cm", 1),
        ("mslm", "m", 1),
        ("MPa", "bar", 10),
        ("mPa", "mPa", 1),
        ("mV", "mV", 1),
        ("MV", "MV", 1),
        ("kwh", "kWh", 1),
        ("cm⋅h⁻¹", "mm/h", 10),
        ("dB(A)", "dBA", 1),
        ("weeks", "d", 7),
    ],
)
def test_spellings_become_home_assistants(text: str, symbol: str, scale: float) -> None:
    """Each spelling that devices use is one unit, with what it takes to get there."""
    assert normalise(text) == Unit(symbol, scale)


@pytest.mark.parametrize("text", ["null", "pH", "bool", "NDEF", "", "count"])
def test_spellings_of_no_unit(text: str) -> None:
    """A word for "no unit" isn't an unknown unit."""
    assert normalise(text) == NO_UNIT


@pytest.mark.parametrize("text", ["bananas", "x" * 100, "low battery"])
def test_unknown_units_are_none(text: str) -> None:
    """What is no unit isn't guessed."""
    assert normalise(text) is None


@pytest.mark.parametrize(
    ("name", "rest", "symbol"),
    [
        ("IDC_intput_mA", "IDC_intput", "mA"),
        ("Battery(%)", "Battery", "%"),
        ("ActiveEnergyWh", "ActiveEnergy", "Wh"),
        ("Water_pressure_MPa", "Water_pressure", "bar"),
        ("distance1_cm", "distance1", "cm"),
        ("co2_ppm", "co2", "ppm"),
        ("BatterymV", "Battery", "mV"),
        ("temperature [°C]", "temperature", "°C"),
        ("temperatureCelsius", "temperature", "°C"),
        ("alarm", "alarm", None),
        ("bar", "bar", None),
        ("Pd (P1-PBaro)", "Pd (P1-PBaro)", None),
    ],
)
def test_units_are_cut_off_names(name: str, rest: str, symbol: str | None) -> None:
    """A unit at the end of a name is cut off before the name is split."""
    cut_name, unit = cut(name)
    assert cut_name == rest
    assert (unit.symbol if unit else None) == symbol


def test_factors_between_units() -> None:
    """Only units of one dimension convert, and temperatures don't by a factor."""
    assert factor("mV", "V") == pytest.approx(0.001)
    assert factor("V", "V") == 1.0
    assert factor("V", "A") is None
    assert factor("°C", "°F") is None
    assert factor("parsec", "m") is None
