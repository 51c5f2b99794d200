"""What v3.32.1 refuses, with its reasons, and what it takes without a word.

The recordings have one error of most kinds; these are the rules behind them.
"""

import base64
from datetime import timedelta
from typing import Any

import pytest

from tests.simulator import Simulator
from tests.simulator_tests.clients import NOW, Answer, call, change, get, received, subscriber

EMBEDDED = "embedded message failed validation"
ID_PATTERN = '"^[a-z0-9](?:[-]?[a-z0-9]){2,}$"'
NO_ID = f"value does not match regex pattern {ID_PATTERN}"
TOO_LONG_ID = "value length must be at most 36 runes"
DEVICE = "/applications/garden/devices/lpp-node"
EUIS = {"dev_eui": "70B3D57ED00600AA", "join_eui": "0000000000000000"}
SETTINGS = {
    "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
    "frequency": "868100000",
}


async def create(sim: Simulator, device_id: Any = "new-one", **fields: Any) -> Answer:
    """Return the Identity Server's answer to a new end device."""
    device = {"ids": {"device_id": device_id, **EUIS}, **fields}
    body = {"end_device": device, "field_mask": {"paths": list(fields)}}
    return await call(sim, "POST", "/applications/garden/devices", json=body)


def below(*fields: str, reason: str) -> list[tuple[str, str]]:
    """Return the causes of a validation error, from the outermost field to the innermost."""
    return [*((field, EMBEDDED) for field in fields[:-1]), (fields[-1], reason)]


IDS = [
    ("ab", NO_ID),
    ("a-b", NO_ID),
    ("Abc", NO_ID),
    ("a_bc", NO_ID),
    ("a--bc", NO_ID),
    ("-abc", NO_ID),
    ("abc-", NO_ID),
    ("abc\n", NO_ID),
    ("äbc", NO_ID),
    ("", NO_ID),
    ("a" * 37, TOO_LONG_ID),
]


@pytest.mark.parametrize(("text", "reason"), IDS)
async def test_ids_of_end_devices(garden: Simulator, text: str, reason: str) -> None:
    """Three letters or digits at least, single dashes between, 36 characters at most."""
    answer = await create(garden, text)
    assert answer.status == 400
    assert answer.json["code"] == 3
    assert answer.json["message"].startswith("error:pkg/errors:validation (invalid `end_device`: ")
    assert answer.causes == below("end_device", "ids", "device_id", reason=reason)


@pytest.mark.parametrize("device_id", ["abc", "a-b-c", "1-2-3", "a" * 36])
async def test_ids_that_are_just_right(garden: Simulator, device_id: str) -> None:
    """The shortest, the longest, dashes."""
    assert (await create(garden, device_id)).status == 200


async def test_ids_in_paths(garden: Simulator) -> None:
    """An id is checked wherever it stands, before rights are."""
    path = "/applications/garden/devices/Bad_Id"
    answer = await get(garden, path, "info")
    assert answer.causes == below("end_device_ids", "device_id", reason=NO_ID)
    answer = await change(garden, path, "end_device", {"name": "x"})
    assert answer.causes == below("end_device", "ids", "device_id", reason=NO_ID)
    answer = await call(garden, "DELETE", path)
    assert answer.causes == below("device_id", reason=NO_ID)
    answer = await change(garden, f"/ns{path}", "end_device", {"supports_class_c": True})
    assert answer.causes == below("end_device", "ids", "device_id", reason=NO_ID)
    answer = await get(garden, "/applications/G/rights")
    assert answer.causes == below("application_id", reason=NO_ID)
    answer = await get(garden, "/applications/G", "user")
    assert answer.causes == below("application_ids", "application_id", reason=NO_ID)
    answer = await get(garden, "/gateways/G", "user")
    assert answer.causes == below("gateway_ids", "gateway_id", reason=NO_ID)


async def test_reasons_are_nested_four_deep(garden: Simulator) -> None:
    """The innermost cause alone names what is wrong; each level has an id of its own."""
    answer = await change(garden, "/applications/G_1/devices/lpp-node", "end_device", {"name": "x"})
    steps = ("end_device", "ids", "application_ids", "application_id")
    assert answer.causes == below(*steps, reason=NO_ID)
    details, ids = answer.json["details"][0], set()
    while details:
        ids.add(details["correlation_id"])
        assert details["message_format"] == "invalid `{field}`: {reason}"
        details = details.get("cause")
    assert len(ids) == 4


