"""Shared by the dialogues that connect and reconfigure an application: checks and forms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_WEBHOOK_ID
import voluptuous as vol

from ..application import async_create_stack
from ..client import Application, ApplicationClient, InvalidRequest, KeyInfo, MqttAddress
from ..client.rights import console_names
from ..const import CONF_APPLICATION_ID, CONF_DOOR, CONF_SERVER, CONF_TENANT_ID, DOOR_WEBHOOK
from ..doors import chosen_door
from ..webhook import MANAGING_RIGHTS, AddressRefused, async_check_reachable, new_webhook
from .doors import async_check_door
from .probe import (
    ProbeResult,
    async_application,
    async_check_address,
    async_probe,
    async_rights,
    async_tenant,
)
from .server_form import FormError, sibling_clusters

NOT_LAST = (
    "cloud",
    "own_server",
    "handler",
    "choose_handler",
    "webhook_only",
    "key",
    "application",
    "new_application",
    "grant",
)
EXAMPLE_SERVER = "https://stack.example.org"


class WrongClusterError(FormError):
    """The application is on another cluster of the same network; `data` is the entry data for it."""

    def __init__(self, data: dict[str, Any]) -> None:
        """Keep the entry data for the right cluster."""
        super().__init__("wrong_cluster", cluster=host_name(data[CONF_SERVER]))
        self.data = data


class SetupFlow(ConfigFlow):
    """Base of the dialogues that connect to an application; `_data` becomes the entry's data."""

    def __init__(self) -> None:
        """Start without any answer."""
        self._data: dict[str, Any] = {}
        self._key_info: KeyInfo | None = None
        self._application: Application | None = None
        self._rights: frozenset[str] = frozenset()

    # Checks

    async def _async_stack(self) -> ApplicationClient:
        """Return a client for the data so far; raises InvalidRequest for an invalid certificate."""
        return await async_create_stack(self.hass, self._data)

    async def _async_check_address(self) -> None:
        """Check that The Things Stack answers at the server's address; raises FormError."""
        try:
            await async_check_address(self.hass, self._data)
        except InvalidRequest as err:
            raise FormError(err.name) from err

    async def _async_find_application(self) -> str:
        """Read the application, its tenant and the key's rights; return the entry's unique ID.

        Raises FormError; WrongClusterError if the application is on another cluster.
        """
        stack = await self._async_stack()
        self._rights = await async_rights(stack)
        self._application = await async_application(stack, self._rights)
        if (cluster := self._right_cluster()) is not None:
            raise WrongClusterError(cluster)
        self._data[CONF_TENANT_ID] = await async_tenant(stack, self._rights)
        return unique_id_of(await self._async_stack())

    def _right_cluster(self) -> dict[str, Any] | None:
        """Return the entry data for the application's cluster; None if that was chosen."""
        application = self._application
        address = (application.application_server_address if application else None) or ""
        host = address.partition(":")[0]
        if host == host_name(self._data[CONF_SERVER]):
            return None
        clusters = sibling_clusters(self._data).values()
        return next((data for data in clusters if host_name(data[CONF_SERVER]) == host), None)

    async def _async_check_door(self, door: str, rights: frozenset[str]) -> MqttAddress | None:
        """Check that messages can come by a door; returns where MQTT is. Raises FormError."""
        if door != DOOR_WEBHOOK:
            return await async_check_door(await self._async_stack(), door)
        # One that the user has made delivers whatever the key may do.
        stack = await self._async_stack()
        needed = MANAGING_RIGHTS if stack.capabilities.webhooks else ()
        missing = [right for right in needed if right not in rights]
        if missing and CONF_WEBHOOK_ID not in self._data:
            raise FormError("webhook_rights", CONF_DOOR, rights=console_names(missing))
        await self._async_check_webhook_address()
        self._data = {**new_webhook(), **self._data}
        return None

    async def _async_check_webhook_address(self) -> None:
        """Check that the server can reach Home Assistant; raises FormError."""
        try:
            await async_check_reachable(self.hass, self._data[CONF_SERVER])
        except AddressRefused as err:
            raise FormError(err.reason, CONF_DOOR, address=err.address) from err

    async def _async_probe(self) -> ProbeResult:
        """Connect by the chosen door, and read what the summary shows; raises FormError."""
        stack = await self._async_stack()
        name = self._application.name if self._application else None
        return await async_probe(
            stack,
            await self._async_check_door(chosen_door(self._data), self._rights),
            self._rights,
            application=name or stack.connection.uid,
            expires_at=self._key_expires_at,
        )

    @property
    def _key_expires_at(self) -> datetime | None:
        return self._key_info.expires_at if self._key_info else None

    # Forms

    def _show_form(
        self,
        step_id: str,
        schema: vol.Schema,
        suggested: Mapping[str, Any] | None,
        error: FormError | None,
    ) -> ConfigFlowResult:
        """Show a form with the previous answers, and the error if they were refused."""
        errors = {}
        if error is not None:
            field = error.field if error.field in schema.schema else "base"
            errors[field] = error.reason
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, suggested),
            errors=errors,
            description_placeholders=self._placeholders(error),
            last_step=False if step_id in NOT_LAST else None,
        )

    def _placeholders(self, error: FormError | None) -> dict[str, str]:
        """Return the placeholders for the texts of forms and errors."""
        server = self._data.get(CONF_SERVER) or EXAMPLE_SERVER
        return {
            "application": self._data.get(CONF_APPLICATION_ID) or "",
            "console": f"{server}/console/applications",
            "example": EXAMPLE_SERVER,
            "server": urlsplit(server).netloc,
            **(error.placeholders if error else {}),
        }


def host_name(url: str) -> str:
    """Return the host name of a URL; "" if it has none."""
    return urlsplit(url).hostname or ""


def unique_id_of(stack: ApplicationClient) -> str:
    """Return the unique ID of an entry with this connection."""
    connection = stack.connection
    return f"{host_name(connection.identity_server)}/{connection.uid}"
