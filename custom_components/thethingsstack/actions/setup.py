"""Registering actions, with the check for administrators and translated errors."""

from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers.service import async_register_admin_service
import voluptuous as vol

from ..application import action_error
from ..client import StackError
from ..const import DOMAIN

type Action = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


@callback
def async_setup_action(
    hass: HomeAssistant,
    name: str,
    action: Action,
    schema: vol.Schema,
    response: SupportsResponse,
    *,
    admin: bool = False,
) -> None:
    """Register an action, with the client's errors translated; with `admin`, for administrators."""

    async def act(call: ServiceCall) -> ServiceResponse:
        try:
            return await action(call)
        except StackError as err:
            raise action_error(err) from err

    if admin:
        async_register_admin_service(
            hass, DOMAIN, name, act, schema=schema, supports_response=response
        )
    else:
        hass.services.async_register(DOMAIN, name, act, schema=schema, supports_response=response)
