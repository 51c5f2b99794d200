"""Read gateways and their connections, as far as the API key allows."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from . import json_values
from .api import Calls, quoted
from .errors import NotFound
from .models import Location

_FIELDS = (
    "name",
    "antennas",
    "status_public",
    "location_public",
    "gateway_server_address",
    "frequency_plan_ids",
)
_BATCH = 100
_ENDLESS = 2**64 - 1  # the server's upper end of a sub-band without one


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway; without rights on it, only name, frequency plans and public data are set."""

    gateway_id: str
    gateway_eui: str | None = None
    name: str | None = None
    frequency_plan_ids: tuple[str, ...] = ()
    location: Location | None = None
    gateway_server_address: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a gateway; the location is its first antenna's."""
        ids = json_values.mapping(data.get("ids"))
        places = [
            place
            for antenna in json_values.objects(data.get("antennas"))
            if (place := Location.read(antenna.get("location"))) is not None
        ]
        return cls(
            gateway_id=json_values.text(ids.get("gateway_id")) or "",
            gateway_eui=json_values.hexadecimal(ids.get("eui")),
            name=json_values.text(data.get("name")),
            frequency_plan_ids=json_values.texts(data.get("frequency_plan_ids")),
            location=places[0] if places else None,
            gateway_server_address=json_values.text(data.get("gateway_server_address")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubBand:
    """The duty cycle of a sub-band: limit and use as fractions (0 to 1), frequencies in Hz."""

    min_frequency: int
    max_frequency: int | None
    """None for the only sub-band of a frequency plan without limits."""
    limit: float
    used: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConnection:
    """A gateway's connection: round-trip time in seconds, counters since it connected."""

    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    protocol: str | None = None
    last_status_received_at: datetime | None = None
    last_uplink_received_at: datetime | None = None
    last_downlink_received_at: datetime | None = None
    uplink_count: int = 0
    downlink_count: int = 0
    round_trip_time: float | None = None
    sub_bands: tuple[SubBand, ...] = ()

    @property
    def connected(self) -> bool:
        """Whether it is connected now."""
        return self.connected_at is not None and self.disconnected_at is None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read connection statistics."""
        trips = json_values.mapping(data.get("round_trip_times"))
        return cls(
            connected_at=json_values.time(data.get("connected_at")),
            disconnected_at=json_values.time(data.get("disconnected_at")),
            protocol=json_values.text(data.get("protocol")),
            last_status_received_at=json_values.time(data.get("last_status_received_at")),
            last_uplink_received_at=json_values.time(data.get("last_uplink_received_at")),
            last_downlink_received_at=json_values.time(data.get("last_downlink_received_at")),
            uplink_count=json_values.integer(data.get("uplink_count")) or 0,
            downlink_count=json_values.integer(data.get("downlink_count")) or 0,
            round_trip_time=json_values.seconds(trips.get("median")),
            sub_bands=tuple(
                SubBand(
                    min_frequency=json_values.integer(item.get("min_frequency")) or 0,
                    max_frequency=_upper_end(item.get("max_frequency")),
                    limit=json_values.number(item.get("downlink_utilization_limit")) or 0.0,
                    used=json_values.number(item.get("downlink_utilization")) or 0.0,
                )
                for item in json_values.objects(data.get("sub_bands"))
            ),
        )


def _upper_end(value: object) -> int | None:
    frequency = json_values.integer(value) or 0
    return frequency if frequency < _ENDLESS else None


class Gateways:
    """The gateways that the API key has rights on, and public ones."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def list(self) -> AsyncGenerator[Gateway]:
        """Yield the gateways of a user's or organization's key; an application's key has none."""
        async for item in self._calls.pages("gateways", "gateways", _FIELDS):
            yield Gateway.from_json(item)

    async def get(self, gateway_id: str) -> Gateway:
        """Return a gateway with the data that the API key may read; raises NotFound."""
        params = {"field_mask": _FIELDS}
        path = f"gateways/{quoted(gateway_id)}"
        return Gateway.from_json(await self._calls.object("GET", path, params=params))

    async def connection(self, gateway_id: str) -> GatewayConnection | None:
        """Return a gateway's connection, None where it has none.

        Raises MissingRight unless the key has GATEWAY_STATUS_READ or the status is public.
        """
        path = f"gs/gateways/{quoted(gateway_id)}/connection/stats"
        try:
            return GatewayConnection.from_json(await self._calls.object("GET", path))
        except NotFound as error:
            if error.name == "not_connected":
                return None
            raise

    async def connections(self, gateway_ids: Sequence[str]) -> Mapping[str, GatewayConnection]:
        """Return the connections of the connected ones among these gateways, by ID."""
        found: dict[str, GatewayConnection] = {}
        for start in range(0, len(gateway_ids), _BATCH):
            ids = [{"gateway_id": item} for item in gateway_ids[start : start + _BATCH]]
            answer = await self._calls.object(
                "POST", "gs/gateways/connection/stats", json={"gateway_ids": ids}
            )
            for gateway_id, data in json_values.mapping(answer.get("entries")).items():
                found[gateway_id] = GatewayConnection.from_json(json_values.mapping(data))
        return found
