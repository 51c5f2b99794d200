"""General options of an application; applied in place, without a reload."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..const import (
    CONF_CHOSEN_DEVICES,
    CONF_CORE_LORAWAN,
    CONF_DEVICES,
    CONF_FORGET_AFTER,
    CONF_LEFT_OUT_DEVICES,
    CONF_OVERDUE_AFTER,
    CONF_OVERDUE_UNAVAILABLE,
    CONF_PANEL,
    CONF_PLAIN_FIELDS,
    CONF_RADIO_DETAILS,
    DEFAULT_CORE_LORAWAN,
    DEFAULT_DEVICES,
    DEFAULT_FORGET_AFTER,
    DEFAULT_PANEL,
    DEVICES_ALL,
    DEVICES_ALL_BUT,
    DEVICES_CHOSEN,
    DEVICES_NOT_IGNORED,
    IGNORE_ATTRIBUTE,
    IGNORE_VALUE,
    OVERDUE_ATTRIBUTE,
)
from ..core_lorawan import async_core_lorawan

GENERAL_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DEVICES, default=DEFAULT_DEVICES): SelectSelector(
            SelectSelectorConfig(
                options=[DEVICES_ALL, DEVICES_ALL_BUT, DEVICES_CHOSEN, DEVICES_NOT_IGNORED],
                translation_key="devices",
                mode=SelectSelectorMode.LIST,
            )
        ),
        vol.Optional(CONF_OVERDUE_AFTER): NumberSelector(
            NumberSelectorConfig(
                min=1, max=24 * 366, step=1, unit_of_measurement="h", mode=NumberSelectorMode.BOX
            )
        ),
        vol.Required(CONF_OVERDUE_UNAVAILABLE, default=False): BooleanSelector(),
        vol.Required(CONF_FORGET_AFTER, default=DEFAULT_FORGET_AFTER): NumberSelector(
            NumberSelectorConfig(
                min=0, max=3650, step=1, unit_of_measurement="d", mode=NumberSelectorMode.BOX
            )
        ),
        vol.Required(CONF_PLAIN_FIELDS, default=True): BooleanSelector(),
        vol.Required(CONF_PANEL, default=DEFAULT_PANEL): BooleanSelector(),
    }
)
CORE_LORAWAN_OPTION = {
    vol.Required(CONF_CORE_LORAWAN, default=DEFAULT_CORE_LORAWAN): BooleanSelector()
}

RADIO_DETAILS_OPTION = {vol.Required(CONF_RADIO_DETAILS, default=False): BooleanSelector()}


class GeneralOptionsFlow(OptionsFlow):
    """Steps: which end devices are added, when one is overdue, when a vanished one is removed."""

    _options: dict[str, Any]

    async def async_step_general(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the general options."""
        options = self.config_entry.options
        if user_input is not None:
            self._options = {
                **options,
                CONF_DEVICES: user_input[CONF_DEVICES],
                CONF_OVERDUE_UNAVAILABLE: user_input[CONF_OVERDUE_UNAVAILABLE],
                CONF_FORGET_AFTER: int(user_input[CONF_FORGET_AFTER]),
                CONF_PLAIN_FIELDS: user_input[CONF_PLAIN_FIELDS],
                CONF_PANEL: user_input[CONF_PANEL],
            }
            if (hours := user_input.get(CONF_OVERDUE_AFTER)) is None:
                self._options.pop(CONF_OVERDUE_AFTER, None)
            else:
                self._options[CONF_OVERDUE_AFTER] = int(hours)
            for name in (CONF_CORE_LORAWAN, CONF_RADIO_DETAILS):  # not asked of everybody
                if name in user_input:
                    self._options[name] = user_input[name]
            if user_input[CONF_DEVICES] == DEVICES_CHOSEN:
                return await self.async_step_chosen_devices()
            if user_input[CONF_DEVICES] == DEVICES_ALL_BUT or (
                user_input[CONF_DEVICES] == DEVICES_NOT_IGNORED
                and self._options.get(CONF_LEFT_OUT_DEVICES)
            ):
                return await self.async_step_left_out_devices()
            self._options.pop(CONF_LEFT_OUT_DEVICES, None)
            return self.async_create_entry(data=self._options)
        schema = GENERAL_SCHEMA
        if await async_core_lorawan(self.hass) is not None:
            schema = schema.extend(CORE_LORAWAN_OPTION)
        if self._is_large or CONF_RADIO_DETAILS in options:
            schema = schema.extend(RADIO_DETAILS_OPTION)
        return self.async_show_form(
            step_id="general",
            data_schema=self.add_suggested_values_to_schema(schema, options),
            description_placeholders={
                "attribute": IGNORE_ATTRIBUTE,
                "value": IGNORE_VALUE,
                "overdue_attribute": OVERDUE_ATTRIBUTE,
            },
        )

    @property
    def _is_large(self) -> bool:
        """Return whether the application has so many end devices that details are left out."""
        entry = self.config_entry
        return entry.state is ConfigEntryState.LOADED and entry.runtime_data.large

    async def async_step_chosen_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose end devices by name."""
        return self._choose_devices("chosen_devices", CONF_CHOSEN_DEVICES, user_input)

    async def async_step_left_out_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose by name which end devices are left out."""
        return self._choose_devices("left_out_devices", CONF_LEFT_OUT_DEVICES, user_input)

    def _choose_devices(
        self, step_id: str, name: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        if user_input is not None:
            return self.async_create_entry(data={**self._options, **user_input})
        chosen = self.config_entry.options.get(name, [])
        names = self._names()
        options = [
            SelectOptionDict(value=device_id, label=names.get(device_id, device_id))
            for device_id in {**names, **dict.fromkeys(chosen, "")}
        ]
        schema = vol.Schema(
            {
                vol.Required(name, default=list(chosen)): SelectSelector(
                    SelectSelectorConfig(
                        options=options,
                        multiple=True,
                        mode=SelectSelectorMode.DROPDOWN,
                        sort=True,
                    )
                )
            }
        )
        return self.async_show_form(step_id=step_id, data_schema=schema, last_step=True)

    def _names(self) -> dict[str, str]:
        """Return a label (name and ID) for every known end device, by ID."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return {}
        roster = self.config_entry.runtime_data.roster
        names = {device_id: device_id for device_id in roster.excluded}
        names |= {
            device_id: device.name or device_id
            for device_id, device in roster.registrations.items()
        }
        names |= {state.device_id: state.name for state in roster.states.values()}
        return {
            device_id: name if name == device_id else f"{name} ({device_id})"
            for device_id, name in names.items()
        }
