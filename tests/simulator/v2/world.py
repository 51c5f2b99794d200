"""The worlds of a v2 stack: the recorded applications, the lively one, none."""

from random import Random
from typing import Any

from tests.recordings import load

from .. import traffic as v3_traffic, world as v3_worlds
from ..encoding import moment
from ..faults import Faults
from ..model import Application as V3Application, Device as V3Device, Stack as V3Stack
from .downlinks import nanoseconds
from .functions import CAYENNE, CUSTOM, NAMES, Functions
from .model import Application, Device, Stack

BROKEN = "function Decoder(bytes { return"
_APP_KEY = "2B7E151628AED2A6ABF7158809CF4F3C"
_LPP_FRAME = (
    "016701100268500300010402FF38058807FD8700BEF500086A06732753077104D2FB2E000008650099096601"
)
_SOCKET = {True: "08700104742C0906802C010000", False: "08700004742C09068000000000"}


def build(name: str, stack: Stack) -> None:
    """Fill an empty stack with the world of this name."""
    match name:
        case "garden":
            _garden(stack)
        case "demo":
            _demo(stack)
        case "empty":
            pass
        case _:
            raise ValueError(f"no such world: {name}")


def functions() -> Functions:
    """Return the functions of the recorded application."""
    recorded = load("v2/http/applications/get.json")["response"]["json"]
    return Functions(CUSTOM, {name: recorded[name] for name in NAMES})


def add_application(
    stack: Stack, application_id: str, functions: Functions | None = None
) -> Application:
    """Register an application, and announce it."""
    application = Application(application_id, functions=functions or Functions())
    stack.applications[application_id] = application
    return application


def add_device(
    stack: Stack,
    application: Application,
    device_id: str,
    *,
    dev_eui: str | None = None,
    joined: bool = True,
    frame: tuple[int, str] | None = None,
    **fields: Any,
) -> Device:
    """Register a device; `frame` is the port and payload that it sends, in hexadecimal.

    `fields` are those of `Device`: description, attributes, latitude, app_eui …
    """
    if dev_eui is None:
        dev_eui = f"70B3D57ED2{stack.random.getrandbits(24):06X}"
    device = Device(application.application_id, device_id, dev_eui=dev_eui)
    defaults = {"app_eui": "70B3D57ED0000001", "app_key": _APP_KEY}
    for name, value in (defaults | fields).items():
        assert hasattr(device, name), name
        setattr(device, name, value)
    if joined and not device.joined:
        device.dev_addr = f"{0x26000000 | stack.random.getrandbits(12):08X}"
        device.nwk_s_key, device.app_s_key = (stack.hexadecimal(16) for _ in range(2))
    if frame is not None:
        port, text = frame
        device.sample = lambda _now: {"port": port, "payload": bytes.fromhex(text)}
    application.devices[device_id] = device
    return device


def _garden(stack: Stack) -> None:
    """The recorded applications, with the devices as they were after they had joined."""
    garden = add_application(stack, "garden", functions())
    lpp = add_application(stack, "lpp-garden", Functions(CAYENNE))
    raw = add_application(stack, "raw-garden")
    empty = add_application(stack, "empty-garden", Functions(CUSTOM, {"decoder": BROKEN}))
    add_application(stack, "neighbour")
    add_device(
        stack,
        garden,
        "greenhouse-climate",
        dev_eui="A84041000181C061",
        description="Greenhouse climate",
        latitude=52.3712,
        longitude=4.89,
        altitude=2,
        attributes={
            "ttn-brand": "dragino",
            "ttn-model": "lht65n",
            "ttn-version": "1.8",
            "ttn-lab-room": "Greenhouse",
            "color": "white",
        },
        frame=(2, "CBF60B0D0176010ADD"),
    )
    socket = add_device(
        stack, garden, "pump-socket", dev_eui="24E124148B000001", description="Pump socket"
    )
    radiator = add_device(
        stack, garden, "bath-radiator", dev_eui="70B3D52DD3000001", description="Bath radiator"
    )
    add_device(
        stack,
        garden,
        "weather-station",
        dev_eui="70B3D57ED0060001",
        description="Weather station",
        latitude=52.37,
        longitude=4.9,
        altitude=-3,
        frame=(10, "00D73D225A57"),
    )
    add_device(
        stack,
        garden,
        "old-abp-node",
        dev_eui="0004A30B00F1A001",
        app_key="",
        dev_addr="26000ABC",
        nwk_s_key="11" * 16,
        app_s_key="22" * 16,
        disable_f_cnt_check=True,
        uses32_bit_f_cnt=True,
        frame=(3, "FFF6"),
    )
    add_device(
        stack,
        garden,
        "never-joined",
        dev_eui="0004A30B00F1A002",
        description="Never joined",
        joined=False,
    )
    add_device(
        stack,
        lpp,
        "lpp-node",
        dev_eui="70B3D57ED0060002",
        app_eui="70B3D57ED0000002",
        frame=(1, _LPP_FRAME),
    )
    add_device(
        stack,
        raw,
        "raw-node",
        dev_eui="70B3D57ED0060003",
        app_eui="70B3D57ED0000003",
        frame=(1, "01020304"),
    )
    add_device(
        stack,
        empty,
        "broken-node",
        dev_eui="70B3D57ED0060004",
        app_eui="70B3D57ED0000004",
        frame=(1, "0102"),
    )
    socket.state["on"], radiator.state["target"] = True, 21
    socket.sample = lambda _now: {
        "port": 85,
        "payload": bytes.fromhex(_SOCKET[socket.state["on"]]),
    }
    radiator.sample = lambda _now: {
        "port": 1,
        "payload": bytes([1, radiator.state["target"], 0x5F, 0x80, 0x63, 0x14, 0x88, 0x10, 0]),
    }


