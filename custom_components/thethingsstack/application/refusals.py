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
    MqttRefused,
    NoApiKey,
    NotFound,
    NotSupported,
    PartlyDeleted,
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    RollbackFailed,
    Server,
    ServerFailed,
    StackError,
)
from ..client.rights import TRAFFIC_DOWN_WRITE, console_names
from ..const import DOMAIN
from .error_texts import (
    ACTION_TEXTS,
    DOWNLINK_TEXTS,
    FIELD_OF_NAME,
    FIELDS,
    FORM_KEYS,
    NAMES,
    PATTERNS,
)

BASE = "base"
"""Home Assistant's name for an error of the whole form, shown above its fields."""
_GENERAL = frozenset({"formatter_failed", "invalid", "refused"})
"""Reasons whose text is little more than the server's own."""


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
    """Names of the reason, from the most specific to a general one that every place has."""
    placeholders: Mapping[str, str]
    """Placeholders for any of the texts."""
    field: str = BASE
    """The form field that the error belongs to."""
    correctable: bool = False
    """Whether the user can correct it by changing the input."""

    def key(self, known: Collection[str]) -> str:
        """Return the most specific name among those that a place has a text for."""
        return next((key for key in self.keys if key in known), self.keys[-1])


def lacking(rights: Collection[str], needed: Iterable[str]) -> str:
    """Return the needed rights that a key lacks, as the Console calls them; empty where none."""
    return console_names(right for right in needed if right not in rights)


def server_names(servers: Iterable[Server]) -> str:
    """Return servers as The Things Stack calls them, for a text."""
    return ", ".join(f"{server.capitalize()} Server" for server in servers)


def reason_of(error: StackError) -> Reason:
    """Return what an error of the client or the server means, by its class and its name."""
    match error:
        case RollbackFailed():
            return _reason(error, "rollback_failed", "refused")
        case PartlyDeleted():
            return _reason(error, "partly_deleted", "refused")
        case MissingRight():
            return _reason(error, "missing_rights")
        case NoApiKey():
            return _reason(error, "no_api_key", "key_refused")
        case AuthenticationFailed():
            return _reason(error, *_names(error), "key_refused")
        case RateLimited() if error.name not in NAMES:
            return _reason(error, "rate_limited")
        case CertificateFailed():
            return _reason(error, "certificate_not_trusted", "cannot_connect")
        case ProtocolMismatch():
            return _reason(error, *_names(error), "not_the_things_stack", "cannot_connect")
        case MqttRefused():
            return _reason(error, *_names(error), "mqtt_refused", "cannot_connect")
        case RequestTimeout():
            return _reason(error, *_names(error), "timeout", "cannot_connect")
        case ConnectionFailed():
            return _reason(error, *_names(error), "cannot_connect")
        case ServerFailed():
            return _reason(error, "server_failed", "cannot_connect")
        case NotSupported():
            return _reason(error, f"without_{error.capability}", "refused", correctable=True)
        case FormatterFailed() if error.name not in NAMES:
            return _reason(error, "formatter_failed", "refused")
    if error.name in NAMES:
        return _named(error, NAMES[error.name])
    return _unnamed(error)


def text_key(error: StackError, texts: Mapping[str, str]) -> str:
    """Return the translation key for an error in a place; `texts` is that place's table."""
    return texts[reason_of(error).key(texts)]


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
    elif key == "refused" and reason.keys[0] in ACTION_TEXTS.keys() - _GENERAL:
        # Only actions have a text for this case.
        known["reason"] = error_text(error)
    return Refusal(reason.field, key, **{name: known[name] for name in FORM_KEYS[key]})


def action_error(error: StackError, texts: Mapping[str, str] = ACTION_TEXTS) -> HomeAssistantError:
    """Return the exception for an action: ServiceValidationError if the input is at fault."""
    reason = reason_of(error)
    raised = refused if reason.correctable else failure
    return raised(texts[reason.key(texts)], **reason.placeholders)


def downlink_error(error: StackError) -> HomeAssistantError:
    """Return the exception for a downlink: ServiceValidationError if the input is at fault."""
    if isinstance(error, MissingRight) and not error.rights:
        return missing_downlink_right()
    return action_error(error, DOWNLINK_TEXTS)


def missing_downlink_right() -> ServiceValidationError:
    """Return the exception for an API key that may not send downlinks."""
    return refused("downlink_missing_right", rights=console_names([TRAFFIC_DOWN_WRITE]))


def error_text(error: StackError) -> str:
    """Return the most specific text for an error, to be named in another text.

    The integration must be set up, since Home Assistant loads its translations then.
    """
    return str(action_error(error))


def _names(error: StackError) -> tuple[str, ...]:
    return (NAMES[error.name],) if error.name in NAMES else ()


def _named(error: StackError, key: str) -> Reason:
    """Return the reason for an error whose name has a text."""
    correctable = isinstance(error, Conflict | InvalidRequest | NotFound)
    if isinstance(error, Conflict):
        if key == "euis_taken" and not error.attributes.get("device_id"):
            key = "euis_taken_somewhere"
        return _reason(error, key, "refused", correctable=correctable)
    general = "not_found" if isinstance(error, NotFound) else "refused"
    return _reason(error, key, general, correctable=correctable)


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
            return _reason(error, "id_taken", "refused", correctable=True)
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
    if name := FIELD_OF_NAME.get(error.name):
        return name, name
    if error.name.startswith("missing_"):
        missing = error.name.removeprefix("missing_")
        return FIELDS.get(missing, (BASE,))[0], missing
    path = str(error.attributes.get("field") or "")
    for part in reversed(path.replace("[", ".").replace("]", "").split(".")):
        if part in FIELDS:
            return FIELDS[part]
    return BASE, path


def _placeholders(error: StackError) -> dict[str, str]:
    about = error.attributes
    texts: dict[str, object] = {
        "address": about.get("address"),
        "application": about.get("application_id"),
        "count": about.get("count"),
        "device": about.get("device_id"),
        "expected": about.get("expected"),
        "field": _field(error)[1],
        "known": about.get("known"),
        "length": about.get("length"),
        "line": about.get("line"),
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
    return next((words for pattern, words in PATTERNS.items() if pattern in rule), reason)
