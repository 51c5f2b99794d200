"""The discovery server: where the Handler and its MQTT broker are."""

from collections.abc import Callable

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import errors
from .model import Stack
from .web import Route, answer

HANDLER = "ttn-handler-eu"
_VERSION = "v2.10.4-34-fce3ec7033031849541693f9380534a27812be7f (2020-08-12T00:00:00Z)"


class Discovery:
    """Announcements of one Handler."""

    def __init__(
        self, stack: Stack, certificate: str, addresses: Callable[[], tuple[str, str]]
    ) -> None:
        self._stack = stack
        self._certificate = certificate
        self._addresses = addresses

    def routes(self) -> list[Route]:
        """Return methods, path and handler of each call."""
        return [
            (("GET",), "/announcements/handler", self._list),
            (("GET",), "/announcements/handler/{handler_id}", self._get),
        ]

    def announcement(self) -> dict[str, object]:
        """Return what the Handler announces."""
        api, mqtt = self._addresses()
        key = x509.load_pem_x509_certificate(self._certificate.encode()).public_key()
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        applications = self._stack.applications.values()
        announced = sorted(item.application_id for item in applications if item.announced)
        return {
            "id": HANDLER,
            "service_name": "handler",
            "service_version": _VERSION,
            "description": "handler of the lab",
            "net_address": "localhost:1904",
            "public_key": pem,
            "certificate": self._certificate,
            "api_address": api,
            "mqtt_address": mqtt,
            "metadata": [{"app_id": application_id} for application_id in announced],
        }

    async def _list(self, _request: web.Request) -> web.StreamResponse:
        return answer({"services": [self.announcement()]})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        handler_id = request.match_info["handler_id"]
        if handler_id != HANDLER:
            raise errors.not_found(f"discovery:announcement:handler:{handler_id}")
        return answer(self.announcement())
