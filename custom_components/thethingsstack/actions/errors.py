"""Errors of actions: those that have their reason in the call itself, and the server's."""

from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..application import action_error
from ..client import StackError
from ..const import DOMAIN

type Action = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


def failure(key: str, **placeholders: object) -> HomeAssistantError:
    """Return the error with this translation key."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={name: str(value) for name, value in placeholders.items()},
    )


def refused(key: str, **placeholders: object) -> ServiceValidationError:
    """Return the error with this translation key, for what the user can set right."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={name: str(value) for name, value in placeholders.items()},
    )


def translating_errors(action: Action) -> Action:
    """Return the action with errors of the client translated for the user."""

    async def act(call: ServiceCall) -> ServiceResponse:
        try:
            return await action(call)
        except StackError as err:
            raise action_error(err) from err

    return act
