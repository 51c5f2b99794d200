"""End devices on the Identity Server: lists, search, create, update, delete."""

from collections.abc import Sequence
from typing import Any

from . import errors, messages, rights
from .encoding import get_path, moment, prune, select, set_path
from .errors import INVALID_ARGUMENT
from .http_server import Call
from .model import Application, Device
from .validation import EMBEDDED, check, check_update

IS_FIELDS = frozenset(
    [
        "ids",
        "created_at",
        "updated_at",
        "name",
        "description",
        "attributes",
        "version_ids",
        "service_profile_id",
        "network_server_address",
        "application_server_address",
        "join_server_address",
        "locations",
        "picture",
        "claim_authentication_code",
        "activated_at",
        "last_seen_at",
        "serial_number",
        "lora_alliance_profile_ids",
    ]
)
ADDRESSES = ("network_server_address", "application_server_address", "join_server_address")
_HEXADECIMAL = ("dev_eui", "join_eui", "dev_addr")


def upper_case(ids: dict[str, Any]) -> dict[str, Any]:
    """Return identifiers as the stack writes them, whatever letters they came in."""
    return {key: item.upper() if key in _HEXADECIMAL else item for key, item in ids.items() if item}


def page[T](call: Call, items: Sequence[T], message_type: str) -> Sequence[T]:
    """Return the asked page of `items`; notes the total in `X-Total-Count`."""
    limit = call.number("limit", 100) or 100
    check_limit(limit, message_type)
    number = 1 if call.stack.faults.pages_ignored else max(call.number("page", 1), 1)
    start = (number - 1) * limit
    call.headers["X-Total-Count"] = str(len(items))
    return items[start : start + limit]


def check_limit(limit: int, message_type: str) -> None:
    """Raise what a limit above 1000 is answered with."""
    if limit > 1000:
        raise errors.invalid(("limit", message_type, "value must be less than or equal to 1000"))


def show(device: Device, server: str, mask: list[str]) -> dict[str, Any]:
    """Return the part of a server's document that the mask names."""
    document = device.documents[server]
    shown = prune(select(document, ["ids", "created_at", "updated_at", *mask]))
    if server != "ns":
        shown["ids"].pop("dev_addr", None)
    return shown


def find(call: Call, application: Application) -> Device:
    """Return the registered device of the path, or raise the Identity Server's not found."""
    device = call.device(application)
    if device is None or "is" not in device.documents:
        raise errors.registry_not_found(application.application_id, call["device_id"])
    return device


def _answer(devices: Sequence[Device], mask: list[str]) -> dict[str, Any]:
    documents = [show(device, "is", mask) for device in devices]
    return {"end_devices": documents} if documents else {}


def _ordered(call: Call, devices: list[Device]) -> list[Device]:
    order = call.request.query.get("order", "device_id")
    path = order.removeprefix("-")
    path = f"ids.{path}" if path in ("device_id", "dev_eui", "join_eui") else path
    return sorted(
        devices,
        key=lambda device: str(get_path(device.documents["is"], path) or ""),
        reverse=order.startswith("-"),
    )


async def list_devices(call: Call) -> Any:
    """Answer GET …/devices."""
    mask = call.query_mask(IS_FIELDS)
    check(messages.LIST_END_DEVICES, {"application_ids": call.application_ids, **call.query})
    application = call.application(rights.DEVICES_READ)
    devices = _ordered(call, application.registered())
    return _answer(page(call, devices, "ListEndDevicesRequest"), mask)


async def filter_devices(call: Call) -> Any:
    """Answer POST …/devices/filter."""
    mask = await call.body_mask(IS_FIELDS)
    body = await call.body()
    check(messages.LIST_END_DEVICES, {**body, "application_ids": call.application_ids})
    _check_filters(call, body)
    application = call.application(rights.DEVICES_READ)
    devices = application.registered()
    for item in body.get("filters", []):
        if since := item.get("updated_since"):
            devices = [
                device
                for device in devices
                if moment(device.documents["is"]["updated_at"]) >= moment(since)
            ]
    call.headers["X-Total-Count"] = str(len(devices))
    limit = int(body.get("limit") or 100)
    number = 1 if call.stack.faults.pages_ignored else max(int(body.get("page") or 1), 1)
    start = (number - 1) * limit
    return _answer(devices[start : start + limit], mask)


def _check_filters(call: Call, body: dict[str, Any]) -> None:
    for index, item in enumerate(body.get("filters", [])):
        since = item.get("updated_since")
        if since and moment(since) > call.stack.now():
            kind = messages.LIST_END_DEVICES.kind
            raise errors.invalid(
                (f"filters[{index}]", kind, EMBEDDED),
                ("updated_since", f"{kind}_Filter", "value must be less than now"),
            )


async def batch(call: Call) -> Any:
    """Answer GET …/devices/batch."""
    mask = call.query_mask(IS_FIELDS)
    wanted = call.request.query.getall("device_ids", [])
    ids = {"application_ids": call.application_ids, "device_ids": wanted}
    check(messages.GET_END_DEVICES, ids)
    application = call.application(rights.DEVICES_READ)
    return _answer([item for item in application.registered() if item.device_id in wanted], mask)


