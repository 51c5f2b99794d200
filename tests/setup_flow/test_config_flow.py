"""The dialogues, walked through over real sockets: every way in, every refusal, every way on."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any, cast

from aiohttp import ThreadedResolver, web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import aiohttp_client, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.application import client_factory
from custom_components.thethingsstack.client import (
    FEATURES,
    AuthenticationFailed,
    CertificateFailed,
    ConnectionFailed,
    MissingRight,
    Network,
    NotFound,
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    ServerFailed,
    StackError,
    tls_context,
)
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.coordinator import TtsConfigEntry
from custom_components.thethingsstack.setup_flow import flow, server_form
from custom_components.thethingsstack.setup_flow.probe import http_error, mqtt_error
from custom_components.thethingsstack.setup_flow.server_form import (
    FormError,
    read_application,
    read_key,
    read_server,
)
from tests.ha_fixtures import entry_data, make_entry, set_up, until
from tests.simulator import Simulator

DEAD = "127.0.0.1:9"
FIXTURES = Path(__file__).parent.parent / "fixtures"


def recorded(path: str) -> Any:
    """Return a recording of a real server."""
    return json.loads((FIXTURES / path).read_text("utf-8"))


async def start(hass: HomeAssistant, network: str = "own_server") -> ConfigFlowResult:
    """Begin as a user does, and pick the network."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    return await submit(hass, result, network=network)


async def submit(hass: HomeAssistant, result: ConfigFlowResult, **fields: Any) -> ConfigFlowResult:
    """Fill in the form and send it."""
    return await hass.config_entries.flow.async_configure(result["flow_id"], fields)


def own_server(sim: Simulator, **advanced: Any) -> dict[str, Any]:
    """Return what a user types for the simulator without TLS."""
    return {
        "server": sim.server_url,
        "advanced": {
            "identity_server": sim.identity_server_url,
            "plaintext": True,
            **advanced,
        },
    }


def encrypted_server(sim: Simulator, **advanced: Any) -> dict[str, Any]:
    """Return what a user types for the simulator with TLS and its private CA."""
    return {
        "server": sim.https_server_url,
        "advanced": {
            "identity_server": sim.https_identity_server_url,
            "ca_certificate": sim.ca_pem,
            **advanced,
        },
    }


async def to_key(hass: HomeAssistant, sim: Simulator, **advanced: Any) -> ConfigFlowResult:
    """Go as far as the key."""
    result = await submit(hass, await start(hass), **own_server(sim, **advanced))
    assert result["step_id"] == "key"
    return result


async def to_rights(hass: HomeAssistant, sim: Simulator, key: str) -> Mapping[str, str]:
    """Go as far as the summary; returns what it says."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key(key))
    assert result["step_id"] == "rights"
    return placeholders(result)


def offered(result: ConfigFlowResult) -> list[str]:
    """Return what a user's key can grant."""
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    return list(selector.config["options"])


async def finish(hass: HomeAssistant, result: ConfigFlowResult) -> TtsConfigEntry:
    """Grant what can be granted, and accept the summary; returns the entry, running."""
    if result["step_id"] == "grant":
        result = await submit(hass, result, features=offered(result))
    assert result["step_id"] == "rights"
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def reconfigure(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    """Choose "Reconfigure" in the entry's menu."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    assert result["step_id"] == "reconfigure"
    return result


def placeholders(result: ConfigFlowResult) -> Mapping[str, str]:
    """Return what the texts of a form name."""
    named = result["description_placeholders"]
    assert named is not None
    return named


def choices(result: ConfigFlowResult) -> dict[str, str]:
    """Return what a form of one choice offers, by value."""
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    return {option["value"]: option["label"] for option in selector.config["options"]}


def suggested(result: ConfigFlowResult, field: str, section: str | None = None) -> Any:
    """Return what a form's field is filled in with."""
    schema = result["data_schema"]
    assert schema is not None
    if section is not None:
        schema = next(value.schema for key, value in schema.schema.items() if key == section)
    marker = next((marker for marker in schema.schema if marker == field), None)
    return (getattr(marker, "description", None) or {}).get("suggested_value")


@pytest.fixture
async def local_names(hass: HomeAssistant) -> None:
    """Let "localhost" be resolved: a second name of the simulator."""
    hass.data[aiohttp_client.DATA_RESOLVER] = cast(Any, ThreadedResolver())


@pytest.fixture
def refused_handshakes(hass: HomeAssistant) -> Iterator[None]:
    """Let the simulator's side of a TLS handshake fail without failing the test."""
    handler = hass.loop.get_exception_handler()
    assert handler is not None

    def ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), OSError):
            handler(loop, context)

    hass.loop.set_exception_handler(ignore)
    yield
    hass.loop.set_exception_handler(handler)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch, sim_ttn: Simulator, local_names: None) -> Simulator:
    """Let The Things Network's addresses be those of a simulator with a trusted certificate."""

    def network(host: str) -> Network:
        return Network(
            name=host,
            server=sim_ttn.https_server_url.replace("127.0.0.1", host),
            identity_server=sim_ttn.https_identity_server_url,
            tenant_id="ttn",
        )

    networks = {"ttn_eu1": network("localhost"), "ttn_nam1": network("127.0.0.1")}
    clusters = {"eu1": "localhost", "nam1": "127.0.0.1"}
    monkeypatch.setattr(server_form, "NETWORKS", networks)
    monkeypatch.setattr(flow, "NETWORKS", networks)
    monkeypatch.setattr(
        server_form, "cloud_network", lambda tenant, cluster: network(clusters.get(cluster, "eu2"))
    )
    context = tls_context(sim_ttn.ca_pem)
    monkeypatch.setattr(client_factory, "get_default_context", lambda: context)
    return sim_ttn


