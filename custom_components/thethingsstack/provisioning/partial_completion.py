"""Complete a half created end device: a form for what is missing, and writing it to the servers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from ..application import Refusal
from ..client import (
    ApplicationClient,
    DeviceTemplate,
    EndDevice,
    NotFound,
    Presence,
    Registration,
    RollbackFailed,
    Server,
    generate_key,
)
from ..dialogs import chosen, searchable, unchosen
from .register_form import MAX_NAME, keys_of, read_keys, read_session

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

_JOIN_KEYS = ("app_key", "nwk_key")
_APPLICATION_KEY = "app_s_key"
_SOME_VERSION = "MAC_V1_0_3"
_NO_ADDRESS = "0" * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialDevice:
    """An end device that only some servers have: which of them, and its data there."""

    presence: Presence
    end_device: EndDevice
    joins: bool

    @classmethod
    async def async_read(cls, stack: ApplicationClient, device_id: str, presence: Presence) -> Self:
        """Return it as read from the servers that have it; raises StackError."""
        details = await stack.end_devices.details(device_id, stranded=not presence.identity)
        end_device = EndDevice.from_json(details)
        if presence.network:
            joins = details.get("supports_join") is True
        else:
            session = "session" in details and end_device.activated_at is None
            joins = presence.join is True or (end_device.ids.join_eui is not None and not session)
        return cls(presence=presence, end_device=end_device, joins=joins)

    @property
    def device_id(self) -> str:
        """Return its ID in The Things Stack."""
        return self.end_device.ids.device_id

    @property
    def missing(self) -> tuple[Server, ...]:
        """Return the servers that don't have it, although it needs them."""
        return self.presence.missing

    @property
    def claimed(self) -> bool:
        """Return whether its root keys are on a Join Server of its manufacturer."""
        return self.joins and self.presence.join is None

    @property
    def completable(self) -> bool:
        """Return whether the user can complete it with what a form can ask for.

        Without an entry on the Identity Server, only its name can be asked for.
        """
        if self.joins and not (self.end_device.ids.dev_eui and self.end_device.ids.join_eui):
            return False
        if self.presence.identity:
            return True
        return self.presence.network and (not self.joins or self.presence.join is True)

    @property
    def dev_addr(self) -> str | None:
        """Return the device address of its session; None if no server has one."""
        session = self.end_device.raw.get("session")
        address = session.get("dev_addr") if isinstance(session, Mapping) else None
        return address if isinstance(address, str) else None

    async def async_template(self, stack: ApplicationClient) -> DeviceTemplate | None:
        """Return its LoRaWAN version and settings; None if the user must be asked.

        Raises StackError.
        """
        model = await self._async_of_model(stack)
        raw, versions = self.end_device.raw, self.end_device.version_ids
        if self.presence.network:
            return DeviceTemplate(
                lorawan_version=str(raw.get("lorawan_version") or _SOME_VERSION),
                supports_join=self.joins,
                mac_settings={},
                version_ids=versions,
                formatters=None if model is None else model.formatters,
            )
        if model is None or model.lorawan_version is None:
            return None
        return replace(
            model, supports_join=self.joins, version_ids=versions, dev_eui=None, join_eui=None
        )

    async def _async_of_model(self, stack: ApplicationClient) -> DeviceTemplate | None:
        versions = self.end_device.version_ids
        parts = versions and (
            versions.brand_id,
            versions.model_id,
            versions.firmware_version,
            versions.band_id,
        )
        known = [part for part in parts or () if part]
        if len(known) < 4 or not {Server.NETWORK, Server.APPLICATION} & set(self.missing):
            return None
        try:
            return await stack.repository.template(*known)
        except NotFound:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What to write to which servers.

    `generated` are keys that must be written to the end device, too, by their LoRaWAN names.
    """

    registration: Registration
    servers: tuple[Server, ...]
    generated: Mapping[str, str] = field(repr=False)


def keys_asked(partial: PartialDevice, template: DeviceTemplate) -> dict[str, str]:
    """Return the keys that the missing servers need: LoRaWAN names by form field."""
    return {
        key: name
        for key, name in keys_of(template, partial.claimed).items()
        if _holder(key) in partial.missing
    }


def _holder(key: str) -> Server:
    if key in _JOIN_KEYS:
        return Server.JOIN
    return Server.APPLICATION if key == _APPLICATION_KEY else Server.NETWORK


def completion_schema(
    partial: PartialDevice, template: DeviceTemplate, plans: Mapping[str, str], usual: str | None
) -> vol.Schema:
    """Return the form for what the missing servers need and no other server has."""
    text = TextSelector()
    fields: dict[Any, Any] = {}
    if Server.IDENTITY in partial.missing:
        fields[vol.Optional("name")] = text
    if Server.NETWORK in partial.missing:
        fields[unchosen("frequency_plan", usual)] = searchable(plans)
    if asks_address(partial):
        fields[vol.Optional("dev_addr")] = text
    fields |= {vol.Optional(key): text for key in keys_asked(partial, template)}
    return vol.Schema(fields)


def asks_address(partial: PartialDevice) -> bool:
    """Return whether the form asks for a device address: it doesn't join, and no server has it."""
    return (
        not partial.joins
        and partial.dev_addr is None
        and bool(set(partial.missing) - {Server.IDENTITY})
    )


