"""Downlinks: what is refused, what is queued, and what becomes of it."""

import base64
from copy import deepcopy
from typing import Any

from . import errors, messages
from .encoding import encode_bytes, get_path, moment, prune
from .errors import ABORTED, FAILED_PRECONDITION, INVALID_ARGUMENT, RefusedError
from .formatters import FormatterError
from .model import Application, Device, Downlink, Stack
from .traffic import envelope_ids, formatter_of, nanoseconds
from .validation import check, decode_base64

MAX_PAYLOAD = 242
MAX_RETRIES = 32
_FIELDS = ("f_port", "frm_payload", "decoded_payload", "confirmed", "priority", "class_b_c")


def parse(body: Any) -> list[dict[str, Any]]:
    """Return the downlinks of a request body; raises what its types and rules are refused with."""
    request = body if isinstance(body, dict) else {}
    check(messages.QUEUE_DOWNLINKS, request)
    return list(request.get("downlinks") or [])


def prepare(
    stack: Stack,
    application: Application,
    device: Device,
    item: dict[str, Any],
    correlation_ids: list[str],
) -> Downlink:
    """Return the downlink with its payload encoded; raises if there is nothing to send."""
    message = {key: item[key] for key in _FIELDS if key in item}
    if retry := get_path(item, "confirmed_retry.max_attempts"):
        if retry > MAX_RETRIES:
            raise errors.application_server(
                INVALID_ARGUMENT,
                "downlink_max_retries_invalid",
                "downlink maximum retries exceed configured maximum of {max}",
                max=MAX_RETRIES,
            )
        message["confirmed_retry"] = {"max_attempts": retry}
    downlink = Downlink(
        message,
        sorted(
            [
                stack.correlation("as:downlink"),
                *item.get("correlation_ids", []),
                *correlation_ids,
            ]
        ),
    )
    if message.get("frm_payload"):
        message["frm_payload"] = encode_bytes(decode_base64(item["frm_payload"]))
        return downlink
    if (command := message.get("decoded_payload")) is None:
        raise errors.application_server(INVALID_ARGUMENT, "no_payload", "no payload")
    encode = formatter_of(application, device).encode
    if encode is None:
        # As recorded: accepted, and an empty frame is queued.
        return downlink
    try:
        encoded = encode(command, message.get("f_port", 0))
    except FormatterError as error:
        raise error.refusal() from error
    message["f_port"] = encoded.f_port
    message["frm_payload"] = encode_bytes(encoded.payload)
    downlink.warnings = encoded.warnings
    return downlink


def call_names(prepared: list[Downlink], downlink: Downlink, call_ids: list[str]) -> list[str]:
    """Return the correlation IDs of events about a call: the downlink's own only in a call of one."""
    own = [name for name in downlink.correlation_ids if name.startswith("as:downlink:")]
    return sorted([*(own if len(prepared) == 1 else []), *call_ids])


def refusal(stack: Stack, device: Device, downlinks: list[Downlink]) -> RefusedError | None:
    """Return why the queue doesn't take these downlinks, None if it does."""
    if device.session is None:
        return errors.application_server(
            FAILED_PRECONDITION,
            "no_device_session",
            "no device session; check device activation",
        )
    for downlink in downlinks:
        if not downlink.message.get("f_port"):
            return errors.application_server(INVALID_ARGUMENT, "no_f_port", "no FPort")
        length = len(base64.b64decode(downlink.message.get("frm_payload", "")))
        if length > MAX_PAYLOAD:
            return errors.network_server(
                INVALID_ARGUMENT,
                "application_downlink_too_long",
                "application downlink payload length `{length}` exceeds maximum '{max}'",
                length=length,
                max=str(MAX_PAYLOAD),
            )
        if (error := expiry(stack, downlink)) is not None:
            return error
    return None


def expiry(stack: Stack, downlink: Downlink) -> RefusedError | None:
    """Return why a downlink is too late to be sent, None if it isn't."""
    absolute = get_path(downlink.message, "class_b_c.absolute_time")
    if absolute and moment(absolute) < stack.now():
        return errors.network_server(
            FAILED_PRECONDITION, "downlink_expired", "queued downlink is expired"
        )
    return None


def max_retries(downlink: Downlink) -> RefusedError:
    """Return the error of a confirmed downlink that was never acknowledged."""
    return errors.application_server(
        ABORTED,
        "max_retries_reached",
        "maximum number of retries ({max_retries}) reached",
        max_retries=str(downlink.max_attempts),
    )


