"""Keys, addresses and servers that don't do: each has its own text, and a way on."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
import pytest

from custom_components.thethingsstack.client import (
    AuthenticationFailed,
    CertificateFailed,
    ConnectionFailed,
    MissingRight,
    NotFound,
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    ServerFailed,
    StackError,
)
from custom_components.thethingsstack.setup_flow.probe import http_error, mqtt_error
from tests.dialogs import go
from tests.setup_flow.steps import (
    DEAD,
    encrypted_server,
    finish,
    own_server,
    placeholders,
    start,
    suggested,
    to_key,
)
from tests.simulator import Simulator

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
    result = await go(hass, await to_key(hass, sim), api_key=sim.key(key))
    assert result["step_id"] == "key"
    assert result["errors"] == {"api_key": error}
    assert suggested(result, "api_key") == sim.key(key)
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


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
    result = await go(hass, await to_key(hass, sim), api_key=text)
    assert result["errors"] == {"api_key": error}
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_key_without_the_least_right_and_without_info(
    hass: HomeAssistant, sim: Simulator
) -> None:
    """A key that may neither name the application nor read is refused before any question."""
    sim.set_rights("traffic", ["DEVICES_READ"])
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("traffic"))
    assert result["errors"] == {"api_key": "missing_traffic_right"}


async def test_chosen_application_without_rights(hass: HomeAssistant, sim: Simulator) -> None:
    """A user key whose rights don't reach the chosen application says so there."""
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("user"))
    sim.set_rights("user", ["RIGHT_USER_APPLICATIONS_LIST", "RIGHT_APPLICATION_INFO"])
    result = await go(hass, result, application_id="garden")
    assert result["step_id"] == "application"
    assert result["errors"] == {"base": "missing_traffic_right"}
    sim.set_rights("user", ["RIGHT_ALL"])
    await finish(hass, await go(hass, result, application_id="garden"))


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
    result = await go(hass, await start(hass), **typed)
    assert result["step_id"] == "own_server"
    assert result["errors"] == error
    assert suggested(result, "server") == typed["server"]
    for field, value in typed["advanced"].items():
        assert suggested(result, field, "advanced") == value
    result = await go(hass, result, **own_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_certificate_of_a_private_ca_that_is_not_given(
    hass: HomeAssistant, sim: Simulator, refused_handshakes: None
) -> None:
    """The text asks for the CA; given, it goes on."""
    result = await go(hass, await start(hass), server=sim.https_server_url, advanced={})
    assert result["errors"] == {"base": "certificate_not_trusted"}
    result = await go(hass, result, **encrypted_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_tls_where_none_is_spoken_and_the_other_way(
    hass: HomeAssistant, sim: Simulator, refused_handshakes: None
) -> None:
    """Both are told apart from a dead server."""
    result = await go(
        hass, await start(hass), server=sim.server_url.replace("http:", "https:"), advanced={}
    )
    assert result["errors"] == {"base": "not_the_things_stack"}
    result = await go(
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

    async def add_from_message(request: web.Request) -> web.Response:
        return web.Response(text="Welcome", content_type="text/html")

    app.router.add_get("/api/v3/auth_info", add_from_message)
    async with TestServer(app) as server:
        page = {"server": str(server.make_url("")), "advanced": {"plaintext": True}}
        result = await go(hass, await start(hass), **page)
    assert result["errors"] == {"base": "not_the_things_stack"}
    result = await go(hass, result, **own_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_proxy_that_eats_the_key(hass: HomeAssistant, sim: Simulator) -> None:
    """An answer as if no key had come."""
    result = await to_key(hass, sim)
    sim.faults.http_body["/auth_info"] = b"{}"
    result = await go(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"api_key": "invalid_auth"}


async def test_key_of_something_else(hass: HomeAssistant, sim: Simulator) -> None:
    """A gateway's key reads no uplinks."""
    result = await to_key(hass, sim)
    sim.faults.http_body["/auth_info"] = (
        b'{"api_key": {"api_key": {"id": "A", "rights": ["RIGHT_GATEWAY_INFO"]}, '
        b'"entity_ids": {"gateway_ids": {"gateway_id": "roof"}}}}'
    )
    result = await go(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"api_key": "not_an_application_key"}
    sim.faults.http_body.clear()
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_user_key_that_may_not_list(hass: HomeAssistant, sim: Simulator) -> None:
    """The application is asked for then."""
    result = await to_key(hass, sim)
    sim.faults.http_status["/applications"] = 403
    result = await go(hass, result, api_key=sim.key("user"))
    assert result["step_id"] == "application"
    sim.faults.http_status.clear()
    await finish(hass, await go(hass, result, application_id="garden"))


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
    result = await go(hass, result, api_key=sim.key(key))
    if result["step_id"] == "application":
        result = await go(hass, result, application_id="garden")
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": error}
    assert suggested(result, "server") == sim.server_url
    assert suggested(result, "identity_server", "advanced") == sim.identity_server_url
    sim.faults.http_status.clear()
    result = await go(hass, result, **own_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


# MQTT


async def test_mqtt_that_is_blocked(hass: HomeAssistant, sim: Simulator) -> None:
    """The key is right, the port is not reached, and there is no event stream either."""
    sim.faults.http_status["/events"] = 404
    result = await to_key(hass, sim, mqtt_host="127.0.0.1", mqtt_port=9)
    result = await go(hass, result, api_key=sim.key("read"))
    assert result["step_id"] == "own_server"
    assert result["errors"] == {"base": "mqtt_cannot_connect"}
    assert placeholders(result)["mqtt"] == "127.0.0.1:9"
    assert suggested(result, "mqtt_port", "advanced") == 9
    result = await go(hass, result, **own_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_mqtt_that_refuses(hass: HomeAssistant, sim: Simulator) -> None:
    """CONNACK 5 with a key that is good over HTTP isn't the key's fault."""
    sim.faults.mqtt_refuse = 5
    result = await go(hass, await to_key(hass, sim), api_key=sim.key("read"))
    assert result["errors"] == {"base": "mqtt_refused"}
    sim.faults.mqtt_refuse = None
    result = await go(hass, result, **own_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_mqtt_of_another_kind(
    hass: HomeAssistant, sim: Simulator, refused_handshakes: None
) -> None:
    """TLS spoken to the port without, and a certificate of nobody we trust."""
    address = encrypted_server(sim, mqtt_host="127.0.0.1", mqtt_port=sim.mqtt_port)
    result = await go(hass, await start(hass), **address)
    result = await go(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"base": "mqtt_wrong_port"}
    async with Simulator(world="garden") as stranger:
        address["advanced"]["mqtt_port"] = stranger.mqtts_port
        result = await go(hass, result, **address)
        result = await go(hass, result, api_key=sim.key("read"))
    assert result["errors"] == {"base": "mqtt_certificate_not_trusted"}
    result = await go(hass, result, **encrypted_server(sim))
    await finish(hass, await go(hass, result, api_key=sim.key("read")))


async def test_mqtt_that_is_blocked_on_a_public_network(
    hass: HomeAssistant, public: Simulator
) -> None:
    """There are no addresses to change: the key can be sent again."""
    public.faults.mqtt_refuse = 3
    result = await go(hass, await start(hass, "ttn_eu1"), api_key=public.key("read"))
    assert result["step_id"] == "key"
    assert result["errors"] == {"base": "mqtt_refused"}
    public.faults.mqtt_refuse = None
    await finish(hass, await go(hass, result, api_key=public.key("read")))


# Errors and their texts


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
