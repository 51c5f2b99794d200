"""Home Assistant's standard event types of buttons, by the word in which a payload reports one."""

from dataclasses import dataclass
import re

from homeassistant.components.event import ButtonEventType

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_PRESS = frozenset({"press", "pressed", "pressing", "click", "clicked", "push", "pushed", "tap"})
_PLACE = frozenset({"button", "btn", "key", "event", "type", "state", "status", "action"})
_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Press:
    """How a button was pressed; `count` only where it was pressed several times."""

    event_type: ButtonEventType
    count: int | None = None


_SHORT = Press(ButtonEventType.PRESS_END)
# The device sends one uplink when it knows which press it was: all of them have ended.
_LONG = Press(ButtonEventType.LONG_PRESS_END)
_PRESSES = {
    "single": _SHORT,
    "short": _SHORT,
    "double": Press(ButtonEventType.MULTI_PRESS_END, 2),
    "triple": Press(ButtonEventType.MULTI_PRESS_END, 3),
    "long": _LONG,
    "hold": _LONG,
}
BUTTON_TYPES = [str(kind) for kind in dict.fromkeys(p.event_type for p in _PRESSES.values())]


def press_of(path: str, value: object) -> Press | None:
    """Return which press a value of a button's field means; None where its words don't tell.

    Where the value is just true, as in `{"double_press": true}`, the words of the path count.
    """
    text = str(value)
    if text.casefold() in _TRUE:
        return _press(path.rpartition(".")[2])
    return _press(text)


def _press(text: str) -> Press | None:
    words = {word.casefold() for word in _WORD.findall(text)} - _PRESS - _PLACE
    return _PRESSES.get(words.pop()) if len(words) == 1 else None
