"""The lively world: a house with the devices people have, and their usual troubles."""

from collections.abc import Callable
from copy import copy
from datetime import datetime, timedelta
from functools import partial
import hashlib
from random import Random
from typing import Any

from . import traffic
from .demo_devices import DEVICES, NEIGHBOUR, DemoDevice
from .encoding import merge, timestamp
from .model import Application, Device, Stack, versions

HISTORY = timedelta(hours=24)
REGISTERED = timedelta(days=40)
GATEWAYS: list[dict[str, Any]] = [
    {
        "ids": {"gateway_id": "riverside-roof", "eui": "AC1F09FFFE051A2B"},
        "location": {
            "latitude": 52.1561,
            "longitude": 5.3878,
            "altitude": 14,
            "source": "SOURCE_REGISTRY",
        },
    },
    {
        "ids": {"gateway_id": "ttn-amersfoort-tower", "eui": "7276FF002E062F3C"},
        "location": {
            "latitude": 52.1551,
            "longitude": 5.3872,
            "altitude": 92,
            "source": "SOURCE_REGISTRY",
        },
    },
    {
        "ids": {"gateway_id": "packetbroker"},
        "packet_broker": {
            "message_id": "01M84D8JV2J5Q0C4X6P2Z7F9HR",
            "forwarder_net_id": "00000B",
            "forwarder_tenant_id": "helium",
            "forwarder_cluster_id": "eu",
            "forwarder_gateway_id": "calm-teal-otter",
            "home_network_net_id": "000013",
            "home_network_tenant_id": "ttn",
            "home_network_cluster_id": "eu1",
        },
    },
]


def build(
    stack: Stack,
    add_application: Callable[..., Application],
    add_device: Callable[..., Device],
) -> None:
    """Fill the stack with the house and its neighbour."""
    # Registered and joined some weeks ago.
    before = copy(stack)
    registered = stack.now() - REGISTERED
    before.now = lambda: registered
    house = add_application(
        before, "riverside", name="Riverside house", description="House, garden and workshop"
    )
    neighbour = add_application(before, "neighbour", name="Neighbour")
    stack.applications.update(before.applications)
    for application, devices in ((house, DEVICES), (neighbour, NEIGHBOUR)):
        for index, demo_device in enumerate(devices):
            device = add_device(
                before,
                application,
                demo_device.device_id,
                dev_eui=demo_device.dev_eui,
                join_eui=demo_device.join_eui,
                name=demo_device.name,
                description=demo_device.description,
                version_ids=versions(*demo_device.version) if demo_device.version else {},
                attributes={"room": demo_device.room} if demo_device.room else {},
                locations={"user": demo_device.location} if demo_device.location else {},
                joined=demo_device.joined,
                up_formatter=demo_device.formatter,
                script=demo_device.script,
                class_c=demo_device.class_c,
            )
            _bring_to_life(stack, application, device, demo_device, index)


def _bring_to_life(
    stack: Stack, application: Application, device: Device, demo_device: DemoDevice, index: int
) -> None:
    device.battery = demo_device.battery
    device.state = dict(demo_device.state)
    if device.session is None:
        return
    random = Random(index)
    interval = timedelta(seconds=demo_device.interval)
    latest = stack.now() - interval * random.uniform(0.1, 0.8) - demo_device.silent
    first = stack.now() - HISTORY
    frames = max(int((latest - first) / interval), 0) + 1
    start = random.randrange(500, 9000)
    device.session.f_cnt_up = start + frames - 1
    device.documents["is"]["last_seen_at"] = timestamp(latest)
    merge(
        device.documents["ns"],
        {
            "session": {"last_f_cnt_up": device.session.f_cnt_up},
            "last_dev_status_received_at": timestamp(latest, nanoseconds=0),
            "power_state": "POWER_EXTERNAL" if device.battery is None else "POWER_BATTERY",
            "battery_percentage": device.battery,
            "downlink_margin": random.randrange(4, 25),
        },
    )

    def sample(now: datetime) -> dict[str, Any]:
        return _sample(stack, device, demo_device, now, random)

    device.sample = sample
    # An overdue device stays silent.
    device.interval = 0.0 if demo_device.silent else demo_device.interval
    device.past = lambda: _past(
        stack,
        application,
        device,
        [(latest - interval * k, start + frames - 1 - k) for k in reversed(range(frames))],
    )


