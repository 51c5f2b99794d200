"""The ways by which messages get into Home Assistant, and how each of them breaks."""

from collections.abc import Mapping
from typing import Any, Protocol

from tests.simulator import Simulator, rights

EVENTS_PATH = "/events"


class Door(Protocol):
    """What the steps of a scenario do to one way; the scenarios are the same for all."""

    rights: list[str]
    """What the API key may do."""
    needs_traffic: bool
    """Whether only a message shows Home Assistant that the way is broken, or works again."""

    def settings(self, simulator: Simulator) -> dict[str, Any]:
        """Return the data of the entry that choose this way."""

    async def drop(self, simulator: Simulator) -> None:
        """Hang up on all clients."""

    async def freeze(self, simulator: Simulator) -> None:
        """Forget all clients, which notice nothing."""

    def refuse(self, simulator: Simulator, *, on: bool) -> None:
        """Let nothing new through, or again."""

    async def serve(self, simulator: Simulator, *, runs: bool) -> None:
        """Stop the server of this way, or start it again."""

    async def wait_connected(self, simulator: Simulator, number: int, seconds: float) -> None:
        """Wait until so many clients are connected, as the server sees it."""


class _Mqtt:
    """Clients stay connected to the broker."""

    rights = rights.READ
    needs_traffic = False

    def settings(self, simulator: Simulator) -> dict[str, Any]:
        return {
            "door": "mqtt",
            "mqtt_host": simulator.mqtt_host,
            "mqtt_port": simulator.mqtt_port,
        }

    async def drop(self, simulator: Simulator) -> None:
        await simulator.drop_connections()

    async def freeze(self, simulator: Simulator) -> None:
        await simulator.freeze_connections()

    def refuse(self, simulator: Simulator, *, on: bool) -> None:
        simulator.faults.mqtt_close = on

    async def serve(self, simulator: Simulator, *, runs: bool) -> None:
        await (simulator.start_broker() if runs else simulator.stop_broker())

    async def wait_connected(self, simulator: Simulator, number: int, seconds: float) -> None:
        await simulator.wait_connected(number, seconds)


class _Events:
    """Clients keep the answer to a request for events open."""

    rights = rights.READ
    needs_traffic = False

    def settings(self, simulator: Simulator) -> dict[str, Any]:
        return {"door": "events"}

    async def drop(self, simulator: Simulator) -> None:
        simulator.events.close()

    async def freeze(self, simulator: Simulator) -> None:
        simulator.events.freeze()

    def refuse(self, simulator: Simulator, *, on: bool) -> None:
        simulator.faults.errors = {EVENTS_PATH: (503, "unavailable")} if on else {}

    async def serve(self, simulator: Simulator, *, runs: bool) -> None:
        self.refuse(simulator, on=not runs)
        if not runs:
            simulator.events.close()

    async def wait_connected(self, simulator: Simulator, number: int, seconds: float) -> None:
        """Wait for nothing: Home Assistant's own status says it."""


class _Webhook:
    """The server posts each message once; there is no connection to lose."""

    rights = [*rights.CONTROL, rights.SETTINGS_BASIC]
    needs_traffic = True

    def settings(self, simulator: Simulator) -> dict[str, Any]:
        return {"door": "webhook"}

    async def drop(self, simulator: Simulator) -> None:
        await simulator.webhooks.hang_up()

    async def freeze(self, simulator: Simulator) -> None:
        raise NotImplementedError("a delivery is answered or not: nothing is half open")

    def refuse(self, simulator: Simulator, *, on: bool) -> None:
        simulator.faults.webhooks_fail = on

    async def serve(self, simulator: Simulator, *, runs: bool) -> None:
        self.refuse(simulator, on=not runs)

    async def wait_connected(self, simulator: Simulator, number: int, seconds: float) -> None:
        """Wait for nothing: Home Assistant's own status says it."""


DOORS: Mapping[str, Door] = {"mqtt": _Mqtt(), "events": _Events(), "webhook": _Webhook()}
