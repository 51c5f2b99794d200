"""The forms of a manually defined control: schema by platform, and reading the answers."""

from collections.abc import Iterator, Mapping
import json
from typing import Any

from homeassistant.const import Platform
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..payload import SENSOR_ATTR
from .kinds import CLIMATE_MODES, KINDS, PlatformKind, Role
from .model import MAX_PORT, OFF_WORDS, ON_WORDS, SHOWS_REQUESTED, Command, Control, Report
from .payload_template import Form, PayloadTemplateError, read_payload, takes_value

SINGLE = "single"
"""The form section for a command's own f_port and confirmation."""
MAPPED = frozenset({Role.STATE, Role.OPTION, Role.MODE})
"""Roles whose reported values may need a mapping to states."""
SAME, YES, NO = "same", "confirmed", "unconfirmed"

_TEXT = TextSelector()
_LINES = TextSelector(TextSelectorConfig(multiline=True))
_PORT = NumberSelector(
    NumberSelectorConfig(min=1, max=MAX_PORT, step=1, mode=NumberSelectorMode.BOX)
)
_ANY_NUMBER = NumberSelector(NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX))
_CONFIRMED = SelectSelector(
    SelectSelectorConfig(
        options=[SAME, YES, NO], translation_key="confirmed", mode=SelectSelectorMode.DROPDOWN
    )
)


class FieldError(ValueError):
    """A field of the form is invalid; `key` is the key of the error text."""

    def __init__(self, field: str, key: str, detail: str = "") -> None:
        """Keep the field, the text's key and its placeholder."""
        super().__init__(f"{field}: {key} {detail}")
        self.field = field
        self.key = key
        self.detail = detail


# Commands


def commands_schema(platform: Platform) -> vol.Schema:
    """Return the form for the commands of a platform."""
    kind = KINDS[platform]
    fields: dict[Any, Any] = {}
    for command in kind.commands:
        key = vol.Required if command.required else vol.Optional
        fields[key(command.name)] = _TEXT
    if kind.choices is not None:
        key = vol.Required if kind.choices is Role.OPTION else vol.Optional
        fields[key(choices_field(kind))] = _LINES
    fields[vol.Required("f_port")] = _PORT
    fields[vol.Required("confirmed", default=True)] = BooleanSelector()
    if kind.ranged:
        lowest, highest = (5, 30) if platform is Platform.CLIMATE else (0, 100)
        fields[vol.Required("minimum", default=lowest)] = _ANY_NUMBER
        fields[vol.Required("maximum", default=highest)] = _ANY_NUMBER
        fields[vol.Required("step", default=1)] = _ANY_NUMBER
    if platform is Platform.NUMBER:
        fields[vol.Optional("unit")] = _TEXT
    if len(kind.commands) > 1:
        single: dict[Any, Any] = {}
        for command in kind.commands:
            single[vol.Optional(f"{command.name}_f_port")] = _PORT
            single[vol.Required(f"{command.name}_confirmed", default=SAME)] = _CONFIRMED
        fields[vol.Required(SINGLE)] = section(vol.Schema(single), {"collapsed": True})
    return vol.Schema(fields)


def choices_field(kind: PlatformKind) -> str:
    """Return the form's field for the options of a select, or the modes of a climate."""
    return "modes" if kind.choices is Role.MODE else "options"


def commands_shown(control: Control) -> dict[str, Any]:
    """Return an existing control's values for the form of the commands."""
    commands = [*control.commands.values(), *control.choices.values()]
    first = next(iter(commands))
    f_port = next((c.f_port for c in commands if c.f_port is not None), None)
    shown: dict[str, Any] = {
        name: payload_text(command) for name, command in control.commands.items()
    }
    if control.choices:
        shown[choices_field(control.kind)] = "\n".join(
            f"{name} = {payload_text(command)}" for name, command in control.choices.items()
        )
    shown |= {"f_port": f_port, "confirmed": first.confirmed}
    for key in ("minimum", "maximum", "step", "unit"):
        if (value := getattr(control, key)) is not None:
            shown[key] = value
    if len(control.kind.commands) > 1:
        single: dict[str, Any] = {}
        shown[SINGLE] = single
        for name, command in control.commands.items():
            if command.f_port not in (None, f_port):
                single[f"{name}_f_port"] = command.f_port
            if command.confirmed != first.confirmed:
                single[f"{name}_confirmed"] = YES if command.confirmed else NO
    return shown


def payload_text(command: Command) -> str:
    """Return a command's payload as text for the form."""
    payload = command.payload
    return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)