@pytest.mark.parametrize(("text", "reason"), IDS)
async def test_ids_of_applications_gateways_and_webhooks(
    garden: Simulator, text: str, reason: str
) -> None:
    """They have the same rules."""
    body: dict[str, Any] = {"application": {"ids": {"application_id": text}}}
    answer = await call(garden, "POST", "/users/admin/applications", "user", json=body)
    assert answer.causes == below("application", "ids", "application_id", reason=reason)
    body = {"gateway": {"ids": {"gateway_id": text}}}
    answer = await call(garden, "POST", "/users/admin/gateways", "user", json=body)
    assert answer.causes == below("gateway", "ids", "gateway_id", reason=reason)
    hook = {"ids": {"webhook_id": text}, "base_url": "https://example.org", "format": "json"}
    body = {"webhook": hook, "field_mask": {"paths": ["base_url", "format"]}}
    answer = await call(garden, "POST", "/as/webhooks/garden", json=body)
    assert answer.causes == below("webhook", "ids", "webhook_id", reason=reason)


FIELDS = [
    ("name", "n" * 50, None),
    ("name", "n" * 51, "value length must be at most 50 runes"),
    ("name", "ü" * 50, None),
    ("description", "d" * 2000, None),
    ("description", "d" * 2001, "value length must be at most 2000 runes"),
    ("attributes", {f"key-{number}": "" for number in range(10)}, None),
    (
        "attributes",
        {f"key-{number}": "" for number in range(11)},
        "value must contain no more than 10 pair(s)",
    ),
    ("attributes", {"Room": "x"}, NO_ID),
    ("attributes", {"ha": "x"}, NO_ID),
    ("attributes", {"k" * 37: "x"}, TOO_LONG_ID),
    ("attributes", {"room": "x" * 200}, None),
    ("attributes", {"room": "x" * 201}, "value length must be at most 200 runes"),
]


def _named(field: str, value: Any, reason: str) -> str:
    return (
        field if "pair" in reason or field != "attributes" else f"attributes[{next(iter(value))}]"
    )


@pytest.mark.parametrize(("field", "value", "reason"), FIELDS)
async def test_names_descriptions_attributes(
    garden: Simulator, field: str, value: Any, reason: str | None
) -> None:
    """Lengths count characters, not bytes; devices and applications have the same rules."""
    for answer, outermost in (
        (await create(garden, **{field: value}), "end_device"),
        (await change(garden, DEVICE, "end_device", {field: value}), "end_device"),
        (
            await change(garden, "/applications/garden", "application", {field: value}),
            "application",
        ),
    ):
        if reason is None:
            assert answer.status == 200
        else:
            innermost = _named(field, value, reason)
            assert answer.causes == below(outermost, innermost, reason=reason)


@pytest.mark.parametrize(
    ("serial", "reason"),
    [
        ("", None),
        ("serial9", None),
        ("a1b-2c3", None),
        ("SERIAL9", NO_ID),
        ("s9", NO_ID),
        ("0001/22", NO_ID),
        ("s" * 37, TOO_LONG_ID),
    ],
)
async def test_serial_numbers(garden: Simulator, serial: str, reason: str | None) -> None:
    """They follow the rules of ids, capitals included, or are empty."""
    answer = await create(garden, serial_number=serial)
    if reason is None:
        assert answer.status == 200
    else:
        assert answer.causes == below("end_device", "serial_number", reason=reason)


async def test_the_serial_number_of_a_qr_code_is_not_taken_by_the_registry(
    garden: Simulator,
) -> None:
    """The parser returns it as it is printed, in capitals."""
    text = b"LW:D0:A840410000000100:A84041000181C0AA:01014242:SSERIAL9"
    body = {"qr_code": base64.b64encode(text).decode()}
    answer = await call(garden, "POST", "/qr-codes/end-devices/parse", json=body)
    device = answer.json["end_device_template"]["end_device"]
    assert device["serial_number"] == "SERIAL9"
    answer = await create(garden, serial_number=device["serial_number"])
    assert answer.causes == below("end_device", "serial_number", reason=NO_ID)
    code = device["claim_authentication_code"]
    answer = await create(garden, claim_authentication_code=code)
    assert [field for field, _ in answer.causes] == [
        "end_device",
        "claim_authentication_code",
        "value",
    ]