def _demo(stack: Stack) -> None:
    """The v3 stack's lively world: the same devices, measuring the same."""
    v3 = V3Stack(None, stack.now, Random(1), Faults())
    v3_worlds.build("demo", v3)
    for from_v3 in v3.applications.values():
        # Its devices are decoded as in v3; this decoder is there to be read.
        decoder = "function Decoder(bytes, port) {\n  return {};\n}\n"
        application = add_application(
            stack, from_v3.application_id, Functions(CUSTOM, {"decoder": decoder})
        )
        for device in from_v3.devices.values():
            _move(stack, application, from_v3, device)


def _move(
    stack: Stack, application: Application, v3_application: V3Application, from_v3: V3Device
) -> None:
    """Register a device of the v3 stack as one of this stack."""
    registry = from_v3.documents["is"]
    versions = registry.get("version_ids") or {}
    attributes = {
        "ttn-brand": versions.get("brand_id"),
        "ttn-model": versions.get("model_id"),
        **registry.get("attributes", {}),
    }
    location = registry.get("locations", {}).get("user", {})
    session = from_v3.session
    device = add_device(
        stack,
        application,
        from_v3.device_id,
        dev_eui=from_v3.dev_eui or "",
        app_eui=from_v3.join_eui or "",
        description=from_v3.name or "",
        attributes={name: text for name, text in attributes.items() if text},
        latitude=location.get("latitude", 0.0),
        longitude=location.get("longitude", 0.0),
        altitude=location.get("altitude", 0),
        joined=session is not None,
        state=from_v3.state,
        formatter=v3_traffic.formatter_of(v3_application, from_v3),
        interval=from_v3.interval,
    )
    if session is None or from_v3.sample is None:
        return
    device.counter = device.f_cnt_up = device.last_counter = session.f_cnt_up
    if seen := registry.get("last_seen_at"):
        device.last_seen = int(moment(seen).timestamp() * 1_000_000) * 1000
    sample = from_v3.sample
    device.sample = lambda now: _translated(sample(now))


def _translated(sample: dict[str, Any]) -> dict[str, Any]:
    """Return what a device of the v3 stack would send, as one of this stack sends it."""
    message = sample["message"]
    lora = message["settings"]["data_rate"]["lora"]
    translated = {
        "port": sample["f_port"],
        "payload": sample["payload"],
        "metadata": {
            "frequency": int(message["settings"]["frequency"]) / 1_000_000,
            "data_rate": f"SF{lora['spreading_factor']}BW{lora['bandwidth'] // 1000}",
            "airtime": nanoseconds(message["consumed_airtime"]),
            "gateways": [_gateway(reception) for reception in message["rx_metadata"]],
        },
    }
    return translated | ({"decoded": sample["decoded"]} if "decoded" in sample else {})


def _gateway(reception: dict[str, Any]) -> dict[str, Any]:
    place = reception.get("location", {})
    names = ("latitude", "longitude", "altitude")
    return {
        "gtw_id": reception["gateway_ids"]["gateway_id"],
        "timestamp": reception["timestamp"],
        "time": "",
        "channel": 0,
        "rssi": reception["rssi"],
        "snr": reception.get("snr", 0),
        "rf_chain": 0,
        **{name: place[name] for name in names if name in place},
    }
