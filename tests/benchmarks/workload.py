"""The end devices of a benchmark and what they send: usually 8 fields, in uplinks of 2.5 kB."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import orjson

DISCOVERY_PREFIX = "homeassistant"
ON_THE_WAY = timedelta(milliseconds=200)
"""From an end device's transmission until the Application Server publishes the uplink."""
WEBHOOK_ID = "0" * 64
SECRET = "a-secret-of-nobody"
COUNTER = "pulse_count"
"""The field that tells uplinks apart: it has the number of the uplink."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A decoded field, as a user of MQTT discovery would describe it; values take turns."""

    name: str
    unit: str | None
    device_class: str | None
    low: float
    step: float
    turns: int
    state_class: str = "measurement"

    def value(self, turn: int, device: int) -> float:
        """Return the value of an end device's uplink; never that of the uplink before."""
        return round(self.low + self.step * ((turn * 7 + device * 13) % self.turns), 2)


FIELDS = (
    Field(name="temperature", unit="°C", device_class="temperature", low=10, step=0.1, turns=200),
    Field(name="humidity", unit="%", device_class="humidity", low=30, step=0.5, turns=100),
    Field(
        name="pressure",
        unit="hPa",
        device_class="atmospheric_pressure",
        low=980,
        step=0.1,
        turns=500,
    ),
    Field(name="co2", unit="ppm", device_class="carbon_dioxide", low=400, step=1, turns=1200),
    Field(name="illuminance", unit="lx", device_class="illuminance", low=0, step=3, turns=1000),
    Field(name="soil_moisture", unit="%", device_class="moisture", low=5, step=0.1, turns=600),
    Field(name="battery_voltage", unit="V", device_class="voltage", low=2.8, step=0.01, turns=80),
    Field(
        name=COUNTER,
        unit=None,
        device_class=None,
        low=0,
        step=1,
        turns=1,
        state_class="total_increasing",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a decoded payload looks like."""

    sets: int = 1
    """How often the eight fields are in it."""
    nested: bool = False
    """Whether each set is in an object of its own."""
    changing: int | None = None
    """How many values differ from those of the uplink before, the counter among them; all: None."""

    @cached_property
    def fields(self) -> dict[str, tuple[int, Field]]:
        """Return the fields by path, with the number of their set."""
        return {
            self._path(number, field.name): (number, field)
            for number in range(self.sets)
            for field in FIELDS
        }

    @cached_property
    def counter(self) -> str:
        """Return the path of the counter."""
        return self._path(0, COUNTER)

    @property
    def written(self) -> int:
        """Return how many values of an uplink are new."""
        return self.changing or len(self.fields)

    def _path(self, number: int, name: str) -> str:
        if self.sets == 1:
            return name
        return f"probe_{number + 1}.{name}" if self.nested else f"{name}_{number + 1}"

    def decoded_payload(self, sequence: int, devices: int) -> dict[str, Any]:
        """Return what the payload formatter made of an uplink; devices send in turn."""
        turn, device = divmod(sequence, devices)
        still = len(self.fields) - self.written
        values: dict[str, Any] = {
            path: sequence + number
            if field.name == COUNTER
            else field.value(0 if index < still else turn, device + 3 * number)
            for index, (path, (number, field)) in enumerate(self.fields.items())
        }
        return _objects(values) if self.nested else values


def _objects(values: dict[str, Any]) -> dict[str, Any]:
    objects: dict[str, Any] = {}
    for path, value in values.items():
        name, _, key = path.partition(".")
        objects.setdefault(name, {})[key] = value
    return objects


SHAPES = {
    "usual": Shape(),
    "partly": Shape(changing=2),
    "flat": Shape(sets=10),
    "nested": Shape(sets=10, nested=True),
}


def device_id(device: int) -> str:
    """Return the id of the nth end device."""
    return f"node-{device:05d}"


def dev_eui(device: int) -> str:
    """Return the DevEUI of the nth end device."""
    return f"70B3D57ED1{device:06X}"


def place_of(unique_id: str, shape: Shape) -> tuple[int, str] | None:
    """Return end device and field of an entity's unique id "…DevEUI/field/path"; None: neither."""
    before, _, path = unique_id.partition("/field/")
    if path not in shape.fields:
        return None
    return int(before.rpartition("/")[2].removeprefix("70B3D57ED1"), 16), path


def unique_id(device: int, path: str) -> str:
    """Return the unique id that the yardsticks give an entity."""
    return f"{dev_eui(device)}/field/{path}"


def bare_entity_id(device: int, path: str) -> str:
    """Return the entity id of a state that no entity stands behind."""
    return f"sensor.bare_{device}_{path.replace('.', '_')}"


def application_of(base: str, device: int, devices: int, entries: int) -> str:
    """Return the application of an end device; each config entry has an equal part of them."""
    return f"{base}-{device * entries // devices}"


def application_base(application: str) -> str:
    """Return what the ids of all applications of one variant begin with."""
    return application.rpartition("-")[0]


def devices_of(number: int, devices: int, entries: int) -> range:
    """Return the end devices of an application."""
    first, last = (-(-(number + more) * devices // entries) for more in (0, 1))
    return range(first, last)


def uplink_topic(application: str, device: str = "+") -> str:
    """Return where an application's uplinks are published."""
    return f"v3/{application}/devices/{device}/up"


def _receptions(sequence: int, at: str) -> list[dict[str, Any]]:
    return [
        {
            "gateway_ids": {
                "gateway_id": f"gateway-{number}",
                "eui": f"B827EBFFFE00000{number}",
            },
            "time": at,
            "timestamp": 868162900 + sequence,
            "rssi": -61 - 13 * number - sequence % 9,
            "channel_rssi": -61 - 13 * number - sequence % 9,
            "snr": 8.5 - 2 * number,
            "frequency_offset": "-1234",
            "location": {
                "latitude": 52.374 + number / 100,
                "longitude": 4.89,
                "altitude": 18,
                "source": "SOURCE_REGISTRY",
            },
            "uplink_token": "ChUKEwoHcm9vZi1ndxIIuCfr//4AAAEQ1Lr8nQMaDAiEkJDYBhCMh8yiAiCgoKqUohk=",
            "channel_index": 3,
            "received_at": at,
        }
        for number in range(3)
    ]


def envelope(
    application: str, sequence: int, devices: int, at: datetime, shape: Shape = SHAPES["usual"]
) -> bytes:
    """Return the nth uplink as the Application Server publishes it, `at` this time."""
    turn, device = divmod(sequence, devices)
    heard = f"{at - ON_THE_WAY:%Y-%m-%dT%H:%M:%S.%f}043Z"
    published = f"{at:%Y-%m-%dT%H:%M:%S.%f}296Z"
    message = {
        "end_device_ids": {
            "device_id": device_id(device),
            "application_ids": {"application_id": application},
            "dev_eui": dev_eui(device),
            "join_eui": "70B3D57ED1000000",
            "dev_addr": f"26{device:06X}",
        },
        "correlation_ids": [f"gs:uplink:01M83VYMG1A33VMX{sequence:010d}"],
        "received_at": published,
        "uplink_message": {
            "session_key_id": "AaIHvw2AHNz5NjGRTtoxrg==",
            "f_port": 2,
            "f_cnt": turn + 1,
            "frm_payload": "AQCuYgEAZwDcAmgyA3MnEARlAfQFAgEABgIBAA==",
            "decoded_payload": shape.decoded_payload(sequence, devices),
            "rx_metadata": _receptions(sequence, heard),
            "settings": {
                "data_rate": {
                    "lora": {"bandwidth": 125000, "spreading_factor": 7, "coding_rate": "4/5"}
                },
                "frequency": "868100000",
                "timestamp": 868162900 + sequence,
                "time": heard,
            },
            "received_at": heard,
            "consumed_airtime": "0.071936s",
            "packet_error_rate": 0.0625,
            "locations": {
                "user": {
                    "latitude": 52.3731,
                    "longitude": 4.8922,
                    "altitude": 2,
                    "source": "SOURCE_REGISTRY",
                }
            },
            "version_ids": {
                "brand_id": "dragino",
                "model_id": "lht65n",
                "hardware_version": "1.0",
                "firmware_version": "1.0",
                "band_id": "EU_863_870",
            },
            "network_ids": {
                "net_id": "000013",
                "ns_id": "EC656E0000000181",
                "tenant_id": "ttn",
                "cluster_id": "eu1",
                "cluster_address": "eu1.cloud.thethings.network",
            },
        },
    }
    return orjson.dumps(message)


def end_device(application: str, device: int) -> dict[str, Any]:
    """Return an end device as the Identity Server lists it."""
    return {
        "ids": {
            "device_id": device_id(device),
            "application_ids": {"application_id": application},
            "dev_eui": dev_eui(device),
            "join_eui": "70B3D57ED1000000",
        },
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "name": f"Node {device}",
        "version_ids": {
            "brand_id": "dragino",
            "model_id": "lht65n",
            "hardware_version": "1.0",
            "firmware_version": "1.0",
            "band_id": "EU_863_870",
        },
        "network_server_address": "localhost",
        "application_server_address": "localhost",
        "join_server_address": "localhost",
        "activated_at": "2026-01-01T00:00:00Z",
    }


def discovery(application: str, devices: int) -> Iterator[tuple[str, bytes]]:
    """Yield topic and message of MQTT discovery for each field of each end device."""
    for device in range(devices):
        name = device_id(device)
        for field in FIELDS:
            path = f"value_json.uplink_message.decoded_payload.{field.name}"
            described = {
                "name": field.name.replace("_", " ").capitalize(),
                "unique_id": unique_id(device, field.name),
                "state_topic": uplink_topic(application, name),
                "value_template": f"{{{{ {path} }}}}",
                "unit_of_measurement": field.unit,
                "device_class": field.device_class,
                "state_class": field.state_class,
                "device": {
                    "identifiers": [dev_eui(device)],
                    "name": f"Node {device}",
                    "manufacturer": "Dragino",
                    "model": "LHT65N",
                    "serial_number": dev_eui(device),
                },
            }
            yield (
                f"{DISCOVERY_PREFIX}/sensor/{name}_{field.name}/config",
                orjson.dumps({key: value for key, value in described.items() if value is not None}),
            )


def times_from_now(count: int, rate: float) -> Iterator[datetime]:
    """Yield when uplinks are published that are sent from now on, so many per second.

    All differ: an end device has no second uplink with the same time. None is in the future when
    it is sent, however long it takes until the first one is.
    """
    now = datetime.now(UTC)
    for number in range(count):
        yield now + timedelta(seconds=number / rate)
