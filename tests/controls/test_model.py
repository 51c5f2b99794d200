"""What a control is: payloads filled in, reports read, data checked."""

from typing import Any

from homeassistant.const import Platform
import pytest

from custom_components.thethingsstack.controls.form import (
    FieldError,
    commands_schema,
    commands_shown,
    fields_of,
    read_commands,
    read_reports,
    reports_shown,
)
from custom_components.thethingsstack.controls.kinds import KINDS, Role
from custom_components.thethingsstack.controls.model import (
    Control,
    InvalidControlError,
    Report,
    lookup,
    thread_of,
)
from custom_components.thethingsstack.controls.payload_template import (
    Form,
    PayloadTemplateError,
    fill,
    read_payload,
    takes_value,
)


def no_templates(template: str, value: object) -> str:
    """Render nothing."""
    raise AssertionError(template)


@pytest.mark.parametrize(
    ("payload", "value", "filled"),
    [
        ("08 01 FF FF", None, "0801ffff"),
        ("0x08:01-ff,FF", None, "0801ffff"),
        ("", None, None),
        ("0E {value}", 21.0, "0e15"),
        ("0E{value}", 20.6, "0e15"),
        ("2E {value*10:2}", 21.5, "2e00d7"),
        ("2E {value*10:2le}", 21.5, "2ed700"),
        ("{value*10+400:2}", -5.0, "015e"),
        ("{value - 1}", 1.0, "00"),
        ("{value:2}", -2.0, "fffe"),
        ("01 {value}", "Hé", "0148c3a9"),
    ],
)
def test_hexadecimal_payloads_take_the_value(payload: str, value: Any, filled: str | None) -> None:
    """Width, order, factor and offset of a number; text as UTF-8; separators as one likes."""
    if filled is None:
        with pytest.raises(PayloadTemplateError, match="there is no payload"):
            read_payload(payload)
        return
    form, read = read_payload(payload)
    assert form is Form.HEX
    result = fill(form, read, value, no_templates)
    assert isinstance(result, bytes)
    assert result.hex() == filled


