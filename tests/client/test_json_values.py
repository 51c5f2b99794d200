"""Reading JSON values."""

from datetime import UTC, datetime
from typing import Any

import pytest

from thethingsstack import json_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T09:31:42.811539208Z", datetime(2026, 11, 23, 9, 31, 42, 811539, UTC)),
        ("2026-11-23T09:31:42.811539Z", datetime(2026, 11, 23, 9, 31, 42, 811539, UTC)),
        ("2026-11-23T09:31:42.81153920Z", datetime(2026, 11, 23, 9, 31, 42, 811539, UTC)),
        ("2026-11-23T09:31:42.5Z", datetime(2026, 11, 23, 9, 31, 42, 500000, UTC)),
        ("2026-11-23T09:31:42Z", datetime(2026, 11, 23, 9, 31, 42, 0, UTC)),
        ("2026-11-23T09:31:42", datetime(2026, 11, 23, 9, 31, 42, 0, UTC)),
        ("2026-11-23T09:31:42.811539208+02:00", datetime(2026, 11, 23, 7, 31, 42, 811539, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("a quarter past nine in the morning", None),
        ("", None),
        (1763890302, None),
        (None, None),
    ],
)
def test_time(text: object, expected: datetime | None) -> None:
    assert json_values.time(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("AQID", b"\x01\x02\x03"),
        ("+/8=", b"\xfb\xff"),
        ("-_8=", b"\xfb\xff"),
        ("-_8", b"\xfb\xff"),
        ("AQ", b"\x01"),
        ("A", None),
        ("äöü", None),
        ("", None),
        (5, None),
    ],
)
def test_octets(value: object, expected: bytes | None) -> None:
    assert json_values.octets(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("868100000", 868100000),
        (2.0, 2),
        (True, None),
        ("x", None),
        (None, None),
        ([], None),
        (float("inf"), None),
    ],
)
def test_integer(value: object, expected: int | None) -> None:
    assert json_values.integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5.0), (2.5, 2.5), (True, None), ("2.5", None), (None, None), (10**400, None)],
)
def test_number(value: object, expected: float | None) -> None:
    assert json_values.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.056576s", 0.056576), ("3s", 3.0), ("s", None), ("3m", None), (3, None)],
)
def test_seconds(value: object, expected: float | None) -> None:
    assert json_values.seconds(value) == expected


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (json_values.mapping, {"a": 1}, {"a": 1}),
        (json_values.mapping, [1], {}),
        (json_values.objects, [{"a": 1}, 2, None], [{"a": 1}]),
        (json_values.objects, {"a": 1}, ()),
        (json_values.texts, ["a", 2, "b"], ("a", "b")),
        (json_values.texts, "ab", ()),
        (json_values.text, "", None),
        (json_values.text, 5, None),
        (json_values.text_map, {"a": "b", "c": 1}, {"a": "b"}),
        (json_values.hexadecimal, "70b3d57ed0000001", "70B3D57ED0000001"),
        (json_values.hexadecimal, "", None),
    ],
)
def test_containers(read: Any, value: object, expected: object) -> None:
    assert read(value) == expected
