"""What the network offers: frequency plans, versions, defaults, addresses. No rights are needed."""

import json
from pathlib import Path
from typing import Any

from .errors import NOT_FOUND, RefusedError
from .http_server import Call, Route, caller
from .model import Stack

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "network.json").read_text())
"""What a network of v3.32.1 answers, as it was set up for the recordings."""
FREQUENCY_PLANS = {plan["id"]: plan for plan in DATA["frequency_plans"]}


def unknown_plan(plan_id: str) -> RefusedError:
    """Return the answer to a frequency plan that doesn't exist."""
    return RefusedError(
        NOT_FOUND,
        "pkg/frequencyplans",
        "not_found",
        "frequency plan `{id}` not found",
        {"id": plan_id},
    )


class Network:
    """The routes about what a cluster offers."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call."""
        return [
            ("GET", "/configuration/frequency-plans", self._frequency_plans),
            ("GET", "/configuration/phy-versions", self._phy_versions),
            ("GET", "/configuration/bands/{band_id}/{phy}", self._band),
            ("GET", "/ns/default_mac_settings/{plan}/{phy}", self._mac_settings),
            ("GET", "/ns/net_id", self._net_id),
            ("GET", "/ns/dev_addr", self._dev_addr),
            ("GET", "/js/default_join_eui", self._join_eui),
            ("GET", "/js/join_eui_prefixes", self._join_eui_prefixes),
            ("GET", "/as/configuration", self._configuration),
        ]

    async def _frequency_plans(self, call: Call) -> Any:
        caller(call)
        band = call.request.query.get("band_id")
        plans = [plan for plan in FREQUENCY_PLANS.values() if band in (None, plan["band_id"])]
        return {"frequency_plans": plans} if plans else {}

    async def _phy_versions(self, call: Call) -> Any:
        caller(call)
        band = call.request.query.get("band_id")
        known = DATA["phy_versions"][0]["phy_versions"]
        bands = {plan["band_id"] for plan in FREQUENCY_PLANS.values()}
        found = [
            {"band_id": item, "phy_versions": known}
            for item in sorted(bands)
            if band in (None, item)
        ]
        return {"version_info": found} if found else {}

    async def _band(self, call: Call) -> Any:
        caller(call)
        described = DATA["bands"].get(call["band_id"], {}).get("band", {}).get(call["phy"])
        if described is None:
            raise RefusedError(
                NOT_FOUND,
                "pkg/band",
                "band_not_found",
                "band `{id}` not found for version `{version}`",
                {"id": call["band_id"], "version": call["phy"]},
            )
        return {"descriptions": {call["band_id"]: {"band": {call["phy"]: described}}}}

    async def _mac_settings(self, call: Call) -> Any:
        caller(call)
        if call["plan"] not in FREQUENCY_PLANS:
            raise unknown_plan(call["plan"])
        return DATA["default_mac_settings"]

    async def _net_id(self, call: Call) -> Any:
        caller(call)
        return {"net_id": "000000"}

    async def _dev_addr(self, call: Call) -> Any:
        caller(call)
        return {"dev_addr": f"{self._stack.random.getrandbits(25):08X}"}

    async def _join_eui(self, call: Call) -> Any:
        caller(call)
        return {"join_eui": "0" * 16}

    async def _join_eui_prefixes(self, call: Call) -> Any:
        caller(call)
        return {"prefixes": [{"join_eui": "0" * 16}]}

    async def _configuration(self, call: Call) -> Any:
        caller(call)
        if not self._stack.tolerated_failures:
            return {"configuration": DATA["as"]}
        webhooks = {
            "unhealthy_attempts_threshold": str(self._stack.tolerated_failures),
            "unhealthy_retry_interval": f"{self._stack.retry_interval.total_seconds():g}s",
        }
        return {"configuration": {**DATA["as"], "webhooks": webhooks}}
