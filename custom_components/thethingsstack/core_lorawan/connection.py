"""An application as a connection of the library `lorawan-connection`, version 1.3.

Only loaded where Home Assistant's LoRaWAN integration is, which installs that library.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from lorawan_connection import (
    AckEvent,
    AddedEvent,
    ConnectionUnavailable,
    DeviceDescriptor,
    DeviceEvent,
    Downlink,
    DownlinkError,
    GatewayReception,
    JoinEvent,
    LocationEvent,
    RemovedEvent,
    Unsubscribe,
    UpdatedEvent,
    UplinkEvent,
    notify,
    subscribe,
)

from ..client import Downlink as StackDownlink, JoinAccept, LocationSolved, UplinkMessage
from ..const import DOMAIN
from ..downlinks import DownlinkRecord, DownlinkState
from ..end_devices import EndDeviceState

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

STACK_TYPE: Final = "tts"
"""Whose names of brands and models are meant: those of The Things Stack's Device Repository."""
NO_BRAND: Final = DOMAIN
"""Brand of end devices that are registered without one, since core lists no others as supported."""

type Brands = frozenset[tuple[str, int | str]]


class StackConnection:
    """The end devices of an application, their uplinks and downlinks, for other integrations."""

    stack_type = STACK_TYPE

    def __init__(self, network_id: str, coordinator: ApplicationCoordinator) -> None:
        """Start without end devices; `network_id` is the entry's ID, as core expects it."""
        self._network_id = network_id
        self._roster = coordinator.roster
        self._downlinks = coordinator.downlinks
        self._devices: dict[str, tuple[DeviceDescriptor, EndDeviceState]] = {}
        self._listeners: list[tuple[Brands | None, Callable[[DeviceEvent], None]]] = []
        self._lost: list[Callable[[None], None]] = []
        self._waiting: dict[str, DeviceDescriptor] = {}
        self._stop_following = self._downlinks.subscribe(self._on_downlink)
        self._closed = False

    def identifier(self, dev_eui: str) -> str:
        """Return what identifies an end device in core's list."""
        return f"{self._network_id}:{dev_eui.lower()}"

    @property
    def brands(self) -> set[tuple[str, int | str]]:
        """Return the brands of all end devices, with the stack that names them."""
        return {
            (descriptor.stack, descriptor.brand_id)
            for descriptor, _ in self._devices.values()
            if descriptor.brand_id is not None
        }

    # What core and the integrations of brands call

    async def async_subscribe(
        self, *, brands: Brands | None = None, listener: Callable[[DeviceEvent], None]
    ) -> Unsubscribe:
        """Call the listener for each end device, then for all that happens; for some brands only.

        Raises ConnectionUnavailable when the connection is closed.
        """
        if self._closed:
            raise ConnectionUnavailable("the application is not connected")
        subscription = (brands, listener)
        self._listeners.append(subscription)
        for descriptor, _ in list(self._devices.values()):
            if _concerns(brands, descriptor):
                listener(AddedEvent(descriptor=descriptor))

        def unsubscribe() -> None:
            if subscription in self._listeners:
                self._listeners.remove(subscription)

        return unsubscribe

    def on_disconnect(self, listener: Callable[[], None]) -> Unsubscribe:
        """Call the listener when the connection is closed."""
        return subscribe(self._lost, lambda _: listener())

    async def async_send_downlink(self, downlink: Downlink) -> str:
        """Queue a downlink, and return the ID that the event on its outcome will have.

        Raises DownlinkError with the reason if that is refused.
        """
        found = self._devices.get(downlink.dev_eui.replace(":", "").lower())
        if self._closed or found is None:
            raise DownlinkError("the application is not connected, or has no such end device")
        if downlink.expires_at is not None:
            raise DownlinkError("a downlink in The Things Stack can't expire")
        descriptor, device = found
        try:
            record = await self._downlinks.async_send(
                device,
                StackDownlink(
                    f_port=downlink.f_port, payload=downlink.data, confirmed=downlink.confirmed
                ),
            )
        except HomeAssistantError as err:
            raise DownlinkError(str(err)) from err
        if downlink.confirmed:
            self._waiting[record.id] = descriptor
            self._on_downlink(device, record)
        return record.id

    # What the application calls

    @callback
    def update(self) -> list[EndDeviceState]:
        """Report what has changed about the list of end devices; return those that are in it.

        Those without DevEUI can't be, nor those that are no longer registered.
        """
        devices: dict[str, tuple[DeviceDescriptor, EndDeviceState]] = {}
        for device in self._roster.states.values():
            if device.ids.dev_eui is not None and not device.vanished:
                descriptor = self._descriptor(device, device.ids.dev_eui)
                devices.setdefault(descriptor.dev_eui, (descriptor, device))
        before, self._devices = self._devices, devices
        for dev_eui, (descriptor, _) in before.items():
            after = devices[dev_eui][0] if dev_eui in devices else None
            if after is None or after.brand_id != descriptor.brand_id:
                self._emit(RemovedEvent(descriptor=descriptor))
        for dev_eui, (descriptor, _) in devices.items():
            earlier = before[dev_eui][0] if dev_eui in before else None
            if earlier is None or earlier.brand_id != descriptor.brand_id:
                self._emit(AddedEvent(descriptor=descriptor))
            elif earlier != descriptor:
                self._emit(UpdatedEvent(descriptor=descriptor))
        return [device for _, device in devices.values()]

    def _descriptor(self, device: EndDeviceState, dev_eui: str) -> DeviceDescriptor:
        versions = device.version_ids
        model_id = (versions.model_id if versions else None) or ""
        return DeviceDescriptor(
            network_id=self._network_id,
            stack=STACK_TYPE,
            dev_eui=dev_eui,
            name=device.name,
            application_id=device.ids.application_id,
            profile_id="",
            brand_id=(versions.brand_id if versions else None) or NO_BRAND,
            model_id=model_id,
            model=model_id.upper(),
        )

    def _known(self, device: EndDeviceState) -> DeviceDescriptor | None:
        """Return an end device's descriptor; updates the list first where it is new."""
        if device.ids.dev_eui is None:
            return None
        dev_eui = device.ids.dev_eui.lower()
        if dev_eui not in self._devices:
            self.update()
        descriptor, listed = self._devices.get(dev_eui, (None, None))
        return descriptor if listed is device else None

    @callback
    def on_uplink(self, device: EndDeviceState, uplink: UplinkMessage) -> None:
        """Report an uplink; not one whose payload only the Application Server's client can read."""
        descriptor = self._known(device)
        if descriptor is None or "app_s_key" in uplink.body:
            return
        self._emit(
            UplinkEvent(
                descriptor=descriptor,
                received_at=_or_now(uplink.time),
                data=uplink.frm_payload or b"",
                f_port=uplink.f_port,
                receptions=tuple(
                    GatewayReception(r.gateway_id or r.gateway_eui or "", r.rssi, r.snr)
                    for r in uplink.receptions_by_gateway
                ),
            )
        )

    @callback
    def on_joined(self, device: EndDeviceState, message: JoinAccept) -> None:
        """Report a join."""
        if (descriptor := self._known(device)) is not None:
            address = (message.ids.dev_addr or "").lower()
            self._emit(
                JoinEvent(
                    descriptor=descriptor, received_at=_or_now(message.time), dev_addr=address
                )
            )

    @callback
    def on_location(self, device: EndDeviceState, message: LocationSolved) -> None:
        """Report a position that a location service has found."""
        descriptor, location = self._known(device), message.location
        if descriptor is not None and location is not None:
            self._emit(
                LocationEvent(
                    descriptor=descriptor,
                    received_at=_or_now(message.time),
                    latitude=location.latitude,
                    longitude=location.longitude,
                    altitude=location.altitude or 0.0,
                )
            )

    @callback
    def _on_downlink(self, _device: EndDeviceState, record: DownlinkRecord) -> None:
        """Report the outcome of a confirmed downlink, once it is known."""
        if record.open or (descriptor := self._waiting.pop(record.id, None)) is None:
            return
        self._emit(
            AckEvent(
                descriptor=descriptor,
                received_at=record.updated,
                queue_item_id=record.id,
                acknowledged=record.state is DownlinkState.ACKNOWLEDGED,
            )
        )

    def _emit(self, event: DeviceEvent) -> None:
        descriptor = event.descriptor
        assert descriptor is not None
        for brands, listener in list(self._listeners):
            if _concerns(brands, descriptor):
                notify([listener], event)

    @callback
    def close(self) -> None:
        """End all subscriptions, and report that the connection is lost."""
        if not self._closed:
            self._closed = True
            self._stop_following()
            self._waiting.clear()
            notify(self._lost, None)
            self._listeners.clear()
            self._lost.clear()


def _concerns(brands: Brands | None, descriptor: DeviceDescriptor) -> bool:
    return brands is None or (descriptor.stack, descriptor.brand_id) in brands


def _or_now(moment: datetime | None) -> datetime:
    return moment or dt_util.utcnow()
