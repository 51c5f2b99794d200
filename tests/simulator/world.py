"""The worlds: the recorded application, the lively one, none."""

from typing import Any

from . import demo, messages, traffic
from .encoding import merge
from .formatters import WEATHER_SCRIPT
from .model import Application, Device, Session, Stack, versions
from .storage import F_PORT, PACKAGE
from .validation import check

ADDRESSES = {
    "network_server_address": "localhost",
    "application_server_address": "localhost",
    "join_server_address": "localhost",
}
_CONTACTS = {
    "administrative_contact": {"user_ids": {"user_id": "admin"}},
    "technical_contact": {"user_ids": {"user_id": "admin"}},
}


def build(name: str, stack: Stack) -> None:
    """Fill an empty stack with the world of this name."""
    match name:
        case "garden":
            _garden(stack)
        case "demo":
            demo.build(stack, add_application, add_device)
        case "empty":
            pass
        case _:
            raise ValueError(f"no such world: {name}")


def add_application(stack: Stack, application_id: str, **fields: Any) -> Application:
    """Create an application on this server, with the Storage Integration switched on."""
    application = stack.add_application(application_id, {**_CONTACTS, **ADDRESSES, **fields})
    application.associate(PACKAGE, F_PORT, stack.now())
    return application


def add_device(
    stack: Stack,
    application: Application,
    device_id: str,
    *,
    dev_eui: str | None = None,
    join_eui: str | None = "0000000000000000",
    joined: bool = True,
    up_formatter: str | None = None,
    script: str | None = None,
    down_formatter: str | None = None,
    class_c: bool = False,
    abp: bool = False,
    **fields: Any,
) -> Device:
    """Register a device on all servers; `fields` go to the Identity Server.

    Well known ones: name, description, version_ids, attributes, locations, serial_number. Raises
    RefusedError for a device that the real server wouldn't have.
    """
    now = stack.now()
    device = Device(application.application_id, device_id)
    if dev_eui is None:
        dev_eui = f"70B3D57ED1{stack.random.getrandbits(24):06X}"
    euis = {"dev_eui": dev_eui} if dev_eui else {}
    if join_eui and not abp:
        euis["join_eui"] = join_eui
    version_ids = fields.pop("version_ids", {})
    device.put(
        "is",
        now,
        {**ADDRESSES, "version_ids": version_ids, "lora_alliance_profile_ids": {}, **fields},
    )
    plan = {
        "frequency_plan_id": "EU_863_870_TTN",
        "lorawan_version": "MAC_V1_0_3",
        "lorawan_phy_version": "PHY_V1_0_3_REV_A",
        "supports_join": not abp,
        "supports_class_c": class_c,
    }
    device.put("ns", now, {**plan, **({"version_ids": version_ids} if version_ids else {})})
    device.put("as", now, {"version_ids": version_ids} if version_ids else {})
    if not abp:
        device.put("js", now, {**ADDRESSES, "root_keys": {"app_key": {"key": _key(stack)}}})
    if up_formatter or down_formatter:
        formatters = {
            "up_formatter": up_formatter,
            "up_formatter_parameter": script,
            "down_formatter": down_formatter or up_formatter,
        }
        device.documents["as"]["formatters"] = {k: v for k, v in formatters.items() if v}
    for document in device.documents.values():
        document["ids"].update(euis)
    check(messages.CREATE_END_DEVICE, {"end_device": device.documents["is"]})
    application.devices[device_id] = device
    if abp:
        device.session = Session("260B1234", None)
    elif joined:
        traffic.join(stack, device)
        merge(device.documents["is"], {"activated_at": device.documents["is"]["created_at"]})
    return device


def _key(stack: Stack) -> str:
    return stack.random.randbytes(16).hex().upper()


def _garden(stack: Stack) -> None:
    """The recorded application: a server of v3.32.1 without Storage Integration."""
    garden = add_application(stack, "garden", name="Garden", description="sensors around the house")
    stack.add_application("neighbour", dict(_CONTACTS))
    add_device(
        stack,
        garden,
        "greenhouse-climate",
        dev_eui="A84041000181C061",
        join_eui="A840410000000100",
        name="Greenhouse climate",
        description="on the north wall",
        version_ids=versions("dragino", "lht65n"),
        attributes={"room": "Greenhouse"},
        locations={
            "user": {
                "latitude": 52.3731,
                "longitude": 4.8922,
                "altitude": 2,
                "source": "SOURCE_REGISTRY",
            }
        },
        up_formatter="FORMATTER_REPOSITORY",
    )
    add_device(
        stack,
        garden,
        "pump-socket",
        dev_eui="24E124148B000001",
        join_eui="24E124C0002A0001",
        name="Pump socket",
        version_ids=versions("milesight-iot", "ws523"),
        class_c=True,
        up_formatter="FORMATTER_REPOSITORY",
    )
    add_device(
        stack,
        garden,
        "bath-radiator",
        dev_eui="70B3D52DD3000001",
        join_eui="70B3D52DD3000000",
        name="Bathroom radiator",
        version_ids=versions("mclimate", "vicki"),
        up_formatter="FORMATTER_REPOSITORY",
    )
    add_device(
        stack,
        garden,
        "weather-station",
        dev_eui="70B3D57ED0060001",
        name="Weather station",
        up_formatter="FORMATTER_JAVASCRIPT",
        script=WEATHER_SCRIPT,
        down_formatter="FORMATTER_NONE",
    )
    add_device(
        stack,
        garden,
        "lpp-node",
        dev_eui="70B3D57ED0060002",
        name="Cellar node",
        attributes={"room": "Cellar"},
        up_formatter="FORMATTER_CAYENNELPP",
    )
    add_device(
        stack,
        garden,
        "old-abp-node",
        dev_eui="70B3D57ED0060003",
        name="ABP node",
        abp=True,
        up_formatter="FORMATTER_CAYENNELPP",
        down_formatter="FORMATTER_NONE",
    )
    add_device(
        stack, garden, "never-joined", dev_eui="70B3D57ED0060004", name="Never joined", joined=False
    )
    garden.link = {
        "default_formatters": {
            "up_formatter": "FORMATTER_CAYENNELPP",
            "down_formatter": "FORMATTER_CAYENNELPP",
        }
    }
    for device_id, (f_port, text) in _RECORDED_FRAMES.items():
        sample = {"f_port": f_port, "payload": bytes.fromhex(text)}
        garden.devices[device_id].sample = lambda _now, sample=sample: dict(sample)
    socket, radiator = garden.devices["pump-socket"], garden.devices["bath-radiator"]
    socket.state["on"], radiator.state["target"] = True, 21
    socket.sample = lambda _now: {"f_port": 85, "payload": _SOCKET_FRAMES[socket.state["on"]]}
    radiator.sample = lambda _now: {
        "f_port": 1,
        "payload": bytes([1, radiator.state["target"], 0x5F, 0x80, 0x63, 0x14, 0x88]),
    }


_SOCKET_FRAMES = {
    True: bytes.fromhex("FC082C01621027005A0501"),
    False: bytes.fromhex("FC08000000102700000000"),
}
_RECORDED_FRAMES = {
    "greenhouse-climate": (2, "CBF60B0D0176010ADD"),
    "weather-station": (2, "00D73D57225A0C"),
    "lpp-node": (
        1,
        "016701100268500300010402FF38058807FD8700BEF500086A06732753077104D2FB2E000008650099096601",
    ),
    "old-abp-node": (3, "0167FFF6"),
}
