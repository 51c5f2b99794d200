"""Reading what the user typed about servers, keys and applications."""

import re

import pytest

from custom_components.thethingsstack.setup_flow.server_form import (
    FormError,
    read_application,
    read_key,
    read_server,
)
from tests.setup_flow.steps import recorded


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
def test_the_mqtt_host_of_an_address(typed: str, host: str | None) -> None:
    """Names and addresses of both kinds."""
    form = {"server": "https://stack.example.org", "advanced": {"mqtt_host": typed}}
    assert read_server("own_server", form)["mqtt_host"] == host


def test_an_address_without_scheme_in_plaintext() -> None:
    """Who chose plaintext means http."""
    form = {"server": "10.0.0.5:1885", "advanced": {"plaintext": True, "mqtt_port": 1883.0}}
    data = read_server("own_server", form)
    assert data["server"] == data["identity_server"] == "http://10.0.0.5:1885"
    assert data["mqtt_port"] == 1883
    assert data["mqtt_tls"] is False


def test_a_key_is_taken_as_copied() -> None:
    """Quotes, line ends and a copied header do no harm."""
    assert read_key('"NNSXS.A.B"\n') == "NNSXS.A.B"
    with pytest.raises(FormError, match="key_id"):
        read_key("A" * 39)


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
