"""The integration's config flow, walked as the frontend walks it."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from .api import DOMAIN, HomeAssistant
from .options import DEFAULT_DOOR, Application

FLOW = "/api/config/config_entries/flow"
NETWORKS = {
    "eu1.cloud.thethings.network": "ttn_eu1",
    "nam1.cloud.thethings.network": "ttn_nam1",
    "au1.cloud.thethings.network": "ttn_au1",
}
CLOUD = ".cloud.thethings.industries"


class FlowError(Exception):
    """The config flow didn't end in an entry; the text says where and why."""


async def add_entry(
    home: HomeAssistant, application: Application, door: str = DEFAULT_DOOR
) -> dict[str, Any]:
    """Return the config entry that the flow created; raises FlowError with the flow's words."""
    result = await home.post(FLOW, {"handler": DOMAIN, "show_advanced_options": False})
    answered: set[str] = set()
    while result["type"] in {"form", "progress"}:
        step: str = result["step_id"]
        if result["type"] == "progress":
            await asyncio.sleep(0.2)
            result = await home.get(f"{FLOW}/{result['flow_id']}")
            continue
        if result.get("errors") or step in answered:
            raise FlowError(f"step {step}: {_words(result.get('errors'))}")
        answered.add(step)
        result = await home.post(f"{FLOW}/{result['flow_id']}", answer(result, application, door))
    if result["type"] != "create_entry":
        raise FlowError(f"ended with {result['type']}: {result.get('reason')}")
    entry: dict[str, Any] = result["result"]
    return entry


def answer(
    form: dict[str, Any], application: Application, door: str = DEFAULT_DOOR
) -> dict[str, Any]:
    """Return what the user fills into this form."""
    step: str = form["step_id"]
    match step:
        case "user":
            return {"network": network(application)}
        case "cloud":
            tenant, cluster = _host(application).removesuffix(CLOUD).split(".")
            return {"tenant_id": tenant, "cluster": cluster}
        case "own_server":
            return {"server": application.server, "advanced": _advanced(application)}
        case "handler":
            return _handler(application)
        case "key":
            return {"api_key": application.api_key}
        case "application":
            if application.application_id is None:
                raise FlowError("this key needs an application: --application or TTN_APPLICATION")
            return {"application_id": application.application_id.partition("@")[0]}
        case "rights":
            return {"door": door}
        case _ if not form["data_schema"]:
            return {}
        case _:
            raise FlowError(f"unknown step {step}")


def network(application: Application) -> str:
    """Return the choice in the flow's first form that leads to this server."""
    if application.mqtt is not None:
        return "ttn_v2"
    host = _host(application)
    if host.endswith(CLOUD):
        return "cloud"
    return NETWORKS.get(host, "own_server")


def _handler(application: Application) -> dict[str, Any]:
    """Return the addresses of a stack of version 2, and the key."""
    assert application.mqtt is not None
    host, _, port = application.mqtt.rpartition(":")
    return {
        "server": application.server,
        "mqtt_host": host,
        "application_id": application.application_id,
        "api_key": application.api_key,
        "advanced": {"mqtt_port": int(port), "plaintext": application.plaintext},
    }


def _advanced(application: Application) -> dict[str, Any]:
    advanced: dict[str, Any] = {"plaintext": application.plaintext}
    if application.identity_server:
        advanced["identity_server"] = application.identity_server
    if application.ca_pem:
        advanced["ca_certificate"] = application.ca_pem
    if application.application_id and "@" in application.application_id:
        advanced["tenant_id"] = application.application_id.partition("@")[2]
    return advanced


def _host(application: Application) -> str:
    return urlsplit(application.server).hostname or ""


def _words(errors: dict[str, str] | None) -> str:
    if not errors:
        return "asked twice"
    return ", ".join(f"{field}: {error}" for field, error in errors.items())
