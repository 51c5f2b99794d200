"""Read a network's frequency plans, LoRaWAN versions and default settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
import re
from typing import Any, Self

from . import json_values
from .api import Calls, quoted
from .errors import InvalidRequest

_RP002 = tuple(f"RP002_V1_0_{minor}" for minor in range(5))
# https://www.thethingsindustries.com/docs/hardware/devices/concepts/lorawan-versions/
LORAWAN_VERSIONS: Mapping[str, tuple[str, ...]] = {
    "MAC_V1_0": ("PHY_V1_0",),
    "MAC_V1_0_1": ("PHY_V1_0_1",),
    "MAC_V1_0_2": ("PHY_V1_0_2_REV_A", "PHY_V1_0_2_REV_B"),
    "MAC_V1_0_3": ("PHY_V1_0_3_REV_A",),
    "MAC_V1_0_4": _RP002,
    "MAC_V1_1": ("PHY_V1_1_REV_A", "PHY_V1_1_REV_B", *_RP002),
}
"""The regional parameters that each LoRaWAN version may have."""
_USUAL = {
    "MAC_V1_0_2": "PHY_V1_0_2_REV_B",
    "MAC_V1_0_4": "RP002_V1_0_3",
    "MAC_V1_1": "PHY_V1_1_REV_B",
}
# The common names of channel plans in the LoRa Alliance's regional parameters (RP002).
_COMMON_NAMES = {
    "as923": "AS_923",
    "au915": "AU_915_928",
    "cn470": "CN_470_510",
    "cn779": "CN_779_787",
    "eu868": "EU_863_870",
    "in865": "IN_865_867",
    "kr920": "KR_920_923",
    "ru864": "RU_864_870",
    "us915": "US_902_928",
}
_MOST_SIMILAR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyPlan:
    """A frequency plan; `base_frequency` in MHz."""

    id: str
    name: str
    base_frequency: int
    band_id: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a frequency plan; one without name has its id."""
        plan_id = json_values.text(data.get("id")) or ""
        return cls(
            id=plan_id,
            name=json_values.text(data.get("name")) or plan_id,
            base_frequency=json_values.integer(data.get("base_frequency")) or 0,
            band_id=json_values.text(data.get("band_id")) or "",
        )


def parse_lorawan_version(text: str) -> str:
    """Return the server's name of a LoRaWAN version: "1.0.3", "v1.0.3", "MAC_V1_0_3".

    Raises InvalidRequest, which names the known ones.
    """
    digits = re.sub(r"^(LORAWAN|MAC)?[\s_]*V?[\s_]*", "", text.strip().upper())
    digits = re.sub(r"[._]", ".", digits).removesuffix(".0") if digits != "1.0" else digits
    name = "MAC_V" + digits.replace(".", "_")
    name = "MAC_V1_0" if name == "MAC_V1" else name
    if name not in LORAWAN_VERSIONS:
        known = ", ".join(version_number(version) for version in LORAWAN_VERSIONS)
        raise InvalidRequest(
            f"LoRaWAN version `{text}` is none of {known}",
            name="invalid_lorawan_version",
            attributes={"value": text, "known": known},
        )
    return name


def version_number(lorawan_version: str) -> str:
    """Return the number of a LoRaWAN version, such as "1.0.3"."""
    return lorawan_version.removeprefix("MAC_V").replace("_", ".")


def usual_phy_version(lorawan_version: str) -> str:
    """Return the regional parameters that most devices of a LoRaWAN version have."""
    return _USUAL.get(lorawan_version) or LORAWAN_VERSIONS[lorawan_version][0]


def check_phy_version(lorawan_version: str, phy_version: str) -> str:
    """Return the regional parameters if they go with a LoRaWAN version.

    Raises InvalidRequest `invalid_lorawan_phy_version`, which names those that do.
    """
    allowed = LORAWAN_VERSIONS[lorawan_version]
    if phy_version not in allowed:
        # The server would accept it, but couldn't decode the end device's messages.
        known = ", ".join(allowed)
        raise InvalidRequest(
            f"regional parameters `{phy_version}` don't go with LoRaWAN "
            f"{version_number(lorawan_version)}: choose one of {known}",
            name="invalid_lorawan_phy_version",
            attributes={"value": phy_version, "known": known},
        )
    return phy_version


def usual_frequency_plan(plans: Sequence[FrequencyPlan]) -> FrequencyPlan | None:
    """Return the plan among a band's that the network recommends, or its only one."""
    for plan in plans:
        if plan.id.endswith("_TTN") or "used by TTN" in plan.name or "recommended" in plan.name:
            return plan
    return plans[0] if len(plans) == 1 else None


def matching_plans(plans: Sequence[FrequencyPlan], text: str) -> list[FrequencyPlan]:
    """Return the plans in whose ID, band or name each word of a text occurs.

    Case and punctuation don't count; "EU868" and the like are the bands that people call so.
    """
    words = [_plain(word) for word in text.split()]
    return [plan for plan in plans if all(_matches(plan, word) for word in words)]


