"""Complete a user's data on an end device to a registration: model, QR code, keys, EUIs."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .configuration import parse_lorawan_version, usual_frequency_plan
from .deletion import RollbackFailed
from .errors import InvalidRequest, NotFound, StackError
from .identifiers import generate_eui, generate_key, propose_id
from .keys import ROOT_KEYS, SERVER_NAMES, SESSION_KEYS, missing, requirements
from .models import EndDevice, EndDeviceIds
from .protocols import ApplicationClient, RegistrationClient
from .registration import Registration, Server, Session
from .repository import DeviceTemplate
from .rules import printed_serial_number

VERSION_OF_ALL = "MAC_V1_0_2"
"""The LoRaWAN version whose keys end devices need where the network knows no versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """A user's data on an end device to register; the rest is looked up or generated.

    `known` are fields of a Registration; `model` is brand, model, firmware version and band;
    `keys` are called as in LoRaWAN: `app_key`, `nwk_key`, `app_s_key`, `nwk_s_key`,
    `s_nwk_s_int_key`, `nwk_s_enc_key`.
    """

    known: Mapping[str, Any] = field(repr=False)
    model: tuple[str, str, str, str] | None = None
    qr_code: str | None = field(default=None, repr=False)
    claim_code: str | None = field(default=None, repr=False)
    """The claim code on the end device; not needed if the QR code has it."""
    issue_dev_eui: bool = False
    joins: bool = True
    dev_addr: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    counters: Mapping[str, int] = field(default_factory=dict)
    """The frame counters of a session, as `Session` has them."""
    generate_keys: bool = False
    taken: Collection[str] = ()
    """IDs of other end devices, which are not chosen for one without an ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRegistration:
    """A registration, the keys that were generated for it, and the codes to claim it by."""

    registration: Registration
    generated: Mapping[str, str] = field(repr=False)
    qr_code: str | None = field(default=None, repr=False)
    claim_code: str | None = field(default=None, repr=False)
    chosen: Mapping[str, str] = field(default_factory=dict)
    """What was chosen because it was not given: any of `dev_eui`, `join_eui`, `frequency_plan_id`
    and `dev_addr`, with their values."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Texts about data in the QR code that can't be registered."""
        return self.registration.warnings


async def prepare_registration(
    stack: RegistrationClient, request: DeviceRequest
) -> PreparedRegistration:
    """Return a complete registration; changes nothing, but may have a DevEUI issued.

    Raises InvalidRequest for missing and contradictory values, unknown models and QR codes, and
    all that `EndDevices.check` raises. Those come before a DevEUI is issued, as their number is
    limited.
    """
    if request.issue_dev_eui and request.known.get("dev_eui"):
        raise InvalidRequest(
            "there is a DevEUI already: leave it out, or don't let one be issued",
            name="dev_eui_unused",
        )
    outline, qr_code = await _registration_of(stack, request)
    registration = outline
    claimed = qr_code is not None or request.claim_code is not None
    if not stack.capabilities.frequency_plans:
        registration = _without_versions(registration, request)
    if registration.lorawan_version is None:
        raise missing("lorawan_version")
    if registration.dev_eui is None and request.joins and not request.issue_dev_eui:
        raise missing("dev_eui")
    keys, generated = _keys(request, registration.lorawan_version, claimed)
    if request.joins:
        join_eui = registration.join_eui or await stack.configuration.default_join_eui()
        registration = replace(
            registration,
            join_eui=join_eui,
            claimed=claimed,
            app_key=keys.get("app_key"),
            nwk_key=keys.get("nwk_key"),
        )
    else:
        registration = replace(registration, session=await _session(stack, request, keys))
    if request.issue_dev_eui:
        await stack.end_devices.check(replace(registration, dev_eui=generate_eui()))
        registration = replace(registration, dev_eui=await stack.end_devices.issue_dev_eui())
    checked = (
        registration.checked()
        if stack.capabilities.frequency_plans
        else await stack.end_devices.check(registration)
    )
    return PreparedRegistration(
        registration=checked,
        generated=generated,
        qr_code=qr_code,
        claim_code=request.claim_code,
        chosen=_chosen(request, outline, checked),
    )


def _chosen(
    request: DeviceRequest, outline: Registration, complete: Registration
) -> dict[str, str]:
    """Return what a complete registration has that neither the user nor a QR code gave."""
    found = {
        name: value
        for name in ("dev_eui", "join_eui")
        if getattr(outline, name) is None and (value := getattr(complete, name)) is not None
    }
    if request.known.get("frequency_plan_id") is None and complete.frequency_plan_id is not None:
        found["frequency_plan_id"] = complete.frequency_plan_id
    if complete.session is not None and request.dev_addr is None:
        found["dev_addr"] = complete.session.dev_addr
    return found


