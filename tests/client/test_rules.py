"""What breaks a server's rule: found before a request, or told with the field and the rule."""

from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import Conflict, DeviceChanges, InvalidRequest, StackError
from thethingsstack.models import ErrorDetails
from thethingsstack.refusals import refusal
from thethingsstack.rules import check_texts, parse_serial_number, plain_reason

from .conftest import MakeStack, recorded

ID_RULE = "at least 3 lower-case letters or digits, with single dashes between them, are needed"


@pytest.mark.parametrize(
    ("call", "body", "field", "rule"),
    [
        (
            "POST users/admin/applications",
            {"application": {"ids": {"application_id": "Garden_1"}}},
            "application.ids.application_id",
            f"invalid `application_id`: {ID_RULE}",
        ),
        (
            "POST applications/garden/devices",
            {"end_device": {"ids": {"device_id": "a-b"}}},
            "end_device.ids.device_id",
            f"invalid `device_id`: {ID_RULE}",
        ),
        (
            "PUT applications/garden/devices/lpp-node",
            {
                "end_device": {"ids": {"device_id": "lpp-node"}, "name": "x" * 51},
                "field_mask": {"paths": ["name"]},
            },
            "end_device.name",
            "invalid `name`: at most 50 characters are allowed",
        ),
        (
            "POST as/applications/garden/devices/bath-radiator/down/push",
            {"downlinks": [{"f_port": 224, "frm_payload": "AQ=="}]},
            "downlinks[0].f_port",
            "invalid `f_port`: value must not be in list [224]",
        ),
        (
            "PUT js/applications/garden/devices/lpp-node",
            {"end_device": {"root_keys": {"app_key": {"key": "1234"}}}},
            "end_device.root_keys.app_key.key",
            "invalid length",
        ),
    ],
)
async def test_a_refusal_names_field_and_rule(
    make_stack: MakeStack, call: str, body: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await make_stack("user").request(*call.split(), json=body)
    error = caught.value
    assert error.status == 400
    assert error.name in ("validation", "invalid_argument")
    assert error.field == field
    assert rule in error.message
    assert error.reason is not None
    assert "embedded" not in error.message + error.reason


async def test_a_cause_without_details_says_less_than_the_refusal(make_stack: MakeStack) -> None:
    ids = {"device_id": "lpp-node"}
    with pytest.raises(Conflict) as caught:
        await make_stack("user").request(
            "POST", "applications/garden/devices", json={"end_device": {"ids": ids}}
        )
    assert caught.value.name == "id_taken"
    assert caught.value.cause_name == "already_exists"
    assert caught.value.message.startswith("ID already taken")


def level(
    name: str, message: str, *, cause: dict[str, Any] | None = None, **attributes: Any
) -> Any:
    """Return an error as servers nest them."""
    return {
        "namespace": "pkg/test",
        "name": name,
        "message_format": message,
        **({"attributes": attributes} if attributes else {}),
        **({"cause": cause} if cause else {}),
    }


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            level("output", "invalid output", cause=level("port", "no FPort is set")),
            "invalid output: no FPort is set",
        ),
        (
            level(
                "identifiers",
                "invalid identifiers",
                cause=level("eui", "EUI `{eui}` is unknown", eui="01"),
            ),
            "EUI `01` is unknown",
        ),
        (
            level(
                "request", "request", cause=level("call", "`{c}` failed", c="connect", error="no")
            ),
            "`connect` failed: no",
        ),
        (level("x", "{a}", a="1", cause=level("y", "deep")), "1"),
        ({"name": "x"}, "x"),
        (level("x", "", cause={"cause": "odd"}), "x"),
    ],
)
def test_the_innermost_cause_that_names_something(details: dict[str, Any], message: str) -> None:
    assert ErrorDetails.from_json(details).message == message
    error = refusal(400, {"code": 3, "details": [details]}, {})
    assert (error.message, error.name) == (message, details["name"])


def test_endless_causes_end() -> None:
    details: dict[str, Any] = level("x", "invalid things")
    details["cause"] = details
    assert ErrorDetails.from_json(details).name == "x"


def test_a_key_that_is_unknown_stays_what_it_is() -> None:
    response = recorded("http/auth_info/deleted_key.json")["response"]
    error: StackError = refusal(401, response["json"], {})
    assert error.name == error.cause_name == "api_key_not_found"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"application_id": "a-b"}, "invalid_application_id"),
        ({"name": "x" * 51}, "name_too_long"),
        ({"description": "x" * 2001}, "description_too_long"),
    ],
)
async def test_applications_are_checked_before(
    simulator: Simulator, make_stack: MakeStack, changes: dict[str, Any], name: str
) -> None:
    arguments = {"application_id": "new-app", "user_id": "admin", **changes}
    with pytest.raises(InvalidRequest) as caught:
        await make_stack("user").administration.create(**arguments)
    assert caught.value.name == name
    assert simulator.requests == []


async def test_attributes_are_counted_with_those_that_are_there(
    simulator: Simulator, make_stack: MakeStack
) -> None:
    stack = make_stack("all")
    ten = {f"key-{number}": "x" for number in range(10)}
    await stack.administration.update(attributes=ten)
    await stack.end_devices.update("lpp-node", DeviceChanges(attributes={"room": None, **ten}))
    simulator.requests.clear()
    with pytest.raises(InvalidRequest) as caught:
        await stack.administration.update(attributes={"one-more": "x"})
    assert caught.value.name == "too_many_attributes"
    with pytest.raises(InvalidRequest) as caught:
        await stack.end_devices.update("lpp-node", DeviceChanges(attributes={"one-more": "x"}))
    assert caught.value.name == "too_many_attributes"
    assert {method for method, _ in simulator.requests} == {"GET"}
    with pytest.raises(InvalidRequest, match=ID_RULE):
        check_texts(None, attributes={"Room": "x"})


@pytest.mark.parametrize(
    ("text", "parsed"), [("SERIAL9", "serial9"), (" ab-1 ", "ab-1"), ("123", "123")]
)
def test_serial_numbers(text: str, parsed: str) -> None:
    assert parse_serial_number(text) == parsed


@pytest.mark.parametrize("text", ["", "a1", "a/b/c", "A B C", "a--b", "-abc"])
def test_no_serial_numbers(text: str) -> None:
    with pytest.raises(InvalidRequest, match=ID_RULE) as caught:
        parse_serial_number(text)
    assert caught.value.name == "invalid_serial_number"


def test_reasons_that_are_not_known_stay() -> None:
    assert plain_reason("value is required") == "value is required"
    assert plain_reason('value does not match regex pattern "x"').endswith('"x"')
