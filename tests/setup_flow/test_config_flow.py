"""Connecting an application, walked through over real sockets: every way in, and what is shown."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.thethingsstack.client import FEATURES
from tests.dialogs import go
from tests.ha_fixtures import make_entry, until
from tests.setup_flow.steps import (
    choices,
    encrypted_server,
    finish,
    offered,
    own_server,
    placeholders,
    reconfigure,
    recorded,
    start,
    suggested,
    to_key,
    to_rights,
)
from tests.simulator import Simulator

# Ways in


async def test_own_server(hass: HomeAssistant, sim: Simulator) -> None:
    """Network, key, summary, entry."""
    result = await to_key(hass, sim)
    assert placeholders(result)["console"] == (f"{sim.server_url}/console/applications")
    result = await go(hass, result, api_key=f"  Bearer {sim.key('read')}\n")
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
        "door": "mqtt",
    }
    await until(hass, lambda: entry.runtime_data.connected)


async def test_own_server_with_private_ca(hass: HomeAssistant, sim: Simulator) -> None:
    """The CA counts for HTTP and for MQTT."""
    result = await go(hass, await start(hass), **encrypted_server(sim))
    assert result["step_id"] == "key"
    result = await go(hass, result, api_key=sim.key("read"))
    assert placeholders(result)["messages"] == (
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
    entry = await finish(hass, await go(hass, result, api_key=public.key("manage")))
    assert entry.unique_id == "127.0.0.1/garden@ttn"
    assert entry.data["network"] == "ttn_eu1"
    assert entry.data["tenant_id"] == "ttn"
    await until(hass, lambda: entry.runtime_data.connected)


async def test_another_cluster_than_chosen(hass: HomeAssistant, public: Simulator) -> None:
    """The application names its cluster; going on takes that one."""
    result = await go(hass, await start(hass, "ttn_nam1"), api_key=public.key("read"))
    assert result["step_id"] == "wrong_cluster"
    assert placeholders(result) == {
        "application": "garden",
        "chosen": "127.0.0.1",
        "cluster": "localhost",
    }
    entry = await finish(hass, await go(hass, result))
    assert entry.data["network"] == "ttn_eu1"
    assert entry.data["server"] == public.https_server_url.replace("127.0.0.1", "localhost")


async def test_another_cluster_that_is_down(hass: HomeAssistant, public: Simulator) -> None:
    """What fails there is told at the key, from where one can try again."""
    result = await go(hass, await start(hass, "ttn_nam1"), api_key=public.key("read"))
    public.faults.http_down = True
    result = await go(hass, result)
    assert result["step_id"] == "key"
    assert result["errors"] == {"base": "cannot_connect"}
    public.faults.http_down = False
    await finish(hass, await go(hass, result, api_key=public.key("read")))


async def test_cloud(hass: HomeAssistant, public: Simulator) -> None:
    """The Things Stack Cloud needs its tenant and cluster."""
    result = await start(hass, "cloud")
    assert result["step_id"] == "cloud"
    result = await go(hass, result, tenant_id="My Company", cluster="nam1")
    assert result["errors"] == {"tenant_id": "invalid_tenant"}
    assert suggested(result, "tenant_id") == "My Company"
    result = await go(hass, result, tenant_id=" TTN ", cluster="nam1")
    result = await go(hass, result, api_key=public.key("read"))
    assert result["step_id"] == "wrong_cluster"
    entry = await finish(hass, await go(hass, result))
    assert entry.data["network"] == "cloud"
    assert entry.data["cluster"] == "eu1"
    assert entry.data["tenant_id"] == "ttn"


async def test_user_key_chooses_among_applications(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that reaches several applications offers the choice."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert result["step_id"] == "application"
    assert choices(result) == {"garden": "Garden (garden)", "neighbour": "neighbour"}
    entry = await finish(hass, await go(hass, result, application_id="garden"))
    assert entry.data["application_id"] == "garden"
    assert entry.title == "Garden"


async def test_user_key_of_one_application(hass: HomeAssistant, demo_sim: Simulator) -> None:
    """One application needs no question."""
    for application_id in list(demo_sim.stack.applications)[1:]:
        del demo_sim.stack.applications[application_id]
    result = await go(hass, await to_key(hass, demo_sim), api_key=demo_sim.key("user"))
    entry = await finish(hass, result)
    assert entry.data["application_id"] == demo_sim.application_id


async def test_application_without_name(hass: HomeAssistant, sim: Simulator) -> None:
    """The id stands in, in the choice and as title."""
    del sim.application.document["name"]
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert choices(result)["garden"] == "garden"
    entry = await finish(hass, await go(hass, result, application_id="garden"))
    assert entry.title == "garden"


async def test_user_key_without_applications(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that reaches nothing, and may not make anything, says what to do."""
    applications = dict(sim.stack.applications)
    sim.stack.applications.clear()
    sim.set_rights("user", ["RIGHT_USER_APPLICATIONS_LIST"])
    for key in sim.stack.keys.values():
        if key.user_id is not None:
            key.user_id = "guest"  # an administrator may everything
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert result["errors"] == {"api_key": "no_applications"}
    sim.stack.applications.update(applications)
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_user_key_makes_its_own(hass: HomeAssistant, sim: Simulator) -> None:
    """A key with just the ticked rights is stored, the user's is forgotten; it goes with the entry."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await go(hass, result, application_id="garden")
    assert result["step_id"] == "grant"
    assert set(offered(result)) == {*FEATURES, "delete_key"}
    schema = result["data_schema"]
    assert schema is not None
    (field,) = schema.schema
    assert set(field.default()) == set(offered(result)) - {"simulate"}
    before = set(sim.stack.keys)
    result = await go(hass, result, features=["downlinks"])
    assert result["errors"] == {"features": "uplinks_needed"}
    result = await go(hass, result, features=["uplinks", "application", "devices", "delete_key"])
    assert result["step_id"] == "rights"
    assert "send downlinks" in placeholders(result)["missing"]
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
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await go(hass, result, application_id="garden")
    entry = await finish(hass, await go(hass, result, features=["uplinks", "application"]))
    assert "key_id" not in entry.data
    await hass.config_entries.async_remove(entry.entry_id)
    assert "could not be deleted" not in caplog.text

    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    entry = await finish(hass, await go(hass, result, application_id="garden"))
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
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    entry = await finish(hass, await go(hass, result, application_id="garden"))
    del sim.stack.keys[entry.data["key_id"]]
    await hass.config_entries.async_remove(entry.entry_id)
    assert "could not be deleted" not in caplog.text
    assert not ir.async_get(hass).issues


async def test_another_key_takes_the_place_of_the_own_one(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """The earlier one is deleted, and its id forgotten."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    entry = await finish(hass, await go(hass, result, application_id="garden"))
    key_id = entry.data["key_id"]
    assert key_id in sim.stack.keys
    result = await reconfigure(hass, entry)
    await go(hass, result, **own_server(sim), api_key=sim.key("read"))
    await hass.async_block_till_done()
    assert entry.data["api_key"] == sim.key("read")
    assert "key_id" not in entry.data
    await until(hass, lambda: key_id not in sim.stack.keys)


