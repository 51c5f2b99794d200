"""The commands and roles of the controls of each platform."""

from dataclasses import dataclass
from enum import StrEnum

from homeassistant.const import Platform

CLIMATE_MODES = ("off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only")


class Role(StrEnum):
    """A property that a control shows, each reported by a field of its own."""

    STATE = "state"
    """The platform's boolean state: on, open or locked."""
    POSITION = "position"
    BRIGHTNESS = "brightness"
    VALUE = "value"
    OPTION = "option"
    TARGET_TEMPERATURE = "target_temperature"
    CURRENT_TEMPERATURE = "current_temperature"
    CURRENT_HUMIDITY = "current_humidity"
    MODE = "mode"


type State = bool | float | str
"""State of a role: a boolean, a number or the name of an option."""

TRUTHS = frozenset({Role.STATE})
NUMBERS = frozenset(
    {
        Role.POSITION,
        Role.BRIGHTNESS,
        Role.TARGET_TEMPERATURE,
        Role.CURRENT_TEMPERATURE,
        Role.CURRENT_HUMIDITY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandKind:
    """A command that a platform can have."""

    name: str
    role: Role | None
    """The role that it changes; `None` for a button's."""
    to: State | None = None
    """The state that it sets; `None` if it sets the value passed with the command."""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformKind:
    """The roles and commands of a platform's controls."""

    commands: tuple[CommandKind, ...] = ()
    reports: tuple[Role, ...] = ()
    choices: Role | None = None
    """The role whose options have a command each: those of a select, the modes of a climate."""
    ranged: bool = False
    """Whether its value has a minimum and a maximum."""

    @property
    def main(self) -> Role | None:
        """Return the role that the entity's state is of."""
        return self.reports[0] if self.reports else None

    def command(self, name: str) -> CommandKind | None:
        """Return the command of this name."""
        return next((kind for kind in self.commands if kind.name == name), None)


def _pair(on: str, off: str) -> tuple[CommandKind, CommandKind]:
    return (
        CommandKind(name=on, role=Role.STATE, to=True),
        CommandKind(name=off, role=Role.STATE, to=False),
    )


_STOP = CommandKind(name="stop", role=None, required=False)
_POSITION = CommandKind(name="position", role=Role.POSITION, required=False)
_MOVING = (*_pair("open", "close"), _STOP, _POSITION)

KINDS: dict[Platform, PlatformKind] = {
    Platform.SWITCH: PlatformKind(commands=_pair("on", "off"), reports=(Role.STATE,)),
    Platform.BUTTON: PlatformKind(commands=(CommandKind(name="press", role=None),)),
    Platform.NUMBER: PlatformKind(
        commands=(CommandKind(name="set", role=Role.VALUE),), reports=(Role.VALUE,), ranged=True
    ),
    Platform.SELECT: PlatformKind(reports=(Role.OPTION,), choices=Role.OPTION),
    Platform.TEXT: PlatformKind(
        commands=(CommandKind(name="set", role=Role.VALUE),), reports=(Role.VALUE,)
    ),
    Platform.VALVE: PlatformKind(commands=_MOVING, reports=(Role.STATE, Role.POSITION)),
    Platform.COVER: PlatformKind(commands=_MOVING, reports=(Role.STATE, Role.POSITION)),
    Platform.LIGHT: PlatformKind(
        commands=(
            *_pair("on", "off"),
            CommandKind(name="brightness", role=Role.BRIGHTNESS, required=False),
        ),
        reports=(Role.STATE, Role.BRIGHTNESS),
    ),
    Platform.CLIMATE: PlatformKind(
        commands=(CommandKind(name="temperature", role=Role.TARGET_TEMPERATURE),),
        reports=(
            Role.TARGET_TEMPERATURE,
            Role.CURRENT_TEMPERATURE,
            Role.CURRENT_HUMIDITY,
            Role.MODE,
        ),
        choices=Role.MODE,
        ranged=True,
    ),
    Platform.LOCK: PlatformKind(commands=_pair("lock", "unlock"), reports=(Role.STATE,)),
    Platform.SIREN: PlatformKind(commands=_pair("on", "off"), reports=(Role.STATE,)),
}
"""The platforms that a control can be of."""
