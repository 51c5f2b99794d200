"""Decoding without the server: CayenneLPP, and tables of fields."""

from collections.abc import Mapping
import json
from math import isfinite
from typing import Any

from hypothesis import given, strategies as st
import pytest

from tests.properties import json_values, thorough
from thethingsstack.payload import Kind, Source, understand
from thethingsstack.payload.decoders import (
    DecodeError,
    Decoder,
    DecoderKind,
    Order,
    Row,
    RowType,
    Table,
    TableError,
)

CAYENNE = Decoder(kind=DecoderKind.CAYENNE_LPP)


def cayenne(text: str) -> dict[str, Any]:
    """Return the fields of CayenneLPP in hexadecimal, without what is said of them."""
    decoded: dict[str, Any] = CAYENNE.decode(bytes.fromhex(text), 1, None)
    decoded.pop("_sensor_attr", None)
    return decoded


def read(text: str, f_port: int = 2, **row: Any) -> Any:
    """Return what one row reads of bytes; None where there is no value."""
    table = Table.from_data([{"name": "x", "byte": 0, **row}])
    return table.decode(bytes.fromhex(text), f_port).get("x")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("0367011005670 0FF".replace(" ", ""), {"temperature_3": 27.2, "temperature_5": 25.5}),
        ("0167FFD7", {"temperature_1": -4.1}),
        ("067104D2FB2E0000", {"accelerometer_6": {"x": 1.234, "y": -1.234, "z": 0.0}}),
        (
            "018806765FF2960A0003E8",
            {"gps_1": {"latitude": 42.3519, "longitude": -87.9094, "altitude": 10.0}},
        ),
        (
            "0A8902DA0F3400A1B2C3000064",
            {"gps_10": {"latitude": 47.845172, "longitude": 10.597059, "altitude": 1.0}},
        ),
        ("0000FF0101FF", {"digital_in_0": 255, "digital_out_1": 255}),
        ("0202FF9C0303000A", {"analog_in_2": -1.0, "analog_out_3": 0.1}),
        (
            "0465014D0566010668 5A".replace(" ", ""),
            {
                "luminosity_4": 333,
                "presence_5": 1,
                "relative_humidity_6": 45.0,
            },
        ),
        (
            "077327740886000A0000FFF6",
            {
                "barometric_pressure_7": 1010.0,
                "gyrometer_8": {"x": 0.1, "y": 0.0, "z": -0.1},
            },
        ),
        (
            "09740149 0A7503E8 0B7600000032".replace(" ", ""),
            {
                "voltage_9": 3.29,
                "current_10": 1.0,
                "frequency_11": 50,
            },
        ),
        (
            "0C7850 0D79FFF6 0E7D01A4 0F80000A".replace(" ", ""),
            {
                "percentage_12": 80,
                "altitude_13": -10,
                "concentration_14": 420,
                "power_15": 10,
            },
        ),
        (
            "1082000003E8 118300000FA0 1284005A".replace(" ", ""),
            {
                "distance_16": 1.0,
                "energy_17": 4.0,
                "direction_18": 90,
            },
        ),
        (
            "138566D00000 1487FF8800 158A0064 168E01 176400000005".replace(" ", ""),
            {
                "time_19": 1724907520,
                "colour_20": {"r": 255, "g": 136, "b": 0},
                "voc_index_21": 100,
                "switch_22": 1,
                "generic_23": 5,
            },
        ),
        ("0167000A 0167000B".replace(" ", ""), {"temperature_1": 1.1}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cayenne_lpp(text: str, fields: Mapping[str, Any]) -> None:
    """Named like The Things Stack's own decoder names them, with the channel."""
    assert cayenne(text) == fields


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("", "no_bytes", "there are no bytes"),
        ("01670011FF", "unknown_type", "byte 5: - is no type"),
        ("0167001102F7", "unknown_type", "byte 5: f7 is no type"),
        ("016700", "cut_off", "byte 2: temperature needs 2 bytes, and 1 are left"),
    ],
)
def test_what_is_no_cayenne_lpp_is_said_with_its_place(text: str, key: str, words: str) -> None:
    """And nothing of it is decoded."""
    with pytest.raises(DecodeError, match=words) as caught:
        cayenne(text)
    assert caught.value.key == key


