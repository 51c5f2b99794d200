"""QR codes, and claiming devices whose root keys their maker keeps."""

import re
from typing import Any

from . import messages, rights
from .errors import ABORTED, INVALID_ARGUMENT, RefusedError
from .http_server import Call, Route, caller
from .model import Stack
from .network import DATA
from .validation import check, decode_base64

_TR005 = re.compile(
    r"LW:D0:(?P<join_eui>[0-9A-F]{16}):(?P<dev_eui>[0-9A-F]{16}):"
    r"(?P<vendor>[0-9A-F]{4})(?P<profile>[0-9A-F]{4})(?P<more>(?::[A-Z][^:]*)*)"
)


def qr_routes() -> list[Route]:
    """Return the calls about QR codes, on the Identity Server's host."""
    root = "/qr-codes/end-devices"
    return [
        ("GET", root + "/formats", _formats),
        ("POST", root + "/parse", _parse),
        ("POST", root, _generate),
    ]


async def _formats(call: Call) -> Any:
    caller(call)
    return {"formats": DATA["qr_formats"]}


async def _parse(call: Call) -> Any:
    caller(call)
    body = await call.body()
    check(messages.PARSE_QR_CODE, body)
    text = decode_base64(body["qr_code"]).decode(errors="replace")
    if found := _TR005.fullmatch(text):
        more = {part[0]: part[1:] for part in found["more"].split(":") if part}
        owner = more.get("O")
        device: dict[str, Any] = {
            "ids": {"dev_eui": found["dev_eui"], "join_eui": found["join_eui"]},
            "claim_authentication_code": {"value": owner} if owner else {},
            "lora_alliance_profile_ids": {
                "vendor_id": int(found["vendor"], 16),
                "vendor_profile_id": int(found["profile"], 16),
            },
        }
        if serial := more.get("S"):
            device["serial_number"] = serial
        return _template("tr005", device, ["ids", "claim_authentication_code"])
    if re.fullmatch("[0-9A-F]{16}", text):
        return _template("dev_eui", {"ids": {"dev_eui": text}}, ["ids.dev_eui"])
    raise RefusedError(
        INVALID_ARGUMENT,
        "pkg/qrcodegenerator/qrcode/enddevices",
        "unknown_format",
        "format unknown",
    )


def _template(format_id: str, device: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    template = {"end_device": device, "field_mask": {"paths": paths}}
    return {"format_id": format_id, "end_device_template": template}


async def _generate(call: Call) -> Any:
    caller(call)
    body = await call.body()
    check(messages.GENERATE_QR_CODE, body)
    device = body["end_device"]
    ids = device["ids"]
    profile = device.get("lora_alliance_profile_ids") or {}
    numbers = f"{profile.get('vendor_id', 0):04X}{profile.get('vendor_profile_id', 0):04X}"
    return {"text": f"LW:D0:{ids.get('join_eui')}:{ids.get('dev_eui')}:{numbers}"}


class Claiming:
    """The Device Claiming Server of the cluster; `stack.claimable` says what can be claimed."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        device = "/edcs/claim/{application_id}/devices/{device_id}"
        return [
            ("POST", "/edcs/claim/info", self._info),
            ("POST", "/edcs/claim", self._claim),
            ("DELETE", device, self._unclaim),
        ]

    async def _info(self, call: Call) -> Any:
        caller(call)
        join_eui = (await call.body()).get("join_eui")
        known = any(join_eui == item[0] for item in self._stack.claimable)
        return {"join_eui": join_eui, **({"supports_claiming": True} if known else {})}

    async def _claim(self, call: Call) -> Any:
        body = await call.body()
        check(messages.CLAIM_END_DEVICE, body)
        application_id = body["target_application_ids"]["application_id"]
        call.require(application_id, rights.DEVICES_WRITE)
        given = body.get("authenticated_identifiers") or {}
        if "qr_code" in body:
            text = decode_base64(body["qr_code"]).decode(errors="replace")
            found = _TR005.fullmatch(text)
            owner = re.search(r":O([^:]*)", text)
            given = dict(found.groupdict()) if found else {}
            given["authentication_code"] = owner[1] if owner else ""
        euis = (given.get("join_eui", ""), given.get("dev_eui", ""))
        if self._stack.claimable.get(euis) != given.get("authentication_code"):
            raise RefusedError(
                ABORTED,
                "pkg/deviceclaimingserver",
                "claiming_not_supported",
                "claiming not supported for JoinEUI `{eui}`",
                {"eui": euis[0]},
            )
        return {
            "device_id": body.get("target_device_id"),
            "application_ids": {"application_id": application_id},
            "dev_eui": euis[1],
            "join_eui": euis[0],
        }

    async def _unclaim(self, call: Call) -> Any:
        call.application(rights.DEVICES_WRITE)
        return {}