@pytest.fixture
async def sim_ttn(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return a running The Things Stack with the tenant `ttn`."""
    async with Simulator(world="garden", tenant="ttn") as simulator:
        yield simulator


# Ways in


async def test_own_server(hass: HomeAssistant, sim: Simulator) -> None:
    """Network, key, summary, entry."""
    result = await to_key(hass, sim)
    assert placeholders(result)["console"] == (f"{sim.server_url}/console/applications")
    result = await submit(hass, result, api_key=f"  Bearer {sim.key('read')}\n")
    entry = await finish(hass, result)
    assert entry.title == "Garden"
    assert entry.unique_id == "127.0.0.1/garden"
    assert dict(entry.data) == {
        "network": "own_server",
        "server": sim.server_url,
        "identity_server": sim.identity_server_url,
        "tenant_id": None,
        "application_id": "garden",
        "api_key": sim.key("read"),
        "mqtt_host": None,
        "mqtt_port": None,
        "mqtt_tls": False,
        "ca_certificate": None,
    }
    await until(hass, lambda: entry.runtime_data.connected)


async def test_own_server_with_private_ca(hass: HomeAssistant, sim: Simulator) -> None:
    """The CA counts for HTTP and for MQTT."""
    result = await submit(hass, await start(hass), **encrypted_server(sim))
    assert result["step_id"] == "key"
    result = await submit(hass, result, api_key=sim.key("read"))
    assert placeholders(result)["mqtt"] == (
        f"Messages come from 127.0.0.1:{sim.mqtts_port}, encrypted; the connection was tested."
    )
    entry = await finish(hass, result)
    assert entry.data["ca_certificate"] == sim.ca_pem.strip()
    assert entry.data["mqtt_tls"] is True
    await until(hass, lambda: entry.runtime_data.connected)


async def test_the_things_network(hass: HomeAssistant, public: Simulator) -> None:
    """Two questions: network and key."""
    result = await start(hass, "ttn_eu1")
    assert result["step_id"] == "key"
    entry = await finish(hass, await submit(hass, result, api_key=public.key("manage")))
    assert entry.unique_id == "127.0.0.1/garden@ttn"
    assert entry.data["network"] == "ttn_eu1"
    assert entry.data["tenant_id"] == "ttn"
    await until(hass, lambda: entry.runtime_data.connected)


async def test_another_cluster_than_chosen(hass: HomeAssistant, public: Simulator) -> None:
    """The application names its cluster; going on takes that one."""
    result = await submit(hass, await start(hass, "ttn_nam1"), api_key=public.key("read"))
    assert result["step_id"] == "wrong_cluster"
    assert placeholders(result) == {
        "application": "garden",
        "chosen": "127.0.0.1",
        "cluster": "localhost",
    }
    entry = await finish(hass, await submit(hass, result))
    assert entry.data["network"] == "ttn_eu1"
    assert entry.data["server"] == public.https_server_url.replace("127.0.0.1", "localhost")


async def test_another_cluster_that_is_down(hass: HomeAssistant, public: Simulator) -> None:
    """What fails there is told at the key, from where one can try again."""
    result = await submit(hass, await start(hass, "ttn_nam1"), api_key=public.key("read"))
    public.faults.http_down = True
    result = await submit(hass, result)
    assert result["step_id"] == "key"
    assert result["errors"] == {"base": "cannot_connect"}
    public.faults.http_down = False
    await finish(hass, await submit(hass, result, api_key=public.key("read")))


async def test_cloud(hass: HomeAssistant, public: Simulator) -> None:
    """The Things Stack Cloud needs its tenant and cluster."""
    result = await start(hass, "cloud")
    assert result["step_id"] == "cloud"
    result = await submit(hass, result, tenant_id="My Company", cluster="nam1")
    assert result["errors"] == {"tenant_id": "invalid_tenant"}
    assert suggested(result, "tenant_id") == "My Company"
    result = await submit(hass, result, tenant_id=" TTN ", cluster="nam1")
    result = await submit(hass, result, api_key=public.key("read"))
    assert result["step_id"] == "wrong_cluster"
    entry = await finish(hass, await submit(hass, result))
    assert entry.data["network"] == "cloud"
    assert entry.data["cluster"] == "eu1"
    assert entry.data["tenant_id"] == "ttn"


async def test_user_key_chooses_among_applications(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that reaches several applications offers the choice."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert result["step_id"] == "application"
    assert choices(result) == {"garden": "Garden (garden)", "neighbour": "neighbour"}
    entry = await finish(hass, await submit(hass, result, application_id="garden"))
    assert entry.data["application_id"] == "garden"
    assert entry.title == "Garden"


async def test_user_key_of_one_application(hass: HomeAssistant, demo_sim: Simulator) -> None:
    """One application needs no question."""
    for application_id in list(demo_sim.stack.applications)[1:]:
        del demo_sim.stack.applications[application_id]
    result = await submit(hass, await to_key(hass, demo_sim), api_key=demo_sim.key("user"))
    entry = await finish(hass, result)
    assert entry.data["application_id"] == demo_sim.application_id


async def test_application_without_name(hass: HomeAssistant, sim: Simulator) -> None:
    """The id stands in, in the choice and as title."""
    del sim.application.document["name"]
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert choices(result)["garden"] == "garden"
    entry = await finish(hass, await submit(hass, result, application_id="garden"))
    assert entry.title == "garden"


async def test_user_key_without_applications(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that reaches nothing, and may not make anything, says what to do."""
    applications = dict(sim.stack.applications)
    sim.stack.applications.clear()
    sim.set_rights("user", ["RIGHT_USER_APPLICATIONS_LIST"])
    for key in sim.stack.keys.values():
        if key.user_id is not None:
            key.user_id = "guest"  # an administrator may everything
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert result["errors"] == {"api_key": "no_applications"}
    sim.stack.applications.update(applications)
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_user_key_makes_its_own(hass: HomeAssistant, sim: Simulator) -> None:
    """A key with just the ticked rights is stored, the user's is forgotten; it goes with the entry."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await submit(hass, result, application_id="garden")
    assert result["step_id"] == "grant"
    assert set(offered(result)) == {*FEATURES, "delete_key"}
    before = set(sim.stack.keys)
    result = await submit(hass, result, features=["downlinks"])
    assert result["errors"] == {"features": "uplinks_needed"}
    result = await submit(
        hass, result, features=["uplinks", "application", "devices", "delete_key"]
    )
    assert result["step_id"] == "rights"
    assert "sending downlinks" in placeholders(result)["missing"]
    assert set(sim.stack.keys) == before  # nothing is made before the end
    entry = await finish(hass, result)
    assert entry.data["api_key"] != sim.key("user")
    (made,) = set(sim.stack.keys) - before
    assert entry.data["key_id"] == made
    assert entry.runtime_data.rights == {
        "RIGHT_APPLICATION_INFO",
        "RIGHT_APPLICATION_TRAFFIC_READ",
        "RIGHT_APPLICATION_DEVICES_READ",
        "RIGHT_APPLICATION_SETTINGS_API_KEYS",
    }
    await hass.config_entries.async_remove(entry.entry_id)
    assert set(sim.stack.keys) == before


async def test_own_key_that_stays(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it may not delete itself, or the server is away, the log tells."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await submit(hass, result, application_id="garden")
    entry = await finish(hass, await submit(hass, result, features=["uplinks", "application"]))
    assert "key_id" not in entry.data
    await hass.config_entries.async_remove(entry.entry_id)
    assert "could not be deleted" not in caplog.text

    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    entry = await finish(hass, await submit(hass, result, application_id="garden"))
    sim.faults.http_status["/applications/garden/api-keys"] = 503
    await hass.config_entries.async_remove(entry.entry_id)
    assert "could not be deleted" in caplog.text
    assert entry.data["api_key"] not in caplog.text
    key_id = entry.data["key_id"]
    issue = ir.async_get(hass).async_get_issue("thethingsstack", f"key_left_{key_id}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["key_id"] == key_id


async def test_own_key_that_is_gone_already(
    hass: HomeAssistant, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Deleted in the Console: there is nothing to tell."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    entry = await finish(hass, await submit(hass, result, application_id="garden"))
    del sim.stack.keys[entry.data["key_id"]]
    await hass.config_entries.async_remove(entry.entry_id)
    assert "could not be deleted" not in caplog.text
    assert not ir.async_get(hass).issues


async def test_another_key_takes_the_place_of_the_own_one(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The earlier one is deleted, and its id forgotten."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    entry = await finish(hass, await submit(hass, result, application_id="garden"))
    key_id = entry.data["key_id"]
    assert key_id in sim.stack.keys
    result = await reconfigure(hass, entry)
    await submit(hass, result, **own_server(sim), api_key=sim.key("read"))
    await hass.async_block_till_done()
    assert entry.data["api_key"] == sim.key("read")
    assert "key_id" not in entry.data
    await until(hass, lambda: key_id not in sim.stack.keys)


async def test_own_key_that_cannot_be_made(hass: HomeAssistant, sim: Simulator) -> None:
    """The summary says why, and can be sent again."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await submit(hass, result, application_id="garden")
    result = await submit(hass, result, features=offered(result))
    sim.faults.http_status["POST /applications/garden/api-keys"] = 503
    result = await submit(hass, result)
    assert result["step_id"] == "rights"
    assert result["errors"] == {"base": "server_failed"}
    sim.faults.http_status.clear()
    await finish(hass, result)


async def test_a_new_application(hass: HomeAssistant, sim: Simulator) -> None:
    """Typed where the existing ones are offered; a taken or impossible ID is told."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await submit(hass, result, application_id="orchard")
    assert result["step_id"] == "new_application"
    assert suggested(result, "application_id") == "orchard"
    result = await submit(hass, result, application_id="No Good", name="")
    assert result["errors"] == {"application_id": "invalid_application_id"}
    sim.faults.http_status["POST /users/"] = 409
    result = await submit(hass, result, application_id="orchard", name="Orchard")
    assert result["errors"] == {"application_id": "application_id_taken"}
    sim.faults.http_status["POST /users/"] = 503
    result = await submit(hass, result, application_id="orchard", name="Orchard")
    assert result["step_id"] == "own_server"
    sim.faults.http_status.clear()
    result = await submit(hass, result, **own_server(sim))
    result = await submit(hass, result, api_key=sim.key("user"))
    result = await submit(hass, result, application_id="orchard")
    entry = await finish(hass, await submit(hass, result, application_id="orchard", name="Orchard"))
    assert entry.title == "Orchard"
    assert entry.data["application_id"] == "orchard"
    assert "orchard" in sim.stack.applications


async def test_an_id_that_the_server_would_refuse(hass: HomeAssistant, sim: Simulator) -> None:
    """It is told before anything is asked, with the rule; so is a name that is too long."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await submit(hass, result, application_id="orchard")
    asked = len(sim.requests)
    refused = recorded("http/applications/create_bad_id.json")["request"]["json"]["application"]
    for application_id in (refused["ids"]["application_id"], "a-b", "a--bc", "abc-", "a" * 37):
        result = await submit(hass, result, application_id=application_id, name="Orchard")
        assert result["step_id"] == "new_application"
        assert result["errors"] == {"application_id": "invalid_application_id"}
        assert suggested(result, "application_id") == application_id
    result = await submit(hass, result, application_id="orchard", name="O" * 51)
    assert result["errors"] == {"name": "application_name_too_long"}
    assert (placeholders(result)["length"], placeholders(result)["longest"]) == ("51", "50")
    assert len(sim.requests) == asked
    sim.faults.errors["/users/admin/applications"] = (400, "validation")
    result = await submit(hass, result, application_id="orchard", name="Orchard")
    assert result["errors"] == {"base": "application_refused"}
    assert placeholders(result)["error"]
    sim.faults.errors.clear()
    await finish(hass, await submit(hass, result, application_id="orchard", name="O" * 50))


@pytest.mark.parametrize(
    "application_id",
    ["abc", "a-b", "ab", "a-bc", "a--bc", "-abc", "abc-", "1a2", "a_bc", "Abc", "a-b-c-d", "äbc"],
)
def test_ids_are_held_to_the_server_s_own_pattern(application_id: str) -> None:
    """The one that a real server named when it refused an application."""
    detail = recorded("http/applications/create_bad_id.json")["response"]["json"]["details"][0]
    while "cause" in detail:
        detail = detail["cause"]
    pattern = detail["attributes"]["reason"].partition('"')[2].rpartition('"')[0]
    if re.fullmatch(pattern, application_id):
        assert read_application(application_id) == {"application_id": application_id}
    else:
        with pytest.raises(FormError, match="invalid_application_id"):
            read_application(application_id)


async def test_the_first_application(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that reaches none makes one; one that exists meanwhile is taken."""
    sim.stack.applications.clear()
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert result["step_id"] == "new_application"
    entry = await finish(hass, await submit(hass, result, application_id="first"))
    assert entry.data["application_id"] == "first"


async def test_key_without_info_asks_for_the_application(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """TRAFFIC_READ is enough: the id is asked for and checked, the usual ports are used."""
    result = await to_key(hass, sim, mqtt_host=sim.mqtt_host, mqtt_port=sim.mqtt_port)
    result = await submit(hass, result, api_key=sim.key("traffic"))
    assert result["step_id"] == "application"
    assert suggested(result, "application_id") == "garden"
    result = await submit(hass, result, application_id="My Garden")
    assert result["errors"] == {"application_id": "invalid_application_id"}
    assert suggested(result, "application_id") == "My Garden"
    result = await submit(hass, result, application_id="neighbour")
    assert result["errors"] == {"base": "no_rights"}
    assert placeholders(result)["application"] == "neighbour"
    result = await submit(hass, result, application_id="garden")
    assert result["step_id"] == "rights"
    text = placeholders(result)
    assert text["application"] == "garden"
    assert text["devices"] == "Each end device appears with its next uplink."
    assert "View application information" in text["missing"]
    assert "View devices in application" in text["missing"]
    entry = await finish(hass, result)
    assert entry.title == "garden"
    assert entry.data["mqtt_port"] == sim.mqtt_port
    await until(hass, lambda: entry.runtime_data.connected)


async def test_key_without_info_on_a_server_with_tenants(
    hass: HomeAssistant, sim_ttn: Simulator
) -> None:
    """The id may be typed as in the MQTT user name; without the tenant MQTT refuses."""
    sim = sim_ttn
    result = await to_key(hass, sim, mqtt_host="127.0.0.1", mqtt_port=sim.mqtt_port)
    result = await submit(hass, result, api_key=sim.key("traffic"))
    result = await submit(hass, result, application_id="garden")
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": "mqtt_refused"}
    assert suggested(result, "mqtt_port", "advanced") == sim.mqtt_port
    address = own_server(sim, mqtt_host="127.0.0.1", mqtt_port=sim.mqtt_port)
    result = await submit(hass, result, **address)
    assert suggested(result, "api_key") == sim.key("traffic")
    result = await submit(hass, result, api_key=sim.key("traffic"))
    result = await submit(hass, result, application_id="garden@ttn")
    entry = await finish(hass, result)
    assert entry.data["tenant_id"] == "ttn"
    assert entry.unique_id == "127.0.0.1/garden@ttn"


async def test_tenant_of_an_own_server_is_found_out(
    hass: HomeAssistant, sim_ttn: Simulator
) -> None:
    """The server names it in the MQTT user name."""
    result = await submit(hass, await to_key(hass, sim_ttn), api_key=sim_ttn.key("read"))
    entry = await finish(hass, result)
    assert entry.data["tenant_id"] == "ttn"


# What is said at the end


async def test_summary_of_a_reading_key(hass: HomeAssistant, sim: Simulator) -> None:
    """What works, what doesn't and why, where first values come from."""
    summary = await to_rights(hass, sim, "read")
    assert summary == {
        "application": "Garden",
        "server": sim.server_url.removeprefix("http://"),
        "can": (
            "- receive uplinks as they arrive\n"
            "- read the application's name and addresses\n"
            "- list the end devices with name and model"
        ),
        "missing": (
            "- sending downlinks (*Write downlink application traffic*)\n"
            "- registering, changing and deleting end devices "
            "(*Create devices in application*, *Edit device keys in application*)\n"
            "- changing payload formatters of the application (*Edit basic application settings*)\n"
            "- switching the Storage Integration on and off "
            "(*View and edit application packages and associations*)\n"
            "- simulating uplinks (*Write uplink application traffic*)"
        ),
        "devices": "Registered end devices: 7; each appears at once.",
        "storage": (
            "This server has no Storage Integration, so values come with each device's next uplink."
        ),
        "mqtt": (
            f"Messages come from 127.0.0.1:{sim.mqtt_port}, **not encrypted**; "
            "the connection was tested."
        ),
        "expires": "",
    }


async def test_summary_of_a_key_with_all_rights(hass: HomeAssistant, sim: Simulator) -> None:
    """Nothing is missing."""
    summary = await to_rights(hass, sim, "all")
    assert summary["missing"] == "- nothing"
    assert "- send downlinks" in summary["can"]


async def test_summary_of_an_expiring_key(hass: HomeAssistant, sim: Simulator) -> None:
    """The day is named before it comes as a surprise."""
    summary = await to_rights(hass, sim, "expiring")
    assert summary["expires"].startswith("The key expires on 20")


async def test_summary_without_device_list(hass: HomeAssistant, sim: Simulator) -> None:
    """Devices come from uplinks then."""
    sim.set_rights("read", ["INFO", "TRAFFIC_READ"])
    summary = await to_rights(hass, sim, "read")
    assert summary["devices"] == "Each end device appears with its next uplink."
    assert "devices that haven't sent anything since" in summary["missing"]


async def test_summary_with_storage(hass: HomeAssistant, demo_sim: Simulator) -> None:
    """Stored values are announced."""
    summary = await to_rights(hass, demo_sim, "read")
    assert summary["storage"].startswith("The Storage Integration is on")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (None, "The Storage Integration has nothing of the last 24 hours"),
        (503, "The Storage Integration can't be read now"),
    ],
)
async def test_summary_without_stored_values(
    hass: HomeAssistant, sim: Simulator, status: int | None, text: str
) -> None:
    """Off, empty and broken are told apart as far as the server lets us."""
    sim.faults.storage = True
    if status is not None:
        sim.faults.http_status["/as/applications/garden/packages"] = status
    summary = await to_rights(hass, sim, "read")
    assert summary["storage"].startswith(text)


