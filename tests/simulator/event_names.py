"""The names of events that the stack defines; it refuses to follow others.

From the documentation of events, as of v3.32; of MAC commands those that it lists.
"""

import re
from typing import Any

from .errors import INVALID_ARGUMENT, RefusedError

_REGISTRY = "create update delete"
_NAMES = {
    "application": f"{_REGISTRY} restore purge issue_dev_eui",
    "application.api-key": _REGISTRY,
    "application.collaborator": "update delete",
    "end_device": f"{_REGISTRY} batch.delete",
    "gateway": f"{_REGISTRY} restore purge",
    "as.end_device": f"{_REGISTRY} batch.delete",
    "js.end_device": f"{_REGISTRY} batch.delete",
    "ns.end_device": f"{_REGISTRY} batch.delete",
    "as.up": """
        data.receive data.forward data.drop data.decode.fail data.decode.warning
        data.normalize.warning normalized.forward join.receive join.forward join.drop
        location.forward service.forward
    """,
    "as.down.data": """
        receive forward drop encode.fail encode.warning decode.fail decode.warning sent.forward
        ack.forward nack.forward failed.forward queue.invalidated.forward
    """,
    "as": "mqtt.connect mqtt.connect.fail webhook.fail application.subscribe application.unsubscribe",
    "js.join": "accept reject",
    "ns.up": """
        data.receive data.process data.forward data.drop join.receive join.process join.drop
        join.accept.forward join.cluster.attempt join.cluster.success join.cluster.fail
        join.interop.attempt join.interop.success join.interop.fail
    """,
    "ns.down": """
        data.schedule.attempt data.schedule.success data.schedule.fail join.schedule.attempt
        join.schedule.success join.schedule.fail transmission.success transmission.fail
        rx.parameters.fail
    """,
    "ns.class.switch": "a b c",
    "ns.mac.command": "parse.fail process.fail",
    "ns.mac": """
        dev_status.request dev_status.answer link_adr.request link_adr.answer.accept
        link_adr.answer.reject link_check.request link_check.answer device_time.request
        device_time.answer new_channel.request new_channel.answer.accept
        new_channel.answer.reject rx_param_setup.request rx_param_setup.answer.accept
        rx_param_setup.answer.reject
    """,
    "gs": """
        gateway.connect gateway.disconnect gateway.connection.stats status.receive status.drop
        up.receive up.forward up.drop up.repeat down.send down.tx.success down.tx.fail
    """,
    "dcs.end_device": "claim.success claim.fail claim.abort unclaim.success unclaim.fail",
}
NAMES = frozenset(f"{start}.{end}" for start, ends in _NAMES.items() for end in ends.split())


def has_name(name: str, wanted: str) -> bool:
    """Return whether an event is wanted, by its name or by an expression between slashes."""
    if _is_expression(wanted):
        return re.search(wanted.strip("/"), name) is not None
    return name == wanted


def check_names(wanted: list[str]) -> None:
    """Raise what names and expressions are refused with; it isn't said what breaks an expression."""
    for item in wanted:
        if not _is_expression(item):
            if item not in NAMES:
                raise _refused("unknown_event_name", "unknown event `{name}`", name=item)
            continue
        try:
            found = any(has_name(name, item) for name in NAMES)
        except re.error:
            raise _refused("invalid_regexp", "invalid regexp") from None
        if not found:
            text = "no matching events for regexp `{regexp}`"
            raise _refused("no_matching_events", text, regexp=item.strip("/"))


def _is_expression(wanted: str) -> bool:
    return wanted.startswith("/") and wanted.endswith("/")


def _refused(error_name: str, text: str, **attributes: Any) -> RefusedError:
    return RefusedError(INVALID_ARGUMENT, "pkg/events", error_name, text, attributes)