def test_cayenne_lpp_has_units() -> None:
    """Those of the types count as evidence: quantity, unit and channel are there."""
    decoded = CAYENNE.decode(bytes.fromhex("01670110 02741234 0368 5A".replace(" ", "")), 1, None)
    new = understand(decoded, decisions={}).new
    found = {path: (m.quantity, m.unit, m.name) for path, m in new.items()}
    assert found == {
        "temperature_1": ("temperature", "°C", "Temperature 1"),
        "voltage_2": ("voltage", "V", "Voltage 2"),
        "relative_humidity_3": ("humidity", "%", "Humidity 3"),
    }


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("FF", {}, 255),
        ("01FF", {"bytes": 2}, 511),
        ("01FF", {"bytes": 2, "order": "little"}, 0xFF01),
        ("00FF", {"byte": -1, "type": "signed"}, -1),
        ("00FF10", {"byte": -2, "bytes": 2, "type": "signed"}, -240),
        ("CBA4", {"bytes": 2, "bits": "0-13", "factor": 0.001}, 2.98),
        ("CBA4", {"bytes": 2, "bits": "14-15"}, 3),
        ("CBA4", {"bits": 7, "type": "bool"}, True),
        ("CBA4", {"bits": "2", "type": "bool"}, False),
        ("0F", {"bits": "0-3", "type": "signed"}, -1),
        ("800000", {"bytes": 3, "type": "signed"}, -(2**23)),
        ("41AC0000", {"bytes": 4, "type": "float"}, 21.5),
        ("0000AC41", {"bytes": 4, "type": "float", "order": "little"}, 21.5),
        ("4D60", {"bytes": 2, "type": "float"}, 21.5),
        ("7E00", {"bytes": 2, "type": "float"}, None),
        ("7F800000", {"bytes": 4, "type": "float"}, None),
        ("001234", {"byte": 1, "bytes": 2, "type": "bcd", "factor": 0.1}, 123.4),
        ("4F4B0031", {"bytes": 4, "type": "text"}, "OK"),
        ("00", {"type": "text"}, None),
        ("C3BC07", {"bytes": 3, "type": "text"}, "ü"),
        ("0aFF", {"bytes": 2, "type": "hex"}, "0AFF"),
        ("0aFF", {"bytes": 2, "type": "hex", "order": "little"}, "FF0A"),
        ("02", {"type": "words", "words": "0=closed, 1: open; 0x02=stuck"}, "stuck"),
        ("07", {"type": "words", "words": {0: "closed", "1": "open"}}, "7"),
        ("7FFF", {"bytes": 2, "type": "signed", "absent": "0x7FFF"}, None),
        ("FFFF", {"bytes": 2, "type": "signed", "absent": -1}, None),
        ("9999", {"bytes": 2, "type": "bcd", "absent": 9999}, None),
        ("FFFF", {"bytes": 2, "type": "bcd", "absent": "0xFFFF"}, None),
        ("C61C3C00", {"bytes": 4, "type": "float", "absent": -9999}, None),
        ("78", {"factor": "0,5", "offset": -40}, 20.0),
        ("78", {"bytes": 2, "optional": True}, None),
        ("78", {"bytes": 1.0, "f_port": 2.0, "unit": "%", "order": "", "bits": None}, 120),
    ],
    ids=repr,
)
def test_a_row_reads_a_field(text: str, row: Mapping[str, Any], value: Any) -> None:
    """Numbers, truths, decimals, texts and words, from the start or the end; and no value."""
    found = read(text, **row)
    assert found == value
    assert type(found) is type(value)


def test_a_row_is_stored_as_it_was_read() -> None:
    """All of its parts, and those that were left out with their defaults."""
    rows = [
        {"name": "a", "byte": 0},
        {
            "name": "b",
            "byte": -3,
            "bytes": 2,
            "bits": "3-5",
            "type": "signed",
            "order": "little",
            "factor": 0.1,
            "offset": -4.0,
            "unit": "°C",
            "f_port": 7,
            "absent": 65535,
            "optional": True,
        },
        {"name": "c", "byte": 0, "type": "words", "words": "0=off, 1=on"},
    ]
    table = Table.from_data(rows)
    assert table.as_list() == rows
    assert table.rows[0] == Row(name="a", byte=0, type=RowType.UNSIGNED, order=Order.BIG)
    for decoder in (
        Decoder(kind=DecoderKind.TABLE, table=table, always=True),
        CAYENNE,
        Decoder(kind=DecoderKind.MODEL),
    ):
        stored = json.loads(json.dumps(decoder.as_dict()))
        assert Decoder.from_dict(stored) == decoder


