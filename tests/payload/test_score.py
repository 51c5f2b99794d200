"""The score tool."""

import json
from pathlib import Path

import pytest

from tests.payload import score
from thethingsstack.payload import understand

HEAD = (
    "brand,field_path,example_value,suggested_platform,device_class,unit,state_class,"
    "entity_category,note,unit_certain"
)
ROWS = """
a,temperature,21.5 | 22,sensor,temperature,°C,measurement,,,yes
a,fPort,2,ignore,,,,,,yes
b,gps.lat,52.5,device_tracker,,°,,,,yes
b,longitude,4.5,device_tracker,,°,,,,yes
b,interval,5,sensor,,,,diagnostic,configuration echo,yes
b,door,,binary_sensor,opening,,,,,yes
c,thing,text here,sensor,,,,,,yes
c,history[].temperature,21.5,sensor,temperature,°C,measurement,,,yes
c,temps[],21.5,sensor,temperature,°C,measurement,,,yes
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a small table."""
    path = tmp_path / "fields.csv"
    path.write_text(HEAD + ROWS, encoding="utf-8")
    return path


def test_prints_one_object_per_row(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json there is an answer to each row, in order, and nothing else."""
    assert score.main([str(table), "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["platform"] for answer in answers] == [
        "sensor",
        "ignore",
        "device_tracker",
        "device_tracker",
        "sensor",
        "binary_sensor",
        "sensor",
        "ignore",
        "sensor",
    ]
    assert answers[0] | {"reason": ""} == {
        "field_path": "temperature",
        "platform": "sensor",
        "device_class": "temperature",
        "unit": "°C",
        "state_class": "measurement",
        "entity_category": "",
        "enabled": True,
        "reason": "",
    }
    assert answers[4]["entity_category"] == "diagnostic"
    assert answers[4]["enabled"] is False


def test_prints_the_score(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without, a table with both halves of the brands."""
    assert score.main([str(table)]) == 0
    printed = capsys.readouterr().out
    assert "coordinates" in printed
    assert "2/2 100.0 %" in printed


def test_tells_how_to_use_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong call ends with 2."""
    assert score.main([]) == 2
    bare = tmp_path / "bare.csv"
    bare.write_text("field_path,example_value\nx,1\n", encoding="utf-8")
    assert score.main([str(bare)]) == 2
    assert "python -m tests.payload.score" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flat", ["pm2.5", "dust.0.3", "air.temperature", "pm.10", "aqi_partial.2.5"]
)
def test_both_readings_of_a_dot_are_one_decision(flat: str) -> None:
    """A dot that is part of a key decides as one between keys."""
    as_key = understand({flat: 3.5}, decisions={}).new
    steps: object = 3.5
    for step in reversed(flat.split(".")):
        steps = {step: steps}
    assert isinstance(steps, dict)
    as_steps = understand(steps, decisions={}).new
    assert list(as_key.values()) == list(as_steps.values())


@pytest.mark.parametrize(
    ("path", "example", "platform", "device_class", "enabled"),
    [
        ("pm2.5", "7.2", "sensor", "pm25", True),
        ("dust.0.3", "12", "sensor", "", True),
        ("pm1.0 Threshold", "0", "sensor", "", False),
        ("data[].Temperature", "21.5", "sensor", "temperature", True),
        ("Air Temperature", "21.5", "sensor", "temperature", True),
        ("a.b[].humidity", "40", "sensor", "humidity", True),
        ("x[].y[].temperature", "21.5 | 22", "sensor", "temperature", True),
        ("temperature", "", "sensor", "temperature", True),
        ("door", "open | closed", "binary_sensor", "door", True),
        ("position", '{"latitude": 52.5, "longitude": 4.5}', "device_tracker", "", True),
        ("temperature", '{"value": 21.5, "unit": "°C"}', "sensor", "temperature", True),
        ("temps[]", "[21.5, 22]", "sensor", "temperature", True),
        ("gps.lng", "", "device_tracker", "", True),
        ("history[].temperature", "21.5", "ignore", "", False),
        ("", "", "sensor", "", True),
        ("...", "5", "sensor", "", True),
    ],
)
def test_rows_of_every_shape_are_answered(
    path: str, example: str, platform: str, device_class: str, enabled: bool
) -> None:
    """Each row has its answer, whatever its path and example look like."""
    given = score.answer({"field_path": path, "example_value": example})
    assert (given["platform"], given["device_class"], given["enabled"]) == (
        platform,
        device_class,
        enabled,
    )
    assert list(given) == [
        "field_path",
        "platform",
        "device_class",
        "unit",
        "state_class",
        "entity_category",
        "enabled",
        "reason",
    ]
    assert all(isinstance(value, str | bool) for value in given.values())


def test_other_columns_decide_nothing() -> None:
    """The expected answer is not looked at."""
    row = {
        "field_path": "level",
        "example_value": "5",
        "note": "configuration echo",
        "device_class": "distance",
        "brand": "x",
    }
    assert score.answer(row) == score.answer({"field_path": "level", "example_value": "5"})
