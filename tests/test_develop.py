"""What scripts/develop takes, types into the config flow, and calls complete."""

from pathlib import Path
from typing import Any

import pytest

from scripts.dev.check import Picture, Speaker, missing, table
from scripts.dev.flow import FlowError, answer, network
from scripts.dev.options import Application, parse


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Return a file with a key."""
    path = tmp_path / "key"
    path.write_text("NNSXS.EXAMPLE\n", encoding="utf-8")
    return path


def own(**changes: Any) -> Application:
    """Return an application on an own server."""
    return Application(**{"server": "http://127.0.0.1:1885", "api_key": "key", **changes})


def test_the_simulator_is_what_runs_without_options() -> None:
    """Nothing asked, nothing in the environment: the simulator, with its entry."""
    options = parse([], {})
    assert options.application is None
    assert options.entry
    assert not options.check
    assert options.door == "mqtt"
    for door in ("mqtt", "events", "webhook"):
        assert parse(["--check", "--door", door], {}).door == door


def test_options_and_variables_say_the_same(key_file: Path) -> None:
    """Each option about the server has a variable."""
    arguments = ["--server", "stack.example.org", "--identity-server", "https://id.example.org"]
    arguments += ["--application", "garden@home", "--api-key-file", str(key_file)]
    by_option = parse(arguments, {}).application
    environment = {
        "TTN_SERVER": "https://stack.example.org/",
        "TTN_IDENTITY_SERVER": "https://id.example.org",
        "TTN_APPLICATION": "garden@home",
        "TTN_API_KEY": "NNSXS.EXAMPLE",
    }
    assert parse([], environment).application == by_option
    del environment["TTN_API_KEY"]
    environment["TTN_API_KEY_FILE"] = str(key_file)
    assert parse([], environment).application == by_option


def test_a_private_authority_is_read_from_its_file(tmp_path: Path, key_file: Path) -> None:
    """The certificate's text goes to the flow."""
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n", encoding="ascii")
    environment = {
        "TTN_SERVER": "https://stack.example.org",
        "TTN_API_KEY_FILE": str(key_file),
        "TTN_CA_FILE": str(pem),
    }
    application = parse([], environment).application
    assert application is not None
    assert application.ca_pem == "-----BEGIN CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json"],
        ["--check", "--no-entry"],
        ["--server", "stack.example.org"],
        ["--server", "stack.example.org", "--api-key-file", "no-such-file"],
        ["--application", "garden"],
        ["--door", "carrier-pigeon"],
        ["--ha", "2024.1"],
        ["--v2", "--door", "events"],
    ],
)
def test_contradictions_are_usage_errors(arguments: list[str]) -> None:
    """The exit code of a usage error is 2."""
    with pytest.raises(SystemExit) as stopped:
        parse(arguments, {})
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("server", "choice"),
    [
        ("https://eu1.cloud.thethings.network", "ttn_eu1"),
        ("https://au1.cloud.thethings.network", "ttn_au1"),
        ("https://acme.eu1.cloud.thethings.industries", "cloud"),
        ("https://stack.example.org", "own_server"),
        ("http://127.0.0.1:1885", "own_server"),
    ],
)
def test_the_network_follows_from_the_server(server: str, choice: str) -> None:
    """The user of a public network doesn't say *own server*."""
    assert network(own(server=server)) == choice


def test_a_stack_of_version_2_is_a_network_of_its_own() -> None:
    """Its form takes the addresses of Handler and MQTT server, and the key."""
    application = own(mqtt="127.0.0.1:1883", application_id="garden")
    assert network(application) == "ttn_v2"
    assert answer({"step_id": "handler", "data_schema": [{"name": "any"}]}, application) == {
        "server": "http://127.0.0.1:1885",
        "mqtt_host": "127.0.0.1",
        "application_id": "garden",
        "api_key": "key",
        "advanced": {"mqtt_port": 1883, "plaintext": True},
    }
    assert parse(["--v2", "--check", "--json"], {}).v2


