"""Which of Home Assistant's standard event types a button's value means."""

import pytest

from custom_components.thethingsstack.fields.button_events import press_of


@pytest.mark.parametrize(
    ("path", "value", "event_type", "count"),
    [
        ("press", "short", "press_end", None),
        ("button.event", "Single press", "press_end", None),
        ("press", "long", "long_press_end", None),
        ("press", "LONG_PRESS", "long_press_end", None),
        ("button", "hold", "long_press_end", None),
        ("press", "double", "multi_press_end", 2),
        ("press", "DoubleClick", "multi_press_end", 2),
        ("press", "button triple click", "multi_press_end", 3),
        ("doublePress", True, "multi_press_end", 2),
        ("buttons.long_press", "1", "long_press_end", None),
    ],
)
def test_a_word_means_a_standard_type(
    path: str, value: object, event_type: str, count: int | None
) -> None:
    """In whatever way it is written; a true value has its word in the field's name."""
    press = press_of(path, value)
    assert press is not None
    assert (press.event_type, press.count) == (event_type, count)


@pytest.mark.parametrize(
    ("path", "value"),
    [("press", "pressed"), ("press", "long double"), ("scene", "2"), ("button", True)],
)
def test_other_words_mean_none(path: str, value: object) -> None:
    """Neither what says only that a button was pressed, nor what contradicts itself."""
    assert press_of(path, value) is None
