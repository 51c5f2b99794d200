"""Templates of webhooks: what a valid one is, and the webhook that the Console makes of one."""

from collections.abc import Mapping
import re
from typing import Any
from urllib.parse import quote

PATHS = (
    "uplink-message",
    "uplink-normalized",
    "join-accept",
    "downlink-ack",
    "downlink-nack",
    "downlink-sent",
    "downlink-failed",
    "downlink-queued",
    "downlink-queue-invalidated",
    "location-solved",
    "service-data",
)
BUILT_IN = (
    "appID",
    "applicationID",
    "appEUI",
    "joinEUI",
    "devID",
    "deviceID",
    "devEUI",
    "devAddr",
)
"""Variables that each message fills in."""
_TEXTS = {
    "template-id": 32,
    "name": 20,
    "description": 100,
    "logo-url": None,
    "info-url": None,
    "documentation-url": None,
    "tts-documentation-url": None,
    "base-url": None,
    "format": None,
}
_FIELD_TEXTS = {"id": 32, "name": 20, "description": 100, "default-value": 100}
_ID = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,}")
_FIELD_ID = re.compile(r"(?:[A-Za-z0-9_.-]|%[0-9A-Fa-f]{2})+")
_VARIABLE = re.compile(r"\{(\+?)([^{}]*)\}")
_RESERVED = ":/?#[]@!$&'()*+,;="


def problems(template: Mapping[str, Any]) -> list[str]:
    """Return what the catalogue would refuse in a template, a line each."""
    found = [f"unknown: {key}" for key in template.keys() - _TEXTS.keys() - _OTHERS]
    found += _long(template, _TEXTS, "")
    found += [
        f"{key}: no ID"
        for key in ("template-id", "format")
        if not _ID.fullmatch(str(template.get(key)))
    ]
    found += [
        f"{key}: missing" for key in ("name", "description", "base-url") if not template.get(key)
    ]
    if not isinstance(template.get("create-downlink-api-key"), bool):
        found.append("create-downlink-api-key: yes or no")
    fields = template.get("fields", [])
    for field in fields:
        if not _FIELD_ID.fullmatch(str(field.get("id"))):
            found.append(f"{field}: no ID")
        found += _long(field, _FIELD_TEXTS, f"{field.get('id')} ")
        found += [
            f"{field.get('id')} {key}: yes or no"
            for key in ("secret", "optional")
            if not isinstance(field.get(key, False), bool)
        ]
    known = {*BUILT_IN, *(field.get("id") for field in fields)}
    paths, headers = template.get("paths", {}), template.get("headers", {})
    found += [f"paths: unknown {key}" for key in paths.keys() - set(PATHS)]
    found += [f"paths: {key} is too long" for key, path in paths.items() if len(path) > 64]
    for text in (template.get("base-url", ""), *paths.values(), *headers, *headers.values()):
        found += [f"no field {name}" for _, name in _VARIABLE.findall(text) if name not in known]
    return found


_OTHERS = {"headers", "fields", "paths", "create-downlink-api-key", "field-mask"}


def _long(texts: Mapping[str, Any], limits: Mapping[str, int | None], where: str) -> list[str]:
    return [
        f"{where}{key}: no text, or too long"
        for key, limit in limits.items()
        if not isinstance(text := texts.get(key, ""), str)
        or (limit is not None and len(text) > limit)
    ]


def webhook_of(
    template: Mapping[str, Any], webhook_id: str, given: Mapping[str, str], key: str | None
) -> dict[str, Any]:
    """Return the webhook that the Console makes; `key` is the downlink key that it made for it."""
    webhook: dict[str, Any] = {
        "ids": {"webhook_id": webhook_id},
        "template_ids": {"template_id": template["template-id"]},
        "template_fields": dict(given),
        "base_url": _address(template["base-url"], given),
        "format": template["format"],
        "headers": {
            name: _VARIABLE.sub(lambda found: given.get(found[2], found[0]), text)
            for name, text in template.get("headers", {}).items()
        },
    }
    for name, path in template.get("paths", {}).items():
        webhook[name.replace("-", "_")] = {"path": _address(path, given)}
    if template["create-downlink-api-key"]:
        webhook["downlink_api_key"] = key
    return webhook


def _address(text: str, given: Mapping[str, str]) -> str:
    """Fill in the fields of a URL; what each message fills in stays."""

    def value(found: re.Match[str]) -> str:
        if found[2] not in given:
            return found[0]
        return quote(given[found[2]], safe=_RESERVED if found[1] else "")

    return _VARIABLE.sub(value, text)
