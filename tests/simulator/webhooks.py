"""Webhooks: their registry, one delivery attempt each, and the way back for downlinks."""

from collections.abc import Callable, Mapping
import re
from typing import Any
from urllib.parse import quote, urlsplit

from aiohttp import web

from . import errors, messages, registry, rights
from .application_server import ApplicationServer
from .deliveries import Deliveries
from .encoding import get_path, moment, prune, select, set_path, timestamp
from .http_server import Call, Route
from .model import Application, Device, Stack
from .validation import check_update

MESSAGES = frozenset(
    [
        "uplink_message",
        "uplink_normalized",
        "join_accept",
        "downlink_ack",
        "downlink_nack",
        "downlink_sent",
        "downlink_failed",
        "downlink_queued",
        "downlink_queue_invalidated",
        "location_solved",
        "service_data",
    ]
)
FIELDS = MESSAGES | {
    "ids",
    "created_at",
    "updated_at",
    "base_url",
    "format",
    "headers",
    "downlink_api_key",
    "field_mask",
    "health_status",
    "paused",
    "queue",
    "template_ids",
    "template_fields",
}
_WRITE = (rights.TRAFFIC_READ, rights.TRAFFIC_DOWN_WRITE, rights.SETTINGS_BASIC)


class Webhooks(Deliveries):
    """The webhooks of all applications."""

    def __init__(
        self, stack: Stack, application_server: ApplicationServer, base_url: Callable[[], str]
    ) -> None:
        super().__init__({"User-Agent": "TheThingsStack/3.32.1-dev (linux/amd64)"})
        self._stack = stack
        self._server = application_server
        self._base_url = base_url
        self.templates: dict[str, Mapping[str, Any]] = {}
        """The catalogue of templates as operators configure it, by ID."""
        application_server.published = self._published

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        hooks = "/as/webhooks/{application_id}"
        down = "/as/applications/{application_id}/webhooks/{webhook_id}/devices/{device_id}/down"
        return [
            ("GET", "/as/webhook-formats", self._formats),
            ("GET", "/as/webhook-templates", self._list_templates),
            ("GET", "/as/webhook-templates/{template_id}", self._get_template),
            ("GET", hooks, self._list),
            ("POST", hooks, self._set),
            ("GET", hooks + "/{webhook_id}", self._get),
            ("PUT", hooks + "/{webhook_id}", self._set),
            ("DELETE", hooks + "/{webhook_id}", self._delete),
            ("POST", down + "/{operation:push|replace}", self._operate),
        ]

    # Registry

    async def _formats(self, _call: Call) -> Any:
        return {"formats": {"json": "JSON", "protobuf": "Protocol Buffers"}}

    async def _list(self, call: Call) -> Any:
        mask = call.query_mask(FIELDS)
        application = call.application(rights.TRAFFIC_READ)
        hooks = list(application.webhooks.values())
        page = registry.page(call, hooks, "ListApplicationWebhooksRequest")
        return {"webhooks": [_show(hook, mask) for hook in page]} if page else {}

    async def _get(self, call: Call) -> Any:
        mask = call.query_mask(FIELDS)
        application = call.application(rights.TRAFFIC_READ)
        if call["webhook_id"] not in application.webhooks:
            raise errors.redis_not_found()
        return _show(application.webhooks[call["webhook_id"]], mask)

    async def _set(self, call: Call) -> Any:
        """Create or change: the stack makes no difference."""
        ids: dict[str, Any] = {"application_ids": call.application_ids}
        if (in_path := call.request.match_info.get("webhook_id")) is not None:
            ids["webhook_id"] = in_path
        request = await call.message("webhook", ids)
        mask = await call.body_mask(FIELDS)
        check_update(messages.SET_WEBHOOK, "webhook", request, mask, "ids")
        application = call.application(*_WRITE)
        body = request["webhook"]
        webhook_id = body["ids"]["webhook_id"]
        now = timestamp(self._stack.now(), nanoseconds=0)
        hook = application.webhooks.setdefault(
            webhook_id,
            {
                "ids": {"application_ids": application.document["ids"], "webhook_id": webhook_id},
                "created_at": now,
            },
        )
        hook["updated_at"] = now
        for path in mask:
            set_path(hook, path, get_path(body, path))
        if hook.get("health_status", ...) is None:
            del hook["health_status"]
        return _show(hook, mask)

    async def _delete(self, call: Call) -> Any:
        call.application(*_WRITE).webhooks.pop(call["webhook_id"], None)
        return {}

    async def _operate(self, call: Call) -> web.StreamResponse:
        body = await call.body()
        application = call.application(rights.TRAFFIC_DOWN_WRITE)
        hook = application.webhooks.get(call["webhook_id"])
        if hook is None:
            raise errors.redis_not_found()
        headers = {"X-Request-Id": call.request_id, "Content-Type": "text/plain; charset=utf-8"}
        if hook.get("paused"):
            return web.Response(status=406, headers=headers)
        self._server.operate(application, call["device_id"], call["operation"], body, [])
        return web.Response(headers=headers)

    # Delivery

    def _published(
        self, application: Application, device_id: str, envelope: dict[str, Any]
    ) -> None:
        for hook in application.webhooks.values():
            kind = next((key for key in envelope if key in MESSAGES), None)
            if kind in hook and not hook.get("paused"):
                message = (hook[kind], envelope)
                self._begin(self._deliver(application, device_id, hook, message))

    async def _deliver(
        self,
        application: Application,
        device_id: str,
        hook: dict[str, Any],
        message: tuple[dict[str, Any], dict[str, Any]],
    ) -> None:
        """Post once; whatever comes back, or nothing, is the end of it."""
        endpoint, envelope = message
        url = _expand(hook["base_url"] + endpoint.get("path", ""), envelope)
        headers = {"X-Tts-Domain": urlsplit(self._base_url()).netloc, **hook.get("headers", {})}
        if key := hook.get("downlink_api_key"):
            down = (
                f"{self._base_url()}/api/v3/as/applications/{application.application_id}/webhooks/"
                f"{hook['ids']['webhook_id']}/devices/{device_id}/down"
            )
            headers |= {
                "X-Downlink-Apikey": key,
                "X-Downlink-Push": f"{down}/push",
                "X-Downlink-Replace": f"{down}/replace",
            }
        if self._gave_up(hook):
            return
        body = _masked(envelope, get_path(hook, "field_mask.paths"))
        status: int | None = None
        if not self._stack.faults.webhooks_fail:
            status = await self._send("POST", url, body, headers)
        self.deliveries.append((url, status))
        self._note_health(hook, url, status)
        device = application.devices.get(device_id)
        if device is not None and (status is None or not 200 <= status < 300):
            self._publish_failure(device, hook, url, status)

    def _publish_failure(
        self, device: Device, hook: dict[str, Any], url: str, status: int | None
    ) -> None:
        attributes = {"url": url, "webhook_id": hook["ids"]["webhook_id"]}
        if status is not None:
            attributes["status_code"] = status
        error = {
            "@type": "type.googleapis.com/ttn.lorawan.v3.ErrorDetails",
            "namespace": "pkg/applicationserver/io/web/sink",
            "name": "request",
            "message_format": "request",
            "attributes": attributes,
            "code": 14,
        }
        self._stack.events.publish("as.webhook.fail", device, rights.TRAFFIC_READ, data=error)

    # Health

    def _gave_up(self, hook: dict[str, Any]) -> bool:
        """Return whether a webhook has failed so often that it isn't tried for a while."""
        unhealthy = (hook.get("health_status") or {}).get("unhealthy")
        if not unhealthy or int(unhealthy["failed_attempts"]) < self._stack.tolerated_failures:
            return False
        last = moment(unhealthy["last_failed_attempt_at"])
        return self._stack.now() <= last + self._stack.retry_interval

    def _note_health(self, hook: dict[str, Any], url: str, status: int | None) -> None:
        if not self._stack.tolerated_failures:
            return
        if status is not None and 200 <= status < 300:
            hook["health_status"] = {"healthy": {}}
            return
        before = (hook.get("health_status") or {}).get("unhealthy", {})
        error = "request" if status is None else "webhook_request_failed"
        hook["health_status"] = {
            "unhealthy": {
                "failed_attempts": str(int(before.get("failed_attempts", 0)) + 1),
                "last_failed_attempt_at": timestamp(self._stack.now(), nanoseconds=0),
                "last_failed_attempt_details": {
                    "namespace": "pkg/applicationserver/io/web",
                    "name": error,
                    "message_format": "request to webhook failed",
                    "attributes": {"url": url, "status_code": status},
                },
            }
        }

    # Templates

    async def _list_templates(self, _call: Call) -> Any:
        return {"templates": [dict(item) for item in self.templates.values()]}

    async def _get_template(self, call: Call) -> Any:
        if call["template_id"] not in self.templates:
            raise errors.redis_not_found()
        return dict(self.templates[call["template_id"]])


def _show(hook: dict[str, Any], mask: list[str]) -> dict[str, Any]:
    paths = ["ids", "created_at", "updated_at", "base_url", "format", *mask]
    shown = prune(select(hook, paths))
    for kind in MESSAGES & shown.keys():
        shown[kind] = prune(shown[kind])
    return shown


def _masked(envelope: dict[str, Any], paths: list[str] | None) -> dict[str, Any]:
    if not paths:
        return envelope
    return select(envelope, ["end_device_ids", *(path.removeprefix("up.") for path in paths)])


def _expand(template: str, envelope: dict[str, Any]) -> str:
    """Fill the variables of a URL template."""
    ids = envelope["end_device_ids"]
    application_id = ids["application_ids"]["application_id"]
    values = {
        "appID": application_id,
        "applicationID": application_id,
        "devID": ids["device_id"],
        "deviceID": ids["device_id"],
        "devEUI": ids.get("dev_eui", ""),
        "joinEUI": ids.get("join_eui", ""),
        "appEUI": ids.get("join_eui", ""),
        "devAddr": ids.get("dev_addr", ""),
    }
    return re.sub(
        r"\{\+?(\w+)\}", lambda found: quote(values.get(found.group(1), ""), safe=""), template
    )
