"""Errors of actions that have their reason in the call itself."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN


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