async def test_qr_codes_have_a_length(garden: Simulator) -> None:
    """Ten bytes at least, 1,024 at most."""
    for length in (9, 1025):
        body = {"qr_code": base64.b64encode(b"x" * length).decode()}
        answer = await call(garden, "POST", "/qr-codes/end-devices/parse", json=body)
        reason = "value length must be between 10 and 1024 bytes, inclusive"
        assert answer.causes == below("qr_code", reason=reason) or length > 1024
        assert answer.causes[0][0] == "qr_code"


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        (
            "dev_eui",
            "A8404100",
            "error:pkg/types:invalid_length (invalid length: want 8 bytes, got 8 runes)",
        ),
        (
            "join_eui",
            "70B3D57ED00600AA0",
            "error:pkg/types:invalid_length (invalid length: want 8 bytes, got 17 runes)",
        ),
        ("dev_eui", "70B3D57ED00600AX", "encoding/hex: invalid byte: U+0058 'X'"),
        (
            "dev_addr",
            "260B",
            "error:pkg/types:invalid_length (invalid length: want 4 bytes, got 4 runes)",
        ),
    ],
)
async def test_euis_and_addresses(garden: Simulator, field: str, text: str, reason: str) -> None:
    """What can't be read has no details: a code and a message with the path."""
    body = {"end_device": {"ids": {"device_id": "new-one", field: text}}}
    answer = await call(garden, "POST", "/applications/garden/devices", json=body)
    message = f'unmarshal error at path "end_device.ids.{field}": {reason}'
    assert (answer.status, answer.json) == (400, {"code": 3, "message": message})


async def test_euis_in_any_letters_and_in_base64(garden: Simulator) -> None:
    """They come back in capitals."""
    body = {"end_device": {"ids": {"device_id": "new-one", "dev_eui": "70b3d57ed00600aa"}}}
    answer = await call(garden, "POST", "/applications/garden/devices", json=body)
    assert answer.json["ids"]["dev_eui"] == "70B3D57ED00600AA"


async def test_keys(garden: Simulator) -> None:
    """Sixteen bytes in hexadecimal or base64; the Join Server wants EUIs with them."""
    path = "/js/applications/garden/devices/new-one"
    await create(garden)
    keys = {"root_keys": {"app_key": {"key": "00112233445566778899AABBCCDDEEFF"}}}
    mask = ["root_keys.app_key.key"]
    ids = {"ids": {"device_id": "new-one", **EUIS}}
    assert (await change(garden, path, "end_device", {**keys, **ids}, mask)).status == 200
    answer = await change(garden, path, "end_device", keys, mask)
    assert answer.name == "pkg/joinserver:no_join_eui"
    answer = await change(garden, path, "end_device", ids, mask)
    assert answer.name == "pkg/joinserver:field_value"
    assert answer.json["details"][0]["attributes"] == {"field": "root_keys.app_key.key"}
    keys["root_keys"]["app_key"]["key"] = "0011223344"
    answer = await change(garden, path, "end_device", {**keys, **ids}, mask)
    assert answer.json["message"] == (
        'unmarshal error at path "end_device.root_keys.app_key.key": error:pkg/types:invalid_length'
        " (invalid length: want 16 bytes, got 10 runes)"
    )


async def test_only_what_changes_is_checked(garden: Simulator) -> None:
    """A rule holds for the fields in the mask; without a mask for all of them."""
    fields = {"name": "x", "serial_number": "SERIAL9"}
    assert (await change(garden, DEVICE, "end_device", fields, ["name"])).status == 200
    answer = await call(garden, "PUT", DEVICE, json={"end_device": fields})
    assert answer.causes == below("end_device", "serial_number", reason=NO_ID)


async def test_places(garden: Simulator) -> None:
    """A place lies on the globe."""
    for name, value, limits in (
        ("latitude", 90.1, "[-90, 90]"),
        ("longitude", -181, "[-180, 180]"),
    ):
        fields = {"locations": {"user": {name: value}}}
        answer = await change(garden, DEVICE, "end_device", fields)
        reason = f"value must be inside range {limits}"
        assert answer.causes == below("end_device", "locations[user]", name, reason=reason)