def listed(device: Device) -> list[dict[str, Any]]:
    """Return the queue as the API lists it: on air fields, no decoded payload."""
    assert device.session is not None
    items = []
    for downlink in device.session.queue:
        item = deepcopy(downlink.message)
        item.pop("decoded_payload", None)
        item["session_key_id"] = device.session.key_id
        item["f_cnt"] = downlink.f_cnt
        item["correlation_ids"] = downlink.correlation_ids
        if downlink.confirmed:
            item.setdefault("confirmed_retry", {}).setdefault("attempt", downlink.attempt)
        items.append(prune(item))
    return items


def _shown(application: Application, device: Device, downlink: Downlink) -> dict[str, Any]:
    """Return the message with the payload decoded for reading."""
    body = deepcopy(downlink.message)
    decode = formatter_of(application, device).decode_downlink
    if body.get("frm_payload") and decode is not None:
        payload = base64.b64decode(body["frm_payload"])
        try:
            body["decoded_payload"] = decode(payload, body.get("f_port", 0))
        except FormatterError:
            body.pop("decoded_payload", None)
    return body


def queued(
    stack: Stack, application: Application, device: Device, downlink: Downlink
) -> dict[str, Any]:
    """Return the envelope of a downlink that was queued."""
    body = _shown(application, device, downlink)
    body["decoded_payload_warnings"] = downlink.warnings
    body["correlation_ids"] = downlink.correlation_ids
    if downlink.confirmed:
        body.setdefault("confirmed_retry", {"attempt": 1})
    return _envelope(stack, device, "queued", body, downlink.correlation_ids)


def failed(
    stack: Stack, application: Application, device: Device, downlink: Downlink, error: RefusedError
) -> dict[str, Any]:
    """Return the envelope of a downlink that will not be sent (again)."""
    body = _shown(application, device, downlink)
    body["correlation_ids"] = downlink.correlation_ids
    if downlink.f_cnt and device.session is not None:
        body["session_key_id"] = device.session.key_id
        body["f_cnt"] = downlink.f_cnt
        body.setdefault("confirmed_retry", {})["attempt"] = downlink.attempt
    body = {"downlink": body, "error": error.details()}
    return _envelope(stack, device, "failed", body, downlink.correlation_ids)


def transmitted(
    stack: Stack,
    application: Application,
    device: Device,
    kind: str,
    downlink: Downlink,
    *,
    uplink_ids: list[str],
) -> dict[str, Any]:
    """Return the envelope of `sent`, `ack` or `nack`; `uplink_ids` are those of the uplink."""
    assert device.session is not None
    body = _shown(application, device, downlink)
    body["session_key_id"] = device.session.key_id
    body["f_cnt"] = downlink.f_cnt
    correlation_ids = downlink.correlation_ids + uplink_ids
    if kind == "sent":
        body.pop("confirmed_retry", None)
        correlation_ids = downlink.correlation_ids + _transmission(stack, uplink_ids)
        body["correlation_ids"] = sorted(
            item for item in correlation_ids if "NsAs/HandleUplink" not in item
        )
    else:
        body.setdefault("confirmed_retry", {})["attempt"] = downlink.attempt
        body["correlation_ids"] = downlink.correlation_ids
    return _envelope(stack, device, kind, body, correlation_ids, on_air=True)


def _transmission(stack: Stack, uplink_ids: list[str]) -> list[str]:
    kinds = ["gs:tx_ack", "ns:transmission"]
    if not stack.recent_fields:
        kinds += [
            "rpc:/ttn.lorawan.v3.GsNs/ReportTxAcknowledgment",
            "rpc:/ttn.lorawan.v3.NsGs/ScheduleDownlink",
        ]
        if not uplink_ids:
            kinds.append("rpc:/ttn.lorawan.v3.NsAs/HandleUplink")
    return uplink_ids + [stack.correlation(kind) for kind in kinds]


def _envelope(
    stack: Stack,
    device: Device,
    kind: str,
    body: dict[str, Any],
    correlation_ids: list[str],
    *,
    on_air: bool = False,
) -> dict[str, Any]:
    ids = envelope_ids(device)
    if not on_air:
        ids.pop("dev_addr", None)
    return {
        "end_device_ids": ids,
        "correlation_ids": sorted(correlation_ids),
        "received_at": nanoseconds(stack),
        f"downlink_{kind}": prune(body),
    }
