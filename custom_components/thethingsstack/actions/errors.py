"""What the server's refusals of a change mean to the user."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..client import (
    AuthenticationFailed,
    ConnectionFailed,
    FormatterFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    PartlyDeleted,
    RateLimited,
    RollbackFailed,
    ServerFailed,
    StackError,
)
from ..client.rights import console_names
from ..const import DOMAIN

# Names of refusals, the server's and the client's, and the translations that say what to do.
KEYS = {
    "application_dev_eui_limit_reached": "management_dev_eui_limit",
    "dev_eui_issuing_not_enabled": "management_no_dev_eui",
    "dev_eui_unused": "management_dev_eui_unused",
    "duplicate_identifiers": "management_euis_left_over",
    "end_device_euis_taken": "management_euis_taken",
    "id_taken": "management_id_taken",
    "invalid_attribute": "management_invalid_attribute",
    "invalid_device_address": "management_invalid_dev_addr",
    "invalid_device_id": "management_invalid_id",
    "invalid_lorawan_phy_version": "management_invalid_phy_version",
    "invalid_lorawan_version": "management_invalid_version",
    "keys_unused": "management_keys_unused",
    "missing_dev_eui": "management_missing_dev_eui",
    "missing_frequency_plan_id": "management_missing_plan",
    "missing_lorawan_version": "management_missing_version",
    "model_not_found": "management_model_unknown",
    "no_profile_for_band": "management_model_unknown",
    "firmware_version_not_found": "management_model_unknown",
    "nwk_key_unused": "management_nwk_key_unused",
    "session_unused": "management_session_unused",
    "too_many_attributes": "management_too_many_attributes",
    "unknown_format": "management_qr_code_unknown",
    "wrong_cluster": "management_wrong_cluster",
}
_LONG = {"name_too_long", "description_too_long", "attribute_too_long"}


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


def translated(error: StackError) -> HomeAssistantError:
    """Return an error of the client or the server as Home Assistant tells it."""
    match error:
        case RollbackFailed():
            servers = ", ".join(error.left_on)
            return failure("management_rollback_failed", reason=error.cause, servers=servers)
        case PartlyDeleted():
            servers = ", ".join(error.left_on)
            return failure("management_partly_deleted", error=error, servers=servers)
        case MissingRight():
            return failure("management_missing_right", right=console_names(error.rights) or error)
        case AuthenticationFailed():
            return failure("management_key_refused", reason=error.name)
        case RateLimited():
            return failure("management_rate_limited", seconds=round(error.retry_after))
        case ConnectionFailed() | ServerFailed():
            return failure("management_no_answer", error=error)
        case FormatterFailed():
            return failure("management_formatter_failed", error=error)
    return _request(error)


def _request(error: StackError) -> HomeAssistantError:
    """Return what is wrong with the request itself."""
    name, about = error.name, error.attributes
    if name in KEYS:
        return refused(
            KEYS[name],
            value=about.get("value", ""),
            known=about.get("known", ""),
            device=about.get("device_id", ""),
            application=about.get("application_id", ""),
            address=about.get("expected", ""),
            maximum=about.get("maximum", about.get("dev_eui_limit", "")),
        )
    if name in _LONG:
        return refused("management_too_long", maximum=about.get("maximum", ""))
    if name.startswith("missing_"):
        field = name.removeprefix("missing_")
        if field.endswith("_key"):
            return refused("management_missing_key", field=field)
        return refused("management_missing", field=field)
    if name.startswith("invalid_") and name.endswith("eui"):
        return refused("management_invalid_eui", value=about.get("value", ""))
    if name.startswith("invalid_") and name.endswith("key"):
        return refused("management_invalid_key")
    if isinstance(error, NotFound):
        return _not_found(error)
    if isinstance(error, InvalidRequest):
        return refused("management_invalid", error=error)
    return failure("management_refused", error=error, name=name)


def _not_found(error: NotFound) -> HomeAssistantError:
    """Return which end device isn't there, and where; or what else it is."""
    device = error.attributes.get("device_id")
    if not device:
        return refused("management_not_found", error=error)
    server = error.name.removeprefix("not_on_").removesuffix("_server")
    if server == error.name:
        return refused("management_unknown_device", device=device)
    return refused("management_not_on_server", device=device, server=server.capitalize())
