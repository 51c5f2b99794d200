"""A Home Assistant's state folder, as if its owner had finished the welcome screens."""

import base64
from datetime import UTC, datetime
import json
from pathlib import Path
import time
from typing import Any

import bcrypt
import jwt

ROOT = Path(__file__).resolve().parents[2]
USER = PASSWORD = "dev"
_USER_ID, _TRUSTED_ID, _PASSWORD_ID, _TOKEN_ID = (f"{number:032x}" for number in range(1, 5))
_JWT_KEY = "11" * 64
_VALIDITY = 10 * 365 * 86_400

CONFIGURATION = """\
homeassistant:
  name: Riverside
  latitude: 52.1561
  longitude: 5.3878
  elevation: 0
  radius: 100
  unit_system: metric
  time_zone: Europe/Amsterdam
  currency: EUR
  country: NL
  language: en
  auth_providers:
    - type: trusted_networks
      trusted_networks: [127.0.0.1, "::1"]
      allow_bypass_login: true
    - type: homeassistant
frontend:
config:
history:
logbook:
energy:
my:
recorder:
  commit_interval: 1
logger:
  default: warning
  logs:
    custom_components.thethingsstack: info
"""


def seed(folder: Path, port: int) -> str:
    """Write the state that Home Assistant starts from on loopback; returns a bearer token.

    The browser is logged in without a click (trusted network); the owner is dev, password dev.
    """
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION, encoding="utf-8")
    link = folder / "custom_components"
    if not link.exists():
        link.symlink_to(ROOT / "custom_components", target_is_directory=True)
    now = datetime.now(UTC).isoformat()
    for key, version, data in (
        ("onboarding", 4, {"done": ["user", "core_config", "analytics", "integration"]}),
        ("auth", 1, _auth(now)),
        ("auth_provider.homeassistant", 1, {"users": [_login()]}),
        # The http: section of the YAML would be taken for a change to confirm, and reverted.
        ("http", 2, {"stable": _http(now, port), "pending": None, "yaml_migration_done": True}),
    ):
        document = {"version": version, "minor_version": 1, "key": key, "data": data}
        (storage / key).write_text(json.dumps(document), encoding="utf-8")
    return token()


def token() -> str:
    """Return the bearer token of the owner."""
    issued = int(time.time())
    claims = {"iss": _TOKEN_ID, "iat": issued, "exp": issued + _VALIDITY}
    return jwt.encode(claims, _JWT_KEY, algorithm="HS256")


def _login() -> dict[str, str]:
    digest = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4))
    return {"username": USER, "password": base64.b64encode(digest).decode()}


def _http(now: str, port: int) -> dict[str, Any]:
    return {
        "server_port": port,
        "server_host": ["127.0.0.1"],
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate",
        "use_x_frame_options": True,
        "created_at": now,
        "error": None,
        "error_message": None,
    }


def _auth(now: str) -> dict[str, Any]:
    user = {
        "id": _USER_ID,
        "group_ids": ["system-admin"],
        "is_owner": True,
        "is_active": True,
        "name": "Dev",
        "system_generated": False,
        "local_only": False,
    }
    groups = [
        {"id": "system-admin", "name": "Administrators"},
        {"id": "system-users", "name": "Users"},
        {"id": "system-read-only", "name": "Read Only"},
    ]
    credentials = [
        {
            "id": identity,
            "user_id": _USER_ID,
            "auth_provider_type": provider,
            "auth_provider_id": None,
            "data": data,
        }
        for identity, provider, data in (
            (_TRUSTED_ID, "trusted_networks", {"user_id": _USER_ID}),
            (_PASSWORD_ID, "homeassistant", {"username": USER}),
        )
    ]
    refresh_token = {
        "id": _TOKEN_ID,
        "user_id": _USER_ID,
        "client_id": None,
        "client_name": "dev",
        "client_icon": None,
        "token_type": "long_lived_access_token",
        "created_at": now,
        "access_token_expiration": float(_VALIDITY),
        "token": "22" * 64,
        "jwt_key": _JWT_KEY,
        "last_used_at": None,
        "last_used_ip": None,
        "expire_at": None,
        "credential_id": None,
        "version": None,
    }
    return {
        "users": [user],
        "groups": groups,
        "credentials": credentials,
        "refresh_tokens": [refresh_token],
    }