async def test_summary_when_the_device_list_fails(hass: HomeAssistant, sim: Simulator) -> None:
    """A list that can't be read now stops nobody."""
    sim.faults.http_status["/applications/garden/devices"] = 500
    summary = await to_rights(hass, sim, "read")
    assert summary["devices"] == "Each end device appears with its next uplink."


# Refused keys


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("wrong", "incomplete_key"),
        ("unknown", "unknown_key"),
        ("deleted", "unknown_key"),
        ("expired", "expired_key"),
        ("info", "missing_traffic_right"),
    ],
)
async def test_key_that_does_not_do(
    hass: HomeAssistant, sim: Simulator, key: str, error: str
) -> None:
    """Each wrong key has its own text; what was typed stays, and a good key goes on."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key(key))
    assert result["step_id"] == "key"
    assert result["errors"] == {"api_key": error}
    assert suggested(result, "api_key") == sim.key(key)
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("VHO2ATXQRDKSWFZV3YQLK4TTSTWCIPOBVP2HXFI", "key_id"),
        ("NNSXS.VHO2ATXQRDKSWFZV3YQLK4TTSTWCIPOBVP2HXFI", "key_id"),
        ("hello", "not_a_key"),
        ("ttn-account-v2.abcdefghijklmnop", "not_a_key"),
        ("Schlüssel für den Garten", "not_a_key"),
    ],
)
async def test_text_that_is_no_key(
    hass: HomeAssistant, sim: Simulator, text: str, error: str
) -> None:
    """A key's ID and other things that get pasted are told apart."""
    result = await submit(hass, await to_key(hass, sim), api_key=text)
    assert result["errors"] == {"api_key": error}
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_key_without_the_least_right_and_without_info(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A key that may neither name the application nor read is refused before any question."""
    sim.set_rights("traffic", ["DEVICES_READ"])
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("traffic"))
    assert result["errors"] == {"api_key": "missing_traffic_right"}


async def test_chosen_application_without_rights(hass: HomeAssistant, sim: Simulator) -> None:
    """A user key whose rights don't reach the chosen application says so there."""
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("user"))
    sim.set_rights("user", ["RIGHT_USER_APPLICATIONS_LIST", "RIGHT_APPLICATION_INFO"])
    result = await submit(hass, result, application_id="garden")
    assert result["step_id"] == "application"
    assert result["errors"] == {"base": "missing_traffic_right"}
    sim.set_rights("user", ["RIGHT_ALL"])
    await finish(hass, await submit(hass, result, application_id="garden"))


