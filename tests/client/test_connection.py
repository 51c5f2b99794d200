"""Where an application lives."""

import pytest

from thethingsstack import (
    NETWORKS,
    Connection,
    InvalidRequest,
    cloud_network,
    is_loopback,
    normalize_server_url,
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("eu1.cloud.thethings.network", "https://eu1.cloud.thethings.network"),
        (" https://Stack.Example.org/ ", "https://stack.example.org"),
        ("https://stack.example.org/api/v3/", "https://stack.example.org"),
        ("https://stack.example.org/console/applications/x", "https://stack.example.org"),
        ("https://example.org/lorawan/api/v3", "https://example.org/lorawan"),
        ("http://127.0.0.1:1885", "http://127.0.0.1:1885"),
        ("https://stack.example.org:443", "https://stack.example.org"),
        ("http://stack.example.org:80", "http://stack.example.org"),
        ("[::1]:8885", "https://[::1]:8885"),
        ("localhost:8885", "https://localhost:8885"),
    ],
)
def test_server_urls(text: str, url: str) -> None:
    assert normalize_server_url(text) == url
    assert normalize_server_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "mqtts://stack.example.org",
        "ftp://x",
        "https://",
        "https://user:secret@stack.example.org",
        "https://stack.example.org:port",
        "https://stack.example.org:99999",
        "https://[::1",
        "two words",
        "https://<host>",
    ],
)
def test_no_server_urls(text: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        normalize_server_url(text)
    assert raised.value.name == "invalid_server"
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("stack.localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", True),
        ("192.168.1.5", False),
        ("stack.example.org", False),
        ("", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_public_networks() -> None:
    network = NETWORKS["ttn_nam1"]
    connection = Connection(server=network.server, api_key="k", application_id="app")
    assert connection.identity_server == "https://eu1.cloud.thethings.network"
    assert connection.uid == "app@ttn"
    assert connection.server_host == "nam1.cloud.thethings.network"


def test_cloud() -> None:
    network = cloud_network("acme", "au1")
    assert network.server == "https://acme.au1.cloud.thethings.industries"
    connection = Connection(server=network.server, api_key="k", application_id="app")
    assert connection.identity_server == "https://acme.eu1.cloud.thethings.industries"
    assert connection.tenant_id == "acme"


def test_own_server() -> None:
    connection = Connection(server="stack.example.org", api_key=" key\n", application_id="app")
    assert connection.identity_server == connection.server == "https://stack.example.org"
    assert connection.uid == "app"
    assert connection.api_key == "key"
    assert "key" not in repr(connection).replace("api_key", "")


def test_application_with_tenant_is_taken_apart() -> None:
    connection = Connection(
        server="stack.example.org",
        identity_server="is.example.org/api/v3",
        api_key="k",
        application_id="app@acme",
    )
    assert (connection.application_id, connection.tenant_id) == ("app", "acme")
    assert connection.uid == "app@acme"
    assert connection.identity_server == "https://is.example.org"


def test_without_application() -> None:
    connection = Connection(server="stack.example.org", api_key="k")
    with pytest.raises(InvalidRequest, match="no application"):
        _ = connection.uid


@pytest.mark.parametrize(
    ("server", "given", "tls"),
    [
        ("https://stack.example.org", None, True),
        ("stack.example.org", None, True),
        ("http://localhost:1885", None, False),
        ("http://localhost:1885", True, True),
        ("https://stack.example.org", False, False),
    ],
)
def test_mqtt_is_as_safe_as_the_server(server: str, given: bool | None, tls: bool) -> None:
    assert Connection(server=server, api_key="x", mqtt_tls=given).mqtt_tls is tls
