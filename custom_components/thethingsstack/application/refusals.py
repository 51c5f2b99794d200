"""Map errors of The Things Stack to the translated texts that users read."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..client import (
    AuthenticationFailed,
    CertificateFailed,
    Conflict,
    ConnectionFailed,
    FormatterFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    PartlyDeleted,
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    RollbackFailed,
    Server,
    ServerFailed,
    StackError,
)
from ..client.rights import console_names
from ..const import DOMAIN

BASE = "base"
"""Home Assistant's name for an error of the whole form, shown above its fields."""
FORM_KEYS: Mapping[str, tuple[str, ...]] = {
    "cannot_connect": ("reason",),
    "euis_left_over": (),
    "euis_taken": ("device", "application"),
    "euis_taken_somewhere": (),
    "id_taken": (),
    "key_refused": ("reason",),
    "missing_rights": ("rights",),
    "not_found": ("reason",),
    "partly_deleted": ("servers", "reason"),
    "rate_limited": ("seconds",),
    "refused": ("reason",),
    "rollback_failed": ("reason", "servers"),
    "wrong_cluster": ("address", "expected"),
}
"""Reasons with a text in forms and repairs (`error`, `abort`), and its placeholders."""
NAMES = {
    "application_dev_eui_limit_reached": "dev_eui_limit",
    "dev_eui_issuing_not_enabled": "no_dev_eui",
    "dev_eui_unused": "dev_eui_unused",
    "duplicate_identifiers": "euis_left_over",
    "end_device_euis_taken": "euis_taken",
    "id_taken": "id_taken",
    "invalid_attribute": "invalid_attribute",
    "invalid_device_address": "invalid_dev_addr",
    "invalid_device_id": "invalid_id",
    "invalid_lorawan_phy_version": "invalid_phy_version",
    "invalid_lorawan_version": "invalid_version",
    "keys_unused": "keys_unused",
    "missing_dev_eui": "missing_dev_eui",
    "missing_frequency_plan_id": "missing_plan",
    "missing_lorawan_version": "missing_version",
    "model_not_found": "model_unknown",
    "no_profile_for_band": "model_unknown",
    "firmware_version_not_found": "model_unknown",
    "nwk_key_unused": "nwk_key_unused",
    "session_unused": "session_unused",
    "too_many_attributes": "too_many_attributes",
    "unknown_format": "qr_code_unknown",
    "wrong_cluster": "wrong_cluster",
}
"""Error names of the server and the client, each with the reason to show."""
ACTION_KEYS = frozenset(
    {
        *NAMES.values(),
        *("rollback_failed", "partly_deleted", "missing_rights", "key_refused", "rate_limited"),
        *("cannot_connect", "not_found", "refused", "invalid", "formatter_failed"),
        *("invalid_eui", "invalid_key", "missing", "missing_key", "too_long"),
        *("unknown_device", "not_on_server", "euis_taken_somewhere"),
        "field_invalid",
    }
)
"""Reasons with a text for actions: in `exceptions`, prefixed `management_`."""
_FIELD_OF_NAME = {
    "attribute_too_long": "attributes",
    "description_too_long": "description",
    "duplicate_identifiers": "dev_eui",
    "end_device_euis_taken": "dev_eui",
    "id_taken": "device_id",
    "invalid_attribute": "attributes",
    "invalid_device_address": "dev_addr",
    "invalid_device_id": "device_id",
    "invalid_lorawan_phy_version": "lorawan_phy_version",
    "invalid_lorawan_version": "lorawan_version",
    "missing_dev_eui": "dev_eui",
    "missing_frequency_plan_id": "frequency_plan",
    "name_too_long": "name",
    "too_many_attributes": "attributes",
    "unknown_format": "qr_code",
}
"""The form field that an error belongs to, by the error's name."""
_FIELDS = {
    "app_key": ("app_key", "AppKey"),
    "app_s_key": ("app_s_key", "AppSKey"),
    "application_id": ("application_id", "application ID"),
    "attributes": ("attributes", "attributes"),
    "description": ("description", "description"),
    "dev_addr": ("dev_addr", "DevAddr"),
    "dev_eui": ("dev_eui", "DevEUI"),
    "device_id": ("device_id", "end device ID"),
    "f_nwk_s_int_key": ("nwk_s_key", "NwkSKey"),
    "frequency_plan_id": ("frequency_plan", "frequency plan"),
    "join_eui": ("join_eui", "JoinEUI"),
    "lorawan_phy_version": ("lorawan_phy_version", "regional parameters"),
    "lorawan_version": ("lorawan_version", "LoRaWAN version"),
    "name": ("name", "name"),
    "nwk_key": ("nwk_key", "NwkKey"),
    "nwk_s_enc_key": ("nwk_s_enc_key", "NwkSEncKey"),
    "qr_code": ("qr_code", "QR code"),
    "s_nwk_s_int_key": ("s_nwk_s_int_key", "SNwkSIntKey"),
    "serial_number": ("qr_code", "serial number"),
}
"""Form field and user-facing name, by the last part of the server's field path."""
_PATTERNS = {
    "^[a-z0-9](?:[-]?[a-z0-9]){2,}": (
        "it needs at least 3 lower-case letters or digits, with single dashes between them"
    ),
}
"""What the server's validation patterns require, in words."""
_GENERAL = frozenset({"invalid", "refused", "formatter_failed"})


