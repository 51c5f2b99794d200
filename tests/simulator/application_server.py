"""The Application Server: publishes what devices send, takes what they are sent."""

import asyncio
import base64
from collections.abc import Callable
import contextlib
import json
from typing import Any

from . import downlinks, errors, rights, traffic
from .broker import Broker
from .encoding import merge, timestamp
from .errors import RefusedError
from .faults import Faults
from .formatters import FormatterError
from .model import Application, Device, Downlink, Server, Stack
from .mqtt_server import Login
from .traffic import UNSET

CLASS_C_SECONDS = 0.02


def _require(device: Device, *servers: Server) -> None:
    for server in servers:
        if server not in device.documents:
            raise KeyError(f"{device.device_id} is not on the server {server}")


class ApplicationServer:
    """What happens between the radio, the queue and the subscribers."""

    def __init__(self, stack: Stack, faults: Faults) -> None:
        self.stack = stack
        self._faults = faults
        self.broker = Broker(self, faults)
        self._timers: set[asyncio.TimerHandle] = set()
        self.commanded: Callable[[Device, dict[str, Any], bytes], None] | None = None
        """Called with device, message and payload when a downlink reaches its device."""
        self.published: Callable[[Application, str, dict[str, Any]], None] | None = None
        """Called with application, device id and envelope of each message."""

    def close(self) -> None:
        """Forget transmissions that are still to come."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # MQTT

    def mqtt_login(self, username: str | None, password: str | None) -> Login | None:
        """Return the login of a CONNECT; None for any of the reasons that give code 5."""
        with contextlib.suppress(RefusedError):
            key = self.stack.find_key(password or "")
            for application_id in self.stack.applications:
                uid = self.stack.uid(application_id)
                if uid == username and (granted := self.stack.granted(key, application_id)):
                    return Login(
                        uid,
                        reads=rights.TRAFFIC_READ in granted,
                        writes=rights.TRAFFIC_DOWN_WRITE in granted,
                    )
        return None

    def mqtt_publish(self, uid: str, device_id: str, operation: str, payload: bytes) -> None:
        """Take a published downlink; what is wrong with it, only `down/failed` may say."""
        application = self.stack.applications[uid.partition("@")[0]]
        with contextlib.suppress(RefusedError, ValueError, AttributeError, TypeError):
            self.operate(application, device_id, operation, json.loads(payload), [])

    def publish(
        self, application: Application, device_id: str, kind: str, envelope: dict[str, Any]
    ) -> int:
        """Publish a message below `devices/{id}/`; return how many copies were sent."""
        if self.published is not None:
            self.published(application, device_id, envelope)
        if (device := application.devices.get(device_id)) is not None:
            self.stack.events.message(device, kind, envelope)
        topic = f"v3/{self.stack.uid(application.application_id)}/devices/{device_id}/{kind}"
        payload = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)
        return self.broker.deliver(topic, payload.encode())

    # Devices speak

    def join(self, application: Application, device: Device) -> dict[str, Any]:
        """Let a device join and publish it; KeyError where a server that it needs lacks it."""
        _require(device, "ns", "js", "as")
        envelope = traffic.join(self.stack, device)
        if (registry := device.documents.get("is")) is not None:
            registry["activated_at"] = timestamp(self.stack.now())
            device.touch("is", self.stack.now())
            self.stack.events.registry("is", "update", device, data=["activated_at"])
        self.publish(application, device.device_id, "join", envelope)
        return envelope

    def uplink(
        self,
        application: Application,
        device: Device,
        *,
        f_port: int,
        payload: bytes,
        decoded: Any = UNSET,
        overrides: dict[str, Any] | None = None,
        envelope_overrides: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Let a device send; publish what follows from it. Returns the uplink's envelope.

        Raises KeyError for a device that is half created: nothing comes of what it sends.
        """
        _require(device, "ns", "as")
        envelope = traffic.uplink(
            self.stack,
            application,
            device,
            f_port=f_port,
            payload=payload,
            decoded=decoded,
            overrides=overrides,
        )
        traffic.shift_times(envelope, self._faults.message_skew)
        merge(envelope, envelope_overrides or {})
        self._publish_decode_failure(application, device, envelope, decoded)
        if device.session is not None and device.session.waiting is not None:
            self._answered(application, device, device.session.waiting, envelope)
        self.forward(application, device, envelope)
        if "received_at" in envelope.get("uplink_message", {}):
            traffic.received(self.stack, device, envelope)
            if self._faults.storage and application.stores_uplinks:
                device.history.append(envelope)
        self._transmit(application, device, envelope["correlation_ids"])
        return envelope

    def forward(self, application: Application, device: Device, envelope: dict[str, Any]) -> None:
        """Publish an uplink with its normalized measurements and its location."""
        for message in traffic.normalized(envelope):
            self.publish(application, device.device_id, "up/normalized", message)
        self.publish(application, device.device_id, "up", envelope)
        data = envelope["uplink_message"].get("decoded_payload")
        location = traffic.infer_location(data) if isinstance(data, dict) else None
        if location is not None and not envelope.get("simulated"):
            solved = {key: envelope[key] for key in envelope if key != "uplink_message"}
            solved["location_solved"] = {"service": "frm-payload", "location": location}
            self.publish(application, device.device_id, "location/solved", solved)

    def simulate(
        self,
        application: Application,
        device: Device,
        message: dict[str, Any],
        decoded: Any = UNSET,
    ) -> dict[str, Any]:
        """Publish a simulated uplink; `decoded` stands in for what the formatter makes of it."""
        envelope = traffic.simulated(self.stack, application, device, message, decoded)
        self.forward(application, device, envelope)
        return envelope

    # Devices are spoken to

    def operate(
        self,
        application: Application,
        device_id: str,
        operation: str,
        body: Any,
        correlation_ids: list[str],
    ) -> None:
        """Push to or replace a device's queue, all of `body` or nothing.

        Raises what the API answers; some of it is published as `down/failed` besides.
        """
        items = downlinks.parse(body)
        device = application.devices.get(device_id)
        if device is None or "as" not in device.documents:
            uid = f"{self.stack.uid(application.application_id)}.{device_id}"
            raise errors.application_server_not_found(uid)
        prepared = [
            downlinks.prepare(self.stack, application, device, item, correlation_ids)
            for item in items
        ]
        error = downlinks.refusal(self.stack, device, prepared) if prepared else None
        if error is not None:
            self._publish_refused(application, device, prepared, error, correlation_ids)
            raise error
        if device.session is None:
            return
        if operation == "replace":
            device.session.queue.clear()
        for downlink in prepared:
            message = downlinks.queued(self.stack, application, device, downlink)
            self.publish(application, device_id, "down/queued", message)
            names = downlinks.call_names(prepared, downlink, correlation_ids)
            self.stack.events.received(device, message["downlink_queued"], names)
            device.session.f_cnt_down += 1
            downlink.f_cnt = device.session.f_cnt_down
            device.session.queue.append(downlink)
        # A class C device is known to listen once its second uplink answered the first downlink.
        if device.class_c and device.session.f_cnt_up > 0:
            self._later(CLASS_C_SECONDS, lambda: self._transmit(application, device, []))

    def _transmit(self, application: Application, device: Device, uplink_ids: list[str]) -> None:
        """Send the head of the queue, if nothing is waiting for an acknowledgment."""
        session = device.session
        if session is None or not session.queue or session.waiting is not None:
            return
        downlink = session.queue.pop(0)
        if (error := downlinks.expiry(self.stack, downlink)) is not None:
            self._publish_failed(application, device, downlink, error, uplink_ids)
            self._transmit(application, device, uplink_ids)
            return
        envelope = downlinks.transmitted(
            self.stack, application, device, "sent", downlink, uplink_ids=uplink_ids
        )
        self.publish(application, device.device_id, "down/sent", envelope)
        if downlink.confirmed:
            session.waiting = downlink
        if self.commanded is not None and (device.acknowledges or not downlink.confirmed):
            payload = base64.b64decode(downlink.message.get("frm_payload", ""))
            self.commanded(device, downlink.message, payload)

    def _answered(
        self,
        application: Application,
        device: Device,
        downlink: Downlink,
        envelope: dict[str, Any],
    ) -> None:
        """Publish what an uplink means for the confirmed downlink before it."""
        session = device.session
        assert session is not None
        session.waiting = None
        kind = "ack" if device.acknowledges else "nack"
        if kind == "nack" and downlink.attempt > downlink.max_attempts:
            error = downlinks.max_retries(downlink)
            self._publish_failed(application, device, downlink, error, envelope["correlation_ids"])
        message = downlinks.transmitted(
            self.stack, application, device, kind, downlink, uplink_ids=envelope["correlation_ids"]
        )
        self.publish(application, device.device_id, f"down/{kind}", message)
        if kind == "nack" and downlink.attempt <= downlink.max_attempts:
            downlink.attempt += 1
            session.f_cnt_down += 1
            downlink.f_cnt = session.f_cnt_down
            session.queue.insert(0, downlink)

    def _publish_decode_failure(
        self, application: Application, device: Device, envelope: dict[str, Any], decoded: Any
    ) -> None:
        """Publish in the event stream, and only there, why a formatter failed."""
        up = envelope["uplink_message"]
        if "decoded_payload" in up or not up.get("f_port"):
            return
        failure = errors.formatter_failed("the formatter failed") if decoded is None else None
        decode = traffic.formatter_of(application, device).decode
        if decoded is UNSET and decode is not None:
            try:
                decode(base64.b64decode(up.get("frm_payload", "")), up["f_port"])
            except FormatterError as error:
                failure = error.refusal()
        if failure is not None:
            details = failure.details()
            self.stack.events.publish(
                "as.up.data.decode.fail",
                device,
                rights.TRAFFIC_READ,
                data={"@type": "type.googleapis.com/ttn.lorawan.v3.ErrorDetails", **details},
                correlation_ids=envelope["correlation_ids"],
            )

    def _publish_refused(
        self,
        application: Application,
        device: Device,
        prepared: list[Downlink],
        error: RefusedError,
        call_ids: list[str],
    ) -> None:
        """Publish that none of these downlinks was queued."""
        events = self.stack.events
        for downlink in prepared:
            message = downlinks.failed(self.stack, application, device, downlink, error)
            self.publish(application, device.device_id, "down/failed", message)
            names = downlinks.call_names(prepared, downlink, call_ids)
            events.received(device, message["downlink_failed"]["downlink"], names)
        for downlink in prepared:
            names = downlinks.call_names(prepared, downlink, call_ids)
            events.dropped(device, error.details(), names)

    def _publish_failed(
        self,
        application: Application,
        device: Device,
        downlink: Downlink,
        error: RefusedError,
        uplink_ids: list[str],
    ) -> None:
        """Publish that a downlink of the queue will not be sent (again)."""
        message = downlinks.failed(self.stack, application, device, downlink, error)
        self.publish(application, device.device_id, "down/failed", message)
        names = sorted({*downlink.correlation_ids, *uplink_ids})
        self.stack.events.dropped(device, error.details(), names)

    def _later(self, delay: float, action: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(timer)
