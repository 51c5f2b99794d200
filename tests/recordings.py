"""The recordings of a real The Things Stack, and how they are compared with the simulator."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
from pathlib import Path
import re
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"

HEADERS = (
    "Content-Type",
    "Www-Authenticate",
    "X-Total-Count",
    "X-Warning",
    "X-Rate-Limit-Available",
    "X-Rate-Limit-Limit",
    "X-Rate-Limit-Reset",
    "X-Rate-Limit-Retry",
)
# Values that the radio or the dice decide.
_MASKED_KEYS = {"session_key_id", "uplink_token", "timestamp"}
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\bNNSXS\.[A-Z2-7]{39}\.[A-Z2-7]{52}\b|^<[^<>]*key[^<>]*>$"), "<key>"),
    (re.compile(r"\b[A-Z2-7]{39}\b"), "<key id>"),
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b"), "<ulid>"),
    (re.compile(r"^[0-9a-f]{32}$"), "<correlation>"),
    # The engine's own words: the simulator's is another one.
    (re.compile(r"SyntaxError: .+"), "<syntax error>"),
    (re.compile(r"(localhost|127\.0\.0\.1):\d+"), "<address>"),
)
_ROLE = re.compile(r"<[^<>]*key[^<>]*>")


def load(path: str) -> Any:
    """Return a recording."""
    return json.loads((FIXTURES / path).read_text())


def exchanges() -> list[str]:
    """Return the names of all recorded exchanges, `topic/case`."""
    found = (FIXTURES / "http").glob("*/*.json")
    return sorted(f"{path.parent.name}/{path.stem}" for path in found)


def timeline() -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    """Return time, kind and entry of what happened, in order."""
    for entry in load("timeline.json"):
        time = datetime.fromisoformat(entry["time"]).astimezone(UTC)
        yield time, entry["kind"], entry


def mask(value: Any, key: str = "") -> Any:
    """Return the value with times, ids and tokens made alike; rights have no order."""
    if key in _MASKED_KEYS:
        return f"<{key}>"
    if key == "dev_addr" and value != "260B1234":
        return "<dev_addr>"
    match value:
        case dict():
            return {name: mask(item, name) for name, item in value.items()}
        case list():
            masked = [mask(item) for item in value]
            if key == "rights":
                return sorted(masked)
            if key == "api_keys":
                return sorted(masked, key=lambda item: str(item["name"]))
            return masked
        case str():
            for pattern, replacement in _MASKS:
                value = pattern.sub(replacement, value)
    return value


def differences(recorded: Any, ours: Any, path: str = "") -> list[str]:
    """Return where two masked values differ, a line each."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        lines = []
        for name in sorted({*recorded, *ours}):
            where = f"{path}.{name}" if path else name
            if name not in ours:
                lines.append(f"{where}: missing, recorded {_short(recorded[name])}")
            elif name not in recorded:
                lines.append(f"{where}: not recorded, ours {_short(ours[name])}")
            else:
                lines += differences(recorded[name], ours[name], where)
        return lines
    if isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
        lines = []
        for index, (left, right) in enumerate(zip(recorded, ours, strict=True)):
            lines += differences(left, right, f"{path}[{index}]")
        return lines
    if recorded == ours:
        return []
    return [f"{path}: recorded {_short(recorded)}, ours {_short(ours)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 160 else text[:160] + "…"


@dataclass
class Keys:
    """Which of the simulator's keys plays which recorded role."""

    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Recorded key id to ours."""

    def learn(self, recorded: Any, ours: Any) -> None:
        """Take a created key from the two answers to its creation."""
        if isinstance(recorded, dict) and "key" in recorded and isinstance(ours, dict):
            self.tokens[recorded["key"]] = ours["key"]
            self.ids[recorded["id"]] = ours["id"]

    def fill(self, text: str) -> str:
        """Return the text with roles and recorded key ids replaced by ours."""
        for recorded, ours in self.ids.items():
            text = text.replace(recorded, ours)
        return _ROLE.sub(lambda found: self._token(found.group()), text)

    def _token(self, role: str) -> str:
        read = self.tokens.get("<application key, read only>", "")
        match role:
            case "<unknown key>":
                return f"NNSXS.{'A' * 39}.{'A' * 52}"
            case "<truncated api key>":
                return read[:-5]
            case "<key with a wrong secret>":
                return f"{read[:-52]}{'A' * 52}"
        return self.tokens[role]
