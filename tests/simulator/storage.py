"""The Storage Integration: uplinks of the last 24 hours, as JSON objects with blank lines."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import batched
import json
import re
from typing import Any

from aiohttp import web

from . import errors, messages
from .encoding import moment, select
from .errors import INVALID_ARGUMENT, RefusedError
from .faults import StorageFailure
from .http_server import Call, simulated_answer
from .model import Device
from .validation import check

PACKAGE = "storage-integration"
F_PORT = 100
RETENTION = timedelta(hours=24)
_AT_ONCE = 100
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

type _Place = tuple[datetime, str, str, int]
"""Where an envelope stands among all: time, the same as it is written, device, counter."""


def _duration(text: str) -> timedelta:
    parts = re.findall(r"([\d.]+)(h|ms|m|s)", text)
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def _place(envelope: dict[str, Any]) -> _Place:
    written = envelope["received_at"]
    counter = envelope["uplink_message"].get("f_cnt", 0)
    return moment(written), written, envelope["end_device_ids"]["device_id"], counter


def _query(call: Call) -> dict[str, str]:
    """Return what is asked for; a continuation token stands for all that was asked first."""
    query = {**call.request.query, "type": call["type"]}
    check(messages.GET_STORED, query)
    if "last" in query and ("after" in query or "before" in query):
        raise _refused("time_range", "last can't be used with after or before")
    return query


async def _selected(
    call: Call, devices: list[Device], query: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return what a query finds; others have their turn meanwhile."""
    now = call.stack.now()
    after = now - RETENTION
    before = now - call.stack.faults.storage_lag if call.stack.faults.storage_lag else None
    if last := query.get("last"):
        after = max(after, now - _duration(last))
    if text := query.get("after"):
        after = max(after, moment(text))
    if text := query.get("before"):
        before = min(before or moment(text), moment(text))
    f_port = int(query.get("f_port") or 0)
    found = []
    for device in devices:
        for batch in batched(device.stored(), _AT_ONCE, strict=False):
            found += [
                (place, envelope)
                for envelope in batch
                if (place := _place(envelope))[0] > after
                and (before is None or place[0] < before)
                and f_port in (0, envelope["uplink_message"].get("f_port"))
            ]
            await asyncio.sleep(0)
    found.sort(key=lambda item: item[0], reverse=query.get("order") == "-received_at")
    return [envelope for _, envelope in found]


def _masked(envelope: dict[str, Any], mask: list[str]) -> dict[str, Any]:
    if not mask:
        return envelope
    paths = [path.removeprefix("up.") for path in mask]
    return select(envelope, ["end_device_ids", "received_at", *paths])


def _token(query: Mapping[str, str], last: dict[str, Any]) -> str:
    asked = {name: value for name, value in query.items() if name != "continuation_token"}
    _, written, device_id, counter = _place(last)
    text = json.dumps([asked, written, device_id, counter], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def _continued(token: str) -> tuple[dict[str, str], _Place]:
    """Return what was asked first, and the place of the last envelope that was sent."""
    try:
        asked, written, device_id, counter = json.loads(base64.urlsafe_b64decode(token))
        return asked, (moment(written), written, device_id, counter)
    except (ValueError, TypeError) as error:
        raise _refused("continuation_token", "invalid continuation token") from error


def _refused(name: str, text: str) -> RefusedError:
    # This part of the server isn't public; the names of its errors are not known.
    package = "pkg/applicationserver/io/packages/storage"
    return RefusedError(INVALID_ARGUMENT, package, name, text)


async def read(call: Call, devices: list[Device]) -> web.StreamResponse:
    """Answer GET …/packages/storage/{type}."""
    failure = call.stack.faults.next_storage_failure() or StorageFailure()
    if failure.status is not None:
        return simulated_answer(failure.status, call.request_id, failure.retry_seconds)
    query = _query(call)
    token = query.get("continuation_token")
    if token:
        query, place = _continued(token)
        newest_first = query.get("order") == "-received_at"
        found = [
            envelope
            for envelope in await _selected(call, devices, query)
            if (_place(envelope) < place if newest_first else _place(envelope) > place)
        ]
    else:
        found = await _selected(call, devices, query)
    limit = int(query.get("limit") or 0)
    page = found[:limit] if limit else found
    headers = {"X-Request-Id": call.request_id, **call.headers}
    if len(page) < len(found):
        repeated = token if call.stack.faults.token_repeated else None
        headers["X-Continuation-Token"] = repeated or _token(query, page[-1])
    mask = [path for path in query.get("field_mask", "").split(",") if path]
    return await _answer(call, [_masked(envelope, mask) for envelope in page], headers, failure)


async def _answer(
    call: Call, page: list[dict[str, Any]], headers: dict[str, str], failure: StorageFailure
) -> web.StreamResponse:
    stream = "event-stream" in call.request.headers.get("Accept", "")
    end = "\n\n" if stream else "\n"
    headers["Content-Type"] = "text/event-stream" if stream else "application/json"
    items: list[dict[str, Any]] = [{"result": envelope} for envelope in page]
    if failure.error_after is not None and len(items) > failure.error_after:
        error = RefusedError(errors.UNAVAILABLE, "pkg/storage", "stream", "the stream has ended")
        items[failure.error_after :] = [{"error": error.body()}]
    broken = failure.breaks_after is not None and len(items) > failure.breaks_after
    response = web.StreamResponse(headers=headers)
    await response.prepare(call.request)
    at_once = 1 if failure.message_seconds else _AT_ONCE
    for batch in batched(items[: failure.breaks_after], at_once, strict=False):
        await asyncio.sleep(failure.message_seconds)
        await response.write("".join(_line(item) + end for item in batch).encode())
    if not broken:
        await response.write_eof()
    elif call.request.transport is not None:
        call.request.transport.close()  # after what was written, before the end of the body
    return response


def _line(item: dict[str, Any]) -> str:
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False)


async def count(call: Call, devices: list[Device]) -> dict[str, Any]:
    """Answer GET …/packages/storage/{type}/count: how many of each end device."""
    counts: dict[str, int] = {}
    for envelope in await _selected(call, devices, _query(call)):
        device_id = envelope["end_device_ids"]["device_id"]
        counts[device_id] = counts.get(device_id, 0) + 1
    return {"count": counts} if counts else {}