def similar_plans(plans: Sequence[FrequencyPlan], text: str) -> list[FrequencyPlan]:
    """Return the plans that may be meant by a text that is no plan's ID, the likeliest first.

    If none is like it, the usual plan of each band.
    """
    region = "".join(takewhile(str.isalpha, text)).upper()
    found = matching_plans(plans, text) or [
        plan for plan in plans if region and plan.id.upper().startswith(f"{region}_")
    ]
    if not found:
        bands: dict[str, list[FrequencyPlan]] = {}
        for plan in plans:
            bands.setdefault(plan.band_id, []).append(plan)
        return [usual for band in bands.values() if (usual := usual_frequency_plan(band))]

    def likeness(plan: FrequencyPlan) -> float:
        return SequenceMatcher(None, _plain(text), _plain(plan.id)).ratio()

    return sorted(found, key=likeness, reverse=True)


def _matches(plan: FrequencyPlan, word: str) -> bool:
    return (
        word in _plain(plan.id)
        or word in _plain(plan.band_id)
        or any(_plain(part).startswith(word) for part in plan.name.split())
        or _COMMON_NAMES.get(word) == plan.band_id
    )


def _plain(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def check_plan_among(
    plans: Sequence[FrequencyPlan], frequency_plan_id: str, band_id: str | None, whose: str
) -> None:
    """Raise what `Configuration.check_frequency_plan` raises, for a server with these plans."""
    plan = next((plan for plan in plans if plan.id == frequency_plan_id), None)
    if plan is not None and (not band_id or plan.band_id in ("", band_id)):
        return
    if band_id:
        fitting = [other.id for other in plans if other.band_id in ("", band_id)]
    else:
        fitting = [other.id for other in similar_plans(plans, frequency_plan_id)]
        fitting = fitting[:_MOST_SIMILAR]
    known = ", ".join(fitting)
    if plan is None:
        reason = f"there is no frequency plan `{frequency_plan_id}` on this server"
        name = "frequency_plan_not_found"
    else:
        reason = (
            f"the frequency plan `{frequency_plan_id}` is of band {plan.band_id}, "
            f"but {whose} of band {band_id}"
        )
        name = "frequency_plan_of_another_band"
    raise InvalidRequest(
        f"{reason}: choose one {'of' if band_id else 'like'} {known}" if known else reason,
        name=name,
        attributes={
            "value": frequency_plan_id,
            "known": known,
            "expected": band_id,
            "band": plan.band_id if plan is not None else None,
        },
    )


class Configuration:
    """The configuration of a cluster; reading it needs no right."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def frequency_plans(self, band_id: str | None = None) -> list[FrequencyPlan]:
        """Return the frequency plans, of all bands or of one."""
        path = "configuration/frequency-plans"
        answer = await self._calls.object("GET", path, params={"band_id": band_id})
        plans = [
            FrequencyPlan.from_json(item)
            for item in json_values.objects(answer.get("frequency_plans"))
        ]
        return [plan for plan in plans if band_id in (None, plan.band_id)]

    async def check_frequency_plan(
        self, frequency_plan_id: str, band_id: str | None, whose: str = "the model is"
    ) -> None:
        """Raise InvalidRequest if the server has no such plan, or the plan is of another band.

        The errors are `frequency_plan_not_found` and `frequency_plan_of_another_band`; their texts
        say `whose` band it is, and name the plans of that band. Without `band_id`, every plan of
        the server is accepted, and of an unknown one the text names those like it.
        """
        check_plan_among(await self.frequency_plans(), frequency_plan_id, band_id, whose)

    async def phy_versions(self, band_id: str) -> list[str]:
        """Return the regional parameters that the network knows for a band."""
        params = {"band_id": band_id}
        answer = await self._calls.object("GET", "configuration/phy-versions", params=params)
        return [
            version
            for item in json_values.objects(answer.get("version_info"))
            if item.get("band_id") == band_id
            for version in json_values.texts(item.get("phy_versions"))
        ]

    async def default_mac_settings(
        self, frequency_plan_id: str, phy_version: str
    ) -> dict[str, Any]:
        """Return the MAC settings of end devices that have none of their own."""
        path = f"ns/default_mac_settings/{quoted(frequency_plan_id)}/{quoted(phy_version)}"
        return dict(await self._calls.object("GET", path))

    async def default_join_eui(self) -> str:
        """Return the JoinEUI for end devices without one of their own."""
        answer = await self._calls.object("GET", "js/default_join_eui")
        return json_values.hexadecimal(answer.get("join_eui")) or "0" * 16

    async def join_eui_prefixes(self) -> list[str]:
        """Return the ranges of JoinEUIs that the Join Server serves, as "prefix/bits"."""
        answer = await self._calls.object("GET", "js/join_eui_prefixes")
        return [
            f"{item.get('join_eui', '0' * 16)}/{json_values.integer(item.get('length')) or 0}"
            for item in json_values.objects(answer.get("prefixes"))
        ]

    async def dev_addr(self) -> str:
        """Return a new address for a device that doesn't join (ABP)."""
        answer = await self._calls.object("GET", "ns/dev_addr")
        return json_values.hexadecimal(answer.get("dev_addr")) or ""

    async def net_id(self) -> str:
        """Return the network's NetID."""
        answer = await self._calls.object("GET", "ns/net_id")
        return json_values.hexadecimal(answer.get("net_id")) or ""
