"""Is everything there? What --check waits for and prints."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from .api import DOMAIN, HomeAssistant
from .options import DEFAULT_DOOR, Application

COLUMNS = (
    "device",
    "entity_id",
    "name",
    "state",
    "unit",
    "device_class",
    "state_class",
    "enabled",
)
SIMULATED_DEVICES = 10
SIMULATED_ENTITIES = 60
# The Storage Integration keeps a day; who was silent for longer has no value to show yet.
STORED = timedelta(hours=24)
SETTLED_AFTER = 5
PAUSE = 1.0
LONGEST = 60
NO_VALUE = {"unknown", "unavailable"}

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """An end device that spoke within the last day, as the server tells."""

    device_id: str
    dev_eui: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All entities of the integration at one moment, with the devices they belong to."""

    devices: list[dict[str, Any]]
    rows: list[Row]
    device_ids: list[str]
    primary: list[bool]
    door: str | None = None
    """By which way messages come, as the application's entity *Connection* says; None if not."""

    def rows_of(self, device_id: str) -> Iterable[tuple[Row, bool]]:
        """Give the rows of one device; with each whether it is no diagnostic one."""
        for row, owner, primary in zip(self.rows, self.device_ids, self.primary, strict=True):
            if owner == device_id:
                yield row, primary