async def test_versions_that_do_not_fit_are_taken_in_silence(garden: Simulator) -> None:
    """LoRaWAN 1.1 where there is only an AppKey; a PHY version of another MAC version."""
    path = "/ns/applications/garden/devices/greenhouse-climate"
    fields = {"lorawan_version": "MAC_V1_1", "lorawan_phy_version": "PHY_V1_0_2_REV_A"}
    answer = await change(garden, path, "end_device", fields)
    assert answer.status == 200
    assert {key: answer.json[key] for key in fields} == fields
    assert "X-Warning" not in answer.headers
    answer = await change(garden, path, "end_device", {"lorawan_version": "MAC_V1_0_3"})
    assert answer.status == 200
    root_keys = garden.devices["greenhouse-climate"].documents["js"]["root_keys"]
    assert list(root_keys) == ["app_key"]


async def test_what_the_network_server_does_not_take(garden: Simulator) -> None:
    """Names that are none, nothing, and what an end device is for its whole life."""
    path = "/ns/applications/garden/devices/greenhouse-climate"
    answer = await change(garden, path, "end_device", {"lorawan_version": "MAC_V9"})
    assert answer.json["message"] == (
        'unmarshal error at path "end_device.lorawan_version": unknown value for enum: "MAC_V9"'
    )
    answer = await change(garden, path, "end_device", {"lorawan_version": "MAC_UNKNOWN"})
    assert answer.name == "pkg/networkserver:field_value"
    answer = await change(garden, path, "end_device", {}, ["frequency_plan_id"])
    assert answer.json["details"][0]["attributes"] == {"field": "frequency_plan_id"}
    answer = await change(garden, path, "end_device", {"supports_join": False})
    assert answer.json["details"][0]["attributes"] == {"field": "supports_join"}


async def test_formatter_scripts(garden: Simulator, demo: Simulator) -> None:
    """40,960 characters; since v3.35 65,536."""
    for sim, most in ((garden, 40960), (demo, 65536)):
        path = f"/as/applications/{sim.application_id}/devices/{next(iter(sim.devices))}"
        for length in (most, most + 1):
            fields = {"formatters": {"up_formatter_parameter": "x" * length}}
            answer = await change(sim, path, "end_device", fields)
            assert (answer.status == 200) == (length == most)
        steps = ("end_device", "formatters", "up_formatter_parameter")
        reason = f"value length must be at most {most} runes"
        assert answer.causes == below(*steps, reason=reason)
    fields = {"default_formatters": {"up_formatter": "FORMATTER_MAGIC"}}
    answer = await change(garden, "/as/applications/garden/link", "link", fields)
    assert answer.json["message"].endswith('unknown value for enum: "FORMATTER_MAGIC"')


async def test_downlinks(garden: Simulator) -> None:
    """One rule broken, and none of the downlinks is taken."""
    path = "/as/applications/garden/devices/pump-socket/down/push"
    good = {"f_port": 1, "frm_payload": "AQ=="}
    for bad, fields, reason in (
        ({"correlation_ids": ["c" * 101]}, ["correlation_ids[0]"], "value length must be at most"),
        (
            {"confirmed_retry": {"max_attempts": 0}},
            ["confirmed_retry", "max_attempts"],
            "value must be inside range (0, 100]",
        ),
        (
            {"class_b_c": {"gateways": [{"gateway_ids": {"gateway_id": "G"}}]}},
            ["class_b_c", "gateways[0]", "gateway_ids", "gateway_id"],
            NO_ID,
        ),
    ):
        answer = await call(garden, "POST", path, json={"downlinks": [good, good | bad]})
        assert [field for field, _ in answer.causes] == ["downlinks[1]", *fields]
        assert answer.causes[-1][1].startswith(reason)
    many = good | {"confirmed": True, "confirmed_retry": {"max_attempts": 33}}
    answer = await call(garden, "POST", path, json={"downlinks": [many]})
    assert answer.name == "pkg/applicationserver:downlink_max_retries_invalid"
    assert (await get(garden, path.removesuffix("/push"))).json == {}


async def test_simulating_for_an_unknown_device_is_answered_and_nothing_happens(
    garden: Simulator,
) -> None:
    """200, and no message; a known one's comes."""
    body = {"uplink_message": {"f_port": 1, "frm_payload": "AQ==", "settings": SETTINGS}}
    path = "/as/applications/garden/devices/{}/up/simulate"
    async with subscriber(garden) as client:
        await client.subscribe("v3/garden/devices/+/up")
        for device_id in ("nosuch", "lpp-node"):
            answer = await call(garden, "POST", path.format(device_id), json=body)
            assert (answer.status, answer.json) == (200, {})
        [(topic, _)] = await received(client, 1)
    assert "/lpp-node/" in topic
    del body["uplink_message"]["settings"]
    answer = await call(garden, "POST", path.format("nosuch"), json=body)
    assert answer.causes == below("uplink_message", "settings", reason="value is required")


