"""Network Server, Join Server and Application Server over HTTP."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from . import downlinks, errors, messages, registry, rights, storage
from .application_server import ApplicationServer
from .encoding import get_path, prune, select, set_path
from .errors import RefusedError
from .faults import Faults
from .http_server import Call, Handler, Route
from .model import Device, Server, Session, Stack
from .network import FREQUENCY_PLANS, unknown_plan
from .validation import check, check_update

_COMMON = "ids created_at updated_at version_ids serial_number lora_alliance_profile_ids "
FIELDS: dict[str, frozenset[str]] = {
    "ns": frozenset(
        (
            _COMMON + "frequency_plan_id lorawan_version lorawan_phy_version supports_join "
            "supports_class_b supports_class_c multicast mac_settings mac_settings_profile_ids "
            "mac_state pending_mac_state session pending_session min_frequency max_frequency "
            "battery_percentage downlink_margin last_dev_status_received_at power_state "
            "network_server_address application_server_address"
        ).split()
    ),
    "as": frozenset(
        (
            _COMMON + "formatters session pending_session skip_payload_crypto "
            "skip_payload_crypto_override"
        ).split()
    ),
    "js": frozenset(
        [
            "ids",
            "created_at",
            "updated_at",
            "root_keys",
            "net_id",
            "network_server_address",
            "network_server_kek_label",
            "application_server_address",
            "application_server_kek_label",
            "application_server_id",
            "resets_join_nonces",
            "provisioner_id",
            "provisioning_data",
            "used_dev_nonces",
            "last_dev_nonce",
            "last_join_nonce",
            "last_rj_count_0",
            "last_rj_count_1",
            "claim_authentication_code",
        ]
    ),
}
PACKAGES = [
    {"name": "alcsync-v1", "default_f_port": 202},
    {"name": "lora-cloud-device-management-v1", "default_f_port": 199},
    {"name": "lora-cloud-geolocation-v3", "default_f_port": 197},
]


def _has_keys(paths: list[str]) -> bool:
    return any(
        path.startswith("root_keys") or ".keys" in path or path in ("session", "pending_session")
        for path in paths
    )


class Cluster:
    """The routes of a cluster's host."""

    def __init__(
        self,
        stack: Stack,
        faults: Faults,
        application_server: ApplicationServer,
        mqtt_addresses: Callable[[], tuple[str, str]],
    ) -> None:
        self._stack = stack
        self._faults = faults
        self._server = application_server
        self._mqtt_addresses = mqtt_addresses

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        app = "/as/applications/{application_id}"
        device = app + "/devices/{device_id}"
        packages = app + "/packages"
        routes: list[Route] = [
            ("GET", app + "/mqtt-connection-info", self._mqtt_connection_info),
            ("GET", app + "/link", self._get_link),
            ("PUT", app + "/link", self._put_link),
            ("DELETE", app + "/link", self._delete_link),
            ("GET", device + "/down", self._list_downlinks),
            ("POST", device + "/down/{operation:push|replace}", self._operate),
            ("POST", device + "/up/simulate", self._simulate),
            ("GET", device + "/packages", self._packages),
            ("GET", packages + "/associations", self._associations),
            ("PUT", packages + "/associations/{f_port}", self._associate),
            ("DELETE", packages + "/associations/{f_port}", self._dissociate),
            ("GET", packages + "/storage/{type}", self._storage),
            ("GET", packages + "/storage/{type}/count", self._storage_count),
            ("GET", device + "/packages/storage/{type}", self._storage),
            ("GET", device + "/packages/storage/{type}/count", self._storage_count),
        ]
        servers: tuple[Server, ...] = ("ns", "js", "as")
        for server in servers:
            path = f"/{server}/applications/{{application_id}}/devices/{{device_id}}"
            routes += [
                ("GET", path, self._get(server)),
                ("PUT", path, self._put(server)),
                ("DELETE", path, self._delete(server)),
            ]
        path = "/ns/applications/{application_id}/devices"
        routes += [("PATCH", path + "/{device_id}", self._reset), ("POST", path, self._put("ns"))]
        return routes

    # End devices

    def _get(self, server: Server) -> Handler:
        async def get(call: Call) -> Any:
            mask = call.query_mask(FIELDS[server])
            check(messages.GET_END_DEVICE, {"end_device_ids": call.end_device_ids})
            needed = [rights.DEVICES_READ]
            if server != "as" and _has_keys(mask):
                needed.append(rights.DEVICES_READ_KEYS)
            application = call.application(*needed)
            device = call.device(application)
            if device is None or server not in device.documents:
                raise _not_found(server)
            return registry.show(device, server, mask)

        return get

    def _put(self, server: Server) -> Handler:
        async def put(call: Call) -> Any:
            ids: dict[str, Any] = {"application_ids": call.application_ids}
            if (in_path := call.request.match_info.get("device_id")) is not None:
                ids["device_id"] = in_path
            request = await call.message("end_device", ids)
            mask = await call.body_mask(FIELDS[server])
            recent = self._stack.recent_fields
            kind = messages.SET_RECENT_END_DEVICE if recent else messages.SET_END_DEVICE
            checked = ("ids.application_ids", "ids.device_id")
            check_update(kind, "end_device", request, mask, *checked)
            body = request["end_device"]
            needed = [rights.DEVICES_WRITE]
            if _has_keys(mask):
                needed.append(rights.DEVICES_WRITE_KEYS)
            if server != "ns":
                _check_values(server, body, mask)
            application = call.application(*needed)
            if server == "ns":
                _check_values(server, body, mask)
            plan = body.get("frequency_plan_id")
            if server == "ns" and plan and plan not in FREQUENCY_PLANS:
                raise unknown_plan(plan)
            device_id = body["ids"]["device_id"]
            device = application.devices.setdefault(
                device_id, Device(application.application_id, device_id)
            )
            what = "update" if server in device.documents else "create"
            if what == "create":
                _check_euis_free(call, server, device, registry.upper_case(body["ids"]))
            else:
                _check_unchanged(server, device, body, mask)
            _write(device, server, body, mask, call)
            changed = mask if what == "update" else None
            self._stack.events.registry(server, what, device, call, changed)
            return registry.show(device, server, mask)

        return put

    def _delete(self, server: Server) -> Handler:
        async def delete(call: Call) -> Any:
            check(messages.END_DEVICE_IDS, call.end_device_ids)
            application = call.application(rights.DEVICES_WRITE)
            device = call.device(application)
            if device is None or server not in device.documents:
                if server == "as":
                    uid = f"{self._stack.uid(application.application_id)}.{call['device_id']}"
                    raise errors.application_server_not_found(uid)
                raise _not_found(server)
            del device.documents[server]
            if server in ("ns", "as"):
                device.session = None
            application.forget(device)
            self._stack.events.registry(server, "delete", device, call)
            return {}

        return delete

    async def _reset(self, call: Call) -> Any:
        mask = await call.body_mask(FIELDS["ns"])
        check(messages.RESET_END_DEVICE, {"end_device_ids": call.end_device_ids})
        application = call.application(rights.DEVICES_WRITE)
        device = call.device(application)
        if device is None or "ns" not in device.documents:
            raise _not_found("ns")
        device.touch("ns", self._stack.now())
        for path in ("mac_state", "session", "battery_percentage", "downlink_margin"):
            device.documents["ns"].pop(path, None)
        device.session = None
        return registry.show(device, "ns", mask)

    # Application Server

    async def _mqtt_connection_info(self, call: Call) -> Any:
        application = call.application(rights.INFO)
        plain, secure = self._mqtt_addresses()
        return {
            "public_address": plain,
            "public_tls_address": secure,
            "username": self._stack.uid(application.application_id),
        }

    async def _get_link(self, call: Call) -> Any:
        allowed = frozenset({"default_formatters", "skip_payload_crypto"})
        mask = call.query_mask(allowed)
        application = call.application(rights.SETTINGS_BASIC)
        if application.link is None:
            raise errors.redis_not_found()
        return prune(select(application.link, mask))

    async def _put_link(self, call: Call) -> Any:
        mask = await call.body_mask(frozenset({"default_formatters", "skip_payload_crypto"}))
        recent = self._stack.recent_fields
        kind = messages.SET_RECENT_LINK if recent else messages.SET_LINK
        request = {**await call.body(), "application_ids": call.application_ids}
        check(
            kind, request, [*(f"link.{path}" for path in mask), "application_ids"] if mask else []
        )
        application = call.application(rights.SETTINGS_BASIC)
        application.link = application.link or {}
        application.link.update(select(request["link"], mask))
        return prune(select(application.link, mask))

    async def _delete_link(self, call: Call) -> Any:
        call.application(rights.SETTINGS_BASIC).link = None
        return {}

    async def _list_downlinks(self, call: Call) -> Any:
        check(messages.END_DEVICE_IDS, call.end_device_ids)
        application = call.application(rights.TRAFFIC_READ)
        device = call.device(application)
        if device is None or "as" not in device.documents:
            raise errors.redis_not_found()
        items = downlinks.listed(device) if device.session is not None else []
        return {"downlinks": items} if items else {}

    async def _operate(self, call: Call) -> Any:
        body = await call.body()
        check(messages.QUEUE_DOWNLINKS_OF, {**body, "end_device_ids": call.end_device_ids})
        application = call.application(rights.TRAFFIC_DOWN_WRITE)
        operation = call["operation"]
        method = f"DownlinkQueue{operation.title()}"
        ids = [f"rpc:/ttn.lorawan.v3.AppAs/{method}:{call.request_id}"]
        if self._stack.recent_fields:
            ids = []
        self._server.operate(application, call["device_id"], operation, body, ids)
        return {}

    async def _simulate(self, call: Call) -> Any:
        """Answer 200 whether the end device exists or not; for an unknown one nothing happens."""
        body = await call.body()
        check(messages.SIMULATE_UPLINK, {**body, "end_device_ids": call.end_device_ids})
        application = call.application(rights.TRAFFIC_UP_WRITE)
        message = body.get("uplink_message")
        device = call.device(application)
        if device is not None and "as" in device.documents and message is not None:
            self._server.simulate(application, device, message)
        return {}

    # Packages

    async def _packages(self, call: Call) -> Any:
        call.application(rights.TRAFFIC_READ)
        packages = list(PACKAGES)
        if self._faults.storage:
            packages.append({"name": storage.PACKAGE, "default_f_port": storage.F_PORT})
        return {"packages": packages}

    async def _associations(self, call: Call) -> Any:
        application = call.application(rights.TRAFFIC_READ)
        found = [item for _, item in sorted(application.associations.items())]
        page = registry.page(call, found, "ListApplicationPackageDefaultAssociationRequest")
        return {"associations": page} if page else {}

    async def _associate(self, call: Call) -> Any:
        ids = {"application_ids": call.application_ids, "f_port": call["f_port"]}
        request = await call.message("default", ids)
        mask = await call.body_mask(frozenset({"ids", "package_name", "data"}))
        check_update(messages.SET_ASSOCIATION, "default", request, mask, "ids")
        application = call.application(rights.SETTINGS_PACKAGES)
        changes = request["default"]
        package = changes.get("package_name", "") if "package_name" in mask else ""
        association = application.associate(package, int(call["f_port"]), self._stack.now())
        association.update(select(changes, [path for path in mask if path == "data"]))
        return association

    async def _dissociate(self, call: Call) -> Any:
        application = call.application(rights.SETTINGS_PACKAGES)
        if application.associations.pop(int(call["f_port"]), None) is None:
            raise errors.redis_not_found()
        return {}

    async def _storage(self, call: Call) -> web.StreamResponse:
        return await storage.read(call, self._storage_devices(call))

    async def _storage_count(self, call: Call) -> Any:
        return await storage.count(call, self._storage_devices(call))

    def _storage_devices(self, call: Call) -> list[Device]:
        if not self._faults.storage:
            raise errors.not_found_path()
        application = call.application(rights.TRAFFIC_READ)
        wanted = call.request.match_info.get("device_id")
        return [
            device
            for device in application.devices.values()
            if wanted in (None, device.device_id) and call["type"] == "uplink_message"
        ]


