"""Create, read and change an application, its API keys and its collaborators."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from . import json_values
from .api import SMALL_PAGE, Calls, quoted
from .field_masks import APPLICATION_FIELDS
from .identifiers import check_id
from .models import Application
from .rules import check_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key of the application; `key` is only set when it has just been created."""

    key_id: str
    name: str | None = None
    rights: frozenset[str]
    created_at: datetime | None = None
    expires_at: datetime | None = None
    key: str | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an API key."""
        return cls(
            key_id=json_values.text(data.get("id")) or "",
            name=json_values.text(data.get("name")),
            rights=frozenset(json_values.texts(data.get("rights"))),
            created_at=json_values.time(data.get("created_at")),
            expires_at=json_values.time(data.get("expires_at")),
            key=json_values.text(data.get("key")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborator:
    """A user or an organization with rights on the application."""

    kind: str
    id: str
    rights: frozenset[str]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a collaborator; `kind` is "user" or "organization"."""
        ids = json_values.mapping(data.get("ids"))
        kind = "organization" if "organization_ids" in ids else "user"
        return cls(
            kind=kind,
            id=json_values.text(json_values.mapping(ids.get(f"{kind}_ids")).get(f"{kind}_id"))
            or "",
            rights=frozenset(json_values.texts(data.get("rights"))),
        )


class Administration:
    """An application's own settings, on the Identity Server."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def show(self) -> Application:
        """Return the application; raises MissingRight without INFO."""
        path = self._calls.application_path
        params = {"field_mask": APPLICATION_FIELDS}
        return Application.from_json(await self._calls.object("GET", path, params=params))

    async def create(
        self,
        application_id: str,
        *,
        user_id: str | None = None,
        organization_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        server_address: str | None = None,
    ) -> Application:
        """Create an application of a user or an organization; needs their API key.

        `server_address` is the cluster for its end devices; by default this connection's. Raises
        Conflict if the ID is taken, and InvalidRequest for invalid values before any request.
        """
        check_id(application_id, "application ID")
        check_texts(name, description)
        owner = f"organizations/{quoted(organization_id)}" if organization_id else None
        owner = owner or f"users/{quoted(user_id or '')}"
        address = server_address or self._calls.connection.server_host
        application: dict[str, Any] = {
            "ids": {"application_id": application_id},
            **{f"{kind}_server_address": address for kind in ("network", "application", "join")},
        }
        application |= {"name": name} if name else {}
        application |= {"description": description} if description else {}
        answer = await self._calls.object(
            "POST", f"{owner}/applications", json={"application": application}
        )
        return Application.from_json(answer)

    async def update(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        attributes: Mapping[str, str | None] | None = None,
    ) -> Application:
        """Change name, description or attributes (SETTINGS_BASIC); "" empties a text.

        Of the attributes, only those given change; None removes one. Raises InvalidRequest for
        invalid values before any request.
        """
        check_texts(name, description, attributes)
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = name
        if description is not None:
            changes["description"] = description
        if attributes is not None:
            merged = {**(await self.show()).attributes, **attributes}
            changes["attributes"] = {k: v for k, v in merged.items() if v is not None}
            check_texts(None, attributes=changes["attributes"])
        if changes:
            body = {"application": changes, "field_mask": {"paths": list(changes)}}
            await self._calls.request("PUT", self._calls.application_path, json=body)
        return await self.show()

    async def api_keys(self) -> AsyncGenerator[ApiKey]:
        """Yield the application's API keys, without their secrets (SETTINGS_API_KEYS)."""
        path = f"{self._calls.application_path}/api-keys"
        async for item in self._calls.pages(path, "api_keys", size=SMALL_PAGE):
            yield ApiKey.from_json(item)

    async def create_api_key(
        self, name: str, rights: Sequence[str], *, expires_at: datetime | None = None
    ) -> ApiKey:
        """Create an API key (SETTINGS_API_KEYS and each right that it gets); its `key` is set.

        The server never shows the key again.
        """
        check_texts(name)
        body: dict[str, Any] = {"name": name, "rights": sorted(rights)}
        if expires_at is not None:
            body["expires_at"] = expires_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        path = f"{self._calls.application_path}/api-keys"
        return ApiKey.from_json(await self._calls.object("POST", path, json=body))

    async def delete_api_key(self, key_id: str) -> None:
        """Delete an API key (SETTINGS_API_KEYS); raises NotFound."""
        path = f"{self._calls.application_path}/api-keys/{quoted(key_id)}"
        await self._calls.request("DELETE", path)

    async def collaborators(self) -> list[Collaborator]:
        """Return the users and organizations with rights on it (SETTINGS_COLLABORATORS)."""
        path = f"{self._calls.application_path}/collaborators"
        pages = self._calls.pages(path, "collaborators", size=SMALL_PAGE)
        return [Collaborator.from_json(item) async for item in pages]
