"""Read QR codes of end devices, and claim those whose root keys are on the manufacturer's server.

The codes are those of the LoRa Alliance (TR005), and plain DevEUIs.
"""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
import re
from typing import Any

from . import json_values
from .api import Calls, quoted
from .errors import InvalidRequest, MissingRight, NotFound
from .models import EndDeviceIds
from .repository import DeviceTemplate

_TR005 = "LW:D0:, the JoinEUI, the DevEUI and 8 digits for the model, with colons between them,"


class Claiming:
    """The Device Claiming Server of the cluster."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def supports(self, join_eui: str) -> bool:
        """Return whether end devices with this JoinEUI are claimed instead of having root keys."""
        answer = await self._calls.object("POST", "edcs/claim/info", json={"join_eui": join_eui})
        return answer.get("supports_claiming") is True

    async def claim(
        self, *, dev_eui: str, join_eui: str, authentication_code: str, device_id: str
    ) -> EndDeviceIds:
        """Claim an end device on its manufacturer's Join Server (DEVICES_WRITE).

        That doesn't register it: do so afterwards, with `claimed=True` and without root keys.
        """
        identifiers = {
            "join_eui": join_eui,
            "dev_eui": dev_eui,
            "authentication_code": authentication_code,
        }
        return await self._claim({"authenticated_identifiers": identifiers}, device_id)

    async def claim_by_qr_code(self, text: str, *, device_id: str) -> EndDeviceIds:
        """Claim a device by the text of its QR code."""
        return await self._claim({"qr_code": b64encode(text.strip().encode()).decode()}, device_id)

    async def unclaim(self, device_id: str) -> None:
        """Give up the claim of an end device (DEVICES_WRITE)."""
        await self._calls.request("DELETE", self._path(device_id))

    async def release(self, device_id: str) -> None:
        """Give up the claim of an end device, if it is claimed; needed before it is deleted.

        Otherwise nobody could claim it again. Does nothing if it isn't claimed or registered.
        """
        params = {"field_mask": ["join_server_address"]}
        try:
            device = await self._calls.object(
                "GET", self._calls.device_path(device_id), params=params
            )
        except (NotFound, MissingRight):
            return
        join_eui = json_values.hexadecimal(json_values.mapping(device.get("ids")).get("join_eui"))
        if join_eui is None or device.get("join_server_address"):
            return  # it isn't claimed: its root keys are on the network's Join Server
        with suppress(NotFound):
            if await self.supports(join_eui):
                await self._give_back(device_id)

    async def _give_back(self, device_id: str) -> None:
        try:
            await self.unclaim(device_id)
        except MissingRight as error:
            if error.name != "device_access_denied":  # somebody else has claimed it
                raise

    async def _claim(self, body: dict[str, Any], device_id: str) -> EndDeviceIds:
        body |= {
            "target_application_ids": {"application_id": self._calls.application_id},
            "target_device_id": device_id,
        }
        answer = await self._calls.object("POST", "edcs/claim", json=body, timeout=60)
        return EndDeviceIds.from_json(json_values.mapping(answer))

    def _path(self, device_id: str) -> str:
        return f"edcs/claim/{quoted(self._calls.application_id)}/devices/{quoted(device_id)}"


class QrCodes:
    """Reads the text of QR codes; needs no right."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def formats(self) -> Mapping[str, str]:
        """Return the names of the formats that the server can read, by ID."""
        answer = await self._calls.object("GET", "qr-codes/end-devices/formats")
        return {
            format_id: json_values.text(json_values.mapping(item).get("name")) or format_id
            for format_id, item in json_values.mapping(answer.get("formats")).items()
        }

    async def parse(self, text: str) -> DeviceTemplate:
        """Return the data in the text of a QR code.

        Raises InvalidRequest `unknown_format`, which says what is wrong with the text.
        """
        body: dict[str, Any] = {"qr_code": b64encode(text.strip().encode()).decode()}
        try:
            answer = await self._calls.object("POST", "qr-codes/end-devices/parse", json=body)
        except InvalidRequest as error:
            if error.name != "unknown_format" and error.field != "qr_code":
                raise
            raise InvalidRequest(
                _what_is_wrong(text.strip()),
                name="unknown_format",
                namespace=error.namespace,
                status=error.status,
                cause_name=error.cause_name,
            ) from error
        return DeviceTemplate.from_json(json_values.mapping(answer.get("end_device_template")))


def _what_is_wrong(text: str) -> str:
    """Return why a text isn't that of an end device's QR code (TR005 of the LoRa Alliance)."""
    parts = text.split(":")
    if parts[0].upper() != "LW":
        return (
            "this isn't the text of an end device's QR code, which begins with LW:D0: or is a "
            "DevEUI of 16 hexadecimal digits; a link or a serial number can't be used"
        )
    if len(parts) < 5:
        return f"the QR code's text is cut off: {_TR005} are needed"
    for what, digits, length in (
        ("JoinEUI", parts[2], 16),
        ("DevEUI", parts[3], 16),
        ("model number", parts[4], 8),
    ):
        if not re.fullmatch(f"[0-9A-Fa-f]{{{length}}}", digits):
            return f"the QR code's {what} `{digits}` isn't of {length} hexadecimal digits"
    return f"the server doesn't know this form of QR codes: {_TR005} are needed"
