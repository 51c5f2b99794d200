"""Gateways: their registry on the Identity Server, their connections on the cluster."""

from copy import deepcopy
from typing import Any

from . import errors, messages, registry
from .encoding import get_path, prune, select, timestamp
from .errors import NOT_FOUND, RefusedError
from .http_server import Call, Route, caller, check_mask
from .identity_server import ADMIN
from .model import Stack
from .rights import GATEWAY_INFO, GATEWAY_LOCATION_READ, GATEWAY_STATUS_READ
from .validation import check

FIELDS = frozenset(
    [
        "ids",
        "created_at",
        "updated_at",
        "name",
        "description",
        "attributes",
        "version_ids",
        "gateway_server_address",
        "frequency_plan_id",
        "frequency_plan_ids",
        "antennas",
        "status_public",
        "location_public",
        "schedule_anytime_delay",
        "enforce_duty_cycle",
    ]
)
_PUBLIC = {"ids", "created_at", "updated_at", "name", "description", "frequency_plan_ids"}


class GatewayRegistry:
    """The Identity Server's routes about gateways."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        return [
            ("GET", "/gateways", self._list),
            ("GET", "/users/{user_id}/gateways", self._list),
            ("POST", "/users/{user_id}/gateways", self._create),
            ("GET", "/gateways/{gateway_id}", self._get),
        ]

    async def _list(self, call: Call) -> Any:
        mask = call.query_mask(FIELDS)
        if (key := call.key) is None or key.user_id is None:
            return {}
        page = registry.page(call, sorted(self._stack.gateways), "ListGatewaysRequest")
        found = [_show(self._stack.gateways[gateway_id], mask) for gateway_id in page]
        return {"gateways": found} if found else {}

    async def _create(self, call: Call) -> Any:
        body = (await call.body()).get("gateway") or {}
        check(messages.CREATE_GATEWAY, {"gateway": body})
        ids = body["ids"]
        if (key := call.key) is None or key.user_id != call["user_id"]:
            raise errors.no_rights("user", call["user_id"])
        if ids["gateway_id"] in self._stack.gateways:
            raise errors.id_taken()
        return _created(add_gateway(self._stack, body))

    async def _get(self, call: Call) -> Any:
        mask = call.query_mask(FIELDS)
        gateway_ids = {"gateway_id": call["gateway_id"]}
        check(messages.GET_GATEWAY, {"gateway_ids": gateway_ids})
        key = caller(call)
        document = self._stack.gateways.get(call["gateway_id"])
        if document is None:
            raise RefusedError(
                NOT_FOUND,
                "pkg/identityserver/store",
                "gateway_not_found",
                "gateway with id `{gateway_id}` not found",
                {"gateway_id": call["gateway_id"]},
            )
        shown = _show(document, mask)
        if key.user_id is not None:
            return shown
        if key.gateway_id != call["gateway_id"]:
            return _public(shown)
        if GATEWAY_INFO not in key.rights:
            return _public(shown)
        if GATEWAY_LOCATION_READ not in key.rights and not document.get("location_public"):
            return {**shown, "antennas": _public(shown).get("antennas", [])}
        return shown


def add_gateway(stack: Stack, document: dict[str, Any]) -> dict[str, Any]:
    """Register a gateway; returns the registry's document."""
    now = timestamp(stack.now())
    kept = {key: deepcopy(value) for key, value in document.items() if key in FIELDS}
    kept.pop("frequency_plan_id", None)
    delay = float(str(document.get("schedule_anytime_delay", "0s")).removesuffix("s"))
    kept["schedule_anytime_delay"] = f"{delay:.3f}s" if delay else "0s"
    full = {
        "created_at": now,
        "updated_at": now,
        "administrative_contact": ADMIN,
        "technical_contact": ADMIN,
        "version_ids": {},
        **kept,
    }
    stack.gateways[document["ids"]["gateway_id"]] = full
    return full


def _created(document: dict[str, Any]) -> dict[str, Any]:
    return prune(document)


def _show(document: dict[str, Any], mask: list[str]) -> dict[str, Any]:
    shown = prune(select(document, ["ids", "created_at", "updated_at", *mask]))
    if plans := shown.get("frequency_plan_ids"):
        shown["frequency_plan_id"] = plans[0]  # for old clients
    return shown


def _public(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what strangers see: what was made public, where the mask asked whether it is."""
    seen = {key: shown[key] for key in shown if key in _PUBLIC or key == "frequency_plan_id"}
    if "antennas" in shown:
        private = () if shown.get("location_public") else ("location",)
        seen["antennas"] = [
            {key: value for key, value in antenna.items() if key not in private}
            for antenna in shown["antennas"]
        ]
    for name in ("location_public", "status_public"):
        if shown.get(name):
            seen[name] = True
    if shown.get("status_public") and "gateway_server_address" in shown:
        seen["gateway_server_address"] = shown["gateway_server_address"]
    return seen


class GatewayServer:
    """The cluster's routes about connections; `stack.connections` has what is connected."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        return [
            ("GET", "/gs/gateways/{gateway_id}/connection/stats", self._stats),
            ("POST", "/gs/gateways/connection/stats", self._batch),
        ]

    def _check(self, call: Call, gateway_id: str) -> None:
        gateway = self._stack.gateways.get(gateway_id) or {}
        key = caller(call)
        if key.user_id is not None or gateway.get("status_public"):
            return
        if key.gateway_id != gateway_id:
            raise errors.no_rights("gateway", gateway_id)
        if GATEWAY_STATUS_READ not in key.rights:
            raise errors.insufficient_rights("gateway", gateway_id, [GATEWAY_STATUS_READ])

    async def _stats(self, call: Call) -> Any:
        gateway_id = call["gateway_id"]
        self._check(call, gateway_id)
        stats = self._stack.connections.get(gateway_id)
        if stats is None:
            raise RefusedError(
                NOT_FOUND,
                "pkg/gatewayserver",
                "not_connected",
                "gateway `{gateway_uid}` not connected",
                {"gateway_uid": gateway_id},
            )
        return stats

    async def _batch(self, call: Call) -> Any:
        body = await call.body()
        check(messages.GET_CONNECTIONS, body)
        paths = check_mask(get_path(body, "field_mask.paths") or [], _STATS)
        entries = {}
        for item in body.get("gateway_ids", []):
            gateway_id = item["gateway_id"]
            self._check(call, gateway_id)
            if stats := self._stack.connections.get(gateway_id):
                entries[gateway_id] = select(stats, paths or list(stats))
        return {"entries": entries} if entries else {}


_STATS = frozenset(
    [
        "connected_at",
        "disconnected_at",
        "protocol",
        "last_status_received_at",
        "last_status",
        "last_uplink_received_at",
        "uplink_count",
        "last_downlink_received_at",
        "downlink_count",
        "last_tx_acknowledgment_received_at",
        "tx_acknowledgment_count",
        "round_trip_times",
        "sub_bands",
        "gateway_remote_address",
    ]
)