@pytest.mark.parametrize(
    ("rows", "key", "words"),
    [
        (None, "no_table", "None is no list"),
        ("x", "no_table", "no list"),
        ([], "no_rows", "no rows"),
        ([{"name": f"x{i}", "byte": i} for i in range(65)], "too_many_rows", "65 rows"),
        (["x"], "no_table", "x is no list"),
        ([{"byte": 0}], "no_name", "^1: a name"),
        ([{"name": "a", "byte": 0}, {"name": " ", "byte": 0}], "no_name", "^2 "),
        ([{"name": "_sensor_attr", "byte": 0}], "no_name", "does not begin with _"),
        ([{"name": "a"}], "no_number", "1 .a.: byte: None is no whole number from -255 to 254"),
        ([{"name": "a", "byte": 300}], "no_number", "300"),
        ([{"name": "a", "byte": 1.5}], "no_number", "1.5"),
        ([{"name": "a", "byte": True}], "no_number", "True"),
        ([{"name": "a", "byte": 0, "bytes": 0}], "no_number", "bytes: 0"),
        ([{"name": "a", "byte": 0, "bytes": 9}], "no_size", "unsigned can't have 9 bytes"),
        ([{"name": "a", "byte": 0, "bytes": 3, "type": "float"}], "no_size", "float"),
        ([{"name": "a", "byte": 0, "type": "double"}], "no_choice", "double is none of unsigned"),
        ([{"name": "a", "byte": 0, "order": "middle"}], "no_choice", "big, little"),
        ([{"name": "a", "byte": 0, "bits": "0-8"}], "no_bits", "0-8 is neither .* of 0-7"),
        ([{"name": "a", "byte": 0, "bits": "x"}], "no_bits", "x is"),
        ([{"name": "a", "byte": 0, "bits": True}], "no_bits", "True is"),
        ([{"name": "a", "byte": 0, "bits": 1, "type": "text"}], "bits_of_text", "text has no"),
        ([{"name": "a", "byte": 0, "factor": 0}], "no_factor", "factor: 0"),
        ([{"name": "a", "byte": 0, "factor": "many"}], "no_factor", "many"),
        ([{"name": "a", "byte": 0, "offset": float("inf")}], "no_factor", "inf"),
        ([{"name": "a", "byte": 0, "factor": 2, "type": "hex"}], "no_calculation", "hex has"),
        ([{"name": "a", "byte": 0, "unit": "V", "type": "bool"}], "no_calculation", "bool has"),
        ([{"name": "a", "byte": 0, "unit": "V" * 30}], "no_text", "at most 20"),
        ([{"name": "a", "byte": 0, "f_port": 256}], "no_number", "f_port: 256"),
        ([{"name": "a", "byte": 0, "type": "words"}], "no_words", "words: -"),
        ([{"name": "a", "byte": 0, "type": "words", "words": "open"}], "no_words", "open does"),
        ([{"name": "a", "byte": 0, "type": "words", "words": {"x": "open"}}], "no_words", "x does"),
        ([{"name": "a", "byte": 0, "type": "words", "words": {1: True}}], "no_text", "True"),
        ([{"name": "a", "byte": 0, "words": "0=a"}], "words_of_number", "only the type"),
        ([{"name": "a", "byte": 0, "optional": "yes"}], "no_truth", "yes"),
        ([{"name": "a", "byte": 0, "lenght": 2}], "unknown_part", "lenght"),
        ([{"name": "a", "byte": 0}, {"name": "a", "byte": 1}], "name_twice", "^2 .a."),
        (
            [{"name": "a", "byte": 0}, {"name": "a", "byte": 1, "f_port": 3}],
            "name_twice",
            "twice for the same f_port",
        ),
    ],
    ids=repr,
)
def test_a_table_that_cant_be_used_is_refused(rows: Any, key: str, words: str) -> None:
    """With the row, and what is wrong with it."""
    with pytest.raises(TableError, match=words) as caught:
        Table.from_data(rows)
    assert caught.value.key == key


def test_rows_for_ports() -> None:
    """A row may be for one port only; a port that no row is for isn't decoded."""
    table = Table.from_data(
        [
            {"name": "a", "byte": 0, "f_port": 1, "unit": "V"},
            {"name": "a", "byte": 1, "f_port": 2, "unit": "A"},
        ]
    )
    assert table.decode(b"\x05\x06", 1) == {"a": 5, "_sensor_attr": {"a": {"unit": "V"}}}
    assert table.decode(b"\x05\x06", 2) == {"a": 6, "_sensor_attr": {"a": {"unit": "A"}}}
    with pytest.raises(DecodeError, match="no row is for f_port 3"):
        table.decode(b"\x05\x06", 3)


