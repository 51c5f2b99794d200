"""A process that answers the HTTP calls of Home Assistant: applications with many end devices."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
import sys
from typing import Any

from aiohttp import web

from ..child_process import serve
from .workload import application_base, device_id, devices_of, end_device, envelope

RIGHTS = [
    "RIGHT_APPLICATION_INFO",
    "RIGHT_APPLICATION_TRAFFIC_READ",
    "RIGHT_APPLICATION_DEVICES_READ",
    "RIGHT_APPLICATION_DEVICES_WRITE",
]
PREFIX = "/api/v3"
READ = {"as": "formatters", "ns": "batteries"}
"""What our integration reads of each end device from which server, in the background."""
_MEMBERS = ("ids", "created_at", "updated_at")
"""What an answer has whatever is asked for."""
_PAGE = 1000


class StackServer:
    """Identity Server and cluster of applications; the number of one is the end of its id.

    The Storage Integration isn't there until something is stored.
    """

    def __init__(self, devices: int, entries: int, mqtt_port: int) -> None:
        """Divide so many end devices among so many applications."""
        self._count = devices
        self._entries = entries
        self._devices: dict[str, dict[str, Any]] = {}
        self._stored: list[bytes] = []
        self._read: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._mqtt = f"127.0.0.1:{mqtt_port}"

    def routes(self) -> web.RouteTableDef:
        """Return what is answered."""
        routes = web.RouteTableDef()
        application = f"{PREFIX}/applications/{{application}}"
        as_application = f"{PREFIX}/as/applications/{{application}}"
        routes.get(f"{PREFIX}/auth_info")(self._auth_info)
        routes.get(f"{application}/rights")(self._rights)
        routes.get(application)(self._get_application)
        routes.get(f"{application}/devices")(self._list_devices)
        routes.get(f"{application}/devices/{{device}}")(self._get_device)
        for server in READ:
            path = f"{PREFIX}/{server}/applications/{{application}}/devices/{{device}}"
            routes.get(path)(partial(self._get_part, server))
        routes.get(f"{as_application}/packages/storage/uplink_message")(self._storage)
        routes.get(f"{as_application}/packages/associations")(self._associations)
        routes.get(f"{as_application}/mqtt-connection-info")(self._mqtt_connection_info)
        return routes

    async def _auth_info(self, request: web.Request) -> web.Response:
        key = {
            "id": "BENCH",
            "name": "bench",
            "rights": RIGHTS,
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        }
        # The key names its application, as a real one doesn't.
        application = request.headers["Authorization"].rpartition(".")[2]
        ids = {"application_ids": {"application_id": application}}
        return web.json_response({"api_key": {"api_key": key, "entity_ids": ids}})

    async def _rights(self, _request: web.Request) -> web.Response:
        return web.json_response({"rights": RIGHTS})

    async def _get_application(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "ids": {"application_id": request.match_info["application"]},
                "created_at": "2026-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z",
                "name": "Benchmark",
                "application_server_address": "localhost",
                "network_server_address": "localhost",
                "join_server_address": "localhost",
            }
        )

    async def _mqtt_connection_info(self, request: web.Request) -> web.Response:
        username = request.match_info["application"]
        return web.json_response({"public_address": self._mqtt, "username": username})

    async def _list_devices(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "100"))
        start = (max(int(request.query.get("page", "1")), 1) - 1) * limit
        devices = list(self._of(request.match_info["application"]).values())
        page = devices[start : start + limit]
        return web.json_response(
            {"end_devices": page} if page else {},
            headers={"X-Total-Count": str(len(devices))},
        )

    async def _get_device(self, request: web.Request) -> web.Response:
        devices = self._of(request.match_info["application"])
        return web.json_response(devices[request.match_info["device"]])

    async def _get_part(self, server: str, request: web.Request) -> web.Response:
        """Answer with an end device that has no formatters of its own, and no battery level."""
        application, device = request.match_info["application"], request.match_info["device"]
        devices = self._of(application)
        if device not in devices:
            raise web.HTTPNotFound
        read = self._read.setdefault((application_base(application), READ[server]), set())
        read.add((application, device))
        return web.json_response({name: devices[device][name] for name in _MEMBERS})

    async def read(self, application: str) -> dict[str, int]:
        """Return of how many end devices what was read in the applications of this base."""
        return {what: len(self._read.get((application, what), ())) for what in READ.values()}

    def _of(self, application: str) -> dict[str, dict[str, Any]]:
        if application not in self._devices:
            number = int(application.rpartition("-")[2])
            self._devices[application] = {
                device_id(device): end_device(application, device)
                for device in devices_of(number, self._count, self._entries)
            }
        return self._devices[application]

    async def store(self, application: str, first: int, count: int, seconds: float) -> int:
        """Have so many uplinks stored that came in the last `seconds`; return how many."""
        now, interval = datetime.now(UTC), timedelta(seconds=seconds) / count
        self._stored = [
            envelope(
                application,
                first + number,
                self._count,
                now + interval * (number + 1 - count),
            )
            for number in range(count)
        ]
        return len(self._stored)

    async def _associations(self, _request: web.Request) -> web.Response:
        return web.json_response({})

    async def _storage(self, request: web.Request) -> web.StreamResponse:
        """Send what is stored, in pages, whatever times are asked for."""
        if not self._stored:
            raise web.HTTPNotFound
        first = int(request.query.get("continuation_token", "0"))
        last = first + _PAGE
        more = {"X-Continuation-Token": str(last)} if last < len(self._stored) else {}
        page = b"".join(b'{"result":%b}\n\n' % one for one in self._stored[first:last])
        return web.Response(body=page, content_type="text/event-stream", headers=more)


@web.middleware
async def _not_found(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer an unknown path as The Things Stack does."""
    try:
        answer: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        return web.json_response({"code": 5, "message": "Not Found"}, status=404)
    return answer


async def main(devices: int, entries: int, mqtt_port: int) -> None:
    """Answer until the parent is done."""
    app = web.Application(middlewares=[_not_found])
    stack = StackServer(devices, entries, mqtt_port)
    app.add_routes(stack.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()

    async def where() -> str:
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    await serve({"where": where, "store": stack.store, "read": stack.read})
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