async def test_own_key_that_cannot_be_made(hass: HomeAssistant, sim: Simulator) -> None:
    """The summary says why, and can be sent again."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await go(hass, result, application_id="garden")
    result = await go(hass, result, features=offered(result))
    sim.faults.http_status["POST /applications/garden/api-keys"] = 503
    result = await go(hass, result)
    assert result["step_id"] == "rights"
    assert result["errors"] == {"base": "server_failed"}
    sim.faults.http_status.clear()
    await finish(hass, result)


async def test_a_new_application(hass: HomeAssistant, sim: Simulator) -> None:
    """Typed where the existing ones are offered; a taken or impossible ID is told."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await go(hass, result, application_id="orchard")
    assert result["step_id"] == "new_application"
    assert suggested(result, "application_id") == "orchard"
    result = await go(hass, result, application_id="No Good", name="")
    assert result["errors"] == {"application_id": "invalid_application_id"}
    sim.faults.http_status["POST /users/"] = 409
    result = await go(hass, result, application_id="orchard", name="Orchard")
    assert result["errors"] == {"application_id": "application_id_taken"}
    sim.faults.http_status["POST /users/"] = 503
    result = await go(hass, result, application_id="orchard", name="Orchard")
    assert result["step_id"] == "own_server"
    sim.faults.http_status.clear()
    result = await go(hass, result, **own_server(sim))
    result = await go(hass, result, api_key=sim.key("user"))
    result = await go(hass, result, application_id="orchard")
    entry = await finish(hass, await go(hass, result, application_id="orchard", name="Orchard"))
    assert entry.title == "Orchard"
    assert entry.data["application_id"] == "orchard"
    assert "orchard" in sim.stack.applications


