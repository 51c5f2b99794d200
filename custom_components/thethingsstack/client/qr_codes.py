"""QR codes on end devices: LoRa Alliance TR005 and plain DevEUIs."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from . import json_values
from .api import Calls
from .repository import DeviceTemplate


class QrCodes:
    """Reads the text of QR codes; any key may."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def formats(self) -> Mapping[str, str]:
        """Return the formats that the server reads: id to name."""
        answer = await self._calls.object("GET", "qr-codes/end-devices/formats")
        return {
            format_id: json_values.text(json_values.mapping(item).get("name")) or format_id
            for format_id, item in json_values.mapping(answer.get("formats")).items()
        }

    async def parse(self, text: str) -> DeviceTemplate:
        """Return what a QR code's text tells; raises InvalidRequest (`unknown_format`)."""
        body: dict[str, Any] = {"qr_code": b64encode(text.strip().encode()).decode()}
        answer = await self._calls.object("POST", "qr-codes/end-devices/parse", json=body)
        return DeviceTemplate.from_json(json_values.mapping(answer.get("end_device_template")))