async def speakers(application: Application) -> list[Speaker] | None:
    """Return the devices that spoke lately; None if the key may not list devices."""
    if application.senders is not None:
        return [
            Speaker(device_id=device_id, dev_eui=dev_eui, name=name)
            for device_id, dev_eui, name in application.senders
        ]
    identity_server = (application.identity_server or application.server).rstrip("/")
    headers = {"Authorization": f"Bearer {application.api_key}"}
    connector = aiohttp.TCPConnector(ssl=application.tls_context or True)
    found: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        application_id = (application.application_id or "").partition("@")[0]
        if not application_id:
            application_id = await _application_of_key(session, identity_server)
        url = f"{identity_server}/api/v3/applications/{application_id}/devices"
        while True:
            parameters = {
                "field_mask": "name,last_seen_at",
                "limit": "100",
                "page": str(len(found) // 100 + 1),
            }
            async with session.get(url, params=parameters) as response:
                if response.status != 200:
                    return None
                page = (await response.json()).get("end_devices", [])
            found.extend(page)
            if len(page) < 100:
                break
    since = datetime.now(UTC) - STORED
    return [
        Speaker(
            device_id=device["ids"]["device_id"],
            dev_eui=device["ids"].get("dev_eui"),
            name=device.get("name"),
        )
        for device in found
        if (seen := device.get("last_seen_at")) and datetime.fromisoformat(seen) > since
    ]


async def look(home: HomeAssistant) -> Picture:
    """Return what Home Assistant has of this integration now, disabled entities included."""
    devices, entities, states = await home.commands(
        {"type": "config/device_registry/list"},
        {"type": "config/entity_registry/list"},
        {"type": "get_states"},
    )
    mine = sorted(
        (entity for entity in entities if entity["platform"] == DOMAIN),
        key=lambda entity: entity["entity_id"],
    )
    details = {}
    if mine:
        (details,) = await home.commands(
            {
                "type": "config/entity_registry/get_entries",
                "entity_ids": [entity["entity_id"] for entity in mine],
            }
        )
    by_entity_id = {state["entity_id"]: state for state in states}
    by_id = {device["id"]: device for device in devices}
    mine.sort(
        key=lambda entity: (_name(by_id.get(entity["device_id"])), entity["entity_id"]),
    )
    owners = {entity["device_id"] for entity in mine}
    return Picture(
        devices=[device for device in devices if device["id"] in owners or _ours(device)],
        rows=[
            _row(
                _name(by_id.get(entity["device_id"])),
                details[entity["entity_id"]] or entity,
                by_entity_id.get(entity["entity_id"]),
            )
            for entity in mine
        ],
        device_ids=[entity["device_id"] for entity in mine],
        primary=[entity["entity_category"] is None for entity in mine],
        door=_door([by_entity_id.get(entity["entity_id"]) for entity in mine]),
    )


async def wait_for_values(
    home: HomeAssistant,
    speaking: list[Speaker] | None,
    *,
    simulated: bool,
    timeout: float,
    door: str = DEFAULT_DOOR,
) -> tuple[Picture, list[str]]:
    """Wait until every device that speaks has values; returns the picture and what is missing.

    A device counts once a field has a value. One whose payloads nobody decodes has none: its last
    uplink suffices after nothing has changed for some seconds.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    last_change = loop.time()
    known: set[str] = set()
    while True:
        picture = await look(home)
        with_value = {row["entity_id"] for row in picture.rows if _has_value(row)}
        if with_value - known:
            known |= with_value
            last_change = loop.time()
        settled = loop.time() - last_change >= SETTLED_AFTER
        lacking = missing(picture, speaking, settled=settled)
        if picture.door != door:
            lacking.append(f"messages come by {picture.door or 'no way'} instead of {door}")
        if simulated:
            lacking += _too_few(picture) + _none_live(picture)
        if not lacking or loop.time() > end or home.ended.done():
            return picture, lacking
        await asyncio.sleep(PAUSE)


def missing(picture: Picture, speaking: list[Speaker] | None, *, settled: bool) -> list[str]:
    """Return, in words, which devices lack what."""
    lacking = []
    if not picture.devices:
        lacking.append("no device")
    if speaking is None:
        candidates = [
            (device, _name(device))
            for device in picture.devices
            if device["entry_type"] is None and _spoke(picture, device["id"])
        ]
        if not candidates:
            lacking.append("no device has spoken yet")
    else:
        candidates = []
        for speaker in speaking:
            device = _find(picture, speaker)
            label = speaker.name or speaker.device_id
            if device is None:
                lacking.append(f"{label}: no such device in Home Assistant")
            else:
                candidates.append((device, label))
    for device, label in candidates:
        rows = list(picture.rows_of(device["id"]))
        if not any(_has_value(row) for row, _ in rows):
            lacking.append(f"{label}: no value")
        elif not settled and not any(primary and _has_value(row) for row, primary in rows):
            lacking.append(f"{label}: no value of a field")
    return lacking


def table(rows: list[Row]) -> str:
    """Return the rows as text in columns."""
    lines = [[column.replace("_", " ").upper() for column in COLUMNS]]
    lines += [[_cell(row[column]) for column in COLUMNS] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


async def _application_of_key(session: aiohttp.ClientSession, identity_server: str) -> str:
    async with session.get(f"{identity_server}/api/v3/auth_info") as response:
        key = (await response.json()).get("api_key", {})
    application_id: str = (
        key.get("entity_ids", {}).get("application_ids", {}).get("application_id", "")
    )
    return application_id


def _too_few(picture: Picture) -> list[str]:
    lacking = []
    if len(picture.devices) < SIMULATED_DEVICES:
        lacking.append(f"{len(picture.devices)} of at least {SIMULATED_DEVICES} devices")
    if len(picture.rows) < SIMULATED_ENTITIES:
        lacking.append(f"{len(picture.rows)} of at least {SIMULATED_ENTITIES} entities")
    return lacking


def _none_live(picture: Picture) -> list[str]:
    """Return what is lacking if all values are from before the connection."""
    counts = [row["state"] for row in picture.rows if row["name"] == "Uplinks today"]
    return [] if any(count not in {"0", *NO_VALUE} for count in counts) else ["no uplink live"]


def _door(states: Iterable[dict[str, Any] | None]) -> str | None:
    for state in states:
        if state and state["state"] == "on" and (door := state["attributes"].get("door")):
            return str(door)
    return None


def _find(picture: Picture, speaker: Speaker) -> dict[str, Any] | None:
    eui = (speaker.dev_eui or "").casefold()
    for device in picture.devices:
        known = {str(device.get("serial_number") or "").casefold()}
        known |= {str(part).casefold() for pair in device["identifiers"] for part in pair[1:]}
        if any((eui and eui in part) or speaker.device_id == part for part in known):
            return device
    return next(
        (device for device in picture.devices if speaker.name and device["name"] == speaker.name),
        None,
    )


def _spoke(picture: Picture, device_id: str) -> bool:
    return any(
        row["device_class"] == "timestamp" and _has_value(row)
        for row, _ in picture.rows_of(device_id)
    )


def _row(device: str, entity: dict[str, Any], state: dict[str, Any] | None) -> Row:
    attributes = state["attributes"] if state else {}
    capabilities = entity.get("capabilities") or {}
    return {
        "device": device,
        "entity_id": entity["entity_id"],
        "name": entity["name"] or entity["original_name"],
        "state": state["state"] if state else None,
        "unit": attributes.get("unit_of_measurement"),
        "device_class": attributes.get("device_class")
        or entity.get("device_class")
        or entity.get("original_device_class"),
        "state_class": attributes.get("state_class") or capabilities.get("state_class"),
        "enabled": entity["disabled_by"] is None,
    }


def _name(device: dict[str, Any] | None) -> str:
    return (device["name_by_user"] or device["name"] or "") if device else ""


def _ours(device: dict[str, Any]) -> bool:
    return any(pair[0] == DOMAIN for pair in device["identifiers"])


def _has_value(row: Row) -> bool:
    return row["state"] is not None and row["state"] not in NO_VALUE


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
