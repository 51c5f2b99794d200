"""What examples of a payload formatter say of the fields that a model will report."""

from typing import Any

from hypothesis import given

from tests.payload.devices import context_of
from tests.payload.test_properties import payloads
from tests.properties import thorough
from thethingsstack.payload import Category, Context, Kind, Meaning, expected_fields

NOTHING = Context()


def test_what_every_example_has_is_expected() -> None:
    """What only some have is another model's, or another frame's."""
    first = {"temperature": 21.5, "humidity": 40, "leak": False}
    second = {"temperature": 20, "humidity": 41, "door": "open"}
    found = expected_fields([first, second], NOTHING)
    assert set(found) == {"temperature", "humidity"}
    assert all(meaning.expected for meaning in found.values())
    assert Meaning.from_dict(found["humidity"].as_dict()) == found["humidity"]


def test_what_the_library_has_of_the_model_is_expected() -> None:
    """The examples of ELSYS are those of all its models: an ERS CO2 has no leak sensor."""
    examples: list[dict[str, Any]] = [
        {"temperature": 21.5, "humidity": 40, "vdd": 3600},
        {"co2": 420, "waterleak": 1, "distance": 120},
    ]
    found = expected_fields(examples, context_of("elsys", "ers-co2-lite"))
    assert set(found) == {"temperature", "humidity", "co2"}


def test_what_people_do_not_look_at_first_is_not_expected() -> None:
    """Settings, diagnostics, positions, buttons, and what is not certain."""
    example = {
        "temperature": 21.5,
        "battery": 98,
        "report_interval": 20,
        "latitude": 52.1,
        "longitude": 5.2,
        "button": "single",
        "flag7": 1,
    }
    assert set(expected_fields([example], NOTHING)) == {"temperature"}
    assert expected_fields([], NOTHING) == {}


@thorough(100)
@given(payloads)
def test_any_example_is_survived(payload: dict[str, Any]) -> None:
    """Nothing raises, and nothing comes out that is not an entity at once."""
    for meaning in expected_fields([payload, payload], NOTHING).values():
        assert meaning.kind in (Kind.SENSOR, Kind.BINARY_SENSOR)
        assert meaning.category is Category.PRIMARY
