"""The form for name, attributes and location of an end device, and reading its answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from homeassistant.const import (
    ATTR_GPS_ACCURACY,
    ATTR_LATITUDE,
    ATTR_LONGITUDE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    LocationSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..application import Refusal
from ..client import UNCHANGED, DeviceChanges, EndDevice, InvalidRequest, Location
from ..client.device_changes import Unchanged
from ..client.registration import USER_LOCATION
from ..client.rules import check_texts
from ..const import AREA_ATTRIBUTES, OVERDUE_ATTRIBUTE
from ..end_devices import area_from_attributes, silence_of, text_of

AREA_ATTRIBUTE = AREA_ATTRIBUTES[0]
APART, TO_HOME, TO_SERVER = "apart", "to_home", "to_server"
ATTR_ALTITUDE = "altitude"
PLACED = ["device_tracker", "person", "zone"]
"""Platforms of the entities that have a location."""
# What is wrong with a text: the field to blame and what it says.
WRONG_TEXTS = {
    "name_too_long": ("name", "text_too_long"),
    "description_too_long": ("description", "text_too_long"),
    "invalid_attribute": ("attributes", "attribute_key"),
    "attribute_too_long": ("attributes", "attribute_too_long"),
    "too_many_attributes": ("attributes", "too_many_attributes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InHomeAssistant:
    """Name and area of an end device in Home Assistant; `registry_id` is None if it isn't there."""

    registry_id: str | None = None
    name: str | None = None
    renamed: bool = False
    """Whether the user has given it the name there."""
    area: str | None = None


def change_schema(
    device: EndDevice, here: InHomeAssistant, *, with_description: bool = True
) -> vol.Schema:
    """Return the form, with those choices alone that change something.

    The frontend shows a map without a place at Home Assistant's home, as if that were the end
    device's: one without a place is asked whether it shall get one.
    """
    placed = USER_LOCATION in device.locations
    described = {vol.Optional("description"): TextSelector(TextSelectorConfig(multiline=True))}
    return vol.Schema(
        {
            vol.Optional("name"): TextSelector(),
            **_either(
                "names", to_home=here.renamed, to_server=here.name not in (None, device.name)
            ),
            **(described if with_description else {}),
            vol.Optional("attributes"): TextSelector(TextSelectorConfig(multiple=True)),
            **_area_choice(device, here),
            vol.Optional("overdue"): TextSelector(),
            **({vol.Optional("location"): LocationSelector()} if placed else {}),
            **({} if placed else {vol.Required("on_map", default=False): BooleanSelector()}),
            vol.Optional("place_of"): EntitySelector(EntitySelectorConfig(domain=PLACED)),
            **({vol.Required("no_location", default=False): BooleanSelector()} if placed else {}),
        }
    )


def _area_choice(device: EndDevice, here: InHomeAssistant) -> dict[vol.Marker, SelectSelector]:
    by_attributes = area_from_attributes(device.attributes)
    if here.registry_id is None or here.area == by_attributes:
        return {}
    return _either("area", to_home=by_attributes is not None, to_server=here.area is not None)


def _either(field: str, *, to_home: bool, to_server: bool) -> dict[vol.Marker, SelectSelector]:
    """Return a select: copy a value to Home Assistant, to the server, or not at all."""
    offered = {APART: to_home or to_server, TO_HOME: to_home, TO_SERVER: to_server}
    if not offered[APART]:
        return {}
    config = SelectSelectorConfig(
        options=[choice for choice, is_offered in offered.items() if is_offered],
        translation_key=field,
        mode=SelectSelectorMode.LIST,
    )
    return {vol.Required(field, default=APART): SelectSelector(config)}


def present(device: EndDevice) -> dict[str, Any]:
    """Return the present values for the form."""
    answers: dict[str, Any] = {
        "name": device.name or "",
        "description": device.description or "",
        "attributes": [
            f"{key} = {value}"
            for key, value in sorted(device.attributes.items())
            if key != OVERDUE_ATTRIBUTE
        ],
        "overdue": device.attributes.get(OVERDUE_ATTRIBUTE, ""),
    }
    if (known := device.locations.get(USER_LOCATION)) is not None:
        answers["location"] = {"latitude": known.latitude, "longitude": known.longitude}
    return answers