async def test_downlinks_by_mqtt_to_an_unknown_device_come_to_nothing(garden: Simulator) -> None:
    """The publish is acknowledged, and nothing follows, nor for what breaks a rule."""
    async with subscriber(garden, "control") as client:
        await client.subscribe("v3/garden/devices/+/down/#")
        topic = "v3/garden/devices/{}/down/push"
        good = '{"downlinks": [{"f_port": 1, "frm_payload": "AQ=="}]}'
        await client.publish(topic.format("nosuch"), good, qos=1)
        await client.publish(topic.format("lpp-node"), good.replace("1,", "224,"), qos=1)
        await client.publish(topic.format("lpp-node"), "[1]", qos=1)
        await client.publish(topic.format("lpp-node"), good, qos=1)
        [(topic, message)] = await received(client, 1)
    assert topic == "v3/garden/devices/lpp-node/down/queued"
    assert message["downlink_queued"]["f_port"] == 1


async def test_lists(garden: Simulator) -> None:
    """At most 1,000 a page, known orders, short texts to search for."""
    path = "/applications/garden/devices"
    answer = await get(garden, path, params={"order": "battery"})
    assert [field for field, _ in answer.causes] == ["order"]
    answer = await get(garden, f"/search{path}", params={"query": "q" * 51})
    assert answer.causes == below("query", reason="value length must be at most 50 runes")
    answer = await get(garden, f"{path}/batch", params=[("device_ids", "abc")] * 21)
    reason = "value must contain between 1 and 20 items, inclusive"
    assert answer.causes == below("device_ids", reason=reason)
    ids = [{"gateway_id": "roof-gw"}] * 101
    answer = await call(
        garden, "POST", "/gs/gateways/connection/stats", "user", json={"gateway_ids": ids}
    )
    assert answer.causes == below("gateway_ids", reason=reason.replace("20", "100"))


async def test_changes_since_a_time_that_has_not_come(garden: Simulator) -> None:
    """A client whose clock is ahead is refused."""
    path = "/applications/garden/devices/filter"
    for seconds, status in ((-1, 200), (60, 400)):
        since = (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        answer = await call(garden, "POST", path, json={"filters": [{"updated_since": since}]})
        assert answer.status == status
    reason = "value must be less than now"
    assert answer.causes == below("filters[0]", "updated_since", reason=reason)


async def test_api_keys(garden: Simulator) -> None:
    """A name of 50 characters, one right at least, and only rights that there are."""
    path = "/applications/garden/api-keys"
    for body, fields in (
        ({"name": "n" * 51, "rights": ["RIGHT_APPLICATION_INFO"]}, ["name"]),
        ({}, ["rights"]),
    ):
        answer = await call(garden, "POST", path, "all", json=body)
        assert [field for field, _ in answer.causes] == fields
    answer = await call(garden, "POST", path, "all", json={"rights": ["RIGHT_MAGIC"]})
    assert answer.json["message"].endswith('unknown value for enum: "RIGHT_MAGIC"')


async def test_webhooks(garden: Simulator) -> None:
    """Headers and paths have lengths, the address a scheme."""
    path = "/as/webhooks/garden/home"
    for fields, innermost in (
        ({"base_url": "example.org/hook"}, "base_url"),
        ({"headers": {"X": "v" * 4097}}, "headers[X]"),
        ({"uplink_message": {"path": "p" * 65}}, "path"),
        ({"downlink_api_key": "k" * 129}, "downlink_api_key"),
    ):
        answer = await change(garden, path, "webhook", fields)
        assert answer.causes[-1][0] == innermost


async def test_values_of_another_type(garden: Simulator) -> None:
    """A number where text is expected can't be read."""
    wrong: list[dict[str, Any]] = [
        {"name": 5},
        {"attributes": []},
        {"attributes": {"room": 3}},
        {"locations": 1},
    ]
    for fields in wrong:
        answer = await change(garden, DEVICE, "end_device", fields)
        assert answer.status == 400
        path = f"end_device.{next(iter(fields))}"
        assert answer.json["message"].startswith(f'unmarshal error at path "{path}": expects')
        assert "details" not in answer.json