class Refusal(Exception):  # noqa: N818 - the name says what happened
    """A form's input is refused: the field, the text's key and its placeholders."""

    def __init__(self, field: str, key: str, **placeholders: object) -> None:
        """Name the form field and the text."""
        super().__init__(key)
        self.field = field
        self.key = key
        self.placeholders = _texts(placeholders)


def failure(key: str, **placeholders: object) -> HomeAssistantError:
    """Return the exception with this text, for what the caller can't correct."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=_texts(placeholders),
    )


def refused(key: str, **placeholders: object) -> ServiceValidationError:
    """Return the exception with this text, for input that the caller can correct."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=_texts(placeholders),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What an error of the server means to the user, for every place that shows it."""

    keys: tuple[str, ...]
    """Text keys, from the most specific to a general one that every place has."""
    placeholders: Mapping[str, str]
    """Placeholders for any of the texts."""
    field: str = BASE
    """The form field that the error belongs to."""
    correctable: bool = False
    """Whether the user can correct it by changing the input."""

    def key(self, known: Collection[str]) -> str:
        """Return the most specific text key among those that the caller has."""
        return next((key for key in self.keys if key in known), self.keys[-1])


def lacking(rights: Collection[str], needed: Iterable[str]) -> str:
    """Return the needed rights that a key lacks, as the Console calls them; empty where none."""
    return console_names(right for right in needed if right not in rights)


def server_names(servers: Iterable[Server]) -> str:
    """Return servers as The Things Stack calls them, for a text."""
    return ", ".join(f"{server.capitalize()} Server" for server in servers)


def reason_of(error: StackError, names: Mapping[str, str] = NAMES) -> Reason:
    """Return what an error of the client or the server means.

    `names` adds reasons by error name, for callers that have texts of their own.
    """
    match error:
        case RollbackFailed():
            return _reason(error, "rollback_failed")
        case PartlyDeleted():
            return _reason(error, "partly_deleted")
        case MissingRight():
            return _reason(error, "missing_rights")
        case AuthenticationFailed():
            return _reason(error, "key_refused")
        case RateLimited() if error.name not in names:
            return _reason(error, "rate_limited")
        case CertificateFailed():
            return _reason(error, "certificate_not_trusted", "cannot_connect")
        case ProtocolMismatch():
            return _reason(error, "not_the_things_stack", "cannot_connect")
        case RequestTimeout():
            return _reason(error, "timeout", "cannot_connect")
        case ConnectionFailed() | ServerFailed():
            return _reason(error, "cannot_connect")
        case FormatterFailed() if error.name not in names:
            return _reason(error, "formatter_failed", "refused")
    if error.name in names:
        return _named(error, names[error.name])
    return _unnamed(error)


def refusal(
    error: StackError, name_of: Callable[[str], str] = str, half_created: Collection[str] = ()
) -> Refusal:
    """Return an error as a form or repair shows it; `name_of` returns a device's name.

    An end device in `half_created` that conflicts gets the text that names its repair issue.
    """
    blocking = str(error.attributes.get("device_id"))
    if isinstance(error, Conflict) and blocking in half_created:
        field = "device_id" if error.name == "id_taken" else "dev_eui"
        return Refusal(field, "half_created_blocks", device=name_of(blocking))
    reason = reason_of(error)
    key, known = reason.key(FORM_KEYS), dict(reason.placeholders)
    if key == "euis_taken":
        known["device"] = name_of(known["device"])
    elif key == "refused" and "field_invalid" in reason.keys:
        known["reason"] = f"{known['field']}: {known['reason']}"
    elif key == "refused" and reason.keys[0] in ACTION_KEYS - _GENERAL:
        # Only actions have a text for this case.
        known["reason"] = error_text(error)
    return Refusal(reason.field, key, **{name: known[name] for name in FORM_KEYS[key]})