def read_commands(platform: Platform, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return commands, choices and range as data of a control; raises FieldError."""
    kind = KINDS[platform]
    single = given.get(SINGLE) or {}
    commands = {}
    for command in kind.commands:
        text = str(given.get(command.name) or "").strip()
        if not text and not command.required:
            continue
        confirmed = {YES: True, NO: False}.get(single.get(f"{command.name}_confirmed", SAME))
        commands[command.name] = _command(
            command.name,
            text,
            f_port=single.get(f"{command.name}_f_port") or given["f_port"],
            confirmed=given["confirmed"] if confirmed is None else confirmed,
            valued=command.role is not None and command.to is None,
        )
    data: dict[str, Any] = {"commands": commands, "choices": {}}
    if kind.choices is not None:
        data["choices"] = _read_choices(kind, given)
    if kind.ranged:
        data |= {key: float(given[key]) for key in ("minimum", "maximum", "step")}
        if data["minimum"] >= data["maximum"]:
            raise FieldError("maximum", "maximum_too_low")
        if data["step"] <= 0:
            raise FieldError("step", "step_too_small")
    if unit := str(given.get("unit") or "").strip():
        data["unit"] = unit
    return data


def _command(
    field: str, text: str, *, f_port: float, confirmed: bool, valued: bool
) -> dict[str, Any]:
    try:
        form, payload = read_payload(text)
    except PayloadTemplateError as err:
        raise FieldError(field, err.key, ", ".join(err.placeholders.values())) from err
    if valued and not takes_value(payload):
        raise FieldError(field, "value_missing")
    if not valued and form is not Form.TEMPLATE and takes_value(payload):
        raise FieldError(field, "value_unknown")
    return {
        "form": str(form),
        "payload": payload,
        "f_port": int(f_port),
        "confirmed": confirmed,
    }


def _read_choices(kind: PlatformKind, given: Mapping[str, Any]) -> dict[str, Any]:
    field = choices_field(kind)
    choices: dict[str, Any] = {}
    for line, name, text in _lines(field, given.get(field)):
        if kind.choices is Role.MODE:
            name = name.casefold()
            if name not in CLIMATE_MODES:
                raise FieldError(field, "mode_unknown", name)
        if name in choices:
            raise FieldError(field, "name_twice", name)
        try:
            choices[name] = _command(
                field, text, f_port=given["f_port"], confirmed=given["confirmed"], valued=False
            )
        except FieldError as err:
            raise FieldError(field, err.key, f"{err.detail or text} ({line})") from err
    if kind.choices is Role.OPTION and not choices:
        raise FieldError(field, "no_options")
    return choices


def _lines(field: str, text: Any) -> Iterator[tuple[str, str, str]]:
    """Yield each line, with the parts left and right of its equals sign."""
    for line in str(text or "").splitlines():
        if not line.strip():
            continue
        left, sign, right = (part.strip() for part in line.partition("="))
        if not sign or not left or not right:
            raise FieldError(field, "line_odd", line.strip())
        yield line.strip(), left, right


# Reports


def report_schema(platform: Platform, fields: Mapping[str, str]) -> vol.Schema:
    """Return the form for the fields that report; `fields` are the known ones with their label."""
    select = SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=path, label=label) for path, label in fields.items()],
            mode=SelectSelectorMode.DROPDOWN,
            custom_value=True,
        )
    )
    form: dict[Any, Any] = {}
    for role in KINDS[platform].reports:
        form[vol.Optional(str(role))] = select
        if role in MAPPED:
            form[vol.Optional(f"{role}_values")] = _LINES
    form[vol.Required(SHOWS_REQUESTED, default=True)] = BooleanSelector()
    return vol.Schema(form)


def reports_shown(control: Control) -> dict[str, Any]:
    """Return an existing control's values for the form of the reports."""
    shown: dict[str, Any] = {}
    for role, report in control.reports.items():
        shown[str(role)] = report.path
        if report.values:
            shown[f"{role}_values"] = "\n".join(f"{k} = {v}" for k, v in report.values.items())
    return shown


def read_reports(
    platform: Platform, choices: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the reports as data of a control; raises FieldError."""
    reports: dict[str, Any] = {}
    for role in KINDS[platform].reports:
        path = str(given.get(str(role)) or "").strip()
        field = f"{role}_values"
        values = {left: right for _, left, right in _lines(field, given.get(field))}
        if not path:
            if values:
                raise FieldError(str(role), "field_missing")
            continue
        for value in values.values():
            if role is Role.STATE and value.casefold() not in ON_WORDS | OFF_WORDS:
                raise FieldError(field, "state_unknown", value)
            if role in (Role.OPTION, Role.MODE) and value not in choices:
                raise FieldError(field, "choice_unknown", value)
        reports[str(role)] = Report(path=path, values=values).as_dict()
    return reports


def fields_of(decoded: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield path and value of each field in a decoded payload."""
    if isinstance(decoded, Mapping):
        items = [
            (str(k).replace("\\", "\\\\").replace(".", "\\."), v)
            for k, v in decoded.items()
            if k != SENSOR_ATTR
        ]
    elif isinstance(decoded, list):
        items = [(str(number), item) for number, item in enumerate(decoded[:16])]
    else:
        return
    for key, item in items:
        if isinstance(item, Mapping | list):
            yield from fields_of(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item
