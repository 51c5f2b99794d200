"""Make tests/fixtures/stored_world: what an existing user has on disk.

    .venv/bin/python -m scripts.dev.stored_world

It sets the demonstration's application up in a real Home Assistant, does what users do, stops it,
and keeps what it stored of the application. See the README beside the fixture.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import tempfile
import time
from typing import Any

from tests.simulator import Simulator

from .api import DOMAIN, ApiError, HomeAssistant
from .flow import add_entry
from .options import Application
from .processes import home_assistant
from .state import ROOT

FIXTURE = ROOT / "tests" / "fixtures" / "stored_world"
FLOWS = "/api/config/config_entries"
TIMEOUT = 40
VANISHED = "front-door"
HALF_CREATED = "mailbox"
OVERRIDES = """\
- path: TempC_DS
  device: greenhouse-climate
  name: Outside
  unit: °F
- path: WaterLeak
  model: netvox/r718wa
  name: Puddle
  invert: true
- path: totalVolume
  device: water-meter
  scale: 0.001
  unit: m³
- path: battery*
  name: Cell
- path: light_level
  device: living-room-air
  kind: ignore
"""
SOURCE = {"next_step_id": "by_hand"}
CONTROLS: tuple[tuple[dict[str, Any], ...], ...] = (
    (
        {"device": "bathroom-radiator"},
        {"next_step_id": "preset"},
        {"preset": "mclimate_vicki"},
        {"controls": ["Thermostat", "Child lock"]},
    ),
    (
        {"device": "garden-pump"},
        SOURCE,
        {"platform": "switch", "name": "Pump"},
        {"on": "08 01 FF", "off": "08 00 FF", "f_port": 85, "confirmed": True, "single": {}},
        {"state": "socket_status"},
        {},
    ),
    (
        {"device": "rain-barrel"},
        SOURCE,
        {"platform": "number", "name": "Interval"},
        {
            "set": "01 {value:2}",
            "f_port": 2,
            "confirmed": False,
            "minimum": 1,
            "maximum": 120,
            "step": 1,
            "unit": "min",
        },
        {},
        {},
    ),
    (
        {"device": "orchard-soil"},
        SOURCE,
        {"platform": "valve", "name": "Irrigation"},
        {"open": "2D 01", "close": "2D 00", "f_port": 2, "confirmed": True, "single": {}},
        {},
        {},
    ),
)


class Clock:
    """The simulator's clock, which may be behind: intervals between uplinks take no time."""

    behind = timedelta(minutes=90)

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) - self.behind