def read_completion(
    partial: PartialDevice,
    template: DeviceTemplate,
    answers: Mapping[str, Any],
    plans: Mapping[str, str],
    *,
    name: str,
    address: str | None,
) -> Completion:
    """Return what to write from the form's answers; raises Refusal for invalid ones.

    Empty keys are generated; `name` and `address` replace empty answers. Servers that already have
    the end device are not changed.
    """
    given = {key: str(value).strip() for key, value in answers.items() if str(value).strip()}
    name = given.get("name") or name
    if len(name) > MAX_NAME:
        raise Refusal("name", "name_too_long", length=len(name), longest=MAX_NAME)
    plan = "-"
    if Server.NETWORK in partial.missing:
        plan = chosen("frequency_plan", given.get("frequency_plan", ""), plans)
    keys, generated = read_keys(keys_asked(partial, template), given)
    # A Registration must have all keys; those that weren't asked for are sent to no server.
    keys = {key: keys.get(key) or generate_key() for key in keys_of(template, partial.claimed)}
    ids = partial.end_device.ids
    known: dict[str, Any] = {"join_eui": ids.join_eui, **keys}
    if not partial.joins:
        typed = given.get("dev_addr") if asks_address(partial) else partial.dev_addr
        if typed is None and address is not None:
            generated = {"DevAddr": address, **generated}
        known = {"session": read_session(typed or address or _NO_ADDRESS, keys)}
    registration = Registration.from_template(
        template,
        device_id=partial.device_id,
        dev_eui=ids.dev_eui,
        name=name,
        frequency_plan_id=plan,
        claimed=partial.claimed,
        **known,
    )
    return Completion(registration=registration, servers=partial.missing, generated=generated)


async def async_complete(coordinator: ApplicationCoordinator, completion: Completion) -> Presence:
    """Write what is missing, show the end device, and return which servers have it afterwards.

    What was written is rolled back if a server refuses, or the caller is cancelled. Raises
    StackError.
    """
    device_id = completion.registration.device_id
    with coordinator.sync.holding(device_id):
        try:
            end_device = await coordinator.stack.end_devices.complete(
                completion.registration, completion.servers
            )
        except RollbackFailed as err:
            coordinator.application_status.record_problem("rollback", device_id, str(err))
            coordinator.partial_devices.look_soon(device_id)
            raise
    coordinator.lifecycle.on_registered(end_device)
    return await coordinator.partial_devices.async_look(device_id)