async def test_an_id_that_the_server_would_refuse(hass: HomeAssistant, sim: Simulator) -> None:
    """It is told before anything is asked, with the rule; so is a name that is too long."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    result = await go(hass, result, application_id="orchard")
    asked = len(sim.requests)
    refused = recorded("http/applications/create_bad_id.json")["request"]["json"]["application"]
    for application_id in (refused["ids"]["application_id"], "a-b", "a--bc", "abc-", "a" * 37):
        result = await go(hass, result, application_id=application_id, name="Orchard")
        assert result["step_id"] == "new_application"
        assert result["errors"] == {"application_id": "invalid_application_id"}
        assert suggested(result, "application_id") == application_id
    result = await go(hass, result, application_id="orchard", name="O" * 51)
    assert result["errors"] == {"name": "application_name_too_long"}
    assert (placeholders(result)["length"], placeholders(result)["longest"]) == ("51", "50")
    assert len(sim.requests) == asked
    sim.faults.errors["/users/admin/applications"] = (400, "validation")
    result = await go(hass, result, application_id="orchard", name="Orchard")
    assert result["errors"] == {"base": "application_refused"}
    assert placeholders(result)["error"]
    sim.faults.errors.clear()
    await finish(hass, await go(hass, result, application_id="orchard", name="O" * 50))


async def test_the_first_application(hass: HomeAssistant, sim: Simulator) -> None:
    """A key that reaches none makes one; one that exists meanwhile is taken."""
    sim.stack.applications.clear()
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    assert result["step_id"] == "new_application"
    entry = await finish(hass, await go(hass, result, application_id="first"))
    assert entry.data["application_id"] == "first"


async def test_key_without_info_asks_for_the_application(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """TRAFFIC_READ is enough: the id is asked for and checked, the usual ports are used."""
    result = await to_key(hass, sim, mqtt_host=sim.mqtt_host, mqtt_port=sim.mqtt_port)
    result = await go(hass, result, api_key=sim.key("traffic"))
    assert result["step_id"] == "application"
    assert suggested(result, "application_id") == "garden"
    result = await go(hass, result, application_id="My Garden")
    assert result["errors"] == {"application_id": "invalid_application_id"}
    assert suggested(result, "application_id") == "My Garden"
    result = await go(hass, result, application_id="neighbour")
    assert result["errors"] == {"base": "no_rights"}
    assert placeholders(result)["application"] == "neighbour"
    result = await go(hass, result, application_id="garden")
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
    result = await go(hass, result, api_key=sim.key("traffic"))
    result = await go(hass, result, application_id="garden")
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": "mqtt_refused"}
    assert suggested(result, "mqtt_port", "advanced") == sim.mqtt_port
    address = own_server(sim, mqtt_host="127.0.0.1", mqtt_port=sim.mqtt_port)
    result = await go(hass, result, **address)
    assert suggested(result, "api_key") == sim.key("traffic")
    result = await go(hass, result, api_key=sim.key("traffic"))
    result = await go(hass, result, application_id="garden@ttn")
    entry = await finish(hass, result)
    assert entry.data["tenant_id"] == "ttn"
    assert entry.unique_id == "127.0.0.1/garden@ttn"


async def test_tenant_of_an_own_server_is_found_out(
    hass: HomeAssistant, sim_ttn: Simulator
) -> None:
    """The server names it in the MQTT user name."""
    result = await go(hass, await to_key(hass, sim_ttn), api_key=sim_ttn.key("read"))
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
            "- send downlinks: controls and commands (*Write downlink application traffic*)\n"
            "- register, edit, replace and delete end devices "
            "(*Create devices in application*, *Edit device keys in application*)\n"
            "- change payload formatters of the application (*Edit basic application settings*)\n"
            "- switch the Storage Integration on and off "
            "(*View and edit application packages and associations*)\n"
            "- simulate uplinks, for tests (*Write uplink application traffic*)\n\n"
            "They can be added to the same key in the Console now or later."
        ),
        "devices": "Registered end devices: 7; each appears at once.",
        "storage": (
            "This server has no Storage Integration, so values come with each device's next uplink."
        ),
        "messages": (
            f"Messages come from 127.0.0.1:{sim.mqtt_port}, **not encrypted**; "
            "the connection was tested."
        ),
        "expires": "",
    }


async def test_summary_of_a_key_with_all_rights(hass: HomeAssistant, sim: Simulator) -> None:
    """Nothing is missing."""
    summary = await to_rights(hass, sim, "all")
    assert summary["missing"] == "- nothing: it has all that are used here"
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
    assert "devices that are still silent" in summary["missing"]


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


# Duplicates


async def test_duplicate_aborts(hass: HomeAssistant, sim: Simulator) -> None:
    """One application is one entry, whichever key is used."""
    make_entry(sim).add_to_hass(hass)
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("manage"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_dialogue_that_was_left_open(hass: HomeAssistant, sim: Simulator) -> None:
    """It blocks no second one, and goes away with the first entry."""
    left = await go(hass, await to_key(hass, sim), api_key=sim.key("read"))
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("read"))
    assert left["step_id"] == "rights"
    await finish(hass, result)
    assert hass.config_entries.flow.async_progress() == []
