"""The forms for a new end device, and reading their answers into a registration."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import re
from typing import Any

from homeassistant.helpers.selector import (
    AreaSelector,
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from ..application import Refusal
from ..client import (
    LORAWAN_VERSIONS,
    DeviceTemplate,
    FrequencyPlan,
    InvalidRequest,
    Registration,
    Session,
    check_id,
    generate_eui,
    generate_key,
    looks_reversed,
    parse_dev_addr,
    parse_eui,
    parse_key,
    parse_lorawan_version,
    propose_id,
    reversed_eui,
    usual_frequency_plan,
    version_number,
)
from ..client.device_request import VERSION_OF_ALL
from ..dialogs import searchable, unchosen

MAX_NAME = 50
LORAWAN_1_1 = "MAC_V1_1"
# LoRaWAN versions in which also end devices that don't join have a DevEUI.
NAMED_BY_DEV_EUI = ("MAC_V1_0_4", LORAWAN_1_1)
OTAA, ABP = "otaa", "abp"
ROOT_KEYS = {"app_key": "AppKey", "nwk_key": "NwkKey"}
SESSION_KEYS = {
    "app_s_key": "AppSKey",
    "nwk_s_key": "NwkSKey",
    "s_nwk_s_int_key": "SNwkSIntKey",
    "nwk_s_enc_key": "NwkSEncKey",
}
_ACTIVATION = vol.Required("activation", default=OTAA)
_ACTIVATIONS = SelectSelector(
    SelectSelectorConfig(
        options=[OTAA, ABP], translation_key="activation", mode=SelectSelectorMode.LIST
    )
)
_SERIAL_NUMBER = re.compile("[a-z0-9](?:-?[a-z0-9]){2,}")
_EUIS = {"dev_eui": "DevEUI", "join_eui": "JoinEUI"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRequest:
    """A registration from the forms' answers."""

    registration: Registration
    area_id: str | None
    issue_dev_eui: bool
    """Whether a DevEUI shall be issued by the network.

    The registration has a generated one for networks that issue none.
    """
    generated: Mapping[str, str] = field(repr=False)
    """Generated keys and address that must be written to the end device, by LoRaWAN names."""