class StoredWorld:
    """An application in a running Home Assistant, and what its user does."""

    def __init__(
        self, api: HomeAssistant, simulator: Simulator, clock: Clock, entry_id: str
    ) -> None:
        """Take the simulator that runs in this process, and the entry that was added."""
        self._clock = clock
        self._api = api
        self._simulator = simulator
        self._entry_id = entry_id
        self._entities: dict[str, dict[str, Any]] = {}
        self._devices: dict[str, dict[str, Any]] = {}

    async def run(self) -> None:
        """Let everything happen that leaves something on disk."""
        await self._settle()
        await self._uplinks()
        await self._settle()
        await self._walk(
            "options", self._entry_id, {"next_step_id": "overrides"}, {"text": OVERRIDES}
        )
        await self._walk(
            "options",
            self._entry_id,
            {"next_step_id": "general"},
            {"devices": "all", "overdue_after": 26, "forget_after": 365, "plain_fields": False},
        )
        for answers in CONTROLS:
            await self._walk("subentries", [self._entry_id, "control"], *answers)
        await self._settle()
        await self._arrange()
        await self._settle()
        await self._command()
        for _ in range(9):  # in the pace of the first ones, until now
            self._clock.behind -= timedelta(minutes=10)
            await self._uplinks()
        await self._queue()
        self._simulator.remove_device(VANISHED)
        self._simulator.remove_parts(HALF_CREATED, "as", "js")
        await self._walk("options", self._entry_id, {"next_step_id": "halves"})
        await self._wait(self._status, "barn-freezer", "overdue")
        await self._wait(self._status, VANISHED, "not_registered")
        await self._wait(self._status, HALF_CREATED, "half_created")
        await self._reload()  # since when one has vanished is noted at the start, or once an hour
        await self._settle()

    async def _uplinks(self) -> None:
        """Let each device send."""
        for device_id, device in self._simulator.devices.items():
            if device.session is not None and device.interval:
                await self._simulator.uplink(device_id)

    async def _arrange(self) -> None:
        """Rename, disable, enable, and put into an area."""
        update = {"type": "config/entity_registry/update"}
        temperature = self._entity("living-room-air", "field/temperature")
        snr = self._entity("hall-motion", "snr")
        await self._api.commands(
            {"type": "config/area_registry/create", "name": "Shed"},
            {
                **update,
                "entity_id": temperature,
                "new_entity_id": "sensor.where_we_sit",
                "name": "Where we sit",
                "icon": "mdi:sofa",
            },
            {**update, "entity_id": self._entity("hall-motion", "rssi"), "disabled_by": "user"},
            {**update, "entity_id": snr, "disabled_by": None},
            {
                "type": "config/device_registry/update",
                "device_id": self._devices["attic-node"]["id"],
                "name_by_user": "Attic",
                "area_id": "shed",
            },
        )
        # An entity that was enabled comes after a reload.
        await self._reload()
        await self._settle()
        await self._uplinks()

    async def _reload(self) -> None:
        await self._api.post(f"{FLOWS}/entry/{self._entry_id}/reload", {})

    async def _command(self) -> None:
        """Give commands with all kinds of outcome."""
        state = self._entities_of_controls()
        await self._call("switch", "turn_off", entity_id=state["Pump"])
        await self._wait(self._downlink, "garden-pump", "sent")
        await self._simulator.uplink("garden-pump")
        await self._wait(self._downlink, "garden-pump", "acknowledged")
        await self._call("number", "set_value", entity_id=state["Interval"], value=45)
        await self._simulator.uplink("rain-barrel")
        await self._wait(self._downlink, "rain-barrel", "sent")
        await self._call("valve", "open_valve", entity_id=state["Irrigation"])
        await self._simulator.uplink("orchard-soil")
        await self._simulator.uplink("orchard-soil")
        await self._wait(self._downlink, "orchard-soil", "acknowledged")
        send = {"f_port": 3, "hex": "01", "confirmed": True, "retries": 1}
        self._simulator.devices["attic-node"].acknowledges = False
        await self._call(
            DOMAIN, "send_downlink", device_id=self._devices["attic-node"]["id"], **send
        )
        for _ in range(4):
            await self._simulator.uplink("attic-node")
        await self._wait(self._downlink, "attic-node", "failed")

    async def _queue(self) -> None:
        """Give commands that still wait in the end."""
        thermostat = self._entities_of_controls()["Thermostat"]
        await self._call("climate", "set_temperature", entity_id=thermostat, temperature=24)
        await self._wait(self._downlink, "bathroom-radiator", "queued")
        for device_id in ("workshop-air", VANISHED):
            await self._call(
                DOMAIN,
                "send_downlink",
                device_id=self._devices[device_id]["id"],
                f_port=4,
                hex="02",
            )
            await self._wait(self._downlink, device_id, "queued")

    # What is there

    async def _settle(self) -> None:
        """Wait until no entity is added or changes any more, and take note of all."""
        before: object = None
        while (now := await self._read()) != before:
            before = now
            await asyncio.sleep(1)

    async def _read(self) -> object:
        devices, entities = await self._api.commands(
            {"type": "config/device_registry/list"}, {"type": "config/entity_registry/list"}
        )
        ours = {item["id"]: item for item in devices if self._entry_id in item["config_entries"]}
        serials = {
            str(device.dev_eui).casefold(): device_id
            for device_id, device in self._simulator.devices.items()
        }
        self._devices |= {
            serials[serial]: item
            for item in ours.values()
            if (serial := str(item["serial_number"]).casefold()) in serials
        }
        self._entities = {
            item["unique_id"]: item for item in entities if item["platform"] == DOMAIN
        }
        states = await self._api.get("/api/states")
        known = {item["entity_id"] for item in self._entities.values()}
        return sorted(
            (state["entity_id"], state["state"]) for state in states if state["entity_id"] in known
        )

    def _entity(self, device_id: str, tail: str) -> str:
        device = self._simulator.devices[device_id]
        key = f"{self._simulator.uid}/{device.dev_eui}/{tail}"
        entity_id: str = self._entities[key]["entity_id"]
        return entity_id

    def _entities_of_controls(self) -> dict[str, str]:
        return {
            item["original_name"]: item["entity_id"]
            for item in self._entities.values()
            if item["config_subentry_id"] is not None
        }

    async def _status(self, device_id: str) -> str:
        return await self._state(device_id, "status")

    async def _downlink(self, device_id: str) -> str:
        return await self._state(device_id, "downlink_state")

    async def _state(self, device_id: str, tail: str) -> str:
        await self._read()
        dev_eui = self._devices[device_id]["serial_number"].upper()
        item = self._entities.get(f"{self._simulator.uid}/{dev_eui}/{tail}")
        if item is None:
            return ""
        try:
            state: str = (await self._api.get(f"/api/states/{item['entity_id']}"))["state"]
        except ApiError:
            return ""
        return state

    async def _wait(
        self, read: Callable[[str], Awaitable[str]], device_id: str, wanted: str
    ) -> None:
        deadline = time.monotonic() + TIMEOUT
        while (found := await read(device_id)) != wanted:
            if time.monotonic() > deadline:
                raise ApiError(f"{device_id} is {found!r}, never {wanted!r}")
            await asyncio.sleep(0.2)

    # What a user does

    async def _call(self, domain: str, service: str, **data: Any) -> None:
        await self._api.post(f"/api/services/{domain}/{service}", data)

    async def _walk(self, kind: str, handler: Any, *answers: Mapping[str, Any]) -> None:
        """Go through a dialogue to its end."""
        flow = f"{FLOWS}/{kind}/flow"
        result = await self._api.post(flow, {"handler": handler})
        for answer in answers:
            result = await self._api.post(f"{flow}/{result['flow_id']}", dict(answer))
            if result.get("errors"):
                raise ApiError(f"{result['step_id']}: {result['errors']}")
        while result["type"] == "progress":
            await asyncio.sleep(0.2)
            result = await self._api.get(f"{flow}/{result['flow_id']}")
        if result["type"] not in {"create_entry", "abort"}:
            raise ApiError(f"the dialogue stands at {result.get('step_id')}")