def test_the_flow_is_answered_as_a_user_would() -> None:
    """Each form gets what it asks for."""
    application = own(
        identity_server="http://127.0.0.1:1886", application_id="garden@home", ca_pem="PEM"
    )
    fields = [{"name": "any"}]
    assert answer({"step_id": "own_server", "data_schema": fields}, application) == {
        "server": "http://127.0.0.1:1885",
        "advanced": {
            "plaintext": True,
            "identity_server": "http://127.0.0.1:1886",
            "ca_certificate": "PEM",
            "tenant_id": "home",
        },
    }
    assert answer({"step_id": "key", "data_schema": fields}, application) == {"api_key": "key"}
    named = answer({"step_id": "application", "data_schema": fields}, application)
    assert named == {"application_id": "garden"}
    assert answer({"step_id": "rights", "data_schema": fields}, application) == {"door": "mqtt"}
    by_events = answer({"step_id": "rights", "data_schema": fields}, application, "events")
    assert by_events == {"door": "events"}
    with pytest.raises(FlowError, match="TTN_APPLICATION"):
        answer({"step_id": "application", "data_schema": fields}, own())
    with pytest.raises(FlowError, match="unknown step"):
        answer({"step_id": "surprise", "data_schema": fields}, application)


def row(name: str, state: str | None, **changes: Any) -> dict[str, Any]:
    """Return a line of the table."""
    return {
        "device": "Greenhouse",
        "entity_id": f"sensor.{name}",
        "name": name,
        "state": state,
        "unit": None,
        "device_class": None,
        "state_class": None,
        "enabled": True,
        **changes,
    }


def picture(*rows: tuple[dict[str, Any], bool]) -> Picture:
    """Return one device with these rows, each with whether it is a field's."""
    device = {
        "id": "d1",
        "name": "Greenhouse",
        "name_by_user": None,
        "serial_number": "70B3D57ED0000001",
        "entry_type": None,
        "identifiers": [["thethingsstack", "garden/70B3D57ED0000001"]],
    }
    return Picture(
        devices=[device],
        rows=[row for row, _ in rows],
        device_ids=["d1"] * len(rows),
        primary=[primary for _, primary in rows],
    )


SPEAKER = Speaker(device_id="greenhouse", dev_eui="70b3d57ed0000001", name="Greenhouse")
LAST_UPLINK = (row("last_uplink", "2026-11-01T00:00:00+00:00", device_class="timestamp"), False)


def test_a_device_that_speaks_needs_the_value_of_a_field() -> None:
    """Radio values are no field; where nobody decodes, they suffice after a while."""
    only_radio = picture(LAST_UPLINK, (row("temperature", "unknown"), True))
    assert missing(only_radio, [SPEAKER], settled=False) == ["Greenhouse: no value of a field"]
    assert missing(only_radio, [SPEAKER], settled=True) == []
    with_value = picture(LAST_UPLINK, (row("temperature", "21.4"), True))
    assert missing(with_value, [SPEAKER], settled=False) == []
    silent = picture((row("temperature", "unavailable"), True), (row("raw", None), False))
    assert missing(silent, [SPEAKER], settled=True) == ["Greenhouse: no value"]


def test_a_device_that_speaks_must_be_in_home_assistant() -> None:
    """The server's list is what counts, where the key may read it."""
    other = Speaker(device_id="pump", dev_eui="70B3D57ED0000002", name=None)
    there = picture(LAST_UPLINK, (row("temperature", "21.4"), True))
    lacking = missing(there, [SPEAKER, other], settled=True)
    assert lacking == ["pump: no such device in Home Assistant"]


def test_without_the_list_the_last_uplink_tells_who_speaks() -> None:
    """A key without the right to read devices is enough for the check."""
    assert missing(picture(LAST_UPLINK), None, settled=False) == ["Greenhouse: no value of a field"]
    nobody = picture((row("last_uplink", "unknown", device_class="timestamp"), False))
    assert missing(nobody, None, settled=True) == ["no device has spoken yet"]


def test_the_table_has_a_line_for_each_entity() -> None:
    """Columns line up, absent values are dashes."""
    text = table([row("temperature", "21.4", unit="°C"), row("raw", None, enabled=False)])
    head, first, second = text.splitlines()
    assert head.split() == [
        *("DEVICE", "ENTITY", "ID", "NAME", "STATE", "UNIT"),
        *("DEVICE", "CLASS", "STATE", "CLASS", "ENABLED"),
    ]
    assert first.split()[1:5] == ["sensor.temperature", "temperature", "21.4", "°C"]
    assert second.split()[-1] == "no"
    assert first.index("21.4") == head.index("STATE")