def by_name_and_id(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the IDs of end devices by label (name and ID), sorted by name."""
    pairs = {f"{name} · {device_id}": device_id for device_id, name in named}
    return dict(sorted(pairs.items(), key=lambda pair: pair[0].casefold()))


def listed(facts: Mapping[str, str | None]) -> str:
    """Return a Markdown list of names and values, such as EUIs and keys, without empty values."""
    return "\n".join(f"- {name}: `{value}`" for name, value in facts.items() if value is not None)


def usual_plan(
    plans: Sequence[FrequencyPlan], band: str | None, named: Mapping[str, str]
) -> str | None:
    """Return the label of the usual frequency plan of a band; None if there is no usual one."""
    among = [plan for plan in plans if plan.band_id == band] or plans
    if len({plan.band_id for plan in among}) > 1:
        return None
    usual = usual_frequency_plan(among)
    return next((label for label, key in named.items() if usual and key == usual.id), None)


def activation_schema() -> vol.Schema:
    """Return the form for an end device on a network that knows no LoRaWAN versions."""
    return vol.Schema({_ACTIVATION: _ACTIVATIONS})


def template_of(activation: str) -> DeviceTemplate:
    """Return the settings of an end device on a network that knows no LoRaWAN versions."""
    return DeviceTemplate(
        lorawan_version=VERSION_OF_ALL, supports_join=activation == OTAA, mac_settings={}
    )


def by_hand_schema(*, activation: bool = True) -> vol.Schema:
    """Return the form for an end device whose model isn't in the Device Repository."""
    versions = [
        SelectOptionDict(value=version, label=version_number(version))
        for version in LORAWAN_VERSIONS
    ]
    phy_versions = list(dict.fromkeys(v for known in LORAWAN_VERSIONS.values() for v in known))
    how: dict[Any, Any] = {_ACTIVATION: _ACTIVATIONS}
    return vol.Schema(
        {
            **(how if activation else {}),
            vol.Required("lorawan_version", default="MAC_V1_0_3"): SelectSelector(
                SelectSelectorConfig(options=versions, mode=SelectSelectorMode.DROPDOWN)
            ),
            vol.Optional("lorawan_phy_version"): SelectSelector(
                SelectSelectorConfig(options=phy_versions, mode=SelectSelectorMode.DROPDOWN)
            ),
            vol.Required("class_c", default=False): BooleanSelector(),
        }
    )


def read_by_hand(answers: Mapping[str, Any]) -> DeviceTemplate:
    """Return LoRaWAN version and settings; raises Refusal for versions that don't fit together."""
    version = parse_lorawan_version(answers["lorawan_version"])
    phy_version = answers.get("lorawan_phy_version")
    if phy_version is not None and phy_version not in LORAWAN_VERSIONS[version]:
        known = ", ".join(LORAWAN_VERSIONS[version])
        raise Refusal("lorawan_phy_version", "phy_version_odd", known=known)
    return DeviceTemplate(
        lorawan_version=version,
        lorawan_phy_version=phy_version,
        supports_join=answers["activation"] == OTAA,
        supports_class_c=answers["class_c"],
        mac_settings={},
    )


def keys_of(template: DeviceTemplate, claimed: bool) -> dict[str, str]:
    """Return the keys that an end device needs: LoRaWAN names by form field."""
    newest = template.lorawan_version == LORAWAN_1_1
    if template.supports_join:
        return {
            key: name
            for key, name in ROOT_KEYS.items()
            if not claimed and (newest or key == "app_key")
        }
    return {
        key: name
        for key, name in SESSION_KEYS.items()
        if newest or key in ("app_s_key", "nwk_s_key")
    }


def device_schema(
    template: DeviceTemplate, plans: Mapping[str, str] | None, usual: str | None, *, claimed: bool
) -> vol.Schema:
    """Return the form for names, EUIs and keys, as the LoRaWAN version in the template needs them.

    `plans` is None on a network without frequency plans.
    """
    text = TextSelector()
    fields: dict[Any, Any] = {
        vol.Required("name"): text,
        vol.Optional("device_id"): text,
        vol.Optional("area"): AreaSelector(),
        **({} if plans is None else {unchosen("frequency_plan", usual): searchable(plans)}),
        vol.Optional("dev_eui"): text,
    }
    fields[vol.Optional("join_eui" if template.supports_join else "dev_addr")] = text
    fields |= {vol.Optional(key): text for key in keys_of(template, claimed)}
    return vol.Schema(fields)


def read_device(
    template: DeviceTemplate,
    answers: Mapping[str, Any],
    *,
    plan_id: str,
    taken: Collection[str],
    defaults: Mapping[str, str],
    claimed: bool,
) -> RegistrationRequest:
    """Return the registration from the answers; empty keys are generated.

    `taken` are the IDs of other end devices; `defaults` are the server's JoinEUI and device
    address, for empty answers. Raises Refusal for invalid answers.
    """
    name = answers["name"].strip()
    if not name:
        raise Refusal("name", "name_missing")
    if len(name) > MAX_NAME:
        raise Refusal("name", "name_too_long", length=len(name), longest=MAX_NAME)
    given = {key: str(value).strip() for key, value in answers.items() if str(value).strip()}
    device_id = given.get("device_id") or propose_id(name, taken)
    try:
        check_id(device_id)
    except InvalidRequest:
        raise Refusal("device_id", "invalid_device_id", proposal=propose_id(name, taken)) from None
    euis = {key: _eui(key, given[key]) for key in _EUIS if key in given}
    joins = template.supports_join
    issue = "dev_eui" not in euis and (joins or template.lorawan_version in NAMED_BY_DEV_EUI)
    known: dict[str, Any] = {"dev_eui": euis.get("dev_eui") or (generate_eui() if issue else None)}
    keys, generated = read_keys(keys_of(template, claimed), given)
    if joins:
        known |= {"join_eui": euis.get("join_eui") or defaults["join_eui"], **keys}
    else:
        if "dev_addr" not in given:
            generated = {"DevAddr": defaults["dev_addr"], **generated}
        known["session"] = read_session(given.get("dev_addr") or defaults["dev_addr"], keys)
    return RegistrationRequest(
        registration=Registration.from_template(
            template,
            device_id=device_id,
            name=name,
            frequency_plan_id=plan_id,
            claimed=claimed,
            **known,
        ),
        area_id=answers.get("area"),
        issue_dev_eui=issue,
        generated=generated,
    )


def usable_serial_number(text: str | None) -> str | None:
    """Return a QR code's serial number in the server's format; None if it doesn't fit."""
    usable = (text or "").lower()
    return usable if _SERIAL_NUMBER.fullmatch(usable) else None


def _eui(field_name: str, text: str) -> str:
    try:
        return parse_eui(text)
    except InvalidRequest:
        raise Refusal(field_name, "not_an_eui") from None


def read_keys(
    wanted: Mapping[str, str], given: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return all keys by form field, and the generated ones by LoRaWAN name; raises Refusal."""
    keys, generated = {}, {}
    for key, name in wanted.items():
        if key in given:
            try:
                keys[key] = parse_key(given[key])
            except InvalidRequest:
                raise Refusal(key, "not_a_key") from None
        else:
            keys[key] = generated[name] = generate_key()
    return keys, generated


def read_session(dev_addr: str, keys: Mapping[str, str]) -> Session:
    """Return the session of an end device that doesn't join; raises Refusal for an invalid address."""
    try:
        address = parse_dev_addr(dev_addr)
    except InvalidRequest:
        raise Refusal("dev_addr", "not_an_address") from None
    return Session(
        dev_addr=address,
        app_s_key=keys["app_s_key"],
        f_nwk_s_int_key=keys["nwk_s_key"],
        s_nwk_s_int_key=keys.get("s_nwk_s_int_key"),
        nwk_s_enc_key=keys.get("nwk_s_enc_key"),
    )


def reversed_euis(answers: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return EUIs whose bytes seem to be in reverse order, by form field: as typed and reversed."""
    found = {}
    for key in _EUIS:
        if answers.get(key):
            eui = _eui(key, answers[key])
            if looks_reversed(eui):
                found[key] = (eui, reversed_eui(eui))
    return found
