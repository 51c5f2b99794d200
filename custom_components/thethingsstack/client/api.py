"""Requests, paths and lists, as all parts of the HTTP API need them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
import itertools
from typing import Any
from urllib.parse import quote

from . import json_values
from .connection import Connection
from .errors import NotFound, ServerFailed, unknown_device
from .identifiers import InvalidIdentifier
from .transport import Host, Lines, Transport

PAGE = 500
SMALL_PAGE = 100
MAX_PAGES = 2_000


class Pages:
    """Checks the pages of one list, because a faulty server may send them without end."""

    def __init__(self) -> None:
        """Start before the first page."""
        self._count = 0
        self._previous: list[object] = []

    def check(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Check the next page; raises ServerFailed for a repeated one, and for too many."""
        self._count += 1
        if self._count > MAX_PAGES:
            raise ServerFailed(f"the list has more than {MAX_PAGES} pages", name="too_many_pages")
        page = [_identity(item) for item in items]
        if page and page == self._previous:
            raise ServerFailed(
                "the server answers the same page of a list again and again", name="pages_repeated"
            )
        self._previous = page


def _identity(item: Mapping[str, Any]) -> object:
    """Return the identifying members of an object in a list, to recognise a repeated page."""
    return [item.get(key) for key in ("ids", "id", "brand_id", "model_id", "rights")]


class Calls:
    """Requests of one application: paths, errors that name the end device, pages of lists."""

    def __init__(
        self,
        transport: Transport,
        connection: Connection,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Make requests over `transport`."""
        self.connection = connection
        self.sleep = sleep
        self._transport = transport

    def with_key(self, api_key: str) -> "Calls":
        """Return the calls of the same application with another key."""
        return Calls(self._transport.with_key(api_key), self.connection, self.sleep)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        host: Host | None = None,
        timeout: float = 20,
        max_wait: float = 30,
    ) -> Any:
        """Make a request and return its parsed answer ({} for an empty one); raises StackError."""
        answer = await self._transport.request(
            method, path, params=params, json=json, host=host, timeout=timeout, max_wait=max_wait
        )
        return answer.data

    async def object(self, method: str, path: str, **arguments: Any) -> Mapping[str, Any]:
        """Make a request and return the JSON object in its answer; raises StackError."""
        return json_values.mapping(await self.request(method, path, **arguments))

    def lines(
        self, path: str, **arguments: Any
    ) -> AbstractAsyncContextManager[tuple[Lines, Mapping[str, str]]]:
        """Open a stream of results; the context has their iterator and the answer's headers."""
        return self._transport.lines(path, **arguments)

    async def pages(
        self,
        path: str,
        member: str,
        field_mask: Sequence[str] = (),
        *,
        size: int | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Mapping[str, Any]]:
        """Yield the objects of a list, page by page.

        Raises ServerFailed (`pages_repeated`, `too_many_pages`) where the list never ends.
        """
        size = size or PAGE
        pages = Pages()
        for page in itertools.count(1):
            query = {
                "field_mask": field_mask or None,
                "limit": size,
                "page": page,
                **(params or {}),
            }
            answer = await self.object("GET", path, params=query)
            items = json_values.objects(answer.get(member))
            pages.check(items)
            for item in items:
                yield item
            if len(items) < size:
                return

    @contextmanager
    def device_registered(self, device_id: str) -> Iterator[None]:
        """Raise the same NotFound everywhere for an end device that nobody has registered."""
        try:
            yield
        except NotFound as error:
            raise unknown_device(device_id, self.application_id, status=error.status) from error

    @contextmanager
    def device_known(self, server: str, device_id: str) -> Iterator[None]:
        """Raise NotFound with end device and server in its attributes, which servers omit."""
        try:
            yield
        except NotFound as error:
            raise self.not_on(server, device_id, status=error.status) from error

    def not_on(self, server: str, device_id: str, *, status: int | None = None) -> NotFound:
        """Return the error for an end device that a server doesn't have."""
        return NotFound(
            f"the {server.capitalize()} Server doesn't have end device `{device_id}`",
            name=f"not_on_{server}_server",
            status=status,
            attributes={"device_id": device_id, "application_id": self.application_id},
        )

    @property
    def application_id(self) -> str:
        """The application's ID without tenant; raises InvalidRequest if there is none."""
        return self.connection.uid.partition("@")[0]

    @property
    def application_path(self) -> str:
        """The path of the application."""
        return f"applications/{quoted(self.application_id)}"

    def device_path(self, device_id: str) -> str:
        """Return the path of an end device, below the server's own prefix."""
        if not device_id:
            raise InvalidIdentifier("ID", "it is empty", value=device_id)
        return f"{self.application_path}/devices/{quoted(device_id)}"


def quoted(text: str) -> str:
    """Return a text as one segment of a path; raises InvalidIdentifier for "." and ".."."""
    if text in (".", ".."):
        # Quoting doesn't change them, and they would change the path.
        raise InvalidIdentifier("ID", "dots lead elsewhere", value=text)
    return quote(text, safe="")
