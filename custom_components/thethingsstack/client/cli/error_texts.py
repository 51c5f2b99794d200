"""The errors of the library in the words of the command line: what to do about each."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..errors import AuthenticationFailed, ConnectionFailed, StackError
    from .run import Settings

_KEYS = {
    "api_key_expired": "Make another one in the Console",
    "api_key_not_found": "It was deleted, or is the key of another server",
    "invalid_authorization": "Copy it once more, as a whole",
    "token": "A key begins with NNSXS. and has three parts with dots between them",
}
_HINTS = {
    "api_key_not_found": "`application keys` lists them",
    "claiming_not_supported": "is that the JoinEUI on its label (--join-eui)?",
    "no_device_session": "nothing can be sent to it before it has joined",
    "invalid_lorawan_phy_version": "give it with --phy-version",
    "brand_not_found": "`models brands` lists them",
    "firmware_version_not_found": "`models list` shows those there are",
    "frequency_plan_not_found": "`plans` lists all, `plans EU868` those of a band",
    "frequency_plan_of_another_band": "`plans` lists all",
    "model_not_found": "`models list` shows those there are",
    "no_matching_events": "names are like as.up.data.forward and end_device.update",
    "no_profile_for_band": "`models list` shows the bands that there are",
    "unknown_event_name": "names are like as.up.data.forward; /up/ means all that have “up” in them",
}
_LACKING = {
    "api_keys": "no list of keys and collaborators: they are the account server's",
    "application_settings": "no name, description and attributes of an application",
    "changed_since": "no record of when an end device was changed",
    "claiming": "no claiming of end devices, and reads no QR codes",
    "dev_eui_issuing": "no DevEUIs to give: name the end device's own with --dev-eui",
    "device_formatters": "no formatters of single end devices: set the application's, without an ID",
    "downlink_attempts": "no limit of attempts: a confirmed downlink is repeated until acknowledged",
    "downlink_first": "no place for a downlink before all others: give it a --priority",
    "downlink_priority": "no priorities of downlinks: --first puts one before all others",
    "downlink_queue": "no way to see or empty a queue of downlinks: `downlink replace` replaces it",
    "event_stream": "no stream of events: `uplinks` follows what end devices send",
    "formatter_trial": "no trial of formatters over HTTP",
    "frequency_plans": "no frequency plans and LoRaWAN versions of single end devices",
    "gateways": "no list of gateways",
    "repository": "no Device Repository: name EUIs and keys yourself",
    "session_reset": "no way to end a session: delete and register the end device instead",
    "several_servers": "one server, which has an end device as a whole",
    "simulated_uplinks": "no simulated uplinks over HTTP",
}
"""What a network has instead of a capability."""


def explained(error: "StackError", settings: "Settings") -> str:
    """Return the text of an error, with what the options and variables have to do with it."""
    from ..errors import (
        AuthenticationFailed,
        CertificateFailed,
        ConnectionFailed,
        MissingRight,
        NotSupported,
    )
    from ..formatters import FormatterFailed
    from ..rights import with_console_name

    match error:
        case NotSupported(capability=capability) if capability in _LACKING:
            return f"this network has {_LACKING[capability]}"
        case FormatterFailed():
            return f"the formatter refuses it: {error.message}"
        case AuthenticationFailed():
            return _refused_key(error, settings)
        case MissingRight(name="no_application_rights"):
            return (
                f"the API key has no rights for application `{settings.application}`: it is the "
                "key of another one, or there is no such application"
            )
        case MissingRight(rights=rights) if rights:
            return f"{error.message} (missing: {', '.join(map(with_console_name, rights))})"
        case CertificateFailed():
            text = _unreached(error, settings)
            return f"{text}; --ca-file or TTN_CA_FILE names the certificate of a private CA"
        case ConnectionFailed():
            return _unreached(error, settings)
    if error.name == "not_found" and error.namespace is None:
        return "the API has no such path"
    hint = _HINTS.get(error.name)
    return f"{error.message}; {hint}" if hint else error.message


def _refused_key(error: "AuthenticationFailed", settings: "Settings") -> str:
    hint = _KEYS.get(error.name, "It is mistyped, deleted, expired or another server's")
    origin = settings.origins.get("api_key")
    of_which = f" in {origin}" if origin else ""
    return f"{error.message}. The server doesn't take the API key{of_which}. {hint}"


def _unreached(error: "ConnectionFailed", settings: "Settings") -> str:
    """Return the text with the option or variable that the server's address comes from."""
    from ..connection import Connection

    address = str(error.attributes.get("address") or "")
    known = Connection(
        server=settings.server or "", identity_server=settings.identity_server or "", api_key=""
    )
    if address == known.server:
        origin = settings.origins.get("server")
    elif address == known.identity_server:
        origin = settings.origins.get("identity_server") or (
            f"the Identity Server that belongs to {settings.origins.get('server')}"
        )
    elif address and "://" not in address:  # an MQTT server's
        origin = settings.origins.get("mqtt")
        if origin is None:
            return f"{error.message}; --mqtt or TTN_MQTT names another MQTT server"
    else:
        origin = None
    return f"{error.message} (from {origin})" if origin else error.message
