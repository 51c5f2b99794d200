"""An application whose messages come by a webhook that the user makes, without an API key."""

from typing import Any, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import callback
from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from ..const import (
    CONF_APPLICATION_ID,
    CONF_DOOR,
    CONF_PLAINTEXT,
    CONF_SERVER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    DOOR_WEBHOOK,
    NETWORK_OWN_SERVER,
    SECTION_ADVANCED,
)
from ..webhook import (
    SECRET_HEADER,
    AddressRefused,
    async_delete_cloudhook,
    async_public_address,
    new_webhook,
)
from .base import SetupFlow, unique_id_of
from .server_form import FormError, read_application, read_server

WEBHOOK_ONLY = "webhook_only"
WEBHOOK_ONLY_SCHEMA = vol.Schema(
    {vol.Required(CONF_SERVER): TextSelector(), vol.Required(CONF_APPLICATION_ID): TextSelector()}
)


class WebhookOnlyFlow(SetupFlow):
    """The steps that show which webhook to make in the Console, and what to fill in there."""

    _shown_id: str | None = None
    """The webhook whose address is shown, while there is no entry that needs it."""

    @callback
    @override
    def async_remove(self) -> None:
        """Delete the cloudhook, if one was made, when the dialogue is closed without an entry."""
        if self._shown_id is not None:
            deleting = async_delete_cloudhook(self.hass, self._shown_id)
            self.hass.async_create_task(deleting, f"{DOMAIN} cloudhook")

    async def async_step_webhook_only(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for server and application ID: all else comes with the messages."""
        error = None
        if user_input is not None:
            try:
                text = user_input[CONF_SERVER].strip()
                advanced = {CONF_PLAINTEXT: text.startswith("http://")}
                self._data = read_server(
                    NETWORK_OWN_SERVER, {CONF_SERVER: text, SECTION_ADVANCED: advanced}
                )
                self._data |= read_application(user_input[CONF_APPLICATION_ID])
                self._data |= {CONF_DOOR: DOOR_WEBHOOK, **new_webhook()}
                stack = await self._async_stack()
                await self.async_set_unique_id(unique_id_of(stack), raise_on_progress=False)
                self._abort_if_unique_id_configured()
                await self._async_check_webhook_address()
                return await self.async_step_webhook_values()
            except FormError as err:
                error = err
        return self._show_form(WEBHOOK_ONLY, WEBHOOK_ONLY_SCHEMA, user_input, error)

    async def async_step_webhook_values(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show address and secret, and the steps in the Console; then create the entry."""
        if user_input is not None:
            if self.source == SOURCE_RECONFIGURE:
                return self.async_abort(reason="webhook_shown")
            self._shown_id = None
            return self.async_create_entry(title=self._data[CONF_APPLICATION_ID], data=self._data)
        return await self._async_show_values("webhook_values")

    async def _async_show_values(self, step_id: str) -> ConfigFlowResult:
        """Show address and secret, which the user takes to the network."""
        webhook_id = self._data[CONF_WEBHOOK_ID]
        if self.source != SOURCE_RECONFIGURE:
            self._shown_id = webhook_id
        try:
            address = await async_public_address(self.hass, webhook_id, self._data[CONF_SERVER])
        except AddressRefused as err:
            return self.async_abort(
                reason=err.reason, description_placeholders={"address": err.address}
            )
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({}),
            description_placeholders={
                **self._placeholders(None),
                "address": address,
                "header": SECRET_HEADER,
                "secret": self._data[CONF_WEBHOOK_SECRET],
            },
            last_step=True,
        )

    async def async_step_reconfigure_webhook(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose: see address and secret again, or give an API key."""
        self._data = dict(self._get_reconfigure_entry().data)
        return self.async_show_menu(
            step_id="reconfigure_webhook", menu_options=["webhook_values", "reconfigure_connection"]
        )

    # Checks

    def _may_do_without_key(self) -> bool:
        """Return whether the data so far has no key and needs none; raises FormError if it does."""
        if self._data.get(CONF_API_KEY):
            return False
        if self._data[CONF_DOOR] != DOOR_WEBHOOK:
            raise FormError("key_needed", CONF_API_KEY)
        return True
