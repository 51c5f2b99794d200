"""Access keys and access tokens of version 2, and how they are sent."""

import re

from ..errors import AuthenticationFailed, NoApiKey

ISSUER = "ttn-account-v2"
"""The account server of the public network, which private stacks usually name theirs after."""

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_KEY_OF_V3 = re.compile(r"[A-Z2-7]{5}\.[\w-]+\.[\w-]+")


def access_key(text: str) -> str:
    """Return an access key with its issuer, "ttn-account-v2.…"; a token of a user as it is.

    The Handler takes a key without its issuer, but the MQTT broker doesn't. Raises NoApiKey where
    there is none, and AuthenticationFailed `key_of_version_3` or `invalid_key` for what can't be one.
    """
    key = text.strip()
    if not key:
        raise NoApiKey("no access key is given", name="unauthenticated")
    if _KEY_OF_V3.fullmatch(key):
        raise AuthenticationFailed(
            "this is an API key of The Things Stack, version 3; a stack of version 2 needs an access"
            f" key of the application, which begins with {ISSUER}",
            name="key_of_version_3",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthenticationFailed("an access key has no such characters", name="invalid_key")
    return key if "." in key else f"{ISSUER}.{key}"


def authorization(text: str) -> str:
    """Return the header's value for an access key or a token; raises what `access_key` raises."""
    key = access_key(text)
    return f"Bearer {key}" if _TOKEN.fullmatch(key) else f"Key {key}"
