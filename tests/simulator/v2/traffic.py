"""What the Handler publishes when devices speak, and what it does when they are spoken to."""

import base64
from collections.abc import Callable
from copy import deepcopy
import json
from typing import Any

from ..encoding import merge, moment, timestamp
from ..formatters import FormatterError
from ..traffic import UNSET, airtime
from . import downlinks
from .errors import FunctionError
from .functions import InvalidPayloadError
from .model import Application, Device, Downlink, Received, Stack

GATEWAYS: list[dict[str, Any]] = [
    {"gtw_id": "eui-b827ebfffe000001", "latitude": 52.37, "longitude": 4.88, "altitude": 10},
    {
        "gtw_id": "eui-b827ebfffe000002",
        "gtw_trusted": True,
        "latitude": 52.3702,
        "longitude": 4.8952,
        "altitude": 40,
        "location_source": "registry",
    },
]


class Traffic:
    """What happens between the radio, the queue and the subscribers."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.send: Callable[[str, bytes], int] = lambda _topic, _payload: 0
        """Called with topic and payload of each message."""
        self.published: Callable[[Application, dict[str, Any]], None] | None = None
        """Called with each uplink."""
        self.commanded: Callable[[Device, int, bytes], None] | None = None
        """Called with device, port and payload when a downlink reaches its device."""

    def publish(self, device: Device, kind: str, message: Any) -> int:
        """Publish a message below `devices/{id}/`; return how many copies were sent."""
        topic = f"{device.application_id}/devices/{device.device_id}/{kind}"
        payload = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        return self.send(topic, payload.encode())

    def event(self, device: Device, kind: str, message: Any) -> int:
        """Publish an event of a device."""
        return self.publish(device, f"events/{kind}", message)

    # Joining

    def join(
        self, application: Application, device: Device, *, known_as: Device | None = None
    ) -> dict[str, Any]:
        """Give a device a session and publish it; `known_as` is whom the event names."""
        random = self._stack.random
        device.dev_addr = f"{0x26000000 | random.getrandbits(12):08X}"
        device.nwk_s_key, device.app_s_key = (self._stack.hexadecimal(16) for _ in range(2))
        device.f_cnt_up = device.f_cnt_down = 0
        device.counter = -1
        gateway = self._gateway(GATEWAYS[0])
        for name in ("latitude", "longitude", "altitude"):
            del gateway[name]
        message = {
            "app_eui": device.app_eui,
            "dev_eui": device.dev_eui,
            "dev_addr": device.dev_addr,
            "metadata": self._metadata(device, 0, [gateway]),
        }
        if application.announced:
            self.event(known_as or device, "activations", message)
        return message

    def join_failed(self, device: Device, error: str) -> None:
        """Publish that a device couldn't join."""
        ids = {"app_eui": device.app_eui, "dev_eui": device.dev_eui, "dev_addr": ""}
        self.event(device, "activations/errors", {"error": error, **ids, "metadata": {"time": ""}})

    def register_on_join(self, application: Application, template: Device, dev_eui: str) -> Device:
        """Register a device that joined by a template, and let it join."""
        device = Device(
            application.application_id,
            f"{template.device_id}-{dev_eui.lower()}",
            template.app_eui,
            dev_eui,
            template.app_key,
            f"Registered on join on {self._stack.now():%d %b %y %H:%M}",
            template.latitude,
            template.longitude,
            template.altitude,
            dict(template.attributes),
        )
        application.devices[device.device_id] = device
        self.event(device, "create", None)
        self.join(application, device, known_as=template)
        return device

    # Uplinks

    def uplink(
        self,
        application: Application,
        device: Device,
        *,
        port: int,
        payload: bytes,
        decoded: Any = UNSET,
        counter: int | None = None,
        confirmed: bool = False,
        ack: bool | None = None,
        answered: bool = False,
        metadata: dict[str, Any] | None = None,
        overrides: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Let a device send; publish what follows. Return the uplink, None if it is dropped.

        `decoded` stands in for what the functions make of the payload, None for a failure. `ack`
        acknowledges what was sent before, `answered` makes the network answer a MAC command.
        """
        assert device.joined, f"{device.device_id} has not joined"
        counter = device.counter + 1 if counter is None else counter
        repeated = counter == device.counter
        if not application.announced or not self._takes(device, counter, confirmed=confirmed):
            return None
        device.counter = device.f_cnt_up = counter
        device.last_seen = int(self._stack.now().timestamp() * 1_000_000) * 1000
        message: dict[str, Any] = {
            "app_id": device.application_id,
            "dev_id": device.device_id,
            "hardware_serial": device.dev_eui,
            "port": port,
            "counter": counter,
            "confirmed": confirmed or None,
            "is_retry": (repeated or counter == device.last_counter) or None,
            "payload_raw": base64.b64encode(payload).decode() or UNSET,
        }
        device.last_counter = counter
        gateways = [self._gateway(GATEWAYS[0])]
        size = len(payload) + (13 if port else 12)
        message["metadata"] = self._metadata(device, size, gateways)
        merge(message["metadata"], metadata or {})
        if device.waiting is not None and (device.acknowledges if ack is None else ack):
            self.event(device, "down/acks", {"message": device.waiting.shown()})
            device.waiting = None
        if not self._forward(
            application, device, message, payload, decoded=decoded, overrides=overrides
        ):
            return None
        self._transmit(application, device, message, answered=answered)
        return message

    def _takes(self, device: Device, counter: int, *, confirmed: bool) -> bool:
        """Return whether the Network Server takes a frame: no old ones, retries of confirmed."""
        if device.disable_f_cnt_check or counter > device.counter:
            return True
        return confirmed and counter == device.counter

    def simulate(
        self,
        application: Application,
        device: Device,
        port: int,
        payload: bytes,
        decoded: Any = UNSET,
    ) -> dict[str, Any] | None:
        """Publish a simulated uplink: no session, no gateway, no counter."""
        message: dict[str, Any] = {
            "app_id": device.application_id,
            "dev_id": device.device_id,
            "hardware_serial": device.dev_eui,
            "port": port,
            "counter": 0,
            "payload_raw": base64.b64encode(payload).decode() or UNSET,
            "metadata": {"time": self._stack.time(), **device.location},
        }
        return (
            message
            if self._forward(application, device, message, payload, decoded=decoded)
            else None
        )

    def _forward(
        self,
        application: Application,
        device: Device,
        message: dict[str, Any],
        payload: bytes,
        *,
        decoded: Any,
        overrides: dict[str, Any] | None = None,
    ) -> bool:
        """Decode and publish an uplink; False for one that the validator doesn't take."""
        problem: str | None = None
        fields: dict[str, Any] | None = None
        try:
            fields = self._decode(application, device, message["port"], payload, decoded)
        except InvalidPayloadError as error:
            self.event(device, "up/errors", {"error": str(error)})
            return False
        except FunctionError as error:
            problem = str(error)
        if fields:
            message["payload_fields"] = fields
        if fields is not None and device.attributes:
            message["attributes"] = dict(sorted(device.attributes.items()))
        _complete(message)
        merge(message, overrides or {})
        self._shift(message)
        # The two come in either order.
        first = problem is not None and self._stack.random.random() < 0.5
        if first:
            self.event(device, "up/errors", {"error": problem})
        self.publish(device, "up", message)
        if problem is not None and not first:
            self.event(device, "up/errors", {"error": problem})
        whole = application.functions.payload_format == "cayennelpp"
        for kind, value in self._parts(fields or {}, nested=not whole):
            self.publish(device, kind, value)
        if self.published is not None:
            self.published(application, message)
        return True

    def _decode(
        self, application: Application, device: Device, port: int, payload: bytes, decoded: Any
    ) -> dict[str, Any] | None:
        if decoded is None:
            raise FunctionError(
                "Unable to decode payload fields: Internal error: Decoder threw error: Error"
            )
        if decoded is not UNSET:
            return dict(decoded)
        if device.formatter is not None and device.formatter.decode is not None:
            try:
                return device.formatter.decode(payload, port).data
            except FormatterError as error:
                raise FunctionError(f"Unable to decode payload fields: {error}") from None
        return application.functions.decode(payload, port)

    def _parts(self, fields: dict[str, Any], *, nested: bool) -> list[tuple[str, Any]]:
        """Return the topics of single fields and their values, in the dice's order.

        What can't be a topic is left out. A name that is empty adds nothing to the topic.
        """
        parts: list[tuple[str, Any]] = []

        def add(path: list[str], value: dict[str, Any]) -> None:
            for name, item in value.items():
                if set(name) & set("+*#"):
                    continue
                steps = [*path, name] if name else path
                parts.append(("/".join(steps), item))
                if nested and isinstance(item, dict):
                    add(steps, item)

        add(["up"], fields)
        self._stack.random.shuffle(parts)
        return parts

    def _gateway(self, gateway: dict[str, Any], rssi: float = -61, snr: float = 8.5) -> Any:
        """Return one gateway of the metadata."""
        names = ("gtw_id", "gtw_trusted")
        radio = {
            "timestamp": self._stack.random.getrandbits(32),
            "time": "",
            "channel": 0,
            "rssi": rssi,
            "snr": snr,
            "rf_chain": 0,
        }
        place = {name: value for name, value in gateway.items() if name not in names}
        return {name: gateway[name] for name in names if name in gateway} | radio | place

    def _metadata(
        self, device: Device, size: int, gateways: list[dict[str, Any]]
    ) -> dict[str, Any]:
        place = device.location
        return {
            "time": self._stack.time(),
            "frequency": 868.1,
            "modulation": "LORA",
            "data_rate": "SF7BW125",
            "airtime": downlinks.nanoseconds(airtime(size)),
            "coding_rate": "4/5",
            "gateways": gateways,
            **place,
            **({"location_source": "registry"} if place else {}),
        }

    def _shift(self, message: dict[str, Any]) -> None:
        """Change the time of an uplink by as much as the server's clock is wrong."""
        if skew := self._stack.faults.message_skew:
            then = moment(message["metadata"]["time"]) + skew
            message["metadata"]["time"] = timestamp(then, nanoseconds=0)

    # Downlinks

    def downlink(self, application_id: str, device_id: str, payload: bytes) -> None:
        """Take a published downlink; of what can't be read, there is no sign at all."""
        application = self._stack.applications.get(application_id)
        device = application.devices.get(device_id) if application is not None else None
        if device is None:
            return
        try:
            downlink, schedule = downlinks.parse(payload)
        except downlinks.UnreadableDownlinkError:
            return
        self.schedule(device, downlink, schedule)

    def schedule(self, device: Device, downlink: Downlink, schedule: str) -> bool:
        """Queue a downlink and publish that; return whether it was accepted."""
        error: str | None = None
        message = downlink.shown()
        if not downlink.payload_raw and not downlink.payload_fields:
            error, message = downlinks.EMPTY, downlink.shown(device)
        elif schedule not in ("", "replace", "first", "last"):
            error = downlinks.UNKNOWN_SCHEDULE
        if error is not None:
            self.event(device, "down/errors", {"error": error, "message": message})
            return False
        match schedule:
            case "first":
                device.queue.insert(0, downlink)
            case "last":
                device.queue.append(downlink)
            case _:
                device.queue, device.waiting = [downlink], None
        self.event(device, "down/scheduled", {"message": message})
        return True

    def _transmit(
        self, application: Application, device: Device, up: dict[str, Any], *, answered: bool
    ) -> None:
        """Send what waits for an acknowledgement, else the head of the queue, else an answer."""
        port, ack = up["port"], bool(up.get("confirmed"))
        downlink = device.waiting or (device.queue.pop(0) if device.queue else None)
        if downlink is not None:
            try:
                if downlink is not device.waiting:
                    downlink = downlinks.encoded(application, device, downlink, port)
            except (FunctionError, FormatterError) as error:
                message = downlink.shown(device)
                self.event(device, "down/errors", {"error": str(error), "message": message})
                self.event(device, "up/errors", {"error": str(error)})
                return
            if not downlink.payload_raw:
                downlink = None
        if downlink is None and not ack and not answered:
            return
        frame = downlinks.frame(device, downlink, port, self._stack.random, ack=ack)
        gateways = up["metadata"].get("gateways") or GATEWAYS
        frequency = up["metadata"].get("frequency", 868.1)
        sent = downlinks.sent(device, downlink, frame, gateways[0]["gtw_id"], frequency)
        self.event(device, "down/sent", sent)
        if downlink is not None:
            self._receive(device, downlink, port, ack=ack)
        device.f_cnt_down += 1

    def _receive(self, device: Device, downlink: Downlink, port: int, *, ack: bool) -> None:
        device.waiting = downlink if downlink.confirmed else None
        port = downlink.port or port
        payload = downlink.payload_raw
        device.received.append(
            Received(port, payload.hex(), downlink.confirmed, device.f_cnt_down, ack)
        )
        if self.commanded is not None:
            self.commanded(device, port, payload)


def _complete(message: dict[str, Any]) -> None:
    """Leave out what isn't true; a frame without payload has null."""
    order = ("payload_fields", "metadata", "attributes")
    rest = {name: message.pop(name) for name in order if name in message}
    for name in ("confirmed", "is_retry"):
        if not message.get(name):
            message.pop(name, None)
    if message["payload_raw"] is UNSET:
        message["payload_raw"] = None
    message |= deepcopy(rest)
