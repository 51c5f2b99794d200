"""Hold back values that jump further than is possible, until a second value confirms them."""

from datetime import datetime

from ..payload import Kind, Level, Meaning, Places, Position, Value, next_level, next_place


def may_jump(meaning: Meaning) -> bool:
    """Return whether a field's values are checked for jumps: positions, and if the user chose it."""
    return meaning.kind is Kind.DEVICE_TRACKER or meaning.max_jump is not None


class JumpFilter:
    """Decides for each checked field of one end device whether a value is to be shown."""

    def __init__(self) -> None:
        """Start without an earlier value: the first is shown."""
        self._levels: dict[str, Level] = {}
        self._places: dict[str, Places] = {}

    def accepts(self, path: str, meaning: Meaning, value: Value, moment: datetime) -> bool:
        """Return whether a value of this moment is to be shown, and remember it."""
        if isinstance(value, Position):
            return self.accepts_place(path, value, moment)
        if (
            meaning.max_jump is None
            or isinstance(value, bool)
            or not isinstance(value, int | float)
        ):
            return True
        level = self._levels.get(path, Level())
        self._levels[path], shown = next_level(level, value, meaning.max_jump)
        return shown

    def accepts_place(self, path: str, place: Position, moment: datetime) -> bool:
        """Return whether a position is plausible and can be shown; it is kept for the next check."""
        self._places[path], shown = next_place(self._places.get(path, Places()), place, moment)
        return shown

    def forget(self, path: str) -> None:
        """Forget a field's earlier values: its unit may be another one now."""
        self._levels.pop(path, None)
