"""The library of known models: its files, how they are read, and that they win over inference."""

from pathlib import Path
import re
from typing import Any

import pytest

from tests.payload.device_list import COMMAND, DOCUMENT, document
from tests.payload.devices import FOLDER, brand_files, context_of, data_of
from tests.payload.sequences import Sequence
from thethingsstack.payload import (
    Brand,
    Category,
    Context,
    Kind,
    KnownField,
    LibraryError,
    Role,
    Source,
    understand,
)

ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@pytest.mark.parametrize("path", brand_files(), ids=lambda path: path.stem)
def test_each_file_keeps_the_schema(path: Path) -> None:
    """Ids as in the Device Repository, known quantities with their units, a source; no path or preset twice."""
    data = data_of(path.stem)
    assert ID.fullmatch(path.stem)
    assert set(data) <= {"name", "models", "presets"}
    assert data["name"]
    assert data.get("models") or data.get("presets")
    presets = [preset["id"] for preset in data.get("presets") or ()]
    assert len(presets) == len(set(presets))
    brand = Brand.from_data(data)
    seen: set[tuple[str, str]] = set()
    for block in brand.blocks:
        assert len(block.source) >= 10, block
        assert block.fields or block.decoder is not None
        for model in block.models:
            assert model == "*" or ID.fullmatch(model), model
            paths = {(model, str(field)) for field in block.fields}
            assert not paths & seen, sorted(paths & seen)
            seen |= paths
    for model in brand.models or {None}:
        assert brand.fields_of(model).problems == ()


FRAMES = [
    ("browan", "tbdw100", 100, "00CB3500008A3A00", {"status": 0, "battery": 3.6, "temperatureBoard": 21, "time": 0, "count": 14986}),
    ("browan", "tbms100", 102, "01BB340400DC7801", {"status": 1, "battery": 3.6, "temperatureBoard": 20, "time": 4, "count": 96476}),
    ("browan", "tbhh100", 103, "08AB3522FFFFFFFF", {"status": 1, "battery": 3.6, "temperature": 21, "humidity": 34}),
    ("browan", "tbwl100", 106, "110B362836", {"status": 1, "battery": 3.6, "temperatureBoard": 22, "humidity": 40, "temperature": 22}),
    ("browan", "tbsl100", 105, "000B3628", {"status": 0, "battery": 3.6, "temperatureBoard": 22, "decibel": 40}),
    ("browan", "tbpb100", 147, "01FE370000040000", {"status": 1, "battery": 3.9, "temperatureBoard": 23}),
    ("dragino", "lds02", 10, "8B880100250000003C01", {"BAT_V": 2.952, "DOOR_OPEN_STATUS": 1, "MOD": 1, "DOOR_OPEN_TIMES": 9472, "LAST_DOOR_OPEN_DURATION": 60, "ALARM": 1}),
    ("dragino", "lwl02", 10, "4B880200000300000500", {"BAT_V": 2.952, "WATER_LEAK_STATUS": 1, "MOD": 2, "WATER_LEAK_TIMES": 3, "LAST_WATER_LEAK_DURATION": 5}),
    ("the-things-products", "the-things-node", 2, "0C1C0064FF9C", {"battery": 3100, "light": 100, "temperature": -1.0}),
]  # fmt: skip
"""Frames as the makers' documents and their examples in the Device Repository have them."""


@pytest.mark.parametrize(
    ("brand", "model", "port", "frame", "fields"), FRAMES, ids=[model for _, model, *_ in FRAMES]
)
def test_a_models_table_decodes_its_frames(
    brand: str, model: str, port: int, frame: str, fields: dict[str, Any]
) -> None:
    """Named as by the maker's own formatter, so that what the library says of its fields counts."""
    known = Brand.from_data(data_of(brand)).fields_of(model)
    assert known.decoder is not None
    decoded = known.decoder.decode(bytes.fromhex(frame), port)
    units = decoded.pop("_sensor_attr")
    assert decoded == fields
    new = understand({**decoded, "_sensor_attr": units}, decisions={}, context=Context(known=known))
    for path, meaning in new.new.items():
        assert (meaning.source is Source.LIBRARY) is (known.find(path) is not None), path