def _not_found(server: Server) -> RefusedError:
    return errors.join_server_not_found() if server == "js" else errors.redis_not_found()


def _check_euis_free(call: Call, server: Server, device: Device, ids: dict[str, Any]) -> None:
    """Raise what is answered where another device, stranded or not, has the EUIs."""
    euis = (ids.get("join_eui"), ids.get("dev_eui"))
    for other in call.stack.devices():
        held = other.documents.get(server, {}).get("ids", {})
        if (
            other is not device
            and all(euis)
            and euis == (held.get("join_eui"), held.get("dev_eui"))
        ):
            call.application(rights.DEVICES_WRITE).forget(device)
            raise errors.duplicate_identifiers(server)


def _check_values(server: Server, body: dict[str, Any], mask: list[str]) -> None:
    """Raise what a server answers to values that are well formed and of no use to it.

    A version of LoRaWAN that the keys don't fit, and a PHY version of another MAC version, are
    none of these: they are taken without a word.
    """
    ids = body["ids"]
    if server == "js" and "join_eui" not in ids:
        raise _join_server("no_join_eui", "no JoinEUI specified")
    if server == "js" and not ids.get("dev_eui", "").strip("0"):
        raise _join_server("no_dev_eui", "no DevEUI specified")
    for path in _NOT_ZERO[server]:
        value = get_path(body, path)
        if path in mask and (not value or not str(value).strip("0") or "UNKNOWN" in str(value)):
            raise errors.invalid_field(server, path)


