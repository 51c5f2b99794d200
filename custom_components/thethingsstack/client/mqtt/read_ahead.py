"""A socket that reads more than it is asked for: paho asks four times for each packet."""

import socket
import ssl
from typing import Any

READ_AHEAD = 64 * 1024
"""Most bytes that are read at once."""


class ReadAhead:
    """A connected socket, with or without TLS, whose `recv` is answered from what was read before."""

    def __init__(self, sock: socket.socket) -> None:
        """Wrap a socket that has read nothing yet."""
        self._socket = sock
        self._data = b""
        self._at = 0

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes, b"" at the end; raises as the socket does."""
        start = self._at
        if start >= len(self._data):
            self._data, start = self._socket.recv(READ_AHEAD), 0
        self._at = min(start + size, len(self._data))
        return self._data[start : self._at]

    def pending(self) -> int:
        """Return how many bytes are there that no selector tells of: read, or decrypted."""
        waiting = len(self._data) - self._at
        if not waiting and isinstance(self._socket, ssl.SSLSocket) and self.fileno() >= 0:
            return self._socket.pending()
        return waiting

    def __getattr__(self, name: str) -> Any:
        """Return everything else of the socket."""
        return getattr(self._socket, name)


class SocketOpening:
    """What paho takes for a TLS context: its public way to be given a socket of another kind.

    The handshake of TLS gets a timeout, for which paho would wait a minute. Without a context,
    the socket stays as it is but for reading ahead.
    """

    def __init__(self, context: ssl.SSLContext | None, timeout: float) -> None:
        """Keep the context and the timeout in seconds."""
        self._context = context
        self._timeout = timeout
        # Whether paho leaves the host's name to the context; without TLS there is none to check.
        self.check_hostname = context is None or context.check_hostname

    def wrap_socket(self, sock: socket.socket, **arguments: Any) -> Any:
        """Return the socket after the handshake; raises what TLS raises."""
        if self._context is None:
            return _Opened(sock)
        wrapped = self._context.wrap_socket(sock, **arguments)
        try:
            wrapped.settimeout(self._timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return _Opened(wrapped)


class _Opened(ReadAhead):
    """A socket whose handshake is over, where it needs one."""

    def do_handshake(self) -> None:
        """Do nothing: paho shakes hands with every socket that comes from a context."""