def test_every_table_of_a_model_has_a_frame() -> None:
    """A wrong table is worse than none."""
    tried = {(brand, model) for brand, model, *_ in FRAMES}
    tables = {
        (path.stem, frozenset(block.models))
        for path in brand_files()
        for block in Brand.from_data(data_of(path.stem)).blocks
        if block.decoder is not None
    }
    assert tables
    for brand, models in tables:
        assert any((brand, model) in tried for model in models), (brand, models)


def test_a_table_that_cant_be_read_is_named() -> None:
    """It costs only itself."""
    block = {"ids": "a-1", "source": "a manual", "fields": {"x": "humidity"}, "decoder": [{}]}
    fields = Brand.from_data({"models": [block]}).fields_of("a-1")
    assert fields.decoder is None
    assert set(fields.exact) == {"x"}
    assert fields.problems == ("decoder: 1: a name has 1 to 60 letters, and does not begin with _",)


def test_no_other_files() -> None:
    """A file of another kind would never be read."""
    assert {path.suffix for path in FOLDER.iterdir()} == {".yaml"}


def test_the_list_for_users_is_current() -> None:
    """docs/devices.md says what is in the files."""
    assert DOCUMENT.read_text("utf-8") == document(), f"write it anew: {COMMAND}"


def test_an_entry_says_what_a_field_is() -> None:
    """A quantity with a unit, or one of the plain kinds; more in an object."""
    plain = KnownField.from_data("temperature °C")
    assert (plain.quantity, plain.kind, plain.role) == (
        "temperature",
        Kind.SENSOR,
        Role.MEASUREMENT,
    )
    assert plain.unit is not None
    assert plain.unit.symbol == "°C"
    assert KnownField.from_data("leak").kind is Kind.BINARY_SENSOR
    assert KnownField.from_data("ignore").kind is Kind.IGNORE
    state = KnownField.from_data({"is": "state", "states": {0: "closed", "1": "open"}}, "a manual")
    assert state.states == (("0", "closed"), ("1", "open"))
    assert state.source == "a manual"
    total = KnownField.from_data({"is": "charge Ah", "role": "total_increasing", "name": "Drawn"})
    assert (total.role, total.name) == (Role.TOTAL, "Drawn")


@pytest.mark.parametrize(
    "entry",
    [
        "",
        None,
        7,
        "warmth °C",
        "temperature V",
        "temperature degrees-of-somewhere",
        {"is": "temperature", "role": "often"},
        {"is": "leak", "states": {True: "wet"}},
        {"is": "state", "states": {0: True}},
        {"is": "state", "states": ["closed"]},
        {"is": "temperature", "states": {0: "cold"}},
        {"is": "door", "invert": "yes"},
        {"is": "door", "name": 3},
        {"is": "door", "category": "none"},
        {"is": "door", "colour": "red"},
    ],
    ids=repr,
)
def test_an_odd_entry_is_refused(entry: Any) -> None:
    """With a reason; in a file it costs only itself."""
    with pytest.raises(LibraryError):
        KnownField.from_data(entry)
    block = {"ids": "a-1", "source": "a manual", "fields": {"x": entry, "y": "humidity"}}
    fields = Brand.from_data({"models": [block]}).fields_of("a-1")
    assert set(fields.exact) == {"y"}
    assert len(fields.problems) == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"models": {"ids": "a"}},
        {"models": ["a"]},
        {"models": [{"ids": "a", "fields": {"x": "door"}}]},
        {"models": [{"ids": 3, "fields": {}, "source": "a manual"}]},
        {"models": [{"ids": "a", "fields": ["x"], "source": "a manual"}]},
    ],
    ids=repr,
)
def test_an_odd_file_is_refused(data: Any) -> None:
    """It is no brand."""
    with pytest.raises(LibraryError):
        Brand.from_data(data)


def test_a_model_comes_before_its_brand_and_a_step_may_be_any() -> None:
    """`*` stands for every model, or for one step of a path."""
    brand = Brand.from_data(
        {
            "models": [
                {"ids": "*", "source": "brand", "fields": {"a": "door", "b": "window"}},
                {"ids": "m-1 m-2", "source": "model", "fields": {"a": "motion"}},
                {"ids": ["m-1"], "source": "list", "fields": {"ports.*.temp": "temperature °F"}},
            ]
        }
    )
    first, other = brand.fields_of("m-1"), brand.fields_of(None)
    assert (first.exact["a"].quantity, first.exact["b"].quantity) == ("motion", "window")
    assert other.exact["a"].quantity == "door"
    for path, found in (
        ("ports.0.temp", True),
        (r"ports.top\.left.temp", True),
        ("ports.temp", False),
        ("ports.0.1.temp", False),
        ("ports.0.tempo", False),
    ):
        assert (first.find(path) is not None) is found, path
    assert brand.models == {"m-1", "m-2"}


