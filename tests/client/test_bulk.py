"""Reading, checking, registering and writing the Console's files of many end devices."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.simulator import Simulator
from thethingsstack import InvalidRequest, StackError
from thethingsstack.bulk import (
    FileFormat,
    Outcome,
    Status,
    check_rows,
    counts,
    decode_file,
    lost_in_csv,
    read_devices,
    register_rows,
    report_csv,
    report_json,
    write_devices,
)
from thethingsstack.bulk.read import MAX_DEVICES
from thethingsstack.device_request import PreparedRegistration, claim_and_register

from .conftest import MakeStack

KEY = "00112233445566778899AABBCCDDEEFF"
OTHER_KEY = "FFEEDDCCBBAA99887766554433221100"
HEADER = (
    "id;dev_eui;join_eui;name;description;frequency_plan_id;lorawan_version;lorawan_phy_version;"
    "brand_id;model_id;hardware_version;firmware_version;band_id;app_key;nwk_key;rx1_delay;"
    "supports_32_bit_f_cnt;dev_addr;app_s_key;f_nwk_s_int_key;last_f_cnt_up;last_n_f_cnt_down;"
    "last_a_f_cnt_down;supports_class_c;vendor_id;vendor_profile_id"
)
ALL_COLUMNS = f"""{HEADER}
cellar-one;70B3D57ED0A60001;70B3D57ED0000001;"Cellar; one";by the door;EU_863_870_TTN;MAC_V1_0_3;\
PHY_V1_0_3_REV_A;;;;;;{KEY};;RX_DELAY_5;false;;;;;;;true;25;7
cellar-abp;70B3D57ED0A60002;;Cellar two;;EU_863_870_TTN;1.0.3;;;;;;;;;;;260B1234;{KEY};{OTHER_KEY};\
1200;34;;false;;
"""
JSON_STREAM = f"""{{
  "ids": {{"device_id": "attic", "dev_eui": "70b3d57ed0a60003", "join_eui": "70B3D57ED0000001",
           "application_ids": {{"application_id": "another"}}}},
  "created_at": "2026-01-01T00:00:00Z",
  "name": "Attic",
  "attributes": {{"room": "Attic"}},
  "locations": {{"user": {{"latitude": 52.1, "longitude": 4.3, "source": "SOURCE_REGISTRY"}}}},
  "lorawan_version": "MAC_V1_0_3",
  "lorawan_phy_version": "PHY_V1_0_3_REV_A",
  "frequency_plan_id": "EU_863_870_TTN",
  "supports_join": true,
  "mac_settings": {{"rx1_delay": "RX_DELAY_1"}},
  "formatters": {{"up_formatter": "FORMATTER_CAYENNELPP"}},
  "root_keys": {{"app_key": {{"key": "{KEY}"}}}},
  "multicast": false,
  "skip_payload_crypto": true
}}
{{
  "ids": {{"device_id": "moved", "dev_eui": "70B3D57ED0A60004", "join_eui": "70B3D57ED0000001"}},
  "lorawan_version": "MAC_V1_0_3",
  "frequency_plan_id": "EU_863_870_TTN",
  "supports_join": true,
  "root_keys": {{"app_key": {{"key": "{KEY}"}}}},
  "session": {{"dev_addr": "260B0001", "keys": {{"app_s_key": {{"key": "{KEY}"}}}}}}
}}
"""


def problems(text: str, **defaults: str) -> list[tuple[int, list[str]]]:
    """Return the problems of each row, in words."""
    found = read_devices(text, defaults)
    return [(row.line, [str(problem) for problem in row.problems]) for row in found.rows]


async def imported(make_stack: MakeStack, text: str, **options: Any) -> list[Outcome]:
    """Check and register all rows of a file."""
    stack = make_stack("manage", **options)

    async def register(prepared: PreparedRegistration) -> None:
        await claim_and_register(stack, prepared.registration)

    checked = [outcome async for outcome in check_rows(stack, read_devices(text).rows)]
    return [outcome async for outcome in register_rows(checked, register)]


async def test_csv_with_all_columns(make_stack: MakeStack, simulator: Simulator) -> None:
    outcomes = await imported(make_stack, ALL_COLUMNS)
    assert [o.status for o in outcomes] == [Status.REGISTERED, Status.REGISTERED]
    one = simulator.devices["cellar-one"].documents
    assert one["is"]["name"] == "Cellar; one"
    assert one["is"]["lora_alliance_profile_ids"] == {"vendor_id": 25, "vendor_profile_id": 7}
    assert one["js"]["root_keys"]["app_key"]["key"] == KEY
    assert one["ns"]["mac_settings"] == {"rx1_delay": "RX_DELAY_5", "supports_32_bit_f_cnt": False}
    assert one["ns"]["supports_class_c"] is True
    abp = simulator.devices["cellar-abp"].documents
    assert set(abp) == {"is", "ns", "as"}
    assert abp["ns"]["session"]["keys"] == {"f_nwk_s_int_key": {"key": OTHER_KEY}}
    # Without the counters, the device would ignore all downlinks.
    assert abp["ns"]["session"]["last_f_cnt_up"] == 1200
    assert abp["ns"]["session"]["last_n_f_cnt_down"] == 34
    assert abp["as"]["session"]["keys"]["app_s_key"]["key"] == KEY


async def test_json_objects_one_after_the_other(
    make_stack: MakeStack, simulator: Simulator
) -> None:
    rows = read_devices(JSON_STREAM).rows
    assert [(row.line, row.device_id, [str(n) for n in row.notes]) for row in rows] == [
        (1, "attic", ["not taken over: multicast, skip_payload_crypto"]),
        (18, "moved", ["the session is not taken over: the end device joins anew"]),
    ]
    outcomes = await imported(make_stack, JSON_STREAM)
    assert [o.status for o in outcomes] == [Status.REGISTERED, Status.REGISTERED]
    documents = simulator.devices["attic"].documents
    assert documents["is"]["attributes"] == {"room": "Attic"}
    assert documents["is"]["locations"]["user"]["latitude"] == 52.1
    assert documents["ns"]["mac_settings"] == {"rx1_delay": "RX_DELAY_1"}
    assert documents["as"]["formatters"]["up_formatter"] == "FORMATTER_CAYENNELPP"


def test_spellings_of_files() -> None:
    """Commas, another order, app_eui, no ID, lists of JSON, and what spreadsheets write."""
    text = f"App_EUI, dev_eui ,remark,app_key\r\n\r\n70b3-d57e-d000-0001,70:B3:D5:7E:D0:A6:00:09,x,{KEY}\r\n"
    found = read_devices(text, {"lorawan_version": "1.0.3", "frequency_plan_id": "EU_863_870_TTN"})
    (row,) = found.rows
    assert (row.line, row.device_id, row.dev_eui) == (3, "eui-70b3d57ed0a60009", "70B3D57ED0A60009")
    assert row.request is not None
    assert row.request.known["join_eui"] == "70B3D57ED0000001"
    assert row.request.known["lorawan_version"] == "MAC_V1_0_3"
    assert [str(note) for note in found.notes] == ["not taken over: remark"]
    as_list = "[" + JSON_STREAM.replace("}\n{", "},\n{") + "]"
    assert [row.device_id for row in read_devices(as_list).rows] == ["attic", "moved"]
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        data = f"{HEADER}\nküche{';' * 25}".encode(encoding)
        assert read_devices(decode_file(data)).rows[0].device_id == "küche"


def test_each_problem_has_its_line_and_column() -> None:
    """All at once, so that a file is put right in one go."""
    columns = (
        "id;dev_eui;name;lorawan_version;lorawan_phy_version;app_key;supports_class_c;rx1_delay"
    )
    text = f"""{columns}
