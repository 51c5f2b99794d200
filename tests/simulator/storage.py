"""The Storage Integration: uplinks of the last 24 hours, as JSON objects with blank lines."""

from datetime import datetime, timedelta
import json
import re
from typing import Any

from aiohttp import web

from .encoding import moment, select
from .http_server import Call
from .model import Device

RETENTION = timedelta(hours=24)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def _duration(text: str) -> timedelta:
    parts = re.findall(r"([\d.]+)(h|ms|m|s)", text)
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def received_at(envelope: dict[str, Any]) -> datetime:
    """Return when the Application Server received it."""
    return moment(envelope["received_at"])


def _selected(call: Call, devices: list[Device]) -> list[dict[str, Any]]:
    query = call.request.query
    now = call.stack.now()
    after = now - RETENTION
    before: datetime | None = None
    if last := query.get("last"):
        after = max(after, now - _duration(last))
    if text := query.get("after"):
        after = max(after, moment(text))
    if text := query.get("before"):
        before = moment(text)
    f_port = int(query.get("f_port") or 0)
    found = [
        (received, envelope)
        for device in devices
        for envelope in device.stored()
        if (received := received_at(envelope)) > after
        and (before is None or received < before)
        and f_port in (0, envelope["uplink_message"].get("f_port"))
    ]
    found.sort(key=lambda item: item[0], reverse=query.get("order") == "-received_at")
    return [envelope for _, envelope in found]


def _masked(envelope: dict[str, Any], mask: list[str]) -> dict[str, Any]:
    if not mask:
        return envelope
    paths = [path.removeprefix("up.") for path in mask]
    return select(envelope, ["end_device_ids", "received_at", *paths])


def read(call: Call, devices: list[Device]) -> web.StreamResponse:
    """Answer GET …/packages/storage/{type}."""
    query = call.request.query
    mask = [path for path in query.get("field_mask", "").split(",") if path]
    start, limit = 0, int(query.get("limit") or 0)
    found = _selected(call, devices)
    if token := query.get("continuation_token"):
        start, limit = (int(part) for part in token.split("-"))
    page = found[start : start + limit] if limit else found[start:]
    headers = {"X-Request-Id": call.request_id, **call.headers}
    if limit and start + limit < len(found):
        headers["X-Continuation-Token"] = f"{start + limit}-{limit}"
    stream = "event-stream" in call.request.headers.get("Accept", "")
    lines = [
        json.dumps({"result": _masked(envelope, mask)}, separators=(",", ":"), ensure_ascii=False)
        for envelope in page
    ]
    end = "\n\n" if stream else "\n"
    content_type = "text/event-stream" if stream else "application/json"
    return web.Response(
        text="".join(line + end for line in lines), content_type=content_type, headers=headers
    )


def count(call: Call, devices: list[Device]) -> dict[str, Any]:
    """Answer GET …/packages/storage/{type}/count."""
    counts: dict[str, int] = {}
    for envelope in _selected(call, devices):
        device_id = envelope["end_device_ids"]["device_id"]
        counts[device_id] = counts.get(device_id, 0) + 1
    return {"count": sum(counts.values())} if counts else {}
