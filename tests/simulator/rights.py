"""Rights, what they imply, and API keys."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from . import errors
from .encoding import timestamp

_APPLICATION = """
    DELETE DEVICES_READ DEVICES_READ_KEYS DEVICES_WRITE DEVICES_WRITE_KEYS INFO LINK
    SETTINGS_API_KEYS SETTINGS_BASIC SETTINGS_COLLABORATORS SETTINGS_PACKAGES
    TRAFFIC_DOWN_WRITE TRAFFIC_READ TRAFFIC_UP_WRITE
"""
_CLIENT = "DELETE INFO SETTINGS_BASIC SETTINGS_COLLABORATORS"
_GATEWAY = """
    DELETE INFO LINK LOCATION_READ READ_SECRETS SETTINGS_API_KEYS SETTINGS_BASIC
    SETTINGS_COLLABORATORS STATUS_READ TRAFFIC_DOWN_WRITE TRAFFIC_READ WRITE_SECRETS
"""
_ORGANIZATION = """
    ADD_AS_COLLABORATOR APPLICATIONS_CREATE APPLICATIONS_LIST CLIENTS_CREATE CLIENTS_LIST DELETE
    GATEWAYS_CREATE GATEWAYS_LIST INFO SETTINGS_API_KEYS SETTINGS_BASIC SETTINGS_MEMBERS
"""
_USER = """
    APPLICATIONS_CREATE APPLICATIONS_LIST AUTHORIZED_CLIENTS CLIENTS_CREATE CLIENTS_LIST DELETE
    GATEWAYS_CREATE GATEWAYS_LIST INFO NOTIFICATIONS_READ ORGANIZATIONS_CREATE
    ORGANIZATIONS_LIST SETTINGS_API_KEYS SETTINGS_BASIC
"""


_NOT_UNIVERSAL = ("_ALL", "_KEYS")


def _family(kind: str, names: str) -> frozenset[str]:
    return frozenset(f"RIGHT_{kind}_{name}" for name in [*names.split(), "ALL"])


APPLICATION_RIGHTS = _family("APPLICATION", _APPLICATION)
USER_RIGHTS = (
    APPLICATION_RIGHTS
    | _family("CLIENT", _CLIENT)
    | _family("GATEWAY", _GATEWAY)
    | _family("ORGANIZATION", _ORGANIZATION)
    | _family("USER", _USER)
    | {"RIGHT_ALL", "RIGHT_SEND_INVITES"}
)

# What an administrator has on entities of others: no rights on keys.
UNIVERSAL_RIGHTS = frozenset(right for right in USER_RIGHTS if not right.endswith(_NOT_UNIVERSAL))

GATEWAY_INFO = "RIGHT_GATEWAY_INFO"
GATEWAY_STATUS_READ = "RIGHT_GATEWAY_STATUS_READ"
GATEWAY_LOCATION_READ = "RIGHT_GATEWAY_LOCATION_READ"

INFO = "RIGHT_APPLICATION_INFO"
TRAFFIC_READ = "RIGHT_APPLICATION_TRAFFIC_READ"
TRAFFIC_DOWN_WRITE = "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE"
TRAFFIC_UP_WRITE = "RIGHT_APPLICATION_TRAFFIC_UP_WRITE"
DEVICES_READ = "RIGHT_APPLICATION_DEVICES_READ"
DEVICES_WRITE = "RIGHT_APPLICATION_DEVICES_WRITE"
DEVICES_READ_KEYS = "RIGHT_APPLICATION_DEVICES_READ_KEYS"
DEVICES_WRITE_KEYS = "RIGHT_APPLICATION_DEVICES_WRITE_KEYS"
SETTINGS_BASIC = "RIGHT_APPLICATION_SETTINGS_BASIC"
SETTINGS_PACKAGES = "RIGHT_APPLICATION_SETTINGS_PACKAGES"
SETTINGS_API_KEYS = "RIGHT_APPLICATION_SETTINGS_API_KEYS"
SETTINGS_COLLABORATORS = "RIGHT_APPLICATION_SETTINGS_COLLABORATORS"
LINK = "RIGHT_APPLICATION_LINK"
ALL = "RIGHT_APPLICATION_ALL"

READ = [INFO, TRAFFIC_READ, DEVICES_READ]
CONTROL = [INFO, TRAFFIC_READ, TRAFFIC_DOWN_WRITE, DEVICES_READ]
MANAGE = [
    *CONTROL,
    DEVICES_WRITE,
    DEVICES_READ_KEYS,
    DEVICES_WRITE_KEYS,
    SETTINGS_BASIC,
    SETTINGS_PACKAGES,
]


def expand(rights: list[str]) -> frozenset[str]:
    """Return the rights with all that they imply."""
    expanded = set(rights)
    if "RIGHT_ALL" in expanded:
        expanded |= USER_RIGHTS
    if ALL in expanded:
        expanded |= APPLICATION_RIGHTS
    if LINK in expanded:
        expanded |= {INFO, TRAFFIC_READ, TRAFFIC_DOWN_WRITE}
    return frozenset(expanded)


@dataclass
class ApiKey:
    """A key of an application, or of a user who reaches every application.

    `application_id` is None for a user's key; `user_id` is None for an application's; only
    a gateway's has `gateway_id`.
    """

    key_id: str
    secret: str
    name: str
    rights: list[str]
    created_at: datetime
    updated_at: datetime
    application_id: str | None = None
    user_id: str | None = None
    expires_at: datetime | None = None
    gateway_id: str | None = None

    @property
    def token(self) -> str:
        """Return the key as a user pastes it."""
        return f"NNSXS.{self.key_id}.{self.secret}"

    def expired(self, now: datetime) -> bool:
        """Return whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def application_rights(self, application_id: str) -> frozenset[str]:
        """Return the rights on this application, expanded; empty for a foreign one."""
        if self.user_id is None and self.application_id != application_id:
            return frozenset()
        return expand(self.rights) & APPLICATION_RIGHTS

    def document(self, *, rights: list[str] | None = None, secret: bool = False) -> dict[str, Any]:
        """Return the API's representation; `secret` only in the answer to its creation."""
        document: dict[str, Any] = {"id": self.key_id}
        if secret:
            document["key"] = self.token
        if self.name:
            document["name"] = self.name
        if listed := self.rights if rights is None else rights:
            document["rights"] = listed
        document["created_at"] = timestamp(self.created_at)
        document["updated_at"] = timestamp(self.updated_at)
        if self.expires_at is not None:
            document["expires_at"] = timestamp(self.expires_at)
        return document


_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def random_id(random: Random) -> str:
    """Return the public part of a new key."""
    return "".join(random.choices(_BASE32, k=39))


def random_secret(random: Random) -> str:
    """Return the secret part of a new key."""
    return "".join(random.choices(_BASE32, k=52))


def split_token(token: str) -> tuple[str, str]:
    """Return id and secret of a key; raise the stack's error for anything else."""
    parts = token.split(".")
    if len(parts) != 3 or parts[0] != "NNSXS" or not all(parts):
        raise errors.malformed_token()
    return parts[1], parts[2]
