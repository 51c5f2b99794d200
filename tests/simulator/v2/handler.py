"""The HTTP API of the Handler: applications and devices. Every refusal is a text with status 500."""

from collections.abc import Awaitable, Callable
import re
from typing import Any

from aiohttp import web

from . import bodies, errors
from .accounts import DELETE, DEVICES, SETTINGS, Caller
from .errors import RefusedError
from .functions import CUSTOM, NAMES, Functions
from .model import Application, Device, Stack
from .traffic import Traffic
from .web import SET, Route, answer, plain

_ID = re.compile(r"^[a-z0-9](?:[_-]?[a-z0-9]){1,35}$")
_ID_LENGTH = 36
_RULE = (
    "has wrong format. IDs can contain lowercase letters, numbers, dashes and underscores and "
    "should have a maximum length of 36"
)
_OWN_ATTRIBUTES = 5
_KEPT = ("app_key", "dev_addr", "nwk_s_key", "app_s_key")
"""What stays as it is where an edit doesn't give it."""
_KEYS = ("app_eui", "dev_eui", *_KEPT)


def _id_problem(kind: str, value: str) -> str | None:
    if not value:
        return f"{kind} not valid: can not be empty"
    if not _ID.match(value) or len(value) > _ID_LENGTH:
        return f"{kind} not valid: {_RULE}"
    return None


def _check_id(prefix: str, kind: str, value: str) -> None:
    if problem := _id_problem(kind, value):
        raise RefusedError(f"{prefix}: {problem}")