async def _registration_of(
    stack: RegistrationClient, request: DeviceRequest
) -> tuple[Registration, str | None]:
    """Return what is known of the device, and its QR code if it is claimed by that."""
    known = {name: value for name, value in request.known.items() if value is not None}
    template: DeviceTemplate | None = None
    claimed_by = None
    if request.qr_code is not None:
        code = await stack.qr_codes.parse(request.qr_code)
        known = {**_of_code(code), **known}
        if request.joins and code.join_eui and await stack.claiming.supports(code.join_eui):
            claimed_by = request.qr_code
        template = await _of_profile(stack, code)
    if request.model is not None:
        template = await stack.repository.template(*request.model)
    if "device_id" not in known:
        named = known.get("name") or known.get("dev_eui") or ""
        known["device_id"] = propose_id(named, request.taken)
    band = template.version_ids.band_id if template and template.version_ids else None
    if "frequency_plan_id" in known:
        await stack.configuration.check_frequency_plan(known["frequency_plan_id"], band)
    elif band is not None:
        plans = await stack.configuration.frequency_plans(band)
        if (plan := usual_frequency_plan(plans)) is not None:
            known["frequency_plan_id"] = plan.id
    if template is None:
        return Registration(**known), claimed_by
    return Registration.from_template(template, **known), claimed_by


def _without_versions(registration: Registration, request: DeviceRequest) -> Registration:
    """Return a registration for a network where end devices have no LoRaWAN version.

    Raises InvalidRequest without an EUI or an address, which such a network has none to give.
    """
    if request.joins and registration.join_eui is None:
        raise missing("join_eui")
    if not request.joins and not request.dev_addr:
        raise missing("dev_addr")
    return replace(registration, lorawan_version=VERSION_OF_ALL)


def _of_code(code: DeviceTemplate) -> dict[str, Any]:
    names = ("dev_eui", "join_eui", "vendor_id", "vendor_profile_id")
    known = {name: value for name in names if (value := getattr(code, name)) is not None}
    serial_number, warnings = printed_serial_number(code.serial_number)
    return known | {"serial_number": serial_number, "warnings": warnings}


async def _of_profile(stack: RegistrationClient, code: DeviceTemplate) -> DeviceTemplate | None:
    """Return the template for the model numbers in a QR code; None if they are unknown."""
    if code.vendor_id is None or code.vendor_profile_id is None:
        return None
    try:
        return await stack.repository.template_of_profile(code.vendor_id, code.vendor_profile_id)
    except NotFound:
        return None


def _keys(
    request: DeviceRequest, lorawan_version: str, claimed: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the keys that the device needs, and those of them that were generated."""
    wrong = SESSION_KEYS if request.joins else ROOT_KEYS
    if any(name in request.keys for name in wrong) or (request.joins and request.dev_addr):
        raise InvalidRequest(
            "a device that joins has no session keys and no address of its own"
            if request.joins
            else "a device that doesn't join has no root keys",
            name="session_unused" if request.joins else "keys_unused",
        )
    keys = dict(request.keys)
    generated: dict[str, str] = {}
    needed = requirements(parse_lorawan_version(lorawan_version), joins=request.joins)
    for name in () if request.joins and claimed else needed.keys:
        if name in keys:
            continue
        if not request.generate_keys:
            raise missing(name)
        keys[name] = generated[name] = generate_key()
    return keys, generated


async def _session(
    stack: RegistrationClient, request: DeviceRequest, keys: Mapping[str, str]
) -> Session:
    return Session(
        dev_addr=request.dev_addr or await stack.configuration.dev_addr(),
        counters=request.counters,
        **{SERVER_NAMES[name]: key for name, key in keys.items()},
    )


async def claim_and_register(
    stack: ApplicationClient,
    registration: Registration,
    *,
    qr_code: str | None = None,
    claim_code: str | None = None,
) -> EndDevice:
    """Claim an end device if there is a code, register it, and return it.

    If registering fails or is cancelled, the claim is given up. Raises what claiming and
    registering raise; RollbackFailed if the claim could not be given up.
    """
    if qr_code is None and claim_code is None:
        return await stack.end_devices.register(registration)
    device_id = registration.device_id
    claim = asyncio.create_task(_claim(stack, registration, qr_code, claim_code or ""))
    try:
        await asyncio.wait([claim])
        claim.result()
        return await stack.end_devices.register(registration)
    except BaseException as error:
        # The server may have claimed it although the caller was cancelled.
        if not await asyncio.shield(_given_back(stack, device_id, claim)):
            left = error.left_on if isinstance(error, RollbackFailed) else ()
            raise RollbackFailed(device_id, cause=error, left_on=(Server.JOIN, *left)) from error
        raise


async def _claim(
    stack: ApplicationClient, registration: Registration, qr_code: str | None, claim_code: str
) -> EndDeviceIds:
    device_id = registration.device_id
    if qr_code is not None:
        return await stack.claiming.claim_by_qr_code(qr_code, device_id=device_id)
    return await stack.claiming.claim(
        dev_eui=registration.dev_eui or "",
        join_eui=registration.join_eui or "",
        authentication_code=claim_code,
        device_id=device_id,
    )


async def _given_back(
    stack: ApplicationClient, device_id: str, claim: asyncio.Task[EndDeviceIds]
) -> bool:
    await asyncio.wait([claim])
    if claim.cancelled() or claim.exception() is not None:
        return True
    try:
        await stack.claiming.unclaim(device_id)
    except StackError:
        return False
    return True