async def search(call: Call) -> Any:
    """Answer GET /search/…/devices."""
    mask = call.query_mask(IS_FIELDS)
    check(messages.SEARCH_END_DEVICES, {"application_ids": call.application_ids, **call.query})
    application = call.application(rights.DEVICES_READ)
    query = call.request.query
    devices = application.registered()
    if text := query.get("query"):
        devices = [item for item in devices if _contains(item, text)]
    for name, path in {
        "id_contains": "ids.device_id",
        "name_contains": "name",
        "description_contains": "description",
        "dev_eui_contains": "ids.dev_eui",
        "join_eui_contains": "ids.join_eui",
    }.items():
        if text := query.get(name):
            devices = [
                item
                for item in devices
                if text.lower() in str(get_path(item.documents["is"], path) or "").lower()
            ]
    return _answer(page(call, _ordered(call, devices), "SearchEndDevicesRequest"), mask)


def _contains(device: Device, text: str) -> bool:
    document = device.documents["is"]
    places = (*document["ids"].values(), document.get("name"), document.get("description"))
    return any(text.lower() in str(place or "").lower() for place in places)


async def get(call: Call) -> Any:
    """Answer GET …/devices/{id}."""
    mask = call.query_mask(IS_FIELDS)
    check(messages.GET_END_DEVICE, {"end_device_ids": call.end_device_ids})
    application = call.application(rights.DEVICES_READ)
    return show(find(call, application), "is", mask)


async def create(call: Call) -> Any:
    """Answer POST …/devices."""
    request = await call.message("end_device", {"application_ids": call.application_ids})
    await call.body_mask(IS_FIELDS)
    check(messages.CREATE_END_DEVICE, request)
    body = request["end_device"]
    ids = upper_case(body["ids"])
    application = call.application(rights.DEVICES_WRITE)
    _check_addresses(application, body)
    device_id = ids["device_id"]
    known = application.devices.get(device_id)
    if known is not None and "is" in known.documents:
        raise errors.id_taken()
    _check_euis_free(call, ids)
    device = known or Device(application.application_id, device_id)
    application.devices[device_id] = device
    device.put("is", call.stack.now(), {})
    document = device.documents["is"]
    document["ids"].update({key: ids[key] for key in ("dev_eui", "join_eui") if ids.get(key)})
    document.update({"version_ids": {}, "lora_alliance_profile_ids": {}})
    document.update({key: value for key, value in body.items() if key in IS_FIELDS - {"ids"}})
    call.stack.events.registry("is", "create", device, call)
    return prune(document)


def _check_addresses(application: Application, body: dict[str, Any]) -> None:
    for name in ADDRESSES:
        expected, address = application.document.get(name), body.get(name)
        if expected and address and expected != address:
            kind = name.removesuffix("_address").replace("_", " ")
            raise errors.identity(
                INVALID_ARGUMENT,
                f"{name}_mismatch",
                f"{kind} address `{{address}}` does not match `{{expected}}`",
                address=address,
                expected=expected,
            )


def _check_euis_free(call: Call, ids: dict[str, Any]) -> None:
    euis = (ids.get("join_eui"), ids.get("dev_eui"))
    for device in call.stack.devices():
        document = device.documents.get("is")
        if document is None or not all(euis) or euis != (device.join_eui, device.dev_eui):
            continue
        raise errors.identity(
            errors.ALREADY_EXISTS,
            "end_device_euis_taken",
            "an end device with JoinEUI `{join_eui}` and DevEUI `{dev_eui}` is already registered "
            "as `{device_id}` in application `{application_id}`",
            join_eui=euis[0],
            dev_eui=euis[1],
            device_id=device.device_id,
            application_id=device.application_id,
        )


async def update(call: Call) -> Any:
    """Answer PUT …/devices/{id}."""
    request = await call.message("end_device", call.end_device_ids)
    mask = await call.body_mask(IS_FIELDS)
    ids = ("ids.application_ids", "ids.device_id")
    check_update(messages.UPDATE_END_DEVICE, "end_device", request, mask, *ids)
    application = call.application(rights.DEVICES_WRITE)
    device = find(call, application)
    changes = request["end_device"]
    for path in mask:
        if not path.startswith("ids"):
            set_path(device.documents["is"], path, get_path(changes, path))
    device.touch("is", call.stack.now())
    call.stack.events.registry("is", "update", device, call, mask)
    return show(device, "is", mask)


async def delete(call: Call) -> Any:
    """Answer DELETE …/devices/{id}."""
    check(messages.END_DEVICE_IDS, call.end_device_ids)
    application = call.application(rights.DEVICES_WRITE)
    device = find(call, application)
    del device.documents["is"]
    application.forget(device)
    call.stack.events.registry("is", "delete", device, call)
    return {}