Bad_ID;70B3D57ED0A6;{"n" * 51};1.0.9;;123;maybe;RX_DELAY_16
twice;70B3D57ED0A60001;;1.0.3;PHY_V1_0_2_REV_A;{KEY};;
twice;70B3D57ED0A60001;;1.1;;{KEY};;
short;70B3D57ED0A60005
;;;1.0.3;;;;
"""
    found = dict(problems(text))
    assert [problem.split(":")[0] for problem in found[2]] == [
        *("id", "dev_eui", "name", "lorawan_version", "app_key", "supports_class_c", "rx1_delay")
    ]
    assert found[2][1] == "dev_eui: DevEUI `70B3D57ED0A6`: 16 digits are needed, these are 12"
    assert found[2][4] == "app_key: AppKey: 32 digits are needed, these are 3"
    assert found[2][5] == "supports_class_c: `maybe` is neither true nor false"
    assert [problem.split("`")[:2] for problem in found[3]] == [
        ["lorawan_phy_version: regional parameters ", "PHY_V1_0_2_REV_A"]
    ]
    assert found[4] == [
        "the NwkKey is missing (32 hexadecimal digits)",
        "id: line 3 has the same device ID `twice`",
        "dev_eui: line 3 has the same DevEUI `70B3D57ED0A60001`",
    ]
    assert found[5] == ["the line has 2 columns, the first has 8"]
    assert found[6] == [
        "the DevEUI is missing (16 hexadecimal digits, on the label of the end device)",
        "the AppKey is missing (32 hexadecimal digits)",
    ]


def test_problems_in_json_name_the_member() -> None:
    text = """[{"ids": {"device_id": 7, "dev_eui": "zz"}, "attributes": {"A": "b"},
      "root_keys": {"app_key": {"key": 5}}, "session": "no", "locations": {"user": {}},
      "formatters": {"up_formatter": "FORMATTER_MAGIC"}, "lora_alliance_profile_ids":
      {"vendor_id": -1}, "mac_settings": [1], "supports_join": "perhaps"}]"""
    assert [problem.split(":")[0] for problem in dict(problems(text))[1]] == [
        *("ids.device_id", "ids.dev_eui", "root_keys.app_key.key"),
        *("lora_alliance_profile_ids.vendor_id", "supports_join", "attributes", "locations.user"),
        *("mac_settings", "formatters"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "empty_file"),
        (HEADER, "empty_file"),
        ("[]", "empty_file"),
        ("first;second\n1;2\n", "no_known_columns"),
        ('id;name\n"open;1\n', "invalid_csv"),
        ('{"ids": {', "invalid_json"),
        ("[1]", "invalid_json"),
        ("[" * 100_000, "empty_file"),
        ('{"a":' * 100_000, "invalid_json"),
        ("id\n" + "x\n" * (MAX_DEVICES + 1), "too_many_devices"),
    ],
    ids=["empty", "header", "list", "columns", "csv", "json", "number", "lists", "deep", "many"],
)
def test_what_is_no_file_of_end_devices(text: str, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_devices(text)
    assert refused.value.name == name


async def test_checked_against_the_network(make_stack: MakeStack, simulator: Simulator) -> None:
    """Models, plans, IDs and EUIs in use; each model is looked up once."""
    known = next(d for d in simulator.devices.values() if d.documents["is"]["ids"].get("dev_eui"))
    ids = known.documents["is"]["ids"]
    model = "milesight-iot;ws523;1.0;EU_863_870"
    text = f"""id;dev_eui;join_eui;app_key;brand_id;model_id;firmware_version;band_id;\
