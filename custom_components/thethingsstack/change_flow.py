"""Edit an end device in The Things Stack: name, description, location, area."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.core import callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.selector import (
    BooleanSelector,
    LocationSelector,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .client import UNCHANGED, DeviceChanges, EndDevice, InvalidRequest, Location, StackError
from .client.changes import Unchanged
from .const import AREA_ATTRIBUTES
from .coordinator import ApplicationCoordinator, TtsConfigEntry
from .registration_errors import Refusal, refusal
from .registration_form import chosen, searchable

USER_LOCATION = "user"
AREA_ATTRIBUTE = AREA_ATTRIBUTES[0]
CHANGE_SCHEMA = vol.Schema(
    {
        vol.Optional("name"): TextSelector(),
        vol.Required("same_name", default=False): BooleanSelector(),
        vol.Optional("description"): TextSelector(TextSelectorConfig(multiline=True)),
        vol.Optional("location"): LocationSelector(),
        vol.Required("no_location", default=False): BooleanSelector(),
        vol.Required("write_area", default=False): BooleanSelector(),
    }
)


class ChangeFlow(OptionsFlow):
    """Which one → its form, filled in with what the server says → saved."""

    config_entry: TtsConfigEntry
    _to_change: EndDevice

    @property
    def _application(self) -> ApplicationCoordinator:
        return self.config_entry.runtime_data

    async def async_step_change(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which end device, and read what the server says of it now."""
        names = {
            device_id: device.name or device_id
            for device_id, device in self._application.roster.registrations.items()
        }
        ordered = sorted(names.items(), key=lambda pair: pair[1].casefold())
        choices = {f"{name} · {device_id}": device_id for device_id, name in ordered}
        refused = None
        if user_input is not None:
            try:
                device_id = chosen("end_device", user_input["end_device"], choices)
                self._to_change = await self._application.stack.device(device_id)
                return await self.async_step_change_what()
            except Refusal as err:
                refused = err
            except StackError as err:
                refused = refusal(err, str)
        schema = vol.Schema({vol.Required("end_device"): searchable(choices)})
        return self.async_show_form(
            step_id="change",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors={} if refused is None else {refused.field: refused.key},
            description_placeholders={} if refused is None else refused.placeholders,
            last_step=False,
        )

    async def async_step_change_what(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what it is to be, and save what differs."""
        device = self._to_change
        refused = None
        if user_input is not None:
            refused = await self._async_save(user_input)
            if refused is None:
                return self.async_abort(
                    reason="changed",
                    description_placeholders={
                        "device": user_input.get("name", "").strip() or device.ids.device_id
                    },
                )
        told = {"device_id": device.ids.device_id, "area": self._area() or "-"}
        return self.async_show_form(
            step_id="change_what",
            data_schema=self.add_suggested_values_to_schema(
                CHANGE_SCHEMA, _present(device) if user_input is None else user_input
            ),
            errors={} if refused is None else {refused.field: refused.key},
            description_placeholders=told | (refused.placeholders if refused else {}),
            last_step=True,
        )

    async def _async_save(self, answers: Mapping[str, Any]) -> Refusal | None:
        device_id = self._to_change.ids.device_id
        try:
            changed = await self._application.stack.end_devices.update(
                device_id, self._changes(answers)
            )
        except Refusal as err:
            return err
        except InvalidRequest as err:
            if err.name in ("name_too_long", "description_too_long"):
                field = err.name.removesuffix("_too_long")
                return Refusal(field, "text_too_long", longest=err.attributes["maximum"])
            return refusal(err, str)
        except StackError as err:
            return refusal(err, str)
        state = self._application.membership.take_in(changed)
        if answers["same_name"] and state is not None and state.registry_id is not None:
            dr.async_get(self.hass).async_update_device(state.registry_id, name_by_user=None)
        return None

    def _changes(self, answers: Mapping[str, Any]) -> DeviceChanges:
        """Return what differs from what the form was filled in with."""
        before = _present(self._to_change)
        texts = {key: answers.get(key, "").strip() for key in ("name", "description")}
        location = answers.get("location")
        place: Location | Unchanged | None = UNCHANGED
        if answers["no_location"]:
            place = None
        elif location is not None and location != before.get("location"):
            place = self._place(location)
        attributes: dict[str, str | None] = {}
        if answers["write_area"]:
            area = self._area()
            if area is None:
                raise Refusal("write_area", "no_area")
            attributes[AREA_ATTRIBUTE] = area
        return DeviceChanges(
            name=texts["name"],
            description=texts["description"],
            attributes=attributes,
            location=place,
        )

    def _place(self, location: Mapping[str, float]) -> Location:
        """Return a place on the map; the altitude stays, for no map tells it."""
        known = self._to_change.locations.get(USER_LOCATION)
        return Location(
            latitude=location["latitude"],
            longitude=location["longitude"],
            altitude=known.altitude if known else None,
        )

    @callback
    def _area(self) -> str | None:
        """Return the name of the area where the end device is in Home Assistant."""
        state = self._application.roster.by_device_id(self._to_change.ids.device_id)
        entry = (
            dr.async_get(self.hass).async_get(state.registry_id)
            if state is not None and state.registry_id is not None
            else None
        )
        if entry is None or entry.area_id is None:
            return None
        area = ar.async_get(self.hass).async_get_area(entry.area_id)
        return None if area is None else area.name


def _present(device: EndDevice) -> dict[str, Any]:
    """Return what a form is filled in with."""
    present: dict[str, Any] = {"name": device.name or "", "description": device.description or ""}
    if (known := device.locations.get(USER_LOCATION)) is not None:
        present["location"] = {"latitude": known.latitude, "longitude": known.longitude}
    return present