# Refused addresses


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"server": "not a server"}, {"server": "invalid_server"}),
        ({"server": "mqtt://stack.example.org"}, {"server": "invalid_server"}),
        ({"server": f"http://{DEAD}"}, {"base": "cannot_connect"}),
        ({"server": DEAD}, {"base": "cannot_connect"}),
        ({"advanced": {"plaintext": False}}, {"server": "plaintext_not_chosen"}),
        ({"advanced": {"identity_server": "///"}}, {"base": "invalid_identity_server"}),
        ({"advanced": {"identity_server": f"http://{DEAD}"}}, {"base": "cannot_connect"}),
        ({"advanced": {"mqtt_host": "https://stack.example.org"}}, {"base": "invalid_mqtt_host"}),
        ({"advanced": {"mqtt_host": "stack.example.org:8883"}}, {"base": "invalid_mqtt_host"}),
        ({"advanced": {"ca_certificate": "my certificate"}}, {"base": "invalid_certificate"}),
    ],
)
async def test_address_that_does_not_do(
    hass: HomeAssistant, sim: Simulator, change: dict[str, Any], error: dict[str, str]
) -> None:
    """A wrong address is told before a key is asked for; what was typed stays."""
    typed = own_server(sim)
    if "server" in change:
        typed["advanced"].pop("identity_server")
        typed["server"] = change["server"]
    typed["advanced"].update(change.get("advanced", {}))
    result = await submit(hass, await start(hass), **typed)
    assert result["step_id"] == "own_server"
    assert result["errors"] == error
    assert suggested(result, "server") == typed["server"]
    for field, value in typed["advanced"].items():
        assert suggested(result, field, "advanced") == value
    result = await submit(hass, result, **own_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_certificate_of_a_private_ca_that_is_not_given(
    hass: HomeAssistant, sim: Simulator, refused_handshakes: None
) -> None:
    """The text asks for the CA; given, it goes on."""
    result = await submit(hass, await start(hass), server=sim.https_server_url, advanced={})
    assert result["errors"] == {"base": "certificate_not_trusted"}
    result = await submit(hass, result, **encrypted_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_tls_where_none_is_spoken_and_the_other_way(
    hass: HomeAssistant, sim: Simulator, refused_handshakes: None
) -> None:
    """Both are told apart from a dead server."""
    result = await submit(
        hass, await start(hass), server=sim.server_url.replace("http:", "https:"), advanced={}
    )
    assert result["errors"] == {"base": "not_the_things_stack"}
    result = await submit(
        hass,
        result,
        server=sim.https_server_url.replace("https:", "http:"),
        advanced={"plaintext": True},
    )
    assert result["step_id"] == "own_server"
    assert set(result["errors"] or {}) == {"base"}


async def test_web_server_that_is_no_stack(hass: HomeAssistant, sim: Simulator) -> None:
    """A page is no answer."""
    app = web.Application()

    async def welcome(request: web.Request) -> web.Response:
        return web.Response(text="Welcome", content_type="text/html")

    app.router.add_get("/api/v3/auth_info", welcome)
    async with TestServer(app) as server:
        page = {"server": str(server.make_url("")), "advanced": {"plaintext": True}}
        result = await submit(hass, await start(hass), **page)
    assert result["errors"] == {"base": "not_the_things_stack"}
    result = await submit(hass, result, **own_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_proxy_that_eats_the_key(hass: HomeAssistant, sim: Simulator) -> None:
    """An answer as if no key had come."""
    result = await to_key(hass, sim)
    sim.faults.http_body["/auth_info"] = b"{}"
    result = await submit(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"api_key": "invalid_auth"}


async def test_key_of_something_else(hass: HomeAssistant, sim: Simulator) -> None:
    """A gateway's key reads no uplinks."""
    result = await to_key(hass, sim)
    sim.faults.http_body["/auth_info"] = (
        b'{"api_key": {"api_key": {"id": "A", "rights": ["RIGHT_GATEWAY_INFO"]}, '
        b'"entity_ids": {"gateway_ids": {"gateway_id": "roof"}}}}'
    )
    result = await submit(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"api_key": "not_an_application_key"}
    sim.faults.http_body.clear()
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_user_key_that_may_not_list(hass: HomeAssistant, sim: Simulator) -> None:
    """The application is asked for then."""
    result = await to_key(hass, sim)
    sim.faults.http_status["/applications"] = 403
    result = await submit(hass, result, api_key=sim.key("user"))
    assert result["step_id"] == "application"
    sim.faults.http_status.clear()
    await finish(hass, await submit(hass, result, application_id="garden"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (("/auth_info", 500), "server_failed"),
        (("/applications", 500), "server_failed"),
        (("/applications/garden", 500), "server_failed"),
        (("/applications/garden/rights", 503), "server_failed"),
        (("/as/applications/garden/mqtt-connection-info", 404), "not_the_things_stack"),
        (("/as/applications/garden/mqtt-connection-info", 500), "server_failed"),
    ],
)
@pytest.mark.parametrize("key", ["read", "user"])
async def test_server_that_fails_midway(
    hass: HomeAssistant, sim: Simulator, fault: tuple[str, int], error: str, key: str
) -> None:
    """The addresses are shown again, as they may be to blame; then it goes on."""
    result = await to_key(hass, sim)
    path, status = fault
    sim.faults.http_status[path] = status
    result = await submit(hass, result, api_key=sim.key(key))
    if result["step_id"] == "application":
        result = await submit(hass, result, application_id="garden")
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": error}
    assert suggested(result, "server") == sim.server_url
    assert suggested(result, "identity_server", "advanced") == sim.identity_server_url
    sim.faults.http_status.clear()
    result = await submit(hass, result, **own_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


# MQTT


async def test_mqtt_that_is_blocked(hass: HomeAssistant, sim: Simulator) -> None:
    """The key is right, the port is not reached."""
    result = await to_key(hass, sim, mqtt_host="127.0.0.1", mqtt_port=9)
    result = await submit(hass, result, api_key=sim.key("read"))
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": "mqtt_cannot_connect"}
    assert placeholders(result)["mqtt"] == "127.0.0.1:9"
    assert suggested(result, "mqtt_port", "advanced") == 9
    result = await submit(hass, result, **own_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_mqtt_that_refuses(hass: HomeAssistant, sim: Simulator) -> None:
    """CONNACK 5 with a key that is good over HTTP isn't the key's fault."""
    sim.faults.mqtt_refuse = 5
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("read"))
    assert result["errors"] == {"base": "mqtt_refused"}
    sim.faults.mqtt_refuse = None
    result = await submit(hass, result, **own_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_mqtt_of_another_kind(
    hass: HomeAssistant, sim: Simulator, refused_handshakes: None
) -> None:
    """TLS spoken to the port without, and a certificate of nobody we trust."""
    address = encrypted_server(sim, mqtt_host="127.0.0.1", mqtt_port=sim.mqtt_port)
    result = await submit(hass, await start(hass), **address)
    result = await submit(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"base": "mqtt_wrong_port"}
    async with Simulator(world="garden") as stranger:
        address["advanced"]["mqtt_port"] = stranger.mqtts_port
        result = await submit(hass, result, **address)
        result = await submit(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"base": "mqtt_certificate_not_trusted"}
    result = await submit(hass, result, **encrypted_server(sim))
    await finish(hass, await submit(hass, result, api_key=sim.key("read")))


async def test_mqtt_that_is_blocked_on_a_public_network(
    hass: HomeAssistant, public: Simulator
) -> None:
    """There are no addresses to change: the key can be sent again."""
    public.faults.mqtt_refuse = 3
    result = await submit(hass, await start(hass, "ttn_eu1"), api_key=public.key("read"))
    assert result["step_id"] == "key"
    assert result["errors"] == {"base": "mqtt_refused"}
    public.faults.mqtt_refuse = None
    await finish(hass, await submit(hass, result, api_key=public.key("read")))


# Duplicates


async def test_duplicate_aborts(hass: HomeAssistant, sim: Simulator) -> None:
    """One application is one entry, whichever key is used."""
    make_entry(sim).add_to_hass(hass)
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("manage"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_dialogue_that_was_left_open(hass: HomeAssistant, sim: Simulator) -> None:
    """It blocks no second one, and goes away with the first entry."""
    left = await submit(hass, await to_key(hass, sim), api_key=sim.key("read"))
    result = await submit(hass, await to_key(hass, sim), api_key=sim.key("read"))
    assert left["step_id"] == "rights"
    await finish(hass, result)
    assert hass.config_entries.flow.async_progress() == []


# A new key


async def test_reauthentication(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that was deleted is replaced, and the entry runs again."""
    entry = await set_up(hass, sim)
    sim.revoke("read")
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (result,) = hass.config_entries.flow.async_progress()
    assert result["step_id"] == "reauth_confirm"
    for key, error in (
        ("other", "other_application"),
        ("read", "unknown_key"),
        ("info", "missing_traffic_right"),
    ):
        result = await submit(hass, result, api_key=sim.key(key))
        assert result["errors"] == {"api_key": error}
    sim.faults.http_down = True
    result = await submit(hass, result, api_key=sim.key("control"))
    assert result["errors"] == {"base": "cannot_connect"}
    sim.faults.http_down = False
    result = await submit(hass, result, api_key=sim.key("control"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data["api_key"] == sim.key("control")
    assert entry.unique_id == f"127.0.0.1/{sim.uid}"
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.stack.connection.api_key == sim.key("control")


async def test_reauthentication_names_the_other_application(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The text says whose key it is, and whose is needed."""
    entry = make_entry(sim)
    entry.add_to_hass(hass)
    result = await entry.start_reauth_flow(hass)
    assert placeholders(result)["application"] == "garden"
    result = await submit(hass, result, api_key=sim.key("other"))
    text = placeholders(result)
    assert (text["application"], text["other"]) == ("garden", "neighbour")


async def test_reauthentication_of_an_entry_that_did_not_start(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """There is no listener yet: the flow starts it."""
    entry = make_entry(sim, "deleted")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert hass.config_entries.async_loaded_entries(DOMAIN) == []
    (result,) = hass.config_entries.flow.async_progress()
    result = await submit(hass, result, api_key=sim.key("user"))
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


# Another server


async def test_reconfigure_to_another_host(
    hass: HomeAssistant, sim: Simulator, local_names: None
) -> None:
    """The same application elsewhere keeps its entry; the unique id moves along."""
    entry = await set_up(hass, sim)
    result = await reconfigure(hass, entry)
    assert result["step_id"] == "reconfigure"
    assert suggested(result, "server") == sim.server_url
    assert suggested(result, "api_key") is None
    assert suggested(result, "plaintext", "advanced") is True
    moved = own_server(sim)
    moved["server"] = moved["server"].replace("127.0.0.1", "localhost")
    moved["advanced"]["identity_server"] = sim.identity_server_url.replace("127.0.0.1", "localhost")
    result = await submit(hass, result, **moved)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == "localhost/garden"
    assert entry.data["server"] == moved["server"]
    assert entry.data["api_key"] == sim.key("read")
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)
    assert entry.runtime_data.stack.connection.server == moved["server"]


async def test_reconfigure_with_another_key(hass: HomeAssistant, sim: Simulator) -> None:
    """A key of another application is refused, what was typed stays."""
    entry = await set_up(hass, sim)
    result = await reconfigure(hass, entry)
    for key, error in (
        ("other", "other_application"),
        ("wrong", "incomplete_key"),
    ):
        result = await submit(hass, result, **own_server(sim), api_key=sim.key(key))
        assert result["errors"] == {"api_key": error}
        assert suggested(result, "api_key") == sim.key(key)
    result = await submit(hass, result, **own_server(sim), api_key=sim.key("manage"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_key"] == sim.key("manage")
    await hass.async_block_till_done()
    await until(hass, lambda: entry.runtime_data.connected)


async def test_reconfigure_to_a_dead_server(hass: HomeAssistant, sim: Simulator) -> None:
    """The form comes back with what was typed; the entry is as it was."""
    entry = await set_up(hass, sim)
    before = dict(entry.data)
    result = await reconfigure(hass, entry)
    result = await submit(hass, result, server=f"http://{DEAD}", advanced={"plaintext": True})
    assert result["step_id"] == "reconfigure"
    assert result["errors"] == {"base": "cannot_connect"}
    assert suggested(result, "server") == f"http://{DEAD}"
    assert dict(entry.data) == before
    address = own_server(sim, mqtt_host="127.0.0.1", mqtt_port=9)
    result = await submit(hass, result, **address)
    assert result["step_id"] == "reconfigure"
    assert result["errors"] == {"base": "mqtt_cannot_connect"}
    assert dict(entry.data) == before


async def test_reconfigure_to_an_entry_that_exists(
    hass: HomeAssistant, sim: Simulator, local_names: None
) -> None:
    """Two entries never become one."""
    entry = await set_up(hass, sim)
    MockConfigEntry(
        domain=DOMAIN,
        unique_id="localhost/garden",
        data=entry_data(sim),
        disabled_by=ConfigEntryDisabler.USER,
    ).add_to_hass(hass)
    result = await reconfigure(hass, entry)
    moved = own_server(
        sim, identity_server=sim.identity_server_url.replace("127.0.0.1", "localhost")
    )
    result = await submit(hass, result, **moved)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert entry.unique_id == "127.0.0.1/garden"


async def test_reconfigure_the_cluster(hass: HomeAssistant, public: Simulator) -> None:
    """On a public network the form asks for the cluster; a wrong one is told."""
    entry = await finish(
        hass, await submit(hass, await start(hass, "ttn_eu1"), api_key=public.key("read"))
    )
    result = await reconfigure(hass, entry)
    assert suggested(result, "network") == "ttn_eu1"
    result = await submit(hass, result, network="ttn_nam1")
    assert result["errors"] == {"base": "wrong_cluster"}
    assert placeholders(result)["cluster"] == "localhost"
    result = await submit(hass, result, network="ttn_eu1", api_key=public.key("control"))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_key"] == public.key("control")
    await hass.async_block_till_done()


async def test_reconfigure_the_cloud(hass: HomeAssistant, public: Simulator) -> None:
    """The Things Stack Cloud asks for tenant and cluster."""
    result = await submit(hass, await start(hass, "cloud"), tenant_id="ttn", cluster="eu1")
    entry = await finish(hass, await submit(hass, result, api_key=public.key("read")))
    result = await reconfigure(hass, entry)
    assert suggested(result, "tenant_id") == "ttn"
    assert suggested(result, "cluster") == "eu1"
    result = await submit(hass, result, tenant_id="ttn", cluster="eu1")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


# Reading what was typed


@pytest.mark.parametrize(
    ("typed", "network", "server", "tenant"),
    [
        ("nam1.cloud.thethings.network", "ttn_nam1", None, "ttn"),
        ("https://eu1.cloud.thethings.network/console/", "ttn_eu1", None, "ttn"),
        ("https://farm.au1.cloud.thethings.industries", "cloud", None, "farm"),
        ("https://farm.xx9.cloud.thethings.industries", "own_server", None, None),
        ("https://stack.example.org/console", "own_server", "https://stack.example.org", None),
    ],
)
def test_public_addresses_are_known(
    typed: str, network: str, server: str | None, tenant: str | None
) -> None:
    """Whoever types a public network's address as own server is served as well."""
    data = read_server("own_server", {"server": typed})
    assert data["network"] == network
    assert data["tenant_id"] == tenant
    assert server is None or data["server"] == server


@pytest.mark.parametrize(
    ("typed", "host"),
    [("", None), (" mqtt.example.org ", "mqtt.example.org"), ("[::1]", "::1"), ("::1", "::1")],
)
def test_mqtt_host(typed: str, host: str | None) -> None:
    """Names and addresses of both kinds."""
    form = {"server": "https://stack.example.org", "advanced": {"mqtt_host": typed}}
    assert read_server("own_server", form)["mqtt_host"] == host


def test_plaintext_without_scheme() -> None:
    """Who chose plaintext means http."""
    form = {"server": "10.0.0.5:1885", "advanced": {"plaintext": True, "mqtt_port": 1883.0}}
    data = read_server("own_server", form)
    assert data["server"] == data["identity_server"] == "http://10.0.0.5:1885"
    assert data["mqtt_port"] == 1883
    assert data["mqtt_tls"] is False


def test_key_as_copied() -> None:
    """Quotes, line ends and a copied header do no harm."""
    assert read_key('"NNSXS.A.B"\n') == "NNSXS.A.B"
    with pytest.raises(FormError, match="key_id"):
        read_key("A" * 39)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CertificateFailed("no"), "certificate_not_trusted"),
        (ProtocolMismatch("no"), "not_the_things_stack"),
        (RequestTimeout("no"), "timeout"),
        (ConnectionFailed("no"), "cannot_connect"),
        (NotFound("no"), "not_the_things_stack"),
        (RateLimited("no", retry_after=1), "rate_limited"),
        (ServerFailed("no"), "server_failed"),
        (StackError("no"), "server_failed"),
        (MissingRight("no", name="no_application_rights"), "no_rights"),
        (AuthenticationFailed("no", name="no_application_rights"), "no_rights"),
    ],
)
def test_every_error_has_its_text(error: StackError, reason: str) -> None:
    """The first class that fits, from special to general."""
    assert http_error(error).reason == reason


def test_key_that_was_revoked_while_mqtt_was_tried() -> None:
    """A refusal that was confirmed over HTTP is the key's fault."""
    refusal = mqtt_error(AuthenticationFailed("no", name="api_key_not_found"), "localhost:8883")
    assert (refusal.field, refusal.reason) == ("api_key", "unknown_key")
