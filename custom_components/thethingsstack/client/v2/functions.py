"""An application on the Handler: registering it, its payload functions, deleting it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from .. import json_values
from ..api import Calls
from ..errors import RateLimited, ServerFailed

CUSTOM = "custom"
CAYENNE_LPP = "cayennelpp"
_DELETE_TRIES = 20
_DELETE_PAUSE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerApplication:
    """An application as its Handler keeps it.

    `payload_format` is "custom" where functions in JavaScript are used, or "cayennelpp". The
    decoder's result goes through the converter; where the validator returns false, the uplink is
    dropped.
    """

    app_id: str
    payload_format: str = ""
    decoder: str = ""
    converter: str = ""
    validator: str = ""
    encoder: str = ""
    register_on_join_access_key: str = field(default="", repr=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an application; what is empty isn't sent."""
        texts = {item.name: json_values.text(data.get(item.name)) or "" for item in fields(cls)}
        return cls(**texts)

    def as_json(self) -> dict[str, str]:
        """Return it as JSON for a request, complete."""
        return {item.name: text for item in fields(self) if (text := getattr(self, item.name))}


class ApplicationFunctions:
    """Reads, changes, registers and deletes the application on its Handler."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def get(self) -> HandlerApplication:
        """Return the application (right `settings`).

        Raises NotFound `application_not_found` where it isn't registered to this Handler.
        """
        answer = await self._calls.object("GET", self._calls.application_path)
        return HandlerApplication.from_json(answer)

    async def change(self, **texts: str) -> HandlerApplication:
        """Change some of the application's fields and keep the others; return it (`settings`).

        The Handler clears what a request leaves out, and takes functions unchecked.
        """
        before = await self.get()
        after = replace(before, **texts)
        if after != before:
            await self._calls.request("PUT", self._calls.application_path, json=after.as_json())
        return after

    async def register(self, application_id: str | None = None) -> None:
        """Register the application, or another one, to this Handler (rights `settings`, `delete`).

        With a key without the right `delete`, the Handler accepts it, but can't announce it to the
        network: no uplink will arrive. Raises Conflict `id_taken`.
        """
        body = {"app_id": application_id or self._calls.application_id}
        await self._calls.request("POST", "applications", json=body)

    async def delete(self) -> None:
        """Delete the application with all of its end devices (right `delete`).

        With more than about five end devices the Handler stops at a rate limit of the network and
        has deleted some: it is called again until all are gone.
        """
        for remaining in reversed(range(_DELETE_TRIES)):
            try:
                await self._calls.request("DELETE", self._calls.application_path)
            except (RateLimited, ServerFailed):
                if not remaining:
                    raise
                await self._calls.sleep(_DELETE_PAUSE)
            else:
                return