def action_error(
    error: StackError,
    *,
    prefix: str = "management_",
    names: Mapping[str, str] = NAMES,
    known: Collection[str] = ACTION_KEYS,
) -> HomeAssistantError:
    """Return the exception for an action: ServiceValidationError if the input is at fault.

    The text is the one in `exceptions` with `prefix` and one of the `known` reasons.
    """
    reason = reason_of(error, names)
    raised = refused if reason.correctable else failure
    return raised(prefix + reason.key(known), **reason.placeholders)


def error_text(error: StackError) -> str:
    """Return the most specific text for an error, to be named in another text.

    The integration must be set up, since Home Assistant loads its translations then.
    """
    return str(action_error(error))


def _named(error: StackError, key: str) -> Reason:
    """Return the reason for an error whose name has a text."""
    if isinstance(error, Conflict):
        if key == "euis_taken" and not error.attributes.get("device_id"):
            return _reason(error, "euis_taken_somewhere", correctable=True)
        return _reason(error, key, "refused", correctable=True)
    general = "not_found" if isinstance(error, NotFound) else "refused"
    return _reason(error, key, general, correctable=True)


def _unnamed(error: StackError) -> Reason:
    """Return the reason for an error whose name has no text of its own."""
    name = error.name
    if name.endswith("_too_long"):
        return _reason(error, "too_long", "refused", correctable=True)
    if name.startswith("missing_"):
        key = "missing_key" if name.endswith("_key") else "missing"
        return _reason(error, key, "refused", correctable=True)
    if name.startswith("invalid_") and name.endswith("eui"):
        return _reason(error, "invalid_eui", "refused", correctable=True)
    if name.startswith("invalid_") and name.endswith("key"):
        return _reason(error, "invalid_key", "refused", correctable=True)
    match error:
        case NotFound():
            return _not_found(error)
        case Conflict():
            return _reason(error, "id_taken", correctable=True)
        case InvalidRequest() if error.attributes.get("field"):
            return _reason(error, "field_invalid", "refused", correctable=True)
        case InvalidRequest():
            return _reason(error, "invalid", "refused", correctable=True)
    return _reason(error, "refused")


def _not_found(error: NotFound) -> Reason:
    """Return the reason for a missing end device, or another missing resource."""
    if not error.attributes.get("device_id"):
        return _reason(error, "not_found", correctable=True)
    key = "not_on_server" if error.name.startswith("not_on_") else "unknown_device"
    return _reason(error, key, "not_found", correctable=True)


def _texts(placeholders: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in placeholders.items()}


def _reason(error: StackError, *keys: str, correctable: bool = False) -> Reason:
    field, _ = _field(error)
    return Reason(
        keys=keys, placeholders=_placeholders(error), field=field, correctable=correctable
    )


def _field(error: StackError) -> tuple[str, str]:
    """Return form field and user-facing name; for unknown fields the server's name."""
    if name := _FIELD_OF_NAME.get(error.name):
        return name, name
    if error.name.startswith("missing_"):
        missing = error.name.removeprefix("missing_")
        return _FIELDS.get(missing, (BASE,))[0], missing
    path = str(error.attributes.get("field") or "")
    for part in reversed(path.replace("[", ".").replace("]", "").split(".")):
        if part in _FIELDS:
            return _FIELDS[part]
    return BASE, path


def _placeholders(error: StackError) -> dict[str, str]:
    about = error.attributes
    texts: dict[str, object] = {
        "address": about.get("address"),
        "application": about.get("application_id"),
        "device": about.get("device_id"),
        "expected": about.get("expected"),
        "field": _field(error)[1],
        "known": about.get("known"),
        "length": about.get("length"),
        "max": about.get("max"),
        "maximum": about.get("maximum", about.get("dev_eui_limit")),
        "name": error.name,
        "reason": _text(error),
        "server": error.name.removeprefix("not_on_").removesuffix("_server").capitalize(),
        "value": about.get("value"),
    }
    match error:
        case RollbackFailed() | PartlyDeleted():
            texts["servers"] = server_names(error.left_on)
        case MissingRight():
            texts["rights"] = console_names(error.rights) or error
        case AuthenticationFailed():
            texts["reason"] = error.name
        case RateLimited():
            texts["seconds"] = round(error.retry_after)
    return {name: "" if value is None else str(value) for name, value in texts.items()}


def _text(error: StackError) -> object:
    """Return the most specific text of an error: that of its innermost cause."""
    if isinstance(error, RollbackFailed) and isinstance(error.cause, StackError):
        return error_text(error.cause)
    about = error.attributes
    if isinstance(error, PartlyDeleted):
        return about.get("reason")
    if not about.get("field"):
        return error
    reason = about.get("reason") or error
    rule = f"{reason} {about.get('regex', '')}"
    return next((words for pattern, words in _PATTERNS.items() if pattern in rule), reason)
