"""The steps for a stack of version 2: discovery or Handler, access key; reauthentication, reconfigure."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.data_entry_flow import section
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from ..application import async_tls_context
from ..client import InvalidRequest
from ..client.v2 import CAPABILITIES, HandlerAddress, find_handlers
from ..const import (
    CONF_APPLICATION_ID,
    CONF_CA_CERTIFICATE,
    CONF_DISCOVERY_SERVER,
    CONF_DOOR,
    CONF_HANDLER,
    CONF_IDENTITY_SERVER,
    CONF_MQTT_HOST,
    CONF_MQTT_PORT,
    CONF_MQTT_TLS,
    CONF_NETWORK,
    CONF_PLAINTEXT,
    CONF_SERVER,
    CONF_TENANT_ID,
    DOOR_MQTT,
    DOOR_WEBHOOK,
    NETWORK_V2,
    SECTION_ADVANCED,
)
from ..doors import chosen_door
from .base import unique_id_of
from .doors import door_schema
from .move import MoveFlow
from .probe import async_key_info, http_errors
from .server_form import (
    KEY_FIELD,
    OPTIONAL_KEY_SCHEMA,
    URL_FIELD,
    FormError,
    read_application,
    read_host,
    read_key,
    read_url,
)
from .webhook_only import WEBHOOK_ONLY

PLAIN_PORT = 1883
_ADVANCED = {
    vol.Required(SECTION_ADVANCED): section(
        vol.Schema(
            {
                vol.Optional(CONF_MQTT_PORT): NumberSelector(
                    NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
                ),
                vol.Optional(CONF_CA_CERTIFICATE): TextSelector({"multiline": True}),
                vol.Required(CONF_PLAINTEXT, default=False): BooleanSelector(),
            }
        ),
        {"collapsed": False},
    )
}
_DOOR = door_schema(DOOR_MQTT, CAPABILITIES).schema
HANDLER_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_DISCOVERY_SERVER): URL_FIELD,
        vol.Optional(CONF_SERVER): URL_FIELD,
        vol.Optional(CONF_MQTT_HOST): TextSelector(),
        vol.Required(CONF_APPLICATION_ID): TextSelector(),
        vol.Required(CONF_API_KEY): KEY_FIELD,
        **_DOOR,
        **_ADVANCED,
    }
)
RECONFIGURE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SERVER): URL_FIELD,
        vol.Optional(CONF_MQTT_HOST): TextSelector(),
        **OPTIONAL_KEY_SCHEMA.schema,
        **_ADVANCED,
    }
)


class HandlerFlow(MoveFlow):
    """Connects and reconfigures an application of a stack of version 2."""

    def __init__(self) -> None:
        """Start without any answer."""
        super().__init__()
        self._handlers: dict[str, HandlerAddress] = {}
        self._handler_answers: dict[str, Any] = {}

    @property
    @override
    def _networks(self) -> list[str]:
        """The networks to choose from: a move leads away from version 2."""
        networks = super()._networks
        if self._moving:
            return [network for network in networks if network != WEBHOOK_ONLY]
        return [*networks, NETWORK_V2]

    # Connecting

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose the network."""
        if user_input is not None and user_input[CONF_NETWORK] == NETWORK_V2:
            return await self.async_step_handler()
        return await super().async_step_user(user_input)

    async def async_step_handler(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for discovery server or Handler, and for application ID and access key."""
        error = None
        if user_input is not None:
            try:
                self._handler_answers = user_input
                self._data = {**read_handler(user_input), CONF_DOOR: user_input[CONF_DOOR]}
                self._data |= read_application(user_input[CONF_APPLICATION_ID])
                self._data[CONF_API_KEY] = read_key(user_input[CONF_API_KEY])
                if await self._async_handler_known(user_input):
                    return await self._async_use_handler()
                return await self.async_step_choose_handler()
            except FormError as err:
                error = err
        return self._show_form("handler", HANDLER_SCHEMA, user_input, error)

    async def async_step_choose_handler(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose among the Handlers that the discovery server knows."""
        error = None
        if user_input is not None:
            try:
                self._take_handler(self._handlers[user_input[CONF_HANDLER]])
                return await self._async_use_handler()
            except FormError as err:
                error = err
        selector = SelectSelector(
            SelectSelectorConfig(options=list(self._handlers), mode=SelectSelectorMode.LIST)
        )
        schema = vol.Schema({vol.Required(CONF_HANDLER): selector})
        return self._show_form("choose_handler", schema, user_input, error)

    async def _async_handler_known(self, answers: Mapping[str, Any]) -> bool:
        """Return whether the Handler is known, by its address or by discovery; raises FormError.

        Otherwise there are several to choose from.
        """
        if answers.get(CONF_SERVER):
            return True
        if not answers.get(CONF_DISCOVERY_SERVER):
            raise FormError("handler_missing", CONF_SERVER)
        try:
            context = await async_tls_context(self.hass, self._data)
        except InvalidRequest as err:
            raise FormError(err.name) from err
        with http_errors():
            found = await find_handlers(
                self._data[CONF_SERVER],
                session=async_get_clientsession(self.hass),
                tls_context=context,
            )
        usable = [handler for handler in found if handler.api_address]
        application = self._data[CONF_APPLICATION_ID]
        having = [handler for handler in usable if application in handler.applications]
        if not usable:
            raise FormError("no_handlers", CONF_DISCOVERY_SERVER)
        if len(having or usable) > 1:
            self._handlers = {_label(handler): handler for handler in having or usable}
            return False
        self._take_handler((having or usable)[0])
        return True

    def _take_handler(self, handler: HandlerAddress) -> None:
        """Use the addresses that a Handler announces, where the user gave none; raises FormError.

        Its port of MQTT is without TLS, so that it only counts where the user wants none.
        """
        advanced = self._handler_answers.get(SECTION_ADVANCED, {})
        plaintext = advanced.get(CONF_PLAINTEXT, False)
        server = read_url(handler.api_address or "", plaintext, "invalid_server")
        self._data |= {CONF_SERVER: server, CONF_IDENTITY_SERVER: server}
        if not self._data[CONF_MQTT_HOST]:
            self._data[CONF_MQTT_HOST] = handler.mqtt_host
            if plaintext or handler.mqtt_port != PLAIN_PORT:
                self._data[CONF_MQTT_PORT] = self._data[CONF_MQTT_PORT] or handler.mqtt_port

    async def _async_use_handler(self) -> ConfigFlowResult:
        """Find out by trying what the key may do, and go on with the summary; raises FormError."""
        try:
            self._key_info = await async_key_info(await self._async_stack())
        except InvalidRequest as err:
            raise FormError(err.name) from err
        return await self._async_use_application()

    @override
    async def _async_connected(self, title: str) -> ConfigFlowResult:
        """Create the entry; where the HTTP integration shall post, say first what it needs."""
        if self._data[CONF_NETWORK] == NETWORK_V2 and self._data[CONF_DOOR] == DOOR_WEBHOOK:
            return await self.async_step_integration_values()
        return await super()._async_connected(title)

    async def async_step_integration_values(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the HTTP integration needs; then create the entry, or change it."""
        if user_input is None:
            return await self._async_show_values("integration_values")
        if self.source != SOURCE_RECONFIGURE:
            self._shown_id = None
            return self.async_create_entry(title=self._data[CONF_APPLICATION_ID], data=self._data)
        entry = self._get_reconfigure_entry()
        if self._data == entry.data:
            return self.async_abort(reason="webhook_shown")
        return self._update_entry(entry, unique_id_of(await self._async_stack()))

    # Reauthentication

    @override
    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start reauthentication: the key is refused."""
        if entry_data[CONF_NETWORK] != NETWORK_V2:
            return await super().async_step_reauth(entry_data)
        self._data = dict(entry_data)
        return await self.async_step_reauth_access_key()

    async def async_step_reauth_access_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new access key of the same application."""
        return await self._async_reauth("reauth_access_key", user_input)

    # Another address or key

    @override
    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose: other addresses or another key, or a move to version 3."""
        if self._get_reconfigure_entry().data[CONF_NETWORK] != NETWORK_V2:
            return await super().async_step_reconfigure(user_input)
        return await self.async_step_reconfigure_choice()

    async def async_step_reconfigure_choice(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose."""
        self._data = dict(self._get_reconfigure_entry().data)
        return self.async_show_menu(
            step_id="reconfigure_choice",
            menu_options=[
                "reconfigure_handler",
                "move",
                *(["integration_values"] if chosen_door(self._data) == DOOR_WEBHOOK else []),
            ],
            description_placeholders=self._placeholders(None),
        )

    async def async_step_reconfigure_handler(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for addresses, access key and door; the application stays the same."""
        entry = self._get_reconfigure_entry()
        error = None
        if user_input is not None:
            try:
                self._data = {**entry.data, **read_handler(user_input)}
                self._data[CONF_DOOR] = user_input[CONF_DOOR]
                if key := user_input.get(CONF_API_KEY):
                    self._data[CONF_API_KEY] = read_key(key)
                await self._async_check_same_application()
                unique_id = await self._async_find_application()
                self._abort_if_other_entry(unique_id)
                await self._async_probe()
                if CONF_WEBHOOK_ID in self._data and CONF_WEBHOOK_ID not in entry.data:
                    return await self.async_step_integration_values()
                return self._update_entry(entry, unique_id)
            except FormError as err:
                error = err
        stack = await self._async_stack()
        doors = door_schema(chosen_door(entry.data), stack.capabilities)
        return self._show_form(
            "reconfigure_handler",
            RECONFIGURE_SCHEMA.extend(doors.schema),
            user_input or as_typed_handler(entry.data),
            error,
        )


def read_handler(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry's data for a form's answers about a Handler; raises FormError.

    Without the Handler's address, the server is the discovery server for now.
    """
    advanced = user_input.get(SECTION_ADVANCED, {})
    plaintext = advanced.get(CONF_PLAINTEXT, False)
    field = CONF_SERVER if user_input.get(CONF_SERVER) else CONF_DISCOVERY_SERVER
    server = ""
    if text := user_input.get(field):
        server = read_url(text, plaintext, "invalid_server", field)
    port = advanced.get(CONF_MQTT_PORT)
    return {
        CONF_NETWORK: NETWORK_V2,
        CONF_SERVER: server,
        CONF_IDENTITY_SERVER: server,
        CONF_TENANT_ID: None,
        CONF_MQTT_HOST: read_host(user_input.get(CONF_MQTT_HOST, "")),
        CONF_MQTT_PORT: None if port is None else int(port),
        CONF_MQTT_TLS: not plaintext,
        CONF_CA_CERTIFICATE: advanced.get(CONF_CA_CERTIFICATE, "").strip() or None,
    }


def as_typed_handler(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data as answers of the form, without the access key."""
    return {
        CONF_SERVER: data[CONF_SERVER],
        CONF_MQTT_HOST: data[CONF_MQTT_HOST],
        SECTION_ADVANCED: {
            CONF_MQTT_PORT: data[CONF_MQTT_PORT],
            CONF_CA_CERTIFICATE: data[CONF_CA_CERTIFICATE],
            CONF_PLAINTEXT: not data[CONF_MQTT_TLS],
        },
    }


def _label(handler: HandlerAddress) -> str:
    named = " · ".join(filter(None, (handler.handler_id, handler.description)))
    return f"{named} ({handler.api_address})"