@pytest.mark.parametrize(
    ("payload", "value", "key"),
    [
        ("0E {value}", 256.0, "value_out_of_range"),
        ("0E {value}", -129.0, "value_out_of_range"),
        ("0E {value}", True, "value_not_number"),
        ("0E {value}", None, "value_not_number"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(payload: str, value: Any, key: str) -> None:
    """Never a frame with cut off bits."""
    form, read = read_payload(payload)
    with pytest.raises(PayloadTemplateError) as caught:
        fill(form, read, value, no_templates)
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("  ", "payload_empty"),
        ("0E1", "payload_odd"),
        ("turn on", "payload_hex"),
        ("{value:9}", "payload_object"),
        ('{"on": tru}', "payload_object"),
        ("{}", "payload_object"),
    ],
)
def test_a_payload_that_is_none_says_why(payload: str, key: str) -> None:
    """Each mistake has its own text."""
    with pytest.raises(PayloadTemplateError) as caught:
        read_payload(payload)
    assert caught.value.key == key


def test_objects_keep_numbers_as_numbers() -> None:
    """The value stands alone or inside a text, in lists and objects."""
    form, payload = read_payload(
        '{"set": "{value}", "tenths": ["{value*10}"], "text": "to {value}", "on": true}'
    )
    assert form is Form.OBJECT
    assert takes_value(payload)
    assert fill(form, payload, 21.5, no_templates) == {
        "set": 21.5,
        "tenths": [215],
        "text": "to 21.5",
        "on": True,
    }
    assert fill(form, {"mode": "{value}"}, "heat", no_templates) == {"mode": "heat"}


def test_templates_give_bytes_or_an_object() -> None:
    """What is rendered is read like a payload without value."""
    form, payload = read_payload("0E {{ '%02X' | format(value) }}")
    assert form is Form.TEMPLATE
    assert fill(form, payload, 1, lambda _, value: f"0E {value:02X}\n") == b"\x0e\x01"
    assert fill(form, payload, 1, lambda _, value: f'{{"set": {value}}}') == {"set": 1}
    for rendered, key in (("", "template_empty"), ("0", "payload_odd"), ("x!", "payload_hex")):
        with pytest.raises(PayloadTemplateError) as caught:
            fill(form, payload, 1, lambda _t, _v, text=rendered: text)  # type: ignore[misc]
        assert caught.value.key == key


@pytest.mark.parametrize(
    ("role", "values", "raw", "state"),
    [
        (Role.STATE, {}, "ON", True),
        (Role.STATE, {}, "close", False),
        (Role.STATE, {}, 1.0, True),
        (Role.STATE, {}, 0, False),
        (Role.STATE, {}, True, True),
        (Role.STATE, {}, "half", None),
        (Role.STATE, {}, None, None),
        (Role.STATE, {"H": "on", "L": "off"}, "h", True),
        (Role.STATE, {"H": "on", "L": "off"}, "L", False),
        (Role.STATE, {"H": "on", "L": "off"}, "on", None),
        (Role.STATE, {"1": "closed", "0": "open"}, 1.0, False),
        (Role.STATE, {"true": "off"}, True, False),
        (Role.TARGET_TEMPERATURE, {}, 21, 21.0),
        (Role.TARGET_TEMPERATURE, {}, "21.5", 21.5),
        (Role.TARGET_TEMPERATURE, {}, True, None),
        (Role.POSITION, {"full": "100"}, "full", 100.0),
        (Role.MODE, {"1": "heat"}, 1, "heat"),
        (Role.MODE, {"1": "heat"}, 2, None),
        (Role.OPTION, {}, "Auto", "auto"),
        (Role.VALUE, {}, 21.5, 21.5),
        (Role.VALUE, {}, "hello", "hello"),
        (Role.VALUE, {}, True, None),
    ],
)
def test_reports_are_read(role: Role, values: dict[str, str], raw: object, state: Any) -> None:
    """Words, numbers and maps; what doesn't fit says nothing."""
    found = Report(path="x", values=values).read(role, raw)
    assert found == state
    assert type(found) is type(state)


def test_paths_go_through_objects_and_lists() -> None:
    """Keys with dots, list positions, and values that have a unit beside them."""
    decoded = {"a.b": {"c": [1, {"d": 2}]}, "t": {"value": 21, "unit": "°C"}, "old": "on"}
    assert lookup(decoded, "a\\.b.c.1.d") == 2
    assert lookup(decoded, "t") == 21
    assert lookup(decoded, "a\\.b.c.7") is None
    assert lookup(decoded, "nothing.here") is None
    assert lookup("text", "a") is None
    assert Report(path="new | old").find(decoded) == "on"
    assert dict(fields_of(decoded)) == {
        "a\\.b.c.0": 1,
        "a\\.b.c.1.d": 2,
        "t.value": 21,
        "t.unit": "°C",
        "old": "on",
    }


SWITCH: dict[str, Any] = {
    "device": "garden/1",
    "platform": "switch",
    "name": "Socket",
    "f_port": 85,
    "confirmed": True,
    "commands": {"on": "0801FFFF", "off": {"payload": {"socket": "off"}, "confirmed": False}},
    "reports": {"state": "socket_status"},
}


def test_a_control_is_stored_and_read_again() -> None:
    """Port and confirmation are given once for all commands, or for one."""
    control = Control.from_dict(SWITCH)
    assert Control.from_dict(control.as_dict()) == control
    assert not control.assumed
    command, changes = control.command_for("on")
    downlink = command.downlink(None, no_templates)
    assert (downlink.f_port, downlink.payload, downlink.confirmed) == (
        85,
        b"\x08\x01\xff\xff",
        True,
    )
    assert changes == {Role.STATE: True}
    downlink = control.command_for("off")[0].downlink(None, no_templates)
    assert (downlink.decoded_payload, downlink.confirmed) == ({"socket": "off"}, False)
    assert Control.from_dict({**SWITCH, "reports": {}}).assumed


@pytest.mark.parametrize(
    "change",
    [
        {"platform": "sensor"},
        {"platform": "fan"},
        {"commands": {"on": "01"}},
        {"commands": {**SWITCH["commands"], "toggle": "02"}},
        {"commands": {"on": "01", "off": "0"}},
        {"commands": {"on": "01", "off": 2}},
        {"f_port": None},
        {"f_port": 224},
        {"f_port": "two"},
        {"reports": {"position": "x"}},
        {"reports": {"nothing": "x"}},
        {"choices": {"a": "01"}},
        {"platform": "select", "commands": {}},
        {"platform": "climate", "commands": {"temperature": "0E{value}"}, "reports": {}},
        {
            "platform": "climate",
            "commands": {"temperature": "0E{value}"},
            "reports": {},
            "minimum": 5,
            "maximum": 30,
            "choices": {"warm": "01"},
        },
        {"name": None, "device": None, "commands": 5},
    ],
)
def test_a_control_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    """Whatever is stored or in a preset: one clear error."""
    with pytest.raises(InvalidControlError):
        Control.from_dict({**SWITCH, **change})


def test_commands_imply_what_nothing_reports() -> None:
    """A valve that is opened half is open; a new mode and a new temperature both go out."""
    moving = {
        **SWITCH,
        "platform": "valve",
        "commands": {"open": "01", "close": "00", "position": "02{value}"},
        "reports": {},
    }
    valve = Control.from_dict(moving)
    assert valve.command_for("position", 40.0)[1] == {Role.POSITION: 40.0, Role.STATE: True}
    assert valve.command_for("close")[1] == {Role.STATE: False, Role.POSITION: 0.0}
    assert thread_of("id", {Role.STATE: True}) == "id"
    assert thread_of("id", {Role.MODE: "heat"}) != thread_of("id", {Role.TARGET_TEMPERATURE: 1.0})
    reported = Control.from_dict({**moving, "reports": {"position": "p"}})
    assert not reported.assumed
    assert reported.command_for("close")[1] == {Role.STATE: False}


# The forms


FORMS: dict[Platform, dict[str, Any]] = {
    Platform.SWITCH: {"on": "01", "off": "00"},
    Platform.BUTTON: {"press": "FF"},
    Platform.NUMBER: {"set": "03{value:2}", "minimum": 1, "maximum": 60, "step": 1, "unit": "min"},
    Platform.SELECT: {"options": "Auto = 0D00\n\nManual=0D 01\n"},
    Platform.TEXT: {"set": "12{value}"},
    Platform.VALVE: {"open": "01", "close": "00", "stop": "02", "position": "03{value}"},
    Platform.COVER: {"open": "01", "close": "00"},
    Platform.LIGHT: {"on": "01", "off": "00", "brightness": '{"dim": "{value}"}'},
    Platform.CLIMATE: {
        "temperature": "0E{value}",
        "modes": "off = 0D00\nHeat = 0D01",
        "minimum": 5,
        "maximum": 30,
        "step": 0.5,
    },
    Platform.LOCK: {"lock": "01", "unlock": "00"},
    Platform.SIREN: {"on": "01", "off": "00"},
}


@pytest.mark.parametrize("platform", list(KINDS))
def test_every_platform_has_a_form_that_can_be_filled_in_and_shown_again(
    platform: Platform,
) -> None:
    """Typed, read, stored, shown: the same."""
    typed = {**FORMS[platform], "f_port": 85.0, "confirmed": True}
    if len(KINDS[platform].commands) > 1:
        name = KINDS[platform].commands[1].name
        typed["single"] = {f"{name}_f_port": 86.0, f"{name}_confirmed": "unconfirmed"}
    given = commands_schema(platform)(typed)
    data = read_commands(platform, given)
    reports: dict[str, Any] = {str(role): f"field_{role}" for role in KINDS[platform].reports}
    if "state" in reports:
        reports["state_values"] = "H = on\nL = off"
    if "option" in reports:
        reports["option_values"] = "0 = Auto"
    if "mode" in reports:
        reports["mode_values"] = "1 = heat"
    data["reports"] = read_reports(platform, data["choices"], reports)
    control = Control.from_dict({"device": "d", "platform": platform, "name": "N", **data})
    assert control.platform is platform
    shown = commands_shown(control)
    again = read_commands(platform, commands_schema(platform)(shown))
    assert (
        Control.from_dict(
            {"device": "d", "platform": platform, "name": "N", **again, "reports": data["reports"]}
        )
        == control
    )
    assert reports_shown(control) == reports


@pytest.mark.parametrize(
    ("platform", "change", "field", "key"),
    [
        (Platform.SWITCH, {"on": ""}, "on", "payload_empty"),
        (Platform.SWITCH, {"off": "0"}, "off", "payload_odd"),
        (Platform.SWITCH, {"off": "zz"}, "off", "payload_hex"),
        (Platform.SWITCH, {"off": '{"a"'}, "off", "payload_object"),
        (Platform.SWITCH, {"on": "01{value}"}, "on", "value_unknown"),
        (Platform.NUMBER, {"set": "0102"}, "set", "value_missing"),
        (Platform.NUMBER, {"minimum": 60}, "maximum", "maximum_too_low"),
        (Platform.NUMBER, {"step": 0}, "step", "step_too_small"),
        (Platform.SELECT, {"options": " \n"}, "options", "no_options"),
        (Platform.SELECT, {"options": "Auto 0D00"}, "options", "line_odd"),
        (Platform.SELECT, {"options": "Auto = 0D0"}, "options", "payload_odd"),
        (Platform.SELECT, {"options": "A = 01\nA = 02"}, "options", "name_twice"),
        (Platform.CLIMATE, {"modes": "warm = 01"}, "modes", "mode_unknown"),
    ],
)
def test_what_is_typed_wrong_is_told_at_its_field(
    platform: Platform, change: dict[str, Any], field: str, key: str
) -> None:
    """Field and text."""
    with pytest.raises(FieldError) as caught:
        read_commands(platform, {**FORMS[platform], "f_port": 1, "confirmed": False, **change})
    assert (caught.value.field, caught.value.key) == (field, key)


@pytest.mark.parametrize(
    ("platform", "given", "field", "key"),
    [
        (Platform.SWITCH, {"state_values": "1 = on"}, "state", "field_missing"),
        (Platform.SWITCH, {"state": "x", "state_values": "on"}, "state_values", "line_odd"),
        (
            Platform.SWITCH,
            {"state": "x", "state_values": "1 = up"},
            "state_values",
            "state_unknown",
        ),
        (
            Platform.SELECT,
            {"option": "x", "option_values": "1 = B"},
            "option_values",
            "choice_unknown",
        ),
    ],
)
def test_what_is_wrong_about_reports_is_told(
    platform: Platform, given: dict[str, Any], field: str, key: str
) -> None:
    """Field and text."""
    with pytest.raises(FieldError) as caught:
        read_reports(platform, {"A": {}}, given)
    assert (caught.value.field, caught.value.key) == (field, key)


# What somebody may type by accident, or in bad faith


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("0x0x0x", "payload_hex"),
        ("0x", "payload_hex"),
        ("--", "payload_hex"),
        ("1,2", "payload_odd"),
        ("0E 1", "payload_odd"),
        ("{value" + " " * 4000, "payload_object"),
        ("0E {value" + " " * 4000 + "x}", "payload_hex"),
        ("{" + " " * 4000, "payload_object"),
        ("0E {value*" + "9" * 400 + "}", "payload_hex"),
        ("0E {value+" + "9" * 400 + "}", "payload_hex"),
        ('{"a":' * 500 + "1" + "}" * 500, "payload_deep"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "payload_deep"),
        ('{"a": NaN}', "payload_object"),
        ('{"a": -Infinity}', "payload_object"),
        ('{"a": 1e999}', "payload_object"),
        ('{"a": ' + "9" * 5000 + "}", "payload_object"),
        ({"a": float("nan")}, "payload_object"),
    ],
)
def test_an_odd_payload_is_refused_with_a_reason(payload: object, key: str) -> None:
    """Never an exception of Python, never another frame than what was meant."""
    with pytest.raises(PayloadTemplateError) as caught:
        read_payload(payload)
    assert caught.value.key == key
    assert len(str(caught.value)) < 300