def _past(
    stack: Stack, application: Application, device: Device, frames: list[tuple[datetime, int]]
) -> list[dict[str, Any]]:
    """Return the uplinks that the device sent before this run."""
    then = copy(stack)
    then.random = Random(frames[0][1])
    ghost = copy(device)
    ghost.session = copy(device.session)
    envelopes = []
    for moment, f_cnt in frames:
        then.now = partial(_same, moment)
        assert ghost.session is not None
        ghost.session.f_cnt_up = f_cnt - 1
        assert device.sample is not None
        sample = device.sample(moment)
        envelopes.append(
            traffic.uplink(
                then,
                application,
                ghost,
                f_port=sample["f_port"],
                payload=sample["payload"],
                decoded=sample.get("decoded", traffic.UNSET),
                overrides=sample["message"],
            )
        )
    return envelopes


def _same(moment: datetime) -> datetime:
    return moment


def _sample(
    stack: Stack, device: Device, demo_device: DemoDevice, now: datetime, random: Random
) -> dict[str, Any]:
    """Return what the device would send at this time, with how it would be received."""
    measured = demo_device.measure(now, device.state)
    sample: dict[str, Any] = {"f_port": demo_device.f_port}
    if isinstance(measured, bytes):
        sample["payload"] = measured
    else:
        sample["decoded"] = measured
        # Bytes nobody decodes here, of a plausible length.
        size = demo_device.size
        sample["payload"] = hashlib.shake_128(repr(measured).encode()).digest(size)
    message = _radio(stack, demo_device, len(sample["payload"]), now, random)
    if demo_device.normalize is not None and not isinstance(measured, bytes):
        message["normalized_payload"] = [demo_device.normalize(measured)]
    if device.battery is not None and device.session is not None:
        message["last_battery_percentage"] = {
            "f_cnt": max(device.session.f_cnt_up - 40, 0),
            "value": round(device.battery * 100, 6),
            "received_at": timestamp(now - timedelta(hours=7), nanoseconds=0),
        }
    sample["message"] = message
    return sample


def _radio(
    stack: Stack, demo_device: DemoDevice, size: int, now: datetime, random: Random
) -> dict[str, Any]:
    at = copy(stack)
    at.now = lambda: now
    receptions = []
    for index, gateway in enumerate(GATEWAYS[: demo_device.gateways]):
        rssi = round(demo_device.rssi - 17 * index + random.uniform(-3, 3))
        snr = round(min(10.0, demo_device.snr - 5 * index + random.uniform(-1.5, 1.5)) * 4) / 4
        receptions.append(traffic.reception(at, gateway, rssi, snr))
    return {
        "rx_metadata": receptions,
        "settings": {
            "data_rate": {
                "lora": {
                    "bandwidth": 125000,
                    "spreading_factor": demo_device.spreading_factor,
                    "coding_rate": "4/5",
                }
            },
            "frequency": str(random.choice((8671, 8673, 8675, 8677, 8679, 8681, 8683)) * 100000),
            "timestamp": random.getrandbits(32),
            "time": timestamp(now),
        },
        "consumed_airtime": traffic.airtime(13 + size, demo_device.spreading_factor),
        "packet_error_rate": demo_device.packet_error_rate or None,
    }


def command(state: dict[str, Any], f_port: int, payload: bytes) -> bool:
    """Let a device do what a downlink says, by changing its state; return whether it understood."""
    match f_port, *payload:
        case port, 0x0E, target if "target" in state and port != 3:
            state["target"] = target
        case port, 0x07, lock if "target" in state and port != 3:
            state["child_lock"] = bool(lock)
        case 85, 0x08, on, *_ if "on" in state:
            state["on"] = bool(on)
        case _:
            return False
    return True
