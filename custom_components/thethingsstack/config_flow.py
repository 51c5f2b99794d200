"""The dialogues that connect an application, renew its key, and move it to another server."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override
from urllib.parse import urlsplit

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
)
from homeassistant.const import CONF_API_KEY
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from .application.client_factory import async_create_stack, async_discard_key
from .client import NETWORKS, Application, InvalidRequest, KeyInfo, Stack, missing
from .client.rights import SETTINGS_API_KEYS
from .const import (
    CONF_APPLICATION_ID,
    CONF_KEY_ID,
    CONF_NETWORK,
    CONF_SERVER,
    CONF_TENANT_ID,
    DOMAIN,
    NETWORK_CLOUD,
    NETWORK_OWN_SERVER,
)
from .controls.flow import ControlFlow
from .controls.model import SUBENTRY_CONTROL
from .gateways.coordinator import SUBENTRY_GATEWAY
from .gateways.flow import GatewayFlow
from .provisioning.register_flow import SUBENTRY_END_DEVICE, RegisterFlow
from .setup_flow.options_flow import TheThingsStackOptionsFlow
from .setup_flow.probe import (
    Survey,
    async_application,
    async_applications,
    async_describe,
    async_key_info,
    async_reach,
    async_rights,
    async_survey,
    async_tenant,
)
from .setup_flow.server_form import (
    CLOUD_SCHEMA,
    KEY_SCHEMA,
    OPTIONAL_KEY_SCHEMA,
    OWN_SERVER_SCHEMA,
    REFUSED_OWN_SERVER_SCHEMA,
    SANDBOX_SCHEMA,
    AddressError,
    FormError,
    form_of,
    read_application,
    read_key,
    read_where,
    siblings,
)
from .setup_flow.subentry_types import may_write_devices
from .setup_flow.user_api_key import (
    CONF_FEATURES,
    CONF_NAME,
    NEEDED,
    NEW_APPLICATION_SCHEMA,
    async_create_application,
    async_mint,
    grant_schema,
    grantable,
    may_create_applications,
    rights_for,
)

NOT_LAST = ("cloud", "own_server", "key", "application", "new_application", "grant")
EXAMPLE_SERVER = "https://stack.example.org"


class TheThingsStackConfigFlow(ConfigFlow, domain=DOMAIN):
    """Network, key, what the key can do, done."""

    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing known."""
        self._data: dict[str, Any] = {}
        self._key_info: KeyInfo | None = None
        self._applications: list[Application] | None = None
        self._elsewhere: dict[str, Any] = {}
        self._survey: Survey | None = None
        self._granted: frozenset[str] | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> TheThingsStackOptionsFlow:
        """Return the general options."""
        return TheThingsStackOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an application: end devices, their controls, gateways."""
        types: dict[str, type[ConfigSubentryFlow]] = {
            SUBENTRY_CONTROL: ControlFlow,
            SUBENTRY_GATEWAY: GatewayFlow,
        }
        if may_write_devices(config_entry):
            types = {SUBENTRY_END_DEVICE: RegisterFlow, **types}
        return types

    # Where

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user pick the network."""
        if user_input is not None:
            if user_input[CONF_NETWORK] == NETWORK_CLOUD:
                return await self.async_step_cloud()
            if user_input[CONF_NETWORK] == NETWORK_OWN_SERVER:
                return await self.async_step_own_server()
            self._data = read_where(user_input[CONF_NETWORK], user_input)
            return await self.async_step_key()
        options = [*NETWORKS, NETWORK_CLOUD, NETWORK_OWN_SERVER]
        schema = vol.Schema(
            {
                vol.Required(CONF_NETWORK, default=options[0]): SelectSelector(
                    SelectSelectorConfig(
                        options=options, translation_key="network", mode=SelectSelectorMode.LIST
                    )
                )
            }
        )
        return self.async_show_form(step_id="user", data_schema=schema, last_step=False)

    async def async_step_cloud(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for tenant and cluster of The Things Stack Cloud."""
        return await self._async_step_where("cloud", CLOUD_SCHEMA, user_input)

    async def async_step_own_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the addresses of an own server."""
        return await self._async_step_where("own_server", OWN_SERVER_SCHEMA, user_input)

    async def _async_step_where(
        self, step_id: str, schema: vol.Schema, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        refusal = None
        if user_input is not None:
            try:
                self._data = {**self._data, **read_where(step_id, user_input)}
                await self._async_reach()
                return await self.async_step_key()
            except FormError as err:
                refusal = err
                if step_id == NETWORK_OWN_SERVER:
                    schema = REFUSED_OWN_SERVER_SCHEMA
        return self._form(step_id, schema, user_input, refusal)

    async def _async_reach(self) -> None:
        try:
            await async_reach(self.hass, self._data)
        except InvalidRequest as err:
            raise FormError(err.name) from err

    # Who

    async def async_step_key(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the API key, which says whose it is and what it may do."""
        refusal = None
        if user_input is not None:
            try:
                self._data[CONF_API_KEY] = read_key(user_input[CONF_API_KEY])
                return await self._async_use_key()
            except FormError as err:
                refusal = err
        return self._form_or_address("key", KEY_SCHEMA, user_input or self._data, refusal)

    async def _async_use_key(self) -> ConfigFlowResult:
        self._data.pop(CONF_APPLICATION_ID, None)
        self._applications = self._granted = None
        stack = await self._async_stack()
        info = self._key_info = await async_key_info(stack)
        if info.application_id is not None:
            self._data[CONF_APPLICATION_ID] = info.application_id
            if "application" in missing(info.rights):
                await async_rights(await self._async_stack())
                return await self.async_step_application()
        else:
            try:
                self._applications = await async_applications(stack)
            except FormError as err:
                if err.reason != "no_applications" or not may_create_applications(info):
                    raise
                self._applications = []
                return await self.async_step_new_application()
            if self._applications is None or len(self._applications) > 1:
                return await self.async_step_application()
            self._data[CONF_APPLICATION_ID] = self._applications[0].application_id
        return await self._async_look()

    async def async_step_application(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose among the key's applications, or name one the key can't name."""
        refusal = None
        may_create = self._key_info is not None and may_create_applications(self._key_info)
        if user_input is not None:
            try:
                self._data.update(read_application(user_input[CONF_APPLICATION_ID]))
                if may_create and not self._is_known(self._data[CONF_APPLICATION_ID]):
                    return await self.async_step_new_application()
                return await self._async_look()
            except FormError as err:
                refusal = err
        selector: TextSelector | SelectSelector = TextSelector()
        if self._applications is not None:
            selector = SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(
                            value=application.application_id, label=_title(application)
                        )
                        for application in self._applications
                    ],
                    mode=SelectSelectorMode.DROPDOWN,
                    sort=True,
                    custom_value=may_create,
                )
            )
        schema = vol.Schema({vol.Required(CONF_APPLICATION_ID): selector})
        return self._form_or_address("application", schema, user_input or self._data, refusal)

    def _is_known(self, application_id: str) -> bool:
        """Return whether an application exists; what can't be listed may."""
        known = self._applications
        return known is None or any(item.application_id == application_id for item in known)

    async def async_step_new_application(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create an application of the key's owner, and go on with it."""
        refusal = None
        if user_input is not None:
            try:
                self._data.update(read_application(user_input[CONF_APPLICATION_ID]))
                application_id = self._data[CONF_APPLICATION_ID]
                if not self._is_known(application_id):
                    assert self._key_info is not None
                    created = await async_create_application(
                        await self._async_stack(),
                        self._key_info,
                        application_id,
                        user_input.get(CONF_NAME),
                    )
                    self._applications = [*(self._applications or []), created]
                return await self._async_look()
            except FormError as err:
                refusal = err
        return self._form_or_address(
            "new_application", NEW_APPLICATION_SCHEMA, user_input or self._data, refusal
        )

    # What

    async def _async_look(self) -> ConfigFlowResult:
        """See what the key can do with the application, and that messages can be received."""
        stack = await self._async_stack()
        rights = await async_rights(stack)
        application = await async_application(stack, rights)
        if (cluster := self._right_cluster(application)) is not None:
            if self.source == SOURCE_RECONFIGURE:
                raise FormError("wrong_cluster", cluster=_host(cluster[CONF_SERVER]))
            self._elsewhere = cluster
            return await self.async_step_wrong_cluster()
        self._data[CONF_TENANT_ID] = await async_tenant(stack, rights)
        stack = await self._async_stack()
        unique_id = _unique_id(stack)
        if self.source == SOURCE_RECONFIGURE:
            self._abort_if_other_entry(unique_id)
        else:
            # A dialogue that was left by reloading the page is in progress for ever.
            await self.async_set_unique_id(unique_id, raise_on_progress=False)
            self._abort_if_unique_id_configured()
        title = application.name if application and application.name else stack.connection.uid
        expires_at = self._key_info.expires_at if self._key_info else None
        self._survey = await async_survey(stack, rights, title, expires_at)
        if self.source == SOURCE_RECONFIGURE:
            return self._finish(self._get_reconfigure_entry(), unique_id)
        own = self._key_info is not None and self._key_info.application_id is not None
        if not own and grantable(rights):
            return await self.async_step_grant()
        return await self.async_step_rights()

    async def async_step_grant(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what Home Assistant may do: a key with just that will be made in place of this one."""
        assert self._survey is not None
        refusal = None
        schema = grant_schema(self._survey.rights)
        if user_input is not None:
            features = user_input[CONF_FEATURES]
            if NEEDED in features:
                self._granted = rights_for(features)
                self._survey = replace(self._survey, rights=self._granted, expires_at=None)
                return await self.async_step_rights()
            refusal = FormError("uplinks_needed", CONF_FEATURES)
        return self._form("grant", schema, user_input, refusal)

    def _right_cluster(self, application: Application | None) -> dict[str, Any] | None:
        """Return the data of the cluster that the application names, if another was chosen."""
        address = (application.application_server_address if application else None) or ""
        host = address.partition(":")[0]
        if host == _host(self._data[CONF_SERVER]):
            return None
        clusters = siblings(self._data).values()
        return next((data for data in clusters if _host(data[CONF_SERVER]) == host), None)

    async def async_step_wrong_cluster(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Tell that the application lives on another cluster, and go on there."""
        if user_input is None:
            return self.async_show_form(
                step_id="wrong_cluster",
                description_placeholders={
                    "application": self._data[CONF_APPLICATION_ID],
                    "chosen": _host(self._data[CONF_SERVER]),
                    "cluster": _host(self._elsewhere[CONF_SERVER]),
                },
                last_step=False,
            )
        self._data.update(self._elsewhere)
        try:
            return await self._async_look()
        except FormError as err:
            return self._form("key", KEY_SCHEMA, self._data, err)

    async def async_step_rights(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Tell what the key can do and what will be missing; then the entry is made."""
        assert self._survey is not None
        errors = {}
        if user_input is not None:
            try:
                await self._async_take_own_key()
            except FormError as err:
                errors["base"] = err.reason
            else:
                return self.async_create_entry(title=self._survey.application, data=self._data)
        return self.async_show_form(
            step_id="rights",
            errors=errors,
            description_placeholders={
                "server": urlsplit(self._data[CONF_SERVER]).netloc,
                **await async_describe(self.hass, self._survey),
            },
            last_step=True,
        )

    async def _async_take_own_key(self) -> None:
        """Put a key with just the granted rights in the place of the user's, at the last moment."""
        if self._granted is None:
            return
        key = await async_mint(await self._async_stack(), self._granted)
        self._data[CONF_API_KEY] = key.key
        if SETTINGS_API_KEYS in self._granted:
            self._data[CONF_KEY_ID] = key.key_id

    # Later

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for a new key after the server refused the old one."""
        self._data = dict(entry_data)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take a new key of the same application."""
        refusal = None
        if user_input is not None:
            try:
                self._data[CONF_API_KEY] = read_key(user_input[CONF_API_KEY])
                await self._async_verify_same_application()
                return self._finish(self._get_reauth_entry())
            except FormError as err:
                refusal = err
        return self._form("reauth_confirm", KEY_SCHEMA, user_input, refusal)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change server, addresses or key; the application stays the same."""
        entry = self._get_reconfigure_entry()
        network = entry.data[CONF_NETWORK]
        refusal = None
        if user_input is not None:
            try:
                where = read_where(network, user_input)
                self._data = {**entry.data, **where}
                if key := user_input.get(CONF_API_KEY):
                    self._data[CONF_API_KEY] = read_key(key)
                await self._async_reach()
                await self._async_verify_same_application()
                return await self._async_look()
            except FormError as err:
                refusal = err
        schema = {
            NETWORK_CLOUD: CLOUD_SCHEMA,
            NETWORK_OWN_SERVER: REFUSED_OWN_SERVER_SCHEMA if refusal else OWN_SERVER_SCHEMA,
        }.get(network, SANDBOX_SCHEMA)
        return self._form(
            "reconfigure",
            schema.extend(OPTIONAL_KEY_SCHEMA.schema),
            user_input or form_of(entry.data),
            refusal,
        )

    async def _async_verify_same_application(self) -> None:
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

    def _finish(self, entry: ConfigEntry, unique_id: str | None = None) -> ConfigFlowResult:
        """Store the new data; a running entry's listener reloads it for that.

        One that failed, or whose stream ended with a key that is good again, starts here.
        """
        if self._data[CONF_API_KEY] != entry.data[CONF_API_KEY]:
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

    # Forms

    async def _async_stack(self) -> Stack:
        return await async_create_stack(self.hass, self._data)

    def _form_or_address(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any],
        refusal: FormError | None,
    ) -> ConfigFlowResult:
        """Show a form, or that of the addresses where these are to blame and can be changed."""
        if isinstance(refusal, AddressError) and self._data[CONF_NETWORK] == NETWORK_OWN_SERVER:
            return self._form("own_server", REFUSED_OWN_SERVER_SCHEMA, form_of(self._data), refusal)
        return self._form(step_id, schema, suggested, refusal)

    def _form(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        refusal: FormError | None,
    ) -> ConfigFlowResult:
        """Show a form with what was typed, and why it was refused."""
        errors = {}
        if refusal is not None:
            field = refusal.field if refusal.field in schema.schema else "base"
            errors[field] = refusal.reason
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            errors=errors,
            description_placeholders=self._placeholders_of(refusal),
            last_step=False if step_id in NOT_LAST else None,
        )

    def _placeholders_of(self, refusal: FormError | None) -> dict[str, str]:
        """Return what the texts of forms and errors name."""
        server = self._data.get(CONF_SERVER) or EXAMPLE_SERVER
        return {
            "application": self._data.get(CONF_APPLICATION_ID) or "",
            "console": f"{server}/console/applications",
            "example": EXAMPLE_SERVER,
            "server": urlsplit(server).netloc,
            **(refusal.placeholders if refusal else {}),
        }


def _title(application: Application) -> str:
    if application.name:
        return f"{application.name} ({application.application_id})"
    return application.application_id


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _unique_id(stack: Stack) -> str:
    connection = stack.connection
    return f"{_host(connection.identity_server)}/{connection.uid}"