def test_spaces_in_a_placeholder_are_no_harm() -> None:
    """As many as one likes: the pattern has one way to match them."""
    spaces = " " * 20_000
    form, payload = read_payload(f"0E {{{spaces}value{spaces}:{spaces}2{spaces}le{spaces}}}")
    assert fill(form, payload, 1.0, no_templates) == b"\x0e\x01\x00"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
@pytest.mark.parametrize("payload", ["0E {value}", '{"set": "{value*2}"}', '{"set": "to {value}"}'])
def test_a_value_that_is_no_number_is_refused(payload: str, value: float) -> None:
    """Whatever a template or an automation calculated."""
    form, read = read_payload(payload)
    with pytest.raises(PayloadTemplateError) as caught:
        fill(form, read, value, no_templates)
    assert caught.value.key == "value_not_number"


@pytest.mark.parametrize(
    ("rendered", "key"),
    [
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "payload_deep"),
        ('{"a": NaN}', "payload_object"),
        ("0x0x0x", "payload_hex"),
        ("1,2", "payload_odd"),
    ],
)
def test_what_a_template_gives_is_checked_too(rendered: str, key: str) -> None:
    """A template is no way around."""
    with pytest.raises(PayloadTemplateError) as caught:
        fill(Form.TEMPLATE, "{{ value }}", 1, lambda _template, _value: rendered)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "change",
    [
        {"platform": "number", "commands": {"set": "03{value}"}, "reports": {}, "minimum": float("nan"), "maximum": 5},
        {"f_port": float("nan")},
        {"f_port": float("inf")},
        {"commands": {"on": {"payload": {"a": float("inf")}}, "off": "00"}},
    ],
)  # fmt: skip
def test_a_control_without_finite_numbers_is_refused(change: dict[str, Any]) -> None:
    """YAML has words for them."""
    with pytest.raises(InvalidControlError):
        Control.from_dict({**SWITCH, **change})
