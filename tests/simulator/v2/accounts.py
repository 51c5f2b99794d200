"""The account server: access keys of applications, tokens of users, and what they may do.

It was never public. That it refuses with `Invalid credentials` is the recording's stand-in.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
import json
from random import Random
import re

from . import errors
from .errors import RefusedError

ISSUER = "ttn-account-v2"
SETTINGS, DEVICES, DELETE = "settings", "devices", "delete"
READ, WRITE = "messages:up:r", "messages:down:w"
ROLES = {
    "all": (SETTINGS, DEVICES, DELETE, READ, WRITE),
    "default": (SETTINGS, DEVICES, READ, WRITE),
    "messages": (READ, WRITE),
    "read": (READ,),
    "devices": (DEVICES,),
    "settings": (SETTINGS,),
}
"""What an access key may do, by role; `default` is what the console gave a key."""
_ISSUED = re.compile(r"^(ttn-account-v\d+)\.(.+)$")


@dataclass
class AccessKey:
    """An access key of one application."""

    token: str
    application_id: str
    rights: frozenset[str]


@dataclass
class User:
    """A person with all rights on some applications."""

    name: str
    applications: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Caller:
    """Who makes a call: the name that calls are counted for, and the rights on the application."""

    subject: str
    rights: frozenset[str]

    def require(self, right: str, application_id: str) -> None:
        """Raise unless the caller has the right."""
        if right not in self.rights:
            raise errors.no_right(right, application_id)


class AccountServer:
    """Keys and tokens, and what they are exchanged for."""

    def __init__(self, clock: Callable[[], datetime], random: Random) -> None:
        self._now = clock
        self._random = random
        self.keys: dict[str, AccessKey] = {}
        self._tokens: dict[str, tuple[User, datetime]] = {}

    def add_key(self, application_id: str, role: str) -> AccessKey:
        """Create an access key with the rights of a role."""
        secret = base64.urlsafe_b64encode(self._random.randbytes(32)).decode().rstrip("=")
        key = AccessKey(f"{ISSUER}.{secret}", application_id, frozenset(ROLES[role]))
        self.keys[key.token] = key
        return key

    def add_token(self, user: User, expires_at: datetime) -> str:
        """Create an access token of a user."""
        parts = [{"alg": "ES256", "typ": "JWT"}, {"sub": user.name}]
        texts = [json.dumps(part).encode() for part in parts] + [self._random.randbytes(64)]
        token = ".".join(base64.urlsafe_b64encode(text).decode().rstrip("=") for text in texts)
        self._tokens[token] = (user, expires_at)
        return token

    def find_key(self, token: str, application_id: str) -> AccessKey | None:
        """Return the application's key; the issuer may not be missing here."""
        key = self.keys.get(token)
        return key if key is not None and key.application_id == application_id else None

    def caller(self, key: str | None, token: str | None, application_id: str) -> Caller:
        """Return who calls; raises what the Handler makes of a refusal."""
        if token:
            return self._user(token, application_id)
        if not key:
            raise RefusedError("Metadata not valid: neither token nor key present")
        issued = _ISSUED.match(key)
        if issued and issued[1] != ISSUER:
            raise RefusedError(f'Auth server "{issued[1]}" not registered')
        found = self.find_key(key if issued else f"{ISSUER}.{key}", application_id)
        if found is None:
            raise RefusedError("Invalid credentials")
        return Caller(application_id, found.rights)

    def _user(self, token: str, application_id: str) -> Caller:
        problem = "permission denied: unable to parse token: "
        if token.count(".") != 2:
            raise RefusedError(problem + "token contains an invalid number of segments")
        if token not in self._tokens:
            raise RefusedError(problem + "crypto/ecdsa: verification error")
        user, expires_at = self._tokens[token]
        if (late := self._now() - expires_at).total_seconds() > 0:
            minutes, seconds = divmod(int(late.total_seconds()), 60)
            raise RefusedError(f"{problem}token is expired by {minutes}m{seconds}s")
        known = application_id in user.applications
        return Caller(user.name, frozenset(ROLES["all"]) if known else frozenset())
