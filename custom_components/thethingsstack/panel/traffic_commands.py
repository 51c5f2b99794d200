"""Websocket commands of the live view: what comes, one entry, events, trying a formatter."""

from collections import deque
from collections.abc import Callable, Iterable
from heapq import merge
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import (
    ERR_HOME_ASSISTANT_ERROR,
    ActiveConnection,
    event_message,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from ..application import error_text, failure
from ..client import Formatter, FormatterFailed, StackError, UplinkMessage
from ..client.formatters import JAVASCRIPT
from ..const import DOMAIN
from ..formatters import FormatterChoice
from .applications import shown_entries
from .details import details_of
from .network_events import async_follow
from .rows import coordinator_of, device_of, row_of
from .traffic import KEPT_WATCHED, TrafficEntry, traffic_of

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from ..coordinator import ApplicationCoordinator
    from ..end_devices import EndDeviceState

BATCH_SECONDS: HassKey[float] = HassKey(f"{DOMAIN}_traffic_batch_seconds")
"""Key in `hass.data` for another time than the default between two messages to a browser."""
DEFAULT_BATCH_SECONDS: Final = 0.2
BATCH_ROWS: Final = 250
"""Rows of one message: making them holds up everything else for some milliseconds."""

ENTRY: dict[str | vol.Marker, Any] = {vol.Required("entry_id"): str, vol.Required("row"): int}


class Batches:
    """Sends new rows a few times a second, all that came meanwhile in one message."""

    def __init__(self, hass: HomeAssistant, send: Callable[[dict[str, Any]], None]) -> None:
        """Send nothing yet."""
        self._hass = hass
        self._send = send
        self._pause = hass.data.get(BATCH_SECONDS, DEFAULT_BATCH_SECONDS)
        self._waiting: deque[TrafficEntry] = deque()
        self._skipped = 0
        self._timer: TimerHandle | None = None

    @callback
    def add(self, entry: TrafficEntry) -> None:
        """Send this with the next message; the oldest are skipped where it gets too much."""
        self._waiting.append(entry)
        if len(self._waiting) > KEPT_WATCHED:
            self._waiting.popleft()
            self._skipped += 1
        if self._timer is None:
            self._timer = self._hass.loop.call_later(self._pause, self._flush)

    @callback
    def send(self, entries: Iterable[TrafficEntry]) -> None:
        """Send these at once."""
        shown = {entry.entry_id for entry in shown_entries(self._hass)}
        rows = [row_of(self._hass, entry) for entry in entries if entry.entry_id in shown]
        skipped, self._skipped = self._skipped, 0
        if rows or skipped:
            self._send({"rows": rows, "skipped": skipped})

    @callback
    def close(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    @callback
    def _flush(self) -> None:
        self._timer = None
        count = min(len(self._waiting), BATCH_ROWS)
        self.send([self._waiting.popleft() for _ in range(count)])
        if self._waiting:
            self._timer = self._hass.loop.call_later(0, self._flush)


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/traffic/subscribe"})
@callback
def ws_subscribe(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Send the rows of what is kept, then of what comes, of all applications in the panel."""
    traffic = traffic_of(hass)
    batches = Batches(hass, lambda rows: connection.send_message(event_message(msg["id"], rows)))
    stop = traffic.watch(batches.add)

    @callback
    def unsubscribe() -> None:
        stop()
        batches.close()

    connection.subscriptions[msg["id"]] = unsubscribe
    connection.send_result(msg["id"])
    kept = [traffic.entries_of(entry.entry_id) for entry in shown_entries(hass)]
    batches.send(merge(*kept, key=lambda entry: entry.id))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/traffic/entry", **ENTRY})
@callback
def ws_entry(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Send all of one entry; not found if it isn't kept any more."""
    entry = traffic_of(hass).find(msg["entry_id"], msg["row"])
    if entry is None:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "not kept any more")
        return
    connection.send_result(msg["id"], details_of(hass, entry))


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/traffic/follow_events",
        vol.Required("entry_id"): str,
        vol.Optional("device_id", default=None): vol.Any(str, None),
    }
)
@callback
def ws_follow_events(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Let the network's events come among the rows while this is subscribed; send how it goes.

    Not found if the entry isn't one of an application.
    """
    entry = hass.config_entries.async_get_entry(msg["entry_id"])
    if entry is None or entry.domain != DOMAIN:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "no such application")
        return

    @callback
    def report(state: dict[str, Any]) -> None:
        connection.send_message(event_message(msg["id"], state))

    connection.send_result(msg["id"])
    connection.subscriptions[msg["id"]] = async_follow(
        hass, msg["entry_id"], msg["device_id"], report
    )


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/traffic/formatter", **ENTRY})
@websocket_api.async_response
async def ws_formatter(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the script of the present payload formatter, and why it fails; an example without one."""
    if (found := _uplink_of(hass, connection, msg)) is None:
        return
    coordinator, device, _ = found
    choice = FormatterChoice(coordinator.entry, [device])
    await choice.async_read_present()
    connection.send_result(msg["id"], {"script": choice.script, "failure": choice.present_reason})


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/traffic/try_formatter",
        **ENTRY,
        vol.Required("script"): str,
    }
)
@websocket_api.async_response
async def ws_try_formatter(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send what a script makes of an uplink, or why it fails; nothing is changed."""
    if (found := _uplink_of(hass, connection, msg)) is None:
        return
    coordinator, device, uplink = found
    try:
        decoded = await coordinator.stack.formatters.decode(
            device.device_id,
            f_port=uplink.f_port,
            payload=uplink.frm_payload or b"",
            formatter=Formatter(kind=JAVASCRIPT, parameter=msg["script"]),
            version_ids=device.version_ids,
        )
    except FormatterFailed as err:
        connection.send_result(msg["id"], {"failure": str(err)})
        return
    except StackError as err:
        connection.send_error(msg["id"], ERR_HOME_ASSISTANT_ERROR, error_text(err))
        return
    connection.send_result(msg["id"], {"decoded": decoded.data, "warnings": list(decoded.warnings)})


def _uplink_of(
    hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]
) -> tuple[ApplicationCoordinator, EndDeviceState, UplinkMessage] | None:
    """Return the uplink that a command names; without one, send the error and return None."""
    entry = traffic_of(hass).find(msg["entry_id"], msg["row"])
    coordinator = coordinator_of(hass, msg["entry_id"])
    device = device_of(hass, entry) if entry is not None else None
    if (
        entry is None
        or coordinator is None
        or device is None
        or not isinstance(entry.item, UplinkMessage)
    ):
        gone = str(failure("panel_uplink_gone"))
        connection.send_error(msg["id"], ERR_HOME_ASSISTANT_ERROR, gone)
        return None
    return coordinator, device, entry.item


TRAFFIC_COMMANDS = (ws_subscribe, ws_entry, ws_follow_events, ws_formatter, ws_try_formatter)