frequency_plan_id;lorawan_version
socket-one;70B3D57ED0A60001;;{KEY};{model};;
socket-two;70B3D57ED0A60002;;{KEY};{model};US_902_928_FSB_2;
unknown;70B3D57ED0A60003;;{KEY};milesight-iot;no-such-model;1.0;EU_863_870;;
unknown-too;70B3D57ED0A60007;;{KEY};milesight-iot;no-such-model;1.0;EU_863_870;;
plan;70B3D57ED0A60004;;{KEY};;;;;EU_NO_PLAN;1.0.3
bare;70B3D57ED0A60005;;{KEY};;;;;;
{ids["device_id"]};70B3D57ED0A60006;;{KEY};;;;;EU_863_870_TTN;1.0.3
new-id;{ids["dev_eui"]};{ids["join_eui"]};{KEY};;;;;EU_863_870_TTN;1.0.3
{ids["device_id"]}x;70B3D57ED0A60008;;{KEY};;;;;EU_863_870_TTN;1.0.3
"""
    before = len(simulator.devices)
    stack = make_stack("manage")
    rows = read_devices(text).rows
    outcomes = [outcome async for outcome in check_rows(stack, rows)]
    found = [(o.status, [problem.error.name for problem in o.problems]) for o in outcomes]
    assert found == [
        (Status.READY, []),
        (Status.REFUSED, ["frequency_plan_of_another_band"]),
        (Status.REFUSED, ["model_not_found"]),
        (Status.REFUSED, ["model_not_found"]),
        (Status.REFUSED, ["frequency_plan_not_found"]),
        (Status.REFUSED, ["missing_lorawan_version"]),
        (Status.REFUSED, ["id_taken"]),
        (Status.REFUSED, ["end_device_euis_taken"]),
        (Status.READY, []),
    ]
    assert len(simulator.devices) == before
    asked = [path for _, path in simulator.requests if "no-such-model" in path]
    assert len(asked) == 1


async def test_the_others_go_on_and_a_second_import_does_the_rest(
    make_stack: MakeStack, simulator: Simulator
) -> None:
    """Each end device is registered as a whole or not at all."""
    stack = make_stack("manage")
    checked = [outcome async for outcome in check_rows(stack, read_devices(JSON_STREAM).rows)]
    assert checked[0].prepared is not None
    first = checked[0].prepared.registration
    await stack.end_devices.register(replace(first, device_id="faster"))

    async def register(prepared: PreparedRegistration) -> None:
        await claim_and_register(stack, prepared.registration)

    outcomes = [outcome async for outcome in register_rows(checked, register)]
    assert [o.status for o in outcomes] == [Status.REFUSED, Status.REGISTERED]
    assert "attic" not in simulator.devices
    await stack.end_devices.delete("faster")
    again = await imported(make_stack, JSON_STREAM)
    assert [o.status for o in again] == [Status.REGISTERED, Status.PRESENT]
    assert counts(again) == {"present": 1, "registered": 1}
    report = report_json(outcomes)
    assert report["counts"] == {"refused": 1, "registered": 1}
    assert report["end_devices"][0]["problems"][0]["text"]
    assert KEY not in str(report) + report_csv(outcomes) + repr(outcomes)


async def test_a_key_without_the_right_ends_it_at_once(
    make_stack: MakeStack, simulator: Simulator
) -> None:
    stack = make_stack("read")

    async def register(prepared: PreparedRegistration) -> None:
        await claim_and_register(stack, prepared.registration)

    checked = [outcome async for outcome in check_rows(stack, read_devices(JSON_STREAM).rows)]
    outcomes = [outcome async for outcome in register_rows(checked, register)]
    assert [o.status for o in outcomes] == [Status.REFUSED, Status.NOT_TRIED]
    assert outcomes[1].problems[0].error is outcomes[0].problems[0].error


@pytest.mark.parametrize("file_format", FileFormat)
async def test_what_is_exported_can_be_imported(
    make_stack: MakeStack, simulator: Simulator, file_format: FileFormat
) -> None:
    """The same end devices come out of it, ABP with keys and counters."""
    await imported(make_stack, ALL_COLUMNS + "\n")
    stack = make_stack("manage")
    wanted = ("cellar-one", "cellar-abp")
    exported = await stack.end_devices.export(with_keys=True)
    found = [exported[name] for name in wanted]
    before = {name: simulator.devices[name].documents for name in wanted}
    for name in wanted:
        await stack.end_devices.delete(name)
    outcomes = []
    for text in write_devices(found, file_format):
        outcomes += await imported(make_stack, text)
    assert {o.row.device_id: o.status for o in outcomes} == dict.fromkeys(wanted, "registered")
    for name, documents in before.items():
        for server, document in documents.items():
            now = simulator.devices[name].documents[server]
            for member in ("name", "root_keys", "session", "mac_settings", "supports_class_c"):
                assert now.get(member) == document.get(member), (name, server, member)


async def test_export_without_keys(make_stack: MakeStack, simulator: Simulator) -> None:
    stack = make_stack("read")
    found = await stack.end_devices.export()
    assert list(found) == sorted(
        name for name, device in simulator.devices.items() if "is" in device.documents
    )
    devices = list(found.values())
    texts = write_devices(devices, FileFormat.JSON) + write_devices(devices, FileFormat.CSV)
    assert "_key" not in str(texts)
    assert "attributes" in lost_in_csv([{"attributes": {"room": "Attic"}}])
    with pytest.raises(StackError):
        await stack.end_devices.export(with_keys=True)


async def test_cancelled_it_keeps_what_was_registered(
    make_stack: MakeStack, simulator: Simulator
) -> None:
    """What was registered before remains, and no more are begun."""
    stack = make_stack("manage")
    checked = [outcome async for outcome in check_rows(stack, read_devices(JSON_STREAM).rows)]
    reached = asyncio.Event()

    async def register(prepared: PreparedRegistration) -> None:
        if prepared.registration.device_id == "moved":
            reached.set()
            await asyncio.Event().wait()
        await claim_and_register(stack, prepared.registration)

    done: list[Outcome] = []

    async def run() -> None:
        async for outcome in register_rows(checked, register):
            done.append(outcome)  # noqa: PERF401 - they are to remain when it is cancelled

    work = asyncio.create_task(run())
    await reached.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert [o.status for o in done] == [Status.REGISTERED]
    assert "attic" in simulator.devices
    assert "moved" not in simulator.devices
