"""Dialogue Add gateway: choose a gateway, and the API key to read its status with."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_API_KEY
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..application import APPLICATION_KEY_TEXTS, GATEWAY_TEXTS, text_key
from ..client import Gateway, StackError, check_id
from .coordinator import CONF_GATEWAY_ID, SUBENTRY_GATEWAY, async_stack_with

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

KEY_SELECTOR = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
KEY_SCHEMA = vol.Schema({vol.Optional(CONF_API_KEY): KEY_SELECTOR})
_FIELD_OF_TEXT = {
    "gateway_not_found": CONF_GATEWAY_ID,
    "invalid_id": CONF_GATEWAY_ID,
    "key_needed": CONF_API_KEY,
    "key_refused": CONF_API_KEY,
    "missing_right": CONF_API_KEY,
}
"""The form field that is wrong, by the text's key."""


class GatewayFlow(ConfigSubentryFlow):
    """Asks for a gateway's ID and API key, and reads it once before it is added."""

    def __init__(self) -> None:
        """Start without errors."""
        self._errors: dict[str, str] = {}
        self._error_text = ""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the gateway, and optionally for its own API key."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        coordinator: ApplicationCoordinator = self._get_entry().runtime_data
        if not coordinator.stack.capabilities.gateways:
            return self.async_abort(reason="without_gateways")
        if user_input is not None:
            gateway_id, api_key = _id_of(user_input), _key_of(user_input)
            if (gateway := await self._async_read(gateway_id, api_key)) is not None:
                return self.async_create_entry(
                    title=gateway.name or gateway_id,
                    data=_data(gateway_id, api_key),
                    unique_id=gateway_id,
                )
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(self._schema(), user_input),
            description_placeholders={"error": self._error_text},
            errors=self._errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for another API key, or none."""
        entry, subentry = self._get_entry(), self._get_reconfigure_subentry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        gateway_id: str = subentry.data[CONF_GATEWAY_ID]
        if user_input is not None:
            api_key = _key_of(user_input)
            if await self._async_read(gateway_id, api_key) is not None:
                return self.async_update_and_abort(entry, subentry, data=_data(gateway_id, api_key))
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(KEY_SCHEMA, user_input),
            description_placeholders={"gateway": gateway_id, "error": self._error_text},
            errors=self._errors,
        )

    def _schema(self) -> vol.Schema:
        coordinator: ApplicationCoordinator = self._get_entry().runtime_data
        added = self._added()
        options = [
            SelectOptionDict(value=gateway_id, label=gateway_id)
            for gateway_id in coordinator.gateways.reception_counts()
            if gateway_id not in added
        ]
        selector = SelectSelector(
            SelectSelectorConfig(
                options=options,
                mode=SelectSelectorMode.DROPDOWN,
                custom_value=True,  # gives the list a search box, and takes any other id
            )
        )
        # Optional only here: a required select begins with the first of its list.
        return vol.Schema({vol.Optional(CONF_GATEWAY_ID): selector}).extend(KEY_SCHEMA.schema)

    def _added(self) -> set[str]:
        return {
            subentry.data[CONF_GATEWAY_ID]
            for subentry in self._get_entry().subentries.values()
            if subentry.subentry_type == SUBENTRY_GATEWAY
        }

    async def _async_read(self, gateway_id: str, api_key: str | None) -> Gateway | None:
        """Return the gateway, read with this API key; None after an error, kept for the form."""
        self._errors, self._error_text = {}, ""
        if self.source != "reconfigure" and gateway_id in self._added():
            self._errors = {CONF_GATEWAY_ID: "already_added"}
            return None
        try:
            check_id(gateway_id)
            stack = await async_stack_with(self.hass, self._get_entry(), api_key)
            gateway = await stack.gateways.get(gateway_id)
            await stack.gateways.connection(gateway_id)
        except StackError as err:
            field, reason = _form_error(err, own_key=api_key is not None)
            if field == CONF_GATEWAY_ID and self.source == "reconfigure":
                field = "base"
            self._errors, self._error_text = {field: reason}, str(err)
            return None
        return gateway


def _form_error(error: StackError, *, own_key: bool) -> tuple[str, str]:
    """Return the form field that an error belongs to, and the key of the text."""
    key = text_key(error, GATEWAY_TEXTS if own_key else APPLICATION_KEY_TEXTS)
    return _FIELD_OF_TEXT.get(key, "base"), key


def _id_of(user_input: dict[str, Any]) -> str:
    return str(user_input.get(CONF_GATEWAY_ID, "")).strip().lower()


def _key_of(user_input: dict[str, Any]) -> str | None:
    """Return the API key from the form; None if it was left empty."""
    return user_input.get(CONF_API_KEY, "").strip() or None


def _data(gateway_id: str, api_key: str | None) -> dict[str, Any]:
    own = {CONF_API_KEY: api_key} if api_key is not None else {}
    return {CONF_GATEWAY_ID: gateway_id, **own}
