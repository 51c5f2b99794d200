"""The steps that connect an application: server, API key, application, rights."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_API_KEY
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from ..client import NETWORKS, Application, missing_rights
from ..client.rights import SETTINGS_API_KEYS
from ..const import (
    CONF_APPLICATION_ID,
    CONF_DOOR,
    CONF_KEY_ID,
    CONF_NETWORK,
    CONF_SERVER,
    DOOR_EVENTS,
    NETWORK_CLOUD,
    NETWORK_OWN_SERVER,
)
from ..doors import chosen_door
from .base import WrongClusterError, host_name
from .doors import async_events_work, door_schema
from .probe import ProbeResult, async_applications, async_key_info, async_rights, describe
from .server_form import (
    CLOUD_SCHEMA,
    KEY_SCHEMA,
    OWN_SERVER_SCHEMA,
    REFUSED_OWN_SERVER_SCHEMA,
    AddressError,
    FormError,
    as_typed,
    read_application,
    read_key,
    read_server,
)
from .user_api_key import (
    CONF_FEATURES,
    CONF_NAME,
    NEW_APPLICATION_SCHEMA,
    REQUIRED_FEATURE,
    async_create_application,
    async_create_key,
    grant_schema,
    grantable_features,
    may_create_applications,
    rights_for,
)
from .webhook_only import WEBHOOK_ONLY, WebhookOnlyFlow


class ConnectFlow(WebhookOnlyFlow):
    """Asks for network and API key, and for the application if the key has rights on several."""

    def __init__(self) -> None:
        """Start without any answer."""
        super().__init__()
        self._applications: list[Application] | None = None
        self._other_cluster: dict[str, Any] = {}
        self._probed: ProbeResult | None = None
        self._mqtt_error: FormError | None = None
        self._granted: frozenset[str] | None = None

    # Server

    @property
    def _networks(self) -> list[str]:
        """The networks to choose from."""
        return [*NETWORKS, NETWORK_CLOUD, NETWORK_OWN_SERVER, WEBHOOK_ONLY]

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose the network."""
        if user_input is not None:
            if user_input[CONF_NETWORK] == NETWORK_CLOUD:
                return await self.async_step_cloud()
            if user_input[CONF_NETWORK] == NETWORK_OWN_SERVER:
                return await self.async_step_own_server()
            if user_input[CONF_NETWORK] == WEBHOOK_ONLY:
                return await self.async_step_webhook_only()
            self._data = read_server(user_input[CONF_NETWORK], user_input)
            return await self.async_step_key()
        options = self._networks
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
        """Ask for the addresses of a self-hosted server."""
        return await self._async_step_where("own_server", OWN_SERVER_SCHEMA, user_input)

    async def _async_step_where(
        self, step_id: str, schema: vol.Schema, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        error = None
        if user_input is not None:
            try:
                self._data = {**self._data, **read_server(step_id, user_input)}
                await self._async_check_address()
                return await self.async_step_key()
            except FormError as err:
                error = err
                if step_id == NETWORK_OWN_SERVER:
                    schema = REFUSED_OWN_SERVER_SCHEMA
        return self._show_form(step_id, schema, user_input, error)

    # API key

    async def async_step_key(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the API key."""
        error = None
        if user_input is not None:
            try:
                self._data[CONF_API_KEY] = read_key(user_input[CONF_API_KEY])
                return await self._async_use_key()
            except FormError as err:
                error = err
        return self._show_form_or_address("key", KEY_SCHEMA, user_input or self._data, error)

    async def _async_use_key(self) -> ConfigFlowResult:
        self._data.pop(CONF_APPLICATION_ID, None)
        self._applications = self._granted = None
        stack = await self._async_stack()
        info = self._key_info = await async_key_info(stack)
        if info.application_id is not None:
            self._data[CONF_APPLICATION_ID] = info.application_id
            if "application" in missing_rights(info.rights):
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
        return await self._async_use_application()

    async def async_step_application(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose one of the key's applications; type its ID if they can't be listed."""
        error = None
        may_create = self._key_info is not None and may_create_applications(self._key_info)
        if user_input is not None:
            try:
                self._data.update(read_application(user_input[CONF_APPLICATION_ID]))
                if may_create and not self._is_known(self._data[CONF_APPLICATION_ID]):
                    return await self.async_step_new_application()
                return await self._async_use_application()
            except FormError as err:
                error = err
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
        return self._show_form_or_address("application", schema, user_input or self._data, error)

    def _is_known(self, application_id: str) -> bool:
        """Return whether the key's applications include this one; True if they can't be listed."""
        known = self._applications
        return known is None or any(item.application_id == application_id for item in known)

    async def async_step_new_application(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create an application of the key's owner, and connect that."""
        error = None
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
                return await self._async_use_application()
            except FormError as err:
                error = err
        return self._show_form_or_address(
            "new_application", NEW_APPLICATION_SCHEMA, user_input or self._data, error
        )

    # Application and rights

    async def _async_use_application(self) -> ConfigFlowResult:
        """Read the key's rights on the application, check the MQTT connection, and continue."""
        try:
            unique_id = await self._async_find_application()
        except WrongClusterError as err:
            self._other_cluster = err.data
            return await self.async_step_wrong_cluster()
        # A dialogue that ended by reloading the page stays in progress, and must not block this one.
        await self.async_set_unique_id(unique_id, raise_on_progress=False)
        self._abort_if_taken(unique_id)
        try:
            self._probed = await self._async_probe()
        except FormError as err:
            if err.reason != "mqtt_cannot_connect" or not await async_events_work(
                await self._async_stack()
            ):
                raise
            self._mqtt_error = err
            return await self.async_step_mqtt_unreachable()
        return await self._async_after_probe()

    def _abort_if_taken(self, unique_id: str) -> None:
        """Abort where an entry has this application."""
        self._abort_if_unique_id_configured()

    async def async_step_mqtt_unreachable(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose: the event stream, which works, or MQTT once more."""
        return self.async_show_menu(
            step_id="mqtt_unreachable",
            menu_options=["use_event_stream", "use_mqtt"],
            description_placeholders=self._placeholders(self._mqtt_error),
        )

    async def async_step_use_event_stream(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with the event stream."""
        self._data[CONF_DOOR] = DOOR_EVENTS
        try:
            self._probed = await self._async_probe()
        except FormError as err:
            return self._show_form_or_address("key", KEY_SCHEMA, self._data, err)
        return await self._async_after_probe()

    async def async_step_use_mqtt(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what is wrong with MQTT where it can be corrected, or tried again."""
        return self._show_form_or_address("key", KEY_SCHEMA, self._data, self._mqtt_error)

    async def _async_after_probe(self) -> ConfigFlowResult:
        """Ask what Home Assistant may do, or show what the key can do."""
        assert self._probed is not None
        of_application = self._key_info is not None and self._key_info.application_id is not None
        if not of_application and grantable_features(self._rights):
            return await self.async_step_grant()
        return await self.async_step_rights()

    async def async_step_grant(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which features to allow: the entry gets a new API key with only their rights."""
        assert self._probed is not None
        error = None
        schema = grant_schema(self._probed.rights)
        if user_input is not None:
            features = user_input[CONF_FEATURES]
            if REQUIRED_FEATURE in features:
                self._granted = rights_for(features)
                self._probed = replace(self._probed, rights=self._granted, expires_at=None)
                return await self.async_step_rights()
            error = FormError("uplinks_needed", CONF_FEATURES)
        return self._show_form("grant", schema, user_input, error)

    async def async_step_wrong_cluster(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show that the application is on another cluster, and continue with that one."""
        if user_input is None:
            return self.async_show_form(
                step_id="wrong_cluster",
                description_placeholders={
                    "application": self._data[CONF_APPLICATION_ID],
                    "chosen": host_name(self._data[CONF_SERVER]),
                    "cluster": host_name(self._other_cluster[CONF_SERVER]),
                },
                last_step=False,
            )
        self._data.update(self._other_cluster)
        try:
            return await self._async_use_application()
        except FormError as err:
            return self._show_form("key", KEY_SCHEMA, self._data, err)

    async def async_step_rights(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show which features the key allows and which not; then create the entry."""
        assert self._probed is not None
        error = None
        schema = door_schema(chosen_door(self._data), self._probed.capabilities)
        if user_input is not None:
            try:
                await self._async_use_door(user_input[CONF_DOOR])
                await self._async_use_own_key()
            except FormError as err:
                error = err
            else:
                return await self._async_connected(self._probed.application)
        return self.async_show_form(
            step_id="rights",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors={error.field: error.reason} if error else {},
            description_placeholders={
                "server": urlsplit(self._data[CONF_SERVER]).netloc,
                **await describe(self.hass, self._probed),
                **(error.placeholders if error else {}),
            },
            last_step=True,
        )

    async def _async_connected(self, title: str) -> ConfigFlowResult:
        """Create the entry."""
        return self.async_create_entry(title=title, data=self._data)

    async def _async_use_door(self, door: str) -> None:
        """Take the way by which messages shall come; raises FormError where it doesn't work."""
        assert self._probed is not None
        if door != chosen_door(self._data):
            mqtt = await self._async_check_door(door, self._probed.rights)
            self._probed = replace(self._probed, mqtt=mqtt)
        self._data[CONF_DOOR] = door

    async def _async_use_own_key(self) -> None:
        """Create an API key with the granted rights, and store it instead of the user's."""
        if self._granted is None:
            return
        key = await async_create_key(await self._async_stack(), self._granted)
        self._data[CONF_API_KEY] = key.key
        if SETTINGS_API_KEYS in self._granted:
            self._data[CONF_KEY_ID] = key.key_id

    def _show_form_or_address(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any],
        error: FormError | None,
    ) -> ConfigFlowResult:
        """Show a form with an error; for a wrong address of an own server, the addresses' form."""
        if isinstance(error, AddressError) and self._data[CONF_NETWORK] == NETWORK_OWN_SERVER:
            return self._show_form(
                "own_server", REFUSED_OWN_SERVER_SCHEMA, as_typed(self._data), error
            )
        return self._show_form(step_id, schema, suggested, error)


def _title(application: Application) -> str:
    if application.name:
        return f"{application.name} ({application.application_id})"
    return application.application_id