class Handler:
    """Applications and devices over HTTP."""

    def __init__(
        self, stack: Stack, traffic: Traffic, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._stack = stack
        self._traffic = traffic
        self._sleep = sleep

    def routes(self) -> list[Route]:
        """Return methods, path and handler of each call."""
        application = "/applications/{application_id}"
        device = application + "/devices/{device_id}"
        return [
            (("POST",), "/applications", self._register),
            (("GET",), application, self._get),
            (SET, application, self._set),
            (("DELETE",), application, self._delete),
            (("GET",), application + "/devices", self._list_devices),
            (SET, application + "/devices", self._set_device),
            (("GET",), device, self._get_device),
            (SET, device, self._set_device),
            (("DELETE",), device, self._delete_device),
        ]

    # Who calls

    async def _caller(self, request: web.Request, application_id: str, right: str) -> Caller:
        """Return who calls, with the right; calls are counted before rights are looked at."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        metadata = {scheme.lower(): credentials}
        key = metadata.get("key") or request.headers.get("Grpc-Metadata-Key")
        token = metadata.get("bearer") or request.headers.get("Grpc-Metadata-Token")
        if self._stack.faults.keys_refused:
            raise RefusedError("Invalid credentials")
        caller = self._stack.accounts.caller(key, token, application_id)
        wait = 0.0
        for kind, subject in (("client", caller.subject), ("application", application_id)):
            turn = self._stack.limits.take(kind, subject)
            if turn is None:
                raise errors.rate_limited(subject, kind=kind)
            wait = max(wait, turn)
        if wait:
            await self._sleep(wait)
        if self._stack.faults.rights_empty:
            raise errors.no_right(right, application_id)
        caller.require(right, application_id)
        return caller

    # Applications

    async def _register(self, request: web.Request) -> web.StreamResponse:
        body = bodies.APPLICATION(bodies.parse(await request.text()))
        application_id = body.get("app_id", "")
        _check_id("Invalid Application Identifier", "AppID", application_id)
        caller = await self._caller(request, application_id, SETTINGS)
        if application_id in self._stack.applications:
            raise RefusedError("Application already exists")
        # Without the right to delete, announcing it fails without a word.
        self._stack.applications[application_id] = Application(
            application_id, announced=DELETE in caller.rights
        )
        return answer({})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        application_id = request.match_info["application_id"]
        if problem := _id_problem("AppID", application_id):
            raise RefusedError(f"Application Identifier not valid: {problem}")
        await self._caller(request, application_id, SETTINGS)
        return answer(self._stack.application(application_id).document())

    async def _set(self, request: web.Request) -> web.StreamResponse:
        """Set all fields: what is not given is cleared. Functions are not looked at."""
        body = bodies.APPLICATION(bodies.parse(await request.text()))
        application_id = request.match_info["application_id"]
        _check_id("Invalid Application Identifier", "AppID", application_id)
        await self._caller(request, application_id, SETTINGS)
        application = self._stack.application(application_id)
        scripts = {name: body[name] for name in NAMES if body.get(name)}
        default = CUSTOM if scripts else ""
        application.functions = Functions(body.get("payload_format") or default, scripts)
        application.register_on_join_access_key = body.get("register_on_join_access_key", "")
        return answer({})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        """Delete an application with its devices, unless the Network Server has enough of it."""
        application_id = request.match_info["application_id"]
        caller = await self._caller(request, application_id, DELETE)
        application = self._stack.application(application_id)
        for device_id in sorted(application.devices):
            if self._stack.limits.take("network server", caller.subject) is None:
                limit = errors.rate_limited(caller.subject).message
                raise RefusedError(f"Internal error: Broker did not delete device: {limit}")
            del application.devices[device_id]
        del self._stack.applications[application_id]
        return answer({})

    # Devices

    async def _registered(self, request: web.Request) -> Application:
        application_id = request.match_info["application_id"]
        await self._caller(request, application_id, DEVICES)
        try:
            return self._stack.application(application_id)
        except RefusedError as error:
            raise RefusedError(
                f"Application not registered to this Handler: {error.message}"
            ) from None

    async def _list_devices(self, request: web.Request) -> web.StreamResponse:
        numbers = {}
        for name in ("limit", "offset"):
            text = request.query.get(name) or "0"
            if not re.fullmatch(r"[+-]?\d+", text):
                return plain(400, f'strconv.Atoi: parsing "{text}": invalid syntax')
            numbers[name] = int(text)
        application = await self._registered(request)
        devices = [device for _, device in sorted(application.devices.items())]
        page = devices[numbers["offset"] :][: numbers["limit"] or None]
        counts = {"selected": str(len(page)), "total": str(len(devices))}
        documents = [device.document(counters=False) for device in page]
        return answer({"devices": documents} if documents else {}, **counts)

    async def _get_device(self, request: web.Request) -> web.StreamResponse:
        return answer((await self._device(request)).document(counters=True))

    async def _delete_device(self, request: web.Request) -> web.StreamResponse:
        device = await self._device(request)
        del self._stack.applications[device.application_id].devices[device.device_id]
        self._traffic.event(device, "delete", None)
        return answer({})

    async def _device(self, request: web.Request) -> Device:
        device_id = request.match_info["device_id"]
        _check_id("Invalid Device Identifier", "DevID", device_id)
        application = await self._registered(request)
        if device_id not in application.devices:
            raise errors.device_not_found(application.application_id, device_id)
        return application.devices[device_id]

    async def _set_device(self, request: web.Request) -> web.StreamResponse:
        """Create or change: all fields are set, also those that are not given."""
        body = bodies.DEVICE(bodies.parse(await request.text()))
        device_id = request.match_info.get("device_id") or body.get("dev_id", "")
        _check_device(device_id, body)
        application = await self._registered(request)
        lorawan = body["lorawan_device"]
        before = application.devices.get(device_id)
        if lorawan.get("dev_eui"):
            other = self._stack.find_euis(lorawan.get("app_eui", ""), lorawan["dev_eui"])
            if other is not None and other is not before:
                raise RefusedError("Device with AppEUI and DevEUI already exists")
        own = [name for name in body.get("attributes", {}) if not name.startswith("ttn-")]
        if len(own) > _OWN_ATTRIBUTES:
            raise RefusedError(f"Maximum number of custom attributes ({_OWN_ATTRIBUTES}) exceeded")
        device = before or Device(application.application_id, device_id)
        place = device.location
        update(device, body)
        application.devices[device_id] = device
        changed = {
            name: value for name, value in device.location.items() if value != place.get(name)
        }
        kind = "create" if before is None else "update"
        self._traffic.event(device, kind, {**changed, "update_at": self._stack.time()})
        return answer({})


def _check_device(device_id: str, body: dict[str, Any]) -> None:
    """Raise what the rules of a device message are refused with."""
    _check_id("Invalid Device", "DevID", device_id)
    lorawan = body.get("lorawan_device")
    if lorawan is None:
        raise RefusedError("Invalid Device: Device not valid: can not be empty")
    inner = "Invalid Device: Invalid Device: Invalid LoRaWANDevice"
    _check_id(inner, "AppID", lorawan.get("app_id", ""))
    _check_id(inner, "DevID", lorawan.get("dev_id", ""))


def update(device: Device, body: dict[str, Any]) -> None:
    """Set all fields of a device; keys that are not given stay, counters become 0."""
    lorawan = body["lorawan_device"]
    for name in ("description", "attributes", "latitude", "longitude", "altitude"):
        setattr(device, name, body.get(name) or type(getattr(device, name))())
    for name in _KEYS:
        if name not in _KEPT or lorawan.get(name):
            setattr(device, name, lorawan.get(name, ""))
    for name in ("f_cnt_up", "f_cnt_down", "disable_f_cnt_check", "uses32_bit_f_cnt"):
        setattr(device, name, lorawan.get(name) or type(getattr(device, name))())
    device.activation_constraints = lorawan.get("activation_constraints") or "local"
