"""Coordinates: whatever object they stand in, and whatever else has a name like theirs."""

from typing import Any

import pytest

from tests.payload.sequences import Sequence
from thethingsstack.payload import Kind, Position, Role, understand

HERE = Position(47.5, 8.25)


def places(decoded: dict[str, Any]) -> dict[str, Position]:
    """Return the places in a payload, by path."""
    understanding = understand(decoded, decisions={})
    return {
        path: value
        for path, value in understanding.values.items()
        if isinstance(value, Position) and understanding.new[path].kind is Kind.DEVICE_TRACKER
    }


@pytest.mark.parametrize(
    ("decoded", "path"),
    [
        ({"position": {"lat": 47.5, "lon": 8.25}}, "position.lat"),
        ({"gps": {"coords": [{"lat": 47.5, "lng": 8.25}]}}, "gps.coords.0.lat"),
        ({"location": {"value": {"latitude": 47.5, "longitude": 8.25}}}, "location.value.latitude"),
        ({"fix": {"lat": {"value": 47.5}, "lon": {"value": 8.25}}}, "fix.lat.value"),
        (
            {
                "Latitude": {"value": 47.5, "unit": "deg"},
                "Longitude": {"value": 8.25, "unit": "deg"},
            },
            "Latitude.value",
        ),
        (
            {"data": [{"name": "longitude", "value": 8.25}, {"name": "latitude", "value": 47.5}]},
            "data.latitude",
        ),
        (
            {
                "messages": [
                    [
                        {"measurementId": "4198", "measurementValue": "47.5"},
                        {"measurementId": "4197", "measurementValue": "8.25"},
                    ]
                ]
            },
            "messages.Latitude",
        ),
        ({"LON": "OFF", "Latitude": 47.5, "Longitude": 8.25}, "Latitude"),
        ({"LON": 1, "Latitude": 47.5, "Longitude": 8.25}, "Latitude"),
        ({"lon": True, "LAT": 47.5, "LON": 8.25}, "LAT"),
        ({"lat": 47.5, "lon": 8.25, "lat2": 0, "lon2": 0}, "lat"),
    ],
)
def test_a_place_is_found(decoded: dict[str, Any], path: str) -> None:
    """Beside each other, in objects of their own, in items of a list; in any order."""
    for order in (decoded, dict(reversed(decoded.items()))):
        assert places(order) == {path: HERE}


def test_altitude_and_accuracy_belong_to_a_place_in_objects_of_its_own() -> None:
    """Each with its unit beside it."""
    gps = {
        "latitude": {"value": 47.5, "unit": "deg"},
        "longitude": {"value": 8.25, "unit": "deg"},
        "altitude": {"value": 410, "unit": "m"},
        "accuracy": {"value": 6, "unit": "m"},
    }
    assert places({"gps": gps}) == {"gps.latitude.value": Position(47.5, 8.25, 410.0, 6.0)}


def test_a_place_in_a_list_is_read_again() -> None:
    """The next uplink has the items in another order."""
    sequence = Sequence()
    items = [{"key": "lat", "val": 47.5}, {"key": "lng", "val": 8.25}]
    sequence.send({"fields": items})
    sequence.send({"fields": [{"key": "lng", "val": 8.5}, {"key": "lat", "val": 47.25}]})
    assert Position(47.25, 8.5) in sequence.values.values()


@pytest.mark.parametrize(
    ("decoded", "key"),
    [
        ({"LON": "ON", "MD": 1}, "LON"),
        ({"LON": 1, "LED": 0}, "LON"),
        (
            {"latitudeDeg": 47, "latitudeMin": 30.5, "longitudeDeg": 8, "longitudeMin": 15},
            "latitudeDeg",
        ),
    ],
)
def test_what_has_only_the_name_of_a_coordinate_is_none(decoded: dict[str, Any], key: str) -> None:
    """The state of an LED, degrees whose minutes stand beside them."""
    found = understand(decoded, decisions={})
    assert found.new[key].role is not Role.POSITION
    assert found.values[key] is not None
    assert not places(decoded)


def test_the_state_of_an_led_has_its_own_name() -> None:
    """It is no longitude."""
    assert understand({"LON": "ON"}, decisions={}).new["LON"].name == "LON"


def test_two_numbers_in_a_text_are_a_place_beside_degrees() -> None:
    """Elsewhere they are a text."""
    degrees = {"latitudeDeg": 47, "latitudeMin": 30, "longitudeDeg": 8, "longitudeMin": 15}
    assert places(degrees | {"decimal": "47.5, 8.25"}) == {"decimal": HERE}
    assert understand({"range": "47.5, 8.25"}, decisions={}).values == {"range": "47.5, 8.25"}


def test_a_longitude_beyond_90_is_no_latitude() -> None:
    """Whichever comes first."""
    for pair in ([113.5, 22.25], [22.25, 113.5]):
        assert places({"location": pair}) == {"location": Position(22.25, 113.5)}