def test_bytes_that_a_table_is_not_of() -> None:
    """One field that can't be read is enough: the others would be wrong as well."""
    table = Table.from_data(
        [{"name": "a", "byte": 0}, {"name": "b", "byte": 3, "bytes": 2, "type": "bcd"}]
    )
    with pytest.raises(DecodeError, match="b: bytes 3 to 4 are needed, and there are 4"):
        table.decode(bytes(4), 1)
    with pytest.raises(DecodeError, match="b: 1a00 is no decimal number"):
        table.decode(bytes.fromhex("0000001A00"), 1)
    with pytest.raises(DecodeError, match="no table for this model"):
        Decoder(kind=DecoderKind.MODEL).decode(bytes(5), 1, None)
    of_model = Table.from_data([{"name": "c", "byte": 0}])
    assert Decoder(kind=DecoderKind.MODEL).decode(b"\x01", 1, of_model) == {"c": 1}


def test_a_tables_unit_is_evidence() -> None:
    """It beats the name, which may say nothing."""
    table = Table.from_data(
        [
            {"name": "probe", "byte": 0, "bytes": 2, "factor": 0.1, "unit": "°C"},
            {"name": "latitude", "byte": 2, "bytes": 4, "type": "signed", "factor": 1e-6},
            {"name": "longitude", "byte": 6, "bytes": 4, "type": "signed", "factor": 1e-6},
            {"name": "valve", "byte": 10, "type": "words", "words": "0=closed, 1=open"},
        ]
    )
    found = understand(table.decode(bytes.fromhex("00D702DA0F3400A1B2C301"), 1), decisions={})
    probe = found.new["probe"]
    assert (probe.quantity, probe.unit, probe.source) == ("temperature", "°C", Source.FORMATTER)
    assert found.values["probe"] == 21.5
    assert found.new["latitude"].kind is Kind.DEVICE_TRACKER
    assert found.values["valve"] in ("open", True)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"version": 2, "kind": "cayenne_lpp"},
        {"version": 1, "kind": "javascript"},
        {"version": 1, "kind": "table"},
        {"version": 1, "kind": "table", "rows": [{}]},
        {"version": 1, "kind": "model", "always": "yes"},
    ],
    ids=repr,
)
def test_a_damaged_choice_is_refused(stored: Mapping[str, Any]) -> None:
    """With an error that the reader of stored files expects."""
    with pytest.raises((LookupError, TypeError, ValueError)):
        Decoder.from_dict(stored)


_part = st.one_of(json_values, st.integers(-300, 300), st.sampled_from(["0-3", "7", "0x7F", ""]))
_row = st.fixed_dictionaries(
    {"name": st.text(max_size=4), "byte": st.integers(-20, 20)},
    optional={
        "bytes": st.integers(0, 20),
        "bits": st.one_of(st.integers(0, 70), st.just("0-3"), _part),
        "type": st.sampled_from(list(RowType)),
        "order": st.sampled_from(list(Order)),
        "factor": st.one_of(st.floats(), _part),
        "offset": st.floats(),
        "unit": st.text(max_size=3),
        "f_port": st.integers(0, 4),
        "words": st.one_of(
            _part, st.dictionaries(st.integers(0, 9), st.text(min_size=1, max_size=3))
        ),
        "absent": _part,
        "optional": st.booleans(),
        "odd": _part,
    },
)


@thorough(400)
@given(
    st.one_of(json_values, st.lists(_row, max_size=4)), st.binary(max_size=20), st.integers(0, 4)
)
def test_any_table_and_any_bytes(data: Any, payload: bytes, f_port: int) -> None:
    """Never anything but a TableError or a DecodeError; what is decoded is JSON, and bounded."""
    try:
        table = Table.from_data(data)
    except TableError:
        return
    assert Table.from_data(json.loads(json.dumps(table.as_list()))) == table
    try:
        decoded = table.decode(payload, f_port)
    except DecodeError:
        return
    assert len(decoded) <= len(table.rows) + 1
    json.dumps(decoded, allow_nan=False)
    understand(decoded, decisions={})


@thorough(400)
@given(st.binary(max_size=250))
def test_any_bytes_as_cayenne_lpp(payload: bytes) -> None:
    """Never anything but a DecodeError; all values are finite numbers."""
    try:
        decoded = CAYENNE.decode(payload, 1, None)
    except DecodeError:
        return
    for name, value in decoded.items():
        if name == "_sensor_attr":
            continue
        for number in value.values() if isinstance(value, dict) else (value,):
            assert isfinite(number)