def read_changes(
    hass: HomeAssistant, device: EndDevice, here: InHomeAssistant, answers: Mapping[str, Any]
) -> DeviceChanges:
    """Return the changes that the answers make to the end device; raises Refusal for invalid ones."""
    if here.registry_id is None:
        for field in ("names", "area"):
            if answers.get(field, APART) != APART:
                raise Refusal(field, "not_here")
    name = _name(device, here, answers)
    description = answers.get("description", "").strip()
    attributes = read_attributes(answers.get("attributes", ()))
    attributes |= _overdue(device, attributes, answers)
    if answers.get("area") == TO_SERVER:
        if here.area is None:
            raise Refusal("area", "no_area")
        attributes[AREA_ATTRIBUTE] = here.area
    elif answers.get("area") == TO_HOME and area_from_attributes(attributes) is None:
        raise Refusal("area", "no_area_attribute")
    _check(name, description, attributes, named_here=answers.get("names") == TO_SERVER)
    removed = dict.fromkeys(device.attributes.keys() - attributes.keys())
    differing = {k: v for k, v in attributes.items() if device.attributes.get(k) != v}
    untouched = present(device)  # it may be another one on the server by now
    same_name = name == untouched["name"] and answers.get("names") != TO_SERVER
    return DeviceChanges(
        name=UNCHANGED if same_name else name,
        description=UNCHANGED if description == untouched["description"] else description,
        attributes={**differing, **removed},
        location=_location(hass, device, answers),
    )


def _name(device: EndDevice, here: InHomeAssistant, answers: Mapping[str, Any]) -> str:
    typed: str = answers.get("name", "").strip()
    if answers.get("names") != TO_SERVER:
        return typed
    if typed not in ("", device.name or "", here.name):
        raise Refusal("names", "two_names", name=here.name)
    return here.name or typed


def _overdue(
    device: EndDevice, attributes: Mapping[str, str], answers: Mapping[str, Any]
) -> dict[str, str]:
    """Return the attribute for overdue, {} for none; what nobody changed stays as it is."""
    if OVERDUE_ATTRIBUTE in attributes:
        raise Refusal("attributes", "attribute_has_field", attribute=OVERDUE_ATTRIBUTE)
    typed: str = answers.get("overdue", "").strip()
    if typed and typed != device.attributes.get(OVERDUE_ATTRIBUTE):
        if (silence := silence_of(typed)) is None:
            raise Refusal("overdue", "overdue_number")
        typed = text_of(silence)
    return {OVERDUE_ATTRIBUTE: typed} if typed else {}


def read_attributes(lines: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Return attributes from lines of "key = value"; raises Refusal for an invalid line."""
    attributes: dict[str, str] = {}
    for line in filter(None, map(str.strip, lines)):
        key, separator, value = line.partition("=")
        key = key.strip()
        if not separator:
            raise Refusal("attributes", "attribute_line", line=line)
        if key in attributes:
            raise Refusal("attributes", "attribute_twice", attribute=key)
        attributes[key] = value.strip()
    return attributes


def _check(name: str, description: str, attributes: Mapping[str, str], *, named_here: bool) -> None:
    try:
        check_texts(name, description, attributes)
    except InvalidRequest as err:
        field, key = WRONG_TEXTS[err.name]
        if field == "name" and named_here:
            field = "names"
        about = err.attributes
        raise Refusal(
            field, key, longest=about.get("maximum"), attribute=about.get("value")
        ) from None


# The location


def _location(
    hass: HomeAssistant, device: EndDevice, answers: Mapping[str, Any]
) -> Location | Unchanged | None:
    """Return the new location: none, that of an entity, or the one on the map.

    UNCHANGED if the answers don't change it. Raises Refusal if they contradict each other.
    """
    before = present(device).get("location")
    on_map = answers.get("location", before)
    moved = on_map != before
    entity_id = answers.get("place_of")
    if answers.get("no_location"):
        if moved or entity_id:
            raise Refusal("no_location", "place_and_none")
        return None
    known = device.locations.get(USER_LOCATION)
    altitude = known.altitude if known else None
    if entity_id and answers.get("on_map"):
        raise Refusal("place_of", "map_too")
    if entity_id:
        if moved:
            raise Refusal("place_of", "two_places")
        return _place_of(hass, entity_id, altitude)
    if not moved:
        return UNCHANGED
    return Location(  # the map has no altitude
        latitude=on_map["latitude"], longitude=on_map["longitude"], altitude=altitude
    )


def _place_of(hass: HomeAssistant, entity_id: str, altitude: int | None) -> Location:
    """Return the location of an entity; `altitude` (metres) is used if it has none itself."""
    state = hass.states.get(entity_id)
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        raise Refusal("place_of", "no_position", entity=entity_id if state is None else state.name)
    latitude, longitude = (
        _number(state.attributes.get(name)) for name in (ATTR_LATITUDE, ATTR_LONGITUDE)
    )
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        raise Refusal("place_of", "no_position", entity=state.name)
    own_altitude = _number(state.attributes.get(ATTR_ALTITUDE))
    accuracy = _number(state.attributes.get(ATTR_GPS_ACCURACY))
    return Location(
        latitude=latitude,
        longitude=longitude,
        altitude=altitude if own_altitude is None else round(own_altitude),
        accuracy=None if accuracy is None else round(accuracy),
    )


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return value
    return None
