"""The folder of a Home Assistant process of its own: what it finds at its first start."""

from datetime import UTC, datetime
import json
from pathlib import Path
import socket
from typing import Any

_REPOSITORY = Path(__file__).parents[1]
INTEGRATION = _REPOSITORY / "custom_components" / "thethingsstack"


def prepare(folder: Path, integration: Path = INTEGRATION) -> None:
    """Make a folder with the integration, and with a free port of loopback for HTTP."""
    custom = folder / "custom_components"
    custom.mkdir(parents=True)
    (folder / "configuration.yaml").touch()
    (custom / "__init__.py").touch()  # so that it wins over the repository's folder
    (custom / "thethingsstack").symlink_to(integration)
    store(folder, "http", 2, 1, {"stable": _http(), "pending": None, "yaml_migration_done": True})


def store(folder: Path, key: str, version: int, minor_version: int, data: Any) -> None:
    """Write a file of Home Assistant's storage."""
    storage = folder / ".storage"
    storage.mkdir(exist_ok=True)
    document = {"version": version, "minor_version": minor_version, "key": key, "data": data}
    (storage / key).write_text(json.dumps(document), encoding="utf-8")


def _http() -> dict[str, Any]:
    return {
        "server_port": _free_port(),
        "server_host": ["127.0.0.1"],
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
