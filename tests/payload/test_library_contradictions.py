"""Entries of the library that contradict themselves: in a word, a unit, a role or a state."""

from collections import defaultdict
from collections.abc import Iterator
import re
from typing import Any

import pytest
import yaml

from tests.payload.devices import FOLDER, brand_files, data_of
from thethingsstack.payload import QUANTITIES, Brand, Kind, KnownField, Role

AT_LEAST = {"brands": 90, "models": 500, "fields": 5000, "models with controls": 60}

BRANDS = [path.stem for path in brand_files()]
each_brand = pytest.mark.parametrize("brand_id", BRANDS)

_TEMPERATURES = frozenset(key for key, known in QUANTITIES.items() if known.unit == "°C")
WORDS: dict[str, frozenset[str]] = {
    r"temp(?:erature)?(?!er)": _TEMPERATURES,
    r"hum(?:idity)?": frozenset({"humidity", "moisture", "absolute_humidity", "soil_moisture"}),
    r"co2": frozenset({"carbon_dioxide"}),
    r"lux|illuminance": frozenset({"illuminance"}),
    r"tvoc": frozenset({"volatile_organic_compounds", "volatile_organic_compounds_parts"}),
    r"volt(?:age)?": frozenset({"voltage", "battery_voltage", "supply_voltage"}),
    r"rssi": frozenset({"rssi"}),
    r"snr": frozenset({"snr"}),
    r"pressure": frozenset(
        {"pressure", "atmospheric_pressure", "differential_pressure", "water_potential"}
    ),
}
"""The last word of a path, and the quantities that a number so called can be."""
UNITS = {
    "mv": "mV", "kwh": "kWh", "wh": "Wh", "mm": "mm", "cm": "cm", "km": "km", "ppm": "ppm",
    "ppb": "ppb", "ma": "mA", "hpa": "hPa", "kpa": "kPa", "dbm": "dBm", "hz": "Hz", "m3": "m³",
    "seconds": "s", "minutes": "min", "hours": "h", "days": "d", "celsius": "°C", "watts": "W",
}  # fmt: skip
"""What a path may end with, and the unit that this says."""
MISNAMED = {("tektelic", "external_connector_analog_mv")}
"""Paths that name another unit than the formatter reports: it divides by 1000."""
MAY_COUNT = frozenset({"distance", "duration", "charge"})
"""Quantities that are measured, and may also be counters: an odometer, operating hours."""
ONE_AT_A_TIME = frozenset({"people", "pulses", "precipitation", "energy", "reactive_energy"})
"""Counters that a model may also report for the time since its last uplink."""


def entries(brand_id: str) -> Iterator[tuple[str, KnownField]]:
    """Yield each entry of a brand's file as path and what it says."""
    for block in Brand.from_data(data_of(brand_id)).blocks:
        for path, data in block.fields.items():
            yield str(path), KnownField.from_data(data, block.source)


def measured(brand_id: str) -> Iterator[tuple[str, KnownField, list[str]]]:
    """Yield the entries of what is measured, with the words of the last step of their paths."""
    for path, known in entries(brand_id):
        if known.kind is Kind.SENSOR and known.quantity is not None and known.category is None:
            last = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", path.rsplit(".", maxsplit=1)[-1])
            yield path, known, re.findall(r"[a-z]+\d?", last.casefold())


def unit_of(known: KnownField) -> str | None:
    """Return the unit in which a field is reported."""
    if known.unit is not None:
        return known.unit.symbol
    return QUANTITIES[known.quantity].unit if known.quantity is not None else None


class _OnceOnly(yaml.SafeLoader):
    """Refuses a key that an object has twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{sorted(twice)} {node.start_mark}"
        return super().construct_mapping(node, deep)


@each_brand
def test_no_key_stands_twice(brand_id: str) -> None:
    with (FOLDER / f"{brand_id}.yaml").open("rb") as file:
        yaml.load(file, Loader=_OnceOnly)


@each_brand
def test_a_name_that_says_the_quantity_is_right(brand_id: str) -> None:
    """A number that is called temperature is one."""
    for path, known, words in measured(brand_id):
        for pattern, quantities in WORDS.items():
            if words and re.fullmatch(pattern, words[-1]):
                assert known.quantity in quantities, path


@each_brand
def test_a_name_that_says_the_unit_is_right(brand_id: str) -> None:
    for path, known, _ in measured(brand_id):
        parts = re.split(r"[^A-Za-z0-9]+", path.rsplit(".", maxsplit=1)[-1])
        unit = UNITS.get(parts[-1].casefold()) if len(parts) > 1 else None
        if unit is not None and (brand_id, path) not in MISNAMED:
            assert unit_of(known) == unit, path


@each_brand
def test_only_what_adds_up_is_a_counter(brand_id: str) -> None:
    """Nothing in per cent or degrees ever grows for ever; a counter says where it is none."""
    for path, known in entries(brand_id):
        if known.kind is not Kind.SENSOR or known.quantity is None:
            continue
        usual = QUANTITIES[known.quantity].role
        if known.role is Role.TOTAL:
            assert usual is Role.TOTAL or known.quantity in MAY_COUNT, path
            assert unit_of(known) not in ("%", "°C", "°F", "°", "dBm", "ppm"), path
        elif usual is Role.TOTAL:
            assert known.quantity in ONE_AT_A_TIME, path


@each_brand
def test_states_do_not_overlap(brand_id: str) -> None:
    """One code has one meaning, whatever its capitals, and one meaning is spelled in one way."""
    for path, known in entries(brand_id):
        words: dict[str, set[str]] = defaultdict(set)
        spellings: dict[str, set[str]] = defaultdict(set)
        for code, word in known.states:
            assert word == word.strip() != "", path
            words[code.casefold()].add(word)
            spellings[word.casefold()].add(word)
        assert all(len(found) == 1 for found in (*words.values(), *spellings.values())), path
        if known.kind is Kind.BINARY_SENSOR and known.states:
            assert set(spellings) <= {"on", "off", "unknown"}, path
            assert not known.invert, f"{path}: its states say what is on"
        assert not known.invert or known.kind is Kind.BINARY_SENSOR, path


def test_the_library_is_as_large_as_it_says() -> None:
    """Fields that are said of the models themselves count, not those of every model of a brand."""
    found = dict.fromkeys(AT_LEAST, 0)
    for brand_id in BRANDS:
        data = data_of(brand_id)
        brand = Brand.from_data(data)
        found["brands"] += 1
        found["models"] += len(brand.models)
        found["fields"] += sum(
            len({path for block in brand.blocks if model in block.models for path in block.fields})
            for model in brand.models
        )
        found["models with controls"] += len(
            {model for preset in data.get("presets") or () for model in preset["models"]}
        )
    assert all(found[what] >= least for what, least in AT_LEAST.items()), found