@pytest.mark.parametrize(
    ("brand", "model", "path", "value", "meant"),
    [
        ("milesight-iot", "ws523", "power_consumption", 2034, ("energy", "Wh")),
        ("milesight-iot", "am319", "light_level", 2, (None, None)),
        ("milesight-iot", "ct101", "total_current", 120, ("charge", "Ah")),
        ("elsys", "ers", "analog1", 3312, ("voltage", "mV")),
        ("elsys", None, "vdd", 3612, ("battery_voltage", "mV")),
    ],
)
def test_what_is_known_of_a_model_wins(
    brand: str, model: str | None, path: str, value: float, meant: tuple[str | None, str | None]
) -> None:
    """It comes before names and values, and names its source."""
    found = understand({path: value}, decisions={}, context=context_of(brand, model)).new[path]
    assert (found.quantity, found.unit, found.source) == (*meant, Source.LIBRARY)
    unit = f"unit: {found.unit}; " if found.unit else ""
    assert f"“{path}”: {unit}known of the model from " in found.reason


def test_known_polarity_counts() -> None:
    """Sensative's door value is true while the door is closed."""
    context = context_of("sensative", "strips")
    found = understand({"door": {"value": True}}, decisions={}, context=context)
    assert found.values == {"door.value": False}
    assert understand({"door": {"value": True}}, decisions={}).values == {"door.value": True}


def _context(fields: dict[str, Any]) -> Context:
    block = {"ids": "a-1", "source": "A manual of some length", "fields": fields}
    return Context(
        brand_id="a", model_id="a-1", known=Brand.from_data({"models": [block]}).fields_of("a-1")
    )


def test_codes_become_words() -> None:
    """States of a sensor are an enumeration; those of a binary sensor mean on or off."""
    context = _context(
        {
            "pump": {"is": "state", "states": {0: "idle", 1: "filling"}, "name": "Pump phase"},
            "lid": {"is": "door", "states": {2: "on", 3: "off"}},
        }
    )
    found = understand({"pump": 1, "lid": 2}, decisions={}, context=context)
    assert found.values == {"pump": "filling", "lid": True}
    assert found.new["pump"].options == ("idle", "filling")
    assert found.new["pump"].name == "Pump phase"
    odd = understand({"pump": 9}, decisions=found.new, context=context)
    assert odd.values == {"pump": "9"}


def test_settings_and_overhead_stay_out_of_the_way() -> None:
    """Known as such, whatever their names and neighbours say."""
    context = _context(
        {
            "battery": "ignore",
            "period": {"is": "duration min", "category": "configuration"},
            "x": "number",
        }
    )
    found = understand({"battery": 98, "period": 20, "x": 5}, decisions={}, context=context).new
    assert found["battery"].kind is Kind.IGNORE
    assert (found["period"].category, found["period"].enabled) == (Category.CONFIGURATION, False)
    assert found["x"].enabled


def test_a_model_that_becomes_known_later_corrects_young_decisions() -> None:
    """What was guessed from the first uplink is replaced, whatever its value was."""
    sequence = Sequence(Context())
    sequence.send({"gauge": 4, "note": "3 m"})
    assert sequence.decisions["gauge"].source is Source.INFERRED
    sequence.context = _context({"gauge": "water_level cm", "note": "ignore"})
    sequence.send({"gauge": 5, "note": "4 m"})
    gauge = sequence.decisions["gauge"]
    assert (gauge.quantity, gauge.unit, gauge.source) == ("water_level", "cm", Source.LIBRARY)
    assert sequence.decisions["note"].kind is Kind.IGNORE


def test_names_keep_what_tells_fields_apart() -> None:
    """A quantity says all only where no other field of the model has it."""
    context = _context(
        {"Temp1": "temperature °C", "Temp2": "temperature °C", "Hum_SHT": "humidity"}
    )
    payload = {"Temp1": 21.5, "Temp2": 4.5, "Hum_SHT": 44}
    found = understand(payload, decisions={}, context=context).new
    assert [found[key].name for key in payload] == ["Temperature 1", "Temperature 2", None]