_NOT_ZERO: dict[Server, tuple[str, ...]] = {
    "is": (),
    "js": ("root_keys.app_key.key",),
    "ns": ("frequency_plan_id", "lorawan_version", "lorawan_phy_version"),
    "as": ("session.dev_addr", "session.keys.app_s_key.key"),
}


def _check_unchanged(server: Server, device: Device, body: dict[str, Any], mask: list[str]) -> None:
    """Raise what the Network Server answers to a change of what a device is for its life."""
    stored = device.documents[server]
    for path in ("multicast", "supports_join"):
        if server == "ns" and path in mask and bool(body.get(path)) != bool(stored.get(path)):
            raise errors.invalid_field(server, path)


def _join_server(name: str, text: str) -> RefusedError:
    return RefusedError(errors.INVALID_ARGUMENT, "pkg/joinserver", name, text)


def _write(
    device: Device, server: Server, body: dict[str, Any], mask: list[str], call: Call
) -> None:
    now = call.stack.now()
    ids = registry.upper_case(body["ids"])
    if server not in device.documents:
        known = {key: ids[key] for key in ("dev_eui", "join_eui") if ids.get(key)}
        device.put(server, now, {})
        device.documents[server]["ids"].update(known)
    device.touch(server, now)
    document = device.documents[server]
    for path in mask:
        if not path.startswith("ids"):
            set_path(document, path, get_path(body, path))
    if address := get_path(body, "session.dev_addr"):
        if device.session is None:
            device.session = Session(address, None)
        if server == "ns":
            document["ids"]["dev_addr"] = address
