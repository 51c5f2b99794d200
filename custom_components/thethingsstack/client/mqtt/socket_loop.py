"""paho-mqtt's client on asyncio: its public calls, driven by the event loop, without a thread.

Only connecting, which blocks, is done in a thread of the executor.
"""

import asyncio
from collections.abc import Callable
import contextlib
import logging
import ssl
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from .read_ahead import ReadAhead, SocketOpening

_LOGGER = logging.getLogger(__name__)

PACKETS_A_TURN = 32
"""Packets that are read before control returns to the event loop."""
_MISC_INTERVAL = 1.0


class SocketLoop:
    """One MQTT 3.1.1 session over one socket, from connecting until it is lost or closed."""

    def __init__(
        self,
        *,
        username: str,
        password: str,
        timeout: float,
        keepalive: int,
        tls_context: ssl.SSLContext | None,
        on_message: Callable[[str, bytes], None],
    ) -> None:
        """Prepare; call it on the event loop. `timeout` is for connecting and shaking hands."""
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._keepalive = keepalive
        self._connecting = self._closing = False
        self._socket: ReadAhead | None = None
        self._misc: asyncio.TimerHandle | None = None
        self._acknowledged: dict[int, asyncio.Future[Any]] = {}
        self.connected: asyncio.Future[ReasonCode] = self._loop.create_future()
        """The result code in the server's answer to CONNECT."""
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection has ended, whether closed or lost."""
        client = self._client = Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.username_pw_set(username, password)
        client.connect_timeout = timeout
        client.tls_set_context(SocketOpening(tls_context, timeout))  # type: ignore[arg-type]
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._message
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    # Connecting

    async def connect(self, host: str, port: int) -> ReasonCode:
        """Connect, and return the server's answer; raises what the socket or TLS raises."""
        self._connecting = True
        work = self._loop.run_in_executor(None, self._client.connect, host, port, self._keepalive)
        work.add_done_callback(self._connect_ended)
        # Not shielded: of what fails after the caller has gone, a shield makes an error in the log.
        await asyncio.wait([work])
        work.result()
        await asyncio.wait([self.connected])
        return self.connected.result()

    def _connect_ended(self, work: asyncio.Future[MQTTErrorCode]) -> None:
        self._connecting = False
        if not work.cancelled():
            work.exception()  # raised where somebody still waits for it
        if self._closing:
            self._shut()
        elif (sock := self._client.socket()) is not None:
            self._watch(sock)
            if self._client.want_write():
                self._watch_write(sock)

    def _watch(self, sock: Any) -> None:
        self._socket = sock
        if sock.fileno() >= 0:
            self._loop.add_reader(sock, self._read)
            self._misc = self._loop.call_later(_MISC_INTERVAL, self._keep_alive)

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(call, *arguments)

    # Packets

    async def subscribe(self, topic: str) -> list[ReasonCode]:
        """Subscribe with QoS 0, and return what was granted."""
        _, mid = self._client.subscribe(topic, 0)
        granted: list[ReasonCode] = await self._answer(mid)
        return granted

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1, and wait until the server has acknowledged it."""
        await self._answer(self._client.publish(topic, payload, 1).mid)

    async def _answer(self, mid: int | None) -> Any:
        """Wait for the acknowledgement of a packet; for ever where it could not be sent."""
        answered = self._loop.create_future()
        if mid is None:
            return await answered
        self._acknowledged[mid] = answered
        try:
            return await answered
        finally:
            self._acknowledged.pop(mid, None)

    def _read(self) -> None:
        """Read the packets that are available, at most PACKETS_A_TURN."""
        for _ in range(PACKETS_A_TURN):
            if not self._run(self._client.loop_read):
                return
            sock = self._socket
            if sock is None or not sock.pending():
                return  # the event loop calls again when more comes
        self._loop.call_soon(self._read)  # read or decrypted already: the socket won't call

    def _write(self) -> None:
        self._run(self._client.loop_write)

    def _keep_alive(self) -> None:
        """Let paho send pings, and end the connection if they aren't answered."""
        self._misc = self._loop.call_later(_MISC_INTERVAL, self._keep_alive)
        self._run(self._client.loop_misc)

    def _run(self, call: Callable[[], MQTTErrorCode]) -> bool:
        """Call a method of paho; return whether the connection still exists afterwards."""
        if self.lost.done() or self._closing:
            return False
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - whatever paho meets there, it is over
            _LOGGER.debug("The MQTT connection broke: %r", error)
            result = MQTTErrorCode.MQTT_ERR_PROTOCOL
        if result is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            _LOGGER.debug("The MQTT connection ended: %s", result)
            self._end()
            return False
        return True

    # What paho calls

    def _on_connect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not self.connected.done():
            self.connected.set_result(reason)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._soon(self._end)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._resolve(mid, reasons)

    def _on_publish(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._resolve(mid, None)

    def _resolve(self, mid: int, result: Any) -> None:
        answered = self._acknowledged.get(mid)
        if answered is not None and not answered.done():
            answered.set_result(result)

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))

    def _on_register_write(self, _client: Client, _userdata: Any, sock: Any) -> None:
        if not self._connecting:  # the thread that connects leaves it to _connect_ended
            self._watch_write(sock)

    def _watch_write(self, sock: Any) -> None:
        if sock.fileno() >= 0 and not self._closing:  # it may be closed by now
            self._loop.add_writer(sock, self._write)

    def _on_unregister_write(self, _client: Client, _userdata: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock)

    def _on_socket_close(self, _client: Client, _userdata: Any, sock: Any) -> None:
        if not self._connecting:  # nothing is watched before
            self._unwatch()

    # The end

    def close(self) -> None:
        """Disconnect at once, even while the connecting thread is still running."""
        self._closing = True
        if not self._connecting:
            self._shut()

    def _shut(self) -> None:
        """Send DISCONNECT if the socket accepts it at once, and close it."""
        with contextlib.suppress(Exception):  # the connection is over in any case
            self._client.disconnect()
            self._client.loop_write()
        self._end()

    def _end(self) -> None:
        self._unwatch()
        sock = self._client.socket()
        if sock is not None and not self._connecting:
            sock.close()
        if not self.lost.done():
            self.lost.set_result(None)

    def _unwatch(self) -> None:
        """Remove the connection's callbacks from the event loop."""
        if self._misc is not None:
            self._misc.cancel()
            self._misc = None
        sock, self._socket = self._socket, None
        if sock is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
