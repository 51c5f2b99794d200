"""A process that answers the HTTP calls of a setup: applications with many end devices."""

import asyncio
import sys
from typing import Any

from aiohttp import web

from ..child_process import serve
from .workload import end_device

RIGHTS = [
    "RIGHT_APPLICATION_INFO",
    "RIGHT_APPLICATION_TRAFFIC_READ",
    "RIGHT_APPLICATION_DEVICES_READ",
]
PREFIX = "/api/v3"


class StackServer:
    """Identity Server and cluster of any application, without the Storage Integration."""

    def __init__(self, devices: int, mqtt_port: int) -> None:
        """Have so many end devices in each application that is asked for."""
        self._count = devices
        self._devices: dict[str, list[dict[str, Any]]] = {}
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
        page = self._of(request.match_info["application"])[start : start + limit]
        return web.json_response(
            {"end_devices": page} if page else {},
            headers={"X-Total-Count": str(self._count)},
        )

    def _of(self, application: str) -> list[dict[str, Any]]:
        if application not in self._devices:
            self._devices[application] = [
                end_device(application, device) for device in range(self._count)
            ]
        return self._devices[application]


@web.middleware
async def _not_found(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer an unknown path as The Things Stack does."""
    try:
        answer: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        return web.json_response({"code": 5, "message": "Not Found"}, status=404)
    return answer


async def main(devices: int, mqtt_port: int) -> None:
    """Answer until the parent is done."""
    app = web.Application(middlewares=[_not_found])
    app.add_routes(StackServer(devices, mqtt_port).routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()

    async def where() -> str:
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    await serve({"where": where})
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
