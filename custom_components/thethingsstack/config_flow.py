"""The config, options and subentry flows, combined from the rooms' flows."""

from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.core import callback

from .application import network_capabilities
from .const import DOMAIN
from .controls.flow import ControlFlow
from .controls.model import SUBENTRY_CONTROL
from .fields.flow import FieldsFlow
from .gateways import SUBENTRY_GATEWAY
from .gateways.flow import GatewayFlow
from .provisioning.delete_flow import DeleteFlow
from .provisioning.edit_flow import EditFlow
from .provisioning.partial_search_flow import PartialSearchFlow
from .provisioning.register_flow import SUBENTRY_END_DEVICE, RegisterFlow
from .provisioning.replace_flow import ReplaceFlow
from .setup_flow.general_options import GeneralOptionsFlow
from .setup_flow.handler import HandlerFlow
from .setup_flow.more_rights import MoreRightsFlow
from .takeover.mqtt import mqtt_entities
from .takeover.mqtt_flow import MqttFlow


class TheThingsStackOptionsFlow(
    GeneralOptionsFlow,
    MoreRightsFlow,
    FieldsFlow,
    EditFlow,
    ReplaceFlow,
    DeleteFlow,
    PartialSearchFlow,
    MqttFlow,
):
    """The options: general ones, fields of end devices, and changes to end devices."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the menu; only the general options are available without a connection."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return await self.async_step_general()
        options = ["fields", "general", "overrides", "local_decoding"]
        if self._may_remove:
            options += ["change", "replace"]
            if self._coordinator.stack.capabilities.several_servers:
                options.append("partial_devices")
            options.append("remove")
        if mqtt_entities(self.hass):
            options.append("mqtt")
        if await self._async_missing():
            options.append("more_rights")
        return self.async_show_menu(step_id="init", menu_options=options)


class TheThingsStackConfigFlow(HandlerFlow, domain=DOMAIN):
    """Connects an application, renews its key, and moves it to another server."""

    VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> TheThingsStackOptionsFlow:
        """Return the options dialogue of an application."""
        return TheThingsStackOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the subentries that can be added to an application: the flow of each, by type.

        Home Assistant asks once and keeps the answer until it is restarted, so it can't depend on
        the key's rights: the dialogues say which right is missing. It depends on the network,
        which changes only when an application is moved to another stack.
        """
        flows: dict[str, type[ConfigSubentryFlow]] = {
            SUBENTRY_END_DEVICE: RegisterFlow,
            SUBENTRY_CONTROL: ControlFlow,
        }
        if network_capabilities(config_entry.data).gateways:
            flows[SUBENTRY_GATEWAY] = GatewayFlow
        return flows
