"""A process that answers the HTTP calls of a setup: one application with many end devices."""

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
    """Identity Server and cluster of one application, without the Storage Integration."""

    def __init__(self, application: str, devices: int, mqtt_port: int) -> None:
        """Have so many end devices."""
        self._application = application
        self._devices = [end_device(application, device) for device in range(devices)]
        self._mqtt = f"127.0.0.1:{mqtt_port}"

    def routes(self) -> web.RouteTableDef:
        """Return what is answered."""
        routes = web.RouteTableDef()
        application = f"{PREFIX}/applications/{self._application}"
        as_application = f"{PREFIX}/as/applications/{self._application}"
        routes.get(f"{PREFIX}/auth_info")(self._auth_info)
        routes.get(f"{application}/rights")(self._rights)
        routes.get(application)(self._get_application)
        routes.get(f"{application}/devices")(self._list_devices)
        routes.get(f"{as_application}/mqtt-connection-info")(self._mqtt_connection_info)
        return routes

    async def _auth_info(self, _request: web.Request) -> web.Response:
        key = {
            "id": "BENCH",
            "name": "bench",
            "rights": RIGHTS,
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        }
        ids = {"application_ids": {"application_id": self._application}}
        return web.json_response({"api_key": {"api_key": key, "entity_ids": ids}})

    async def _rights(self, _request: web.Request) -> web.Response:
        return web.json_response({"rights": RIGHTS})

    async def _get_application(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "ids": {"application_id": self._application},
                "created_at": "2026-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z",
                "name": "Benchmark",
                "application_server_address": "localhost",
                "network_server_address": "localhost",
                "join_server_address": "localhost",
            }
        )

    async def _mqtt_connection_info(self, _request: web.Request) -> web.Response:
        return web.json_response({"public_address": self._mqtt, "username": self._application})

    async def _list_devices(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "100"))
        start = (max(int(request.query.get("page", "1")), 1) - 1) * limit
        page = self._devices[start : start + limit]
        return web.json_response(
            {"end_devices": page} if page else {},
            headers={"X-Total-Count": str(len(self._devices))},
        )


@web.middleware
async def _not_found(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer an unknown path as The Things Stack does."""
    try:
        answer: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        return web.json_response({"code": 5, "message": "Not Found"}, status=404)
    return answer


async def main(application: str, devices: int, mqtt_port: int) -> None:
    """Answer until the parent is done."""
    app = web.Application(middlewares=[_not_found])
    app.add_routes(StackServer(application, devices, mqtt_port).routes())
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
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
