"""The end devices of the lively world: who they are and what they measure.

Field names and shapes are those of the models' public codecs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import math
from typing import Any

from .curves import counter, day, dice, happens, hour, sunlight, wobble

type Measure = Callable[[datetime, dict[str, Any]], dict[str, Any] | bytes]


@dataclass(frozen=True, kw_only=True)
class DemoDevice:
    """One device. `version` is brand, model, hardware, firmware; `interval` in seconds."""

    device_id: str
    name: str | None
    measure: Measure
    dev_eui: str
    join_eui: str = "0000000000000000"
    description: str | None = None
    version: tuple[str, str, str, str] | None = None
    room: str | None = None
    location: dict[str, Any] | None = None
    formatter: str | None = "FORMATTER_REPOSITORY"
    script: str | None = None
    normalize: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    joined: bool = True
    silent: timedelta = timedelta()
    """How long it has been silent beyond its interval."""
    class_c: bool = False
    state: dict[str, Any] = field(default_factory=dict)
    f_port: int = 2
    size: int = 11
    interval: float = 900.0
    battery: float | None = 0.83
    rssi: float = -85.0
    snr: float = 7.5
    spreading_factor: int = 7
    gateways: int = 1
    packet_error_rate: float = 0.0


def _indoor(now: datetime, seed: int, mean: float = 20.6) -> float:
    return round(day(now, mean, 1.2, 19) + wobble(now, seed, 0.4), 1)


def _outdoor(now: datetime, seed: int) -> float:
    return round(day(now, 9.4, 4.6) + wobble(now, seed, 0.3), 1)


def _humidity(now: datetime, seed: int, mean: float = 52.0) -> float:
    return round(day(now, mean, 6, 6) + wobble(now, seed, 1.5), 1)


def _at_home(now: datetime) -> float:
    """Return how lively the house is, 0 to 1."""
    time = hour(now)
    return 0.15 if time < 6.5 else 0.55 if time < 9 else 0.3 if time < 16.5 else 0.8


def _am319(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    home = _at_home(now)
    return {
        "temperature": _indoor(now, 1, 21.4),
        "humidity": _humidity(now, 1, 44),
        "pir": "trigger" if happens(now, 1, home) else "idle",
        "light_level": round(5 * max(sunlight(now), home * 0.5)),
        "co2": round(440 + 700 * home + wobble(now, 2, 60)),
        "tvoc": round(120 + 180 * home + wobble(now, 3, 40)),
        "pressure": round(1013.2 + wobble(now, 4, 1.4, 2900), 1),
        "hcho": round(0.02 + abs(wobble(now, 5, 0.01)), 2),
        "pm2_5": round(4 + 6 * home + abs(wobble(now, 6, 3))),
        "pm10": round(6 + 8 * home + abs(wobble(now, 7, 4))),
    }


def _lht65n(now: datetime, _state: dict[str, Any]) -> bytes:
    inside, outside = day(now, 16.5, 6.5) + wobble(now, 11, 0.3), _outdoor(now, 12)
    humidity = max(35.0, 96 - 2.2 * inside + wobble(now, 13, 2))
    return (
        (0xC000 | 3047).to_bytes(2)
        + round(inside * 100).to_bytes(2, signed=True)
        + round(humidity * 10).to_bytes(2)
        + b"\x01"
        + round(outside * 100).to_bytes(2, signed=True)
    )


def _lds02(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    opened = happens(now, 21, 0.12 * _at_home(now), 60)
    return {
        "ALARM": 0,
        "BAT_V": 2.952,
        "DOOR_OPEN_STATUS": int(opened),
        "DOOR_OPEN_TIMES": int(counter(now, 31, 2)),
        "LAST_DOOR_OPEN_DURATION": round(2 + dice(now, 22, 3600) * 1.8),
        "MOD": 1,
    }


def _r718wa(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    leak = happens(now, 31, 0.03, 120)
    return {"Device": "R718WA", "Volt": 3.3, "WaterLeak": "Leak" if leak else "NoLeak"}


def _ws202(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    return {
        "battery": 91,
        "pir": "trigger" if happens(now, 41, 0.8 * _at_home(now), 30) else "normal",
        "daylight": "light" if sunlight(now) > 0.1 else "dark",
    }


def _cubicmeter(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    water = day(now, 13.1, 0.6) + wobble(now, 51, 0.3)
    return {
        "errorCode": 0,
        "totalVolume": int(812_000 + counter(now, 2600, 3)),
        "leakState": 2,
        "batteryActive": 3608,
        "batteryRecovered": 3640,
        "waterTemperatureMin": round(water - 1.5, 1),
        "waterTemperatureMax": round(water + 2, 1),
        "ambientTemperature": _indoor(now, 52, 15.5),
    }


def _normalize_cubicmeter(decoded: dict[str, Any]) -> dict[str, Any]:
    return {
        "air": {"temperature": decoded["ambientTemperature"], "location": "indoor"},
        "water": {
            "temperature": {
                "min": decoded["waterTemperatureMin"],
                "max": decoded["waterTemperatureMax"],
            },
            "leak": False,
        },
        "metering": {"water": {"total": decoded["totalVolume"]}},
        "battery": 3.64,
    }


def _s2120(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    sun = sunlight(now)
    values: list[tuple[int, str, float]] = [
        (4097, "Air Temperature", _outdoor(now, 61)),
        (4098, "Air Humidity", round(day(now, 74, 14, 5) + wobble(now, 62, 2))),
        (4099, "Light Intensity", round(68000 * sun + abs(wobble(now, 63, 900)) * sun)),
        (4190, "UV Index", round(6.5 * sun * sun, 1)),
        (4105, "Wind Speed", round(abs(3.1 + wobble(now, 64, 2.2, 60)), 1)),
        (4104, "Wind Direction Sensor", round(225 + wobble(now, 65, 40, 300)) % 360),
        (4113, "Rain Gauge", round(max(0.0, wobble(now, 66, 3, 5400) - 1.2), 1)),
        (4101, "Barometric Pressure", round(101320 + wobble(now, 67, 160, 2900))),
    ]
    messages = [
        {"measurementId": str(number), "type": name, "measurementValue": value}
        for number, name, value in values
    ]
    return {"err": 0, "messages": messages, "payload": "010A3D4C00", "valid": True}


def _smtp(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "device_id": {"displayName": "Device ID", "value": 15274},
        "protocol_version": {"displayName": "Protocol version", "value": 2},
    }
    for depth in range(3):
        fields[f"soil_moisture_at_depth_{depth}"] = {
            "displayName": f"Soil moisture at depth {depth}",
            "unit": "%",
            "value": round(24 + 4 * depth + wobble(now, 71 + depth, 0.8, 700), 2),
        }
        fields[f"soil_temperature_at_depth_{depth}"] = {
            "displayName": f"Soil temperature at depth {depth}",
            "unit": "°C",
            "value": round(day(now, 11 - depth, 2.4 / (depth + 1), 17 + depth), 2),
        }
    fields["battery_voltage"] = {"displayName": "Battery voltage", "unit": "V", "value": 3.061}
    return fields


def _oyster(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    angle = 2 * math.pi * (now.timestamp() % 3600) / 3600
    driving = happens(now, 81, 0.7, 300)
    return {
        "type": "position",
        "latitudeDeg": round(52.1561 + 0.018 * math.sin(angle), 7),
        "longitudeDeg": round(5.3878 + 0.034 * math.cos(angle) - 0.034, 7),
        "inTrip": driving,
        "fixFailed": False,
        "headingDeg": round(math.degrees(angle) / 5.625) * 5.625 % 360,
        "speedKmph": round(38 + wobble(now, 82, 14, 90)) if driving else 0,
        "batV": 5.15,
    }


def _ws523(now: datetime, state: dict[str, Any]) -> bytes:
    power = round(286 + wobble(now, 91, 9)) if state["on"] else 0
    current = round(power / 0.23)
    energy = round(184_000 + counter(now, 1900))
    voltage = round(2304 + wobble(now, 92, 21))
    return (
        voltage.to_bytes(2, "little")
        + power.to_bytes(2, "little")
        + bytes([96 if state["on"] else 0])
        + energy.to_bytes(3, "little")
        + current.to_bytes(2, "little")
        + bytes([state["on"]])
    )


def _vicki(now: datetime, state: dict[str, Any]) -> bytes:
    sensed = round((_indoor(now, 95, 21.2) + 40) * 256 / 165)
    humid = round(_humidity(now, 96, 58) * 2.56)
    opening = max(0, min(99, round(40 + 22 * (state["target"] - 21) + wobble(now, 97, 6))))
    lock = 0x80 if state.get("child_lock") else 0
    return bytes([1, state["target"], sensed, humid, 99, opening, 0x90, 0, lock])


def _lpp(now: datetime, _state: dict[str, Any]) -> bytes:
    return (
        b"\x01\x67"
        + round(_indoor(now, 101, 17) * 10).to_bytes(2, signed=True)
        + b"\x02\x68"
        + bytes([round(_humidity(now, 102, 61) * 2)])
        + b"\x03\x73"
        + round(10129 + wobble(now, 103, 14, 2900)).to_bytes(2)
        + b"\x04\x65"
        + round(320 * sunlight(now)).to_bytes(2)
        + b"\x05\x00"
        + bytes([happens(now, 104, 0.3, 90)])
        + b"\x06\x71"
        + b"".join(
            round(value + wobble(now, 105 + n, 12)).to_bytes(2, signed=True)
            for n, value in enumerate((14, -22, 998))
        )
    )


def _ldds75(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    return {
        "Bat": 3.41,
        "Distance": f"{round(640 + wobble(now, 111, 210, 5400))} mm",
        "Interrupt_flag": 0,
        "Sensor_flag": 1,
        "TempC_DS18B20": f"{_outdoor(now, 112):.2f}",
    }


def _enless(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    temperature = _indoor(now, 121, 18.2)
    co2 = round(520 + 480 * (8 < hour(now) < 17) + wobble(now, 122, 70))
    return {
        "id": 129,
        "type": 6,
        "seq_counter": int(now.timestamp() // 600) % 256,
        "fw_version": 17,
        "values": {
            "temperature": {"unit": "°C", "value": temperature},
            "humidity": {"unit": "%", "value": _humidity(now, 123, 49)},
            "co2": {"unit": "ppm", "value": co2},
            "voc": {"unit": "μg/m3", "value": round(180 + abs(wobble(now, 124, 90)))},
        },
        "alarm_status": {
            "temperature": {"high": temperature > 26, "low": temperature < 12},
            "co2": {"high": co2 > 1000, "low": False},
        },
        "states": {"battery": "100%", "msg_type": "normal"},
    }


def _raw(now: datetime, _state: dict[str, Any]) -> bytes:
    weight = round(38_400 + wobble(now, 131, 250, 5400))
    return weight.to_bytes(3) + round(day(now, 34, 1)).to_bytes(1)


def _elt2(now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    return {
        "temperature": _indoor(now, 141, 12),
        "humidity": _humidity(now, 142, 66),
        "externalTemperature": round(-18.2 + wobble(now, 143, 0.8), 1),
        "vdd": 3618,
    }


def _nothing(_now: datetime, _state: dict[str, Any]) -> dict[str, Any]:
    return {}


def _place(latitude: float, longitude: float) -> dict[str, Any]:
    return {
        "latitude": latitude,
        "longitude": longitude,
        "altitude": 3,
        "source": "SOURCE_REGISTRY",
    }


_BROKEN = (
    "function decodeUplink(input) {\n"
    "  return { data: { temperature: input.port.probe / 100 } };\n"
    "}\n"
)

DEVICES = [
    DemoDevice(
        device_id="living-room-air",
        name="Living room air",
        measure=_am319,
        version=("milesight-iot", "am319", "2.0", "1.3"),
        room="Living room",
        dev_eui="24E124710C141587",
        join_eui="24E124C0002A0001",
        f_port=85,
        size=42,
        interval=600,
        battery=None,
        rssi=-58,
        snr=9.5,
    ),
    DemoDevice(
        device_id="greenhouse-climate",
        name="Greenhouse climate",
        description="Probe hangs outside on the north wall",
        measure=_lht65n,
        version=("dragino", "lht65n", "1.0", "1.8"),
        room="Greenhouse",
        location=_place(52.15622, 5.38811),
        dev_eui="A84041A2418A3C5E",
        join_eui="A840410000000101",
        interval=1200,
        battery=0.94,
        rssi=-77,
        gateways=2,
    ),
    DemoDevice(
        device_id="front-door",
        name="Front door",
        measure=_lds02,
        version=("dragino", "lds02", "1.0", "1.6"),
        room="Hall",
        dev_eui="A84041D1B5D83F02",
        join_eui="A840410000000101",
        f_port=10,
        size=10,
        interval=1800,
        battery=0.61,
        rssi=-69,
    ),
    DemoDevice(
        device_id="cellar-water-leak",
        name="Cellar water leak",
        measure=_r718wa,
        version=("netvox", "r718wa", "1.0", "1.0"),
        room="Cellar",
        dev_eui="00137A1000012F60",
        join_eui="00137A1000000001",
        f_port=6,
        interval=3600,
        battery=1.0,
        rssi=-104,
        snr=1.0,
        spreading_factor=9,
    ),
    DemoDevice(
        device_id="hall-motion",
        name="Hall motion",
        measure=_ws202,
        version=("milesight-iot", "ws202", "1.0", "1.1"),
        room="Hall",
        dev_eui="24E124538C223556",
        join_eui="24E124C0002A0001",
        f_port=85,
        size=9,
        interval=900,
        battery=0.91,
        rssi=-66,
    ),
    DemoDevice(
        device_id="water-meter",
        name="Water meter",
        measure=_cubicmeter,
        normalize=_normalize_cubicmeter,
        version=("quandify", "cubicmeter-1-1-copper", "1.0", "1.0"),
        room="Cellar",
        dev_eui="70B3D5D72FF30A41",
        join_eui="70B3D5D720000000",
        f_port=1,
        size=28,
        interval=3600,
        battery=0.97,
        rssi=-110,
        snr=-4.5,
        spreading_factor=10,
        packet_error_rate=0.083333336,
    ),
    DemoDevice(
        device_id="weather-station",
        name="Weather station",
        measure=_s2120,
        version=("sensecap", "sensecaps2120-8-in-1", "1.0", "1.0"),
        room="Garden",
        location=_place(52.15598, 5.38841),
        dev_eui="2CF7F1C044700212",
        join_eui="80000000000000A0",
        f_port=3,
        size=36,
        interval=600,
        battery=0.88,
        rssi=-81,
        gateways=3,
    ),
    DemoDevice(
        device_id="orchard-soil",
        name="Orchard soil",
        measure=_smtp,
        version=("decentlab", "dl-smtp", "1.0", "1.0"),
        room="Orchard",
        location=_place(52.15655, 5.38902),
        dev_eui="70B3D57BA0001A3A",
        join_eui="70B3D57BA0000000",
        f_port=1,
        size=24,
        interval=600,
        battery=0.79,
        rssi=-98,
        snr=3.0,
        spreading_factor=8,
        gateways=2,
        packet_error_rate=0.0625,
    ),
    DemoDevice(
        device_id="delivery-van",
        name="Delivery van",
        measure=_oyster,
        version=("digital-matter", "oyster", "1.0", "1.0"),
        dev_eui="70B3D57050003C21",
        join_eui="70B3D57050000000",
        f_port=1,
        interval=600,
        battery=0.72,
        rssi=-113,
        snr=-7.0,
        spreading_factor=10,
        gateways=3,
        packet_error_rate=0.22222222,
    ),
    DemoDevice(
        device_id="garden-pump",
        name="Garden pump",
        measure=_ws523,
        version=("milesight-iot", "ws523", "1.0", "1.0"),
        room="Garden",
        dev_eui="24E124148B492047",
        join_eui="24E124C0002A0001",
        class_c=True,
        state={"on": True},
        f_port=85,
        interval=600,
        battery=None,
        rssi=-73,
    ),
    DemoDevice(
        device_id="bathroom-radiator",
        name="Bathroom radiator",
        measure=_vicki,
        version=("mclimate", "vicki", "2.4", "4.2"),
        room="Bathroom",
        dev_eui="70B3D52DD3024B11",
        join_eui="70B3D52DD3000000",
        state={"target": 21},
        f_port=1,
        interval=600,
        battery=0.67,
        rssi=-71,
    ),
    DemoDevice(
        device_id="attic-node",
        name="Attic node",
        description="Home-made, CayenneLPP",
        measure=_lpp,
        formatter="FORMATTER_CAYENNELPP",
        room="Attic",
        dev_eui="70B3D57ED00612AB",
        f_port=1,
        interval=600,
        battery=0.5,
        rssi=-62,
        snr=9.0,
    ),
    DemoDevice(
        device_id="rain-barrel",
        name="Rain barrel",
        measure=_ldds75,
        version=("dragino", "ldds75", "1.0", "1.1"),
        room="Garden",
        dev_eui="A840417C5184E6D0",
        join_eui="A840410000000101",
        size=8,
        interval=1200,
        battery=0.86,
        rssi=-84,
    ),
    DemoDevice(
        device_id="workshop-air",
        name="Workshop air",
        measure=_enless,
        version=("enless-wireless", "600-023", "1.0", "1.0"),
        room="Workshop",
        dev_eui="70B3D5E75E00C3D2",
        join_eui="70B3D5E75F600000",
        f_port=1,
        size=18,
        interval=600,
        battery=1.0,
        rssi=-92,
        snr=5.5,
        gateways=2,
    ),
    DemoDevice(
        device_id="beehive-scale",
        name="Beehive scale",
        description="No payload formatter yet",
        measure=_raw,
        formatter=None,
        room="Orchard",
        dev_eui="70B3D57ED0061F77",
        f_port=1,
        interval=900,
        battery=0.41,
        rssi=-101,
        snr=2.0,
        spreading_factor=9,
    ),
    DemoDevice(
        device_id="pool-thermometer",
        name="Pool thermometer",
        measure=_raw,
        formatter="FORMATTER_JAVASCRIPT",
        script=_BROKEN,
        room="Garden",
        dev_eui="70B3D57ED0062020",
        f_port=4,
        interval=1800,
        battery=0.77,
        rssi=-88,
    ),
    DemoDevice(
        device_id="mailbox",
        name="Mailbox",
        description="Ordered, not installed",
        measure=_nothing,
        version=("netvox", "r311a", "1.0", "1.0"),
        dev_eui="00137A1000013D0B",
        join_eui="00137A1000000001",
        joined=False,
    ),
    DemoDevice(
        device_id="barn-freezer",
        name="Barn freezer",
        measure=_elt2,
        version=("elsys", "elt2", "1.0", "1.0"),
        room="Barn",
        dev_eui="A81758FFFE0B4D19",
        join_eui="A81758FFFE000000",
        silent=timedelta(hours=27, minutes=20),
        f_port=5,
        size=13,
        interval=1200,
        battery=0.18,
        rssi=-116,
        snr=-11.0,
        spreading_factor=12,
        packet_error_rate=0.30769232,
    ),
]

NEIGHBOUR = [
    DemoDevice(
        device_id="shed-climate",
        name="Shed climate",
        measure=_lht65n,
        version=("dragino", "lht65n", "1.0", "1.8"),
        dev_eui="A84041A2418A3C70",
        join_eui="A840410000000101",
        interval=1200,
    ),
    DemoDevice(
        device_id="gate",
        name="Gate",
        measure=_lds02,
        version=("dragino", "lds02", "1.0", "1.6"),
        dev_eui="A84041D1B5D83F10",
        join_eui="A840410000000101",
        f_port=10,
    ),
]