def keep(storage: Path, application: Application) -> None:
    """Write what is ours from Home Assistant's storage to the fixture, without where and the key."""
    assert application.identity_server is not None
    placeholders = {
        application.server: "<server>",
        application.identity_server: "<identity server>",
        application.api_key: "<api key>",
    }
    kept: dict[str, Any] = {}
    for file in sorted(storage.iterdir()):
        if file.name.startswith(f"{DOMAIN}."):
            kept[file.name] = json.loads(file.read_text())
    for name in ("config_entries", "device_registry", "entity_registry", "restore_state"):
        kept[f"core.{name}"] = json.loads((storage / f"core.{name}").read_text())
    kept["core.area_registry"] = json.loads((storage / "core.area_registry").read_text())
    entries = kept["core.config_entries"]["data"]
    entries["entries"] = [item for item in entries["entries"] if item["domain"] == DOMAIN]
    entry_id: str = entries["entries"][0]["entry_id"]
    registry = kept["core.entity_registry"]["data"]
    registry["entities"] = [item for item in registry["entities"] if item["platform"] == DOMAIN]
    registry["deleted_entities"] = [
        item for item in registry["deleted_entities"] if item["platform"] == DOMAIN
    ]
    devices = kept["core.device_registry"]["data"]
    for part in ("devices", "deleted_devices"):
        devices[part] = [item for item in devices[part] if entry_id in json.dumps(item)]
    ours = {item["entity_id"] for item in registry["entities"]}
    kept["core.restore_state"]["data"] = [
        item for item in kept["core.restore_state"]["data"] if item["state"]["entity_id"] in ours
    ]
    for old in FIXTURE.glob("*.json"):
        old.unlink()
    for name, document in kept.items():
        text = json.dumps(document, indent=1, ensure_ascii=False)
        for value, placeholder in placeholders.items():
            text = text.replace(value, placeholder)
        (FIXTURE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


async def make() -> None:
    """Make the fixture anew."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        async with Simulator(world="demo", clock=clock) as simulator:
            application = Application(
                server=simulator.server_url,
                identity_server=simulator.identity_server_url,
                application_id=simulator.application_id,
                api_key=simulator.key("manage"),
            )
            async with home_assistant(Path(folder, "home"), port=None) as api:
                entry = await add_entry(api, application)
                await StoredWorld(api, simulator, clock, entry["entry_id"]).run()
        keep(Path(folder, "home", ".storage"), application)


if __name__ == "__main__":
    asyncio.run(make())
