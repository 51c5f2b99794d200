"""The steps for a new API key after the old one was refused, and for another server address."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_API_KEY
from homeassistant.data_entry_flow import AbortFlow

from ..application import async_discard_key
from ..const import (
    CONF_APPLICATION_ID,
    CONF_DOOR,
    CONF_KEY_ID,
    CONF_NETWORK,
    DOMAIN,
    NETWORK_CLOUD,
    NETWORK_OWN_SERVER,
)
from ..doors import chosen_door
from .base import unique_id_of
from .doors import door_schema
from .probe import async_key_info, async_rights
from .server_form import (
    CLOUD_SCHEMA,
    KEY_SCHEMA,
    OPTIONAL_KEY_SCHEMA,
    OWN_SERVER_SCHEMA,
    REFUSED_OWN_SERVER_SCHEMA,
    SANDBOX_SCHEMA,
    FormError,
    as_typed,
    read_key,
    read_server,
)
from .webhook_only import WebhookOnlyFlow


class ReconfigureFlow(WebhookOnlyFlow):
    """Changes server or API key of an entry; the application stays the same."""

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start reauthentication: the server refused the API key."""
        self._data = dict(entry_data)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new API key with rights on the same application."""
        return await self._async_reauth("reauth_confirm", user_input)

    async def _async_reauth(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Show and read a form with a key, and check that it is of the same application."""
        error = None
        if user_input is not None:
            try:
                self._data[CONF_API_KEY] = read_key(user_input[CONF_API_KEY])
                await self._async_check_same_application()
                return self._update_entry(self._get_reauth_entry())
            except FormError as err:
                error = err
        return self._show_form(step_id, KEY_SCHEMA, user_input, error)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for server, addresses, API key and door; the application stays the same."""
        entry = self._get_reconfigure_entry()
        if user_input is None and not entry.data.get(CONF_API_KEY):
            return await self.async_step_reconfigure_webhook()
        return await self.async_step_reconfigure_connection(user_input)

    async def async_step_reconfigure_connection(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show and read the form."""
        entry = self._get_reconfigure_entry()
        network = entry.data[CONF_NETWORK]
        self._data = dict(entry.data)
        error = None
        if user_input is not None:
            try:
                self._data = {**entry.data, **read_server(network, user_input)}
                self._data[CONF_DOOR] = user_input[CONF_DOOR]
                if key := user_input.get(CONF_API_KEY):
                    self._data[CONF_API_KEY] = read_key(key)
                if self._may_do_without_key():
                    unique_id = unique_id_of(await self._async_stack())
                    self._abort_if_other_entry(unique_id)
                    return self._update_entry(entry, unique_id)
                await self._async_check_address()
                await self._async_check_same_application()
                unique_id = await self._async_find_application()
                self._abort_if_other_entry(unique_id)
                await self._async_probe()
                return self._update_entry(entry, unique_id)
            except FormError as err:
                error = err
        schema = {
            NETWORK_CLOUD: CLOUD_SCHEMA,
            NETWORK_OWN_SERVER: REFUSED_OWN_SERVER_SCHEMA if error else OWN_SERVER_SCHEMA,
        }.get(network, SANDBOX_SCHEMA)
        return self._show_form(
            "reconfigure",
            schema.extend(OPTIONAL_KEY_SCHEMA.schema).extend(
                door_schema(chosen_door(entry.data)).schema
            ),
            user_input or as_typed(entry.data),
            error,
        )

    async def _async_check_same_application(self) -> None:
        """Check that the API key is valid and has rights on this application; raises FormError."""
        stack = await self._async_stack()
        info = self._key_info = await async_key_info(stack)
        application_id = self._data[CONF_APPLICATION_ID]
        if info.application_id not in (None, application_id):
            raise FormError("other_application", CONF_API_KEY, other=info.application_id or "")
        await async_rights(stack)

    def _abort_if_other_entry(self, unique_id: str) -> None:
        other = self.hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, unique_id)
        if other is not None and other != self._get_reconfigure_entry():
            raise AbortFlow("already_configured")

    def _update_entry(self, entry: ConfigEntry, unique_id: str | None = None) -> ConfigFlowResult:
        """Store the new data; the update listener of a running entry reloads it.

        One that failed, or whose stream ended with a key that is good again, starts here.
        """
        if self._data.get(CONF_API_KEY) != entry.data.get(CONF_API_KEY):
            self._data.pop(CONF_KEY_ID, None)  # it was of the other key, which nobody needs now
            self.hass.async_create_task(
                async_discard_key(self.hass, dict(entry.data)), f"{DOMAIN} key"
            )
        unchanged = dict(entry.data) == self._data
        result = self.async_update_and_abort(
            entry, unique_id=unique_id or entry.unique_id, data=self._data
        )
        if unchanged or entry.state is not ConfigEntryState.LOADED:
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result
