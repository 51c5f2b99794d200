"""Every error of the client has a text wherever it is shown, and the most specific one."""

from collections.abc import Callable
from dataclasses import fields
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_load_integrations
import pytest

from custom_components.thethingsstack import client
from custom_components.thethingsstack.application.error_texts import (
    ACTION_TEXTS,
    APPLICATION_KEY_TEXTS,
    DOWNLINK_TEXTS,
    FORM_KEYS,
    GATEWAY_TEXTS,
    GENERAL,
    MQTT_TEXTS,
    NAMES,
    SETUP_TEXTS,
)
from custom_components.thethingsstack.application.refusals import (
    Refusal,
    action_error,
    downlink_error,
    reason_of,
    refusal,
    text_key,
)
from custom_components.thethingsstack.client import (
    AuthenticationFailed,
    BadMessage,
    Capabilities,
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
    ProtocolMismatch,
    RateLimited,
    RequestTimeout,
    RollbackFailed,
    Server,
    ServerFailed,
    StackError,
    StorageUnavailable,
)
from custom_components.thethingsstack.client.deletion import PartlyDeleted, Removal
from custom_components.thethingsstack.client.identifiers import InvalidIdentifier
from custom_components.thethingsstack.client.rights import DEVICES_WRITE, TRAFFIC_DOWN_WRITE
from custom_components.thethingsstack.const import DOMAIN

PACKAGE = Path(__file__).parents[2] / "custom_components" / "thethingsstack"
TEXTS: dict[str, Any] = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))
DIALOGUES: dict[str, dict[str, str]] = {
    "options": TEXTS["options"]["error"],
    "add end device": TEXTS["config_subentries"]["end_device"]["error"],
    "repair": TEXTS["issues"]["half_created"]["fix_flow"]["error"],
}
PLACES = {
    "forms": {reason: reason for reason in FORM_KEYS},
    "actions": ACTION_TEXTS,
    "downlinks": DOWNLINK_TEXTS,
    "set-up over HTTP": SETUP_TEXTS,
    "set-up over MQTT": MQTT_TEXTS,
    "gateway with its own key": GATEWAY_TEXTS,
    "gateway with the application's key": APPLICATION_KEY_TEXTS,
}
NESTED = InvalidRequest(
    "embedded message failed validation",
    name="validation",
    attributes={
        "field": "end_device.ids.device_id",
        "reason": 'value does not match regex pattern "^[a-z0-9](?:[-]?[a-z0-9]){2,}$"',
    },
)
ERRORS: dict[str, StackError] = {
    type(error).__name__: error
    for error in (
        StackError("x"),
        AuthenticationFailed("x"),
        BadMessage("x"),
        CertificateFailed("x"),
        Conflict("x"),
        ConnectionFailed("x"),
        FormatterFailed("x"),
        InvalidIdentifier("EUI", "16 digits are needed", value="12"),
        InvalidRequest("x"),
        MissingRight("x", rights=(DEVICES_WRITE,), name="insufficient_application_rights"),
        MqttRefused("x", code=5),
        NoApiKey("x"),
        NotFound("x"),
        NotSupported("repository"),
        PartlyDeleted("pump", Removal(left_on=(Server.JOIN,), error=ServerFailed("x"))),
        ProtocolMismatch("x"),
        RateLimited("x", retry_after=3),
        RequestTimeout("x"),
        RollbackFailed("pump", cause=NESTED, left_on=(Server.JOIN,)),
        ServerFailed("x"),
        StorageUnavailable("x"),
    )
}
NAMED = {
    name: (Conflict if NAMES[name] in FORM_KEYS else InvalidRequest)("x", name=name)
    for name in NAMES
}
VALIDATION = {
    "a field": NESTED,
    "an odd name": InvalidRequest("x", name="quite_new"),
    "too long": InvalidRequest("x", name="name_too_long", attributes={"maximum": 50}),
    "missing": InvalidRequest("x", name="missing_join_eui"),
    "a missing key": InvalidRequest("x", name="missing_app_key"),
    "no key": InvalidRequest("x", name="invalid_app_key"),
    "no device": NotFound("x", name="end_device_not_found", attributes={"device_id": "pump"}),
    "half": NotFound("x", name="not_on_join_server", attributes={"device_id": "pump"}),
    "somewhere": Conflict("x", name="end_device_euis_taken"),
    "here": Conflict(
        "x",
        name="end_device_euis_taken",
        attributes={"device_id": "pump", "application_id": "garden"},
    ),
}
LACKING = {field.name: NotSupported(field.name) for field in fields(Capabilities)}
ALL = {**ERRORS, **NAMED, **VALIDATION, **LACKING}


@pytest.fixture
async def texts(hass: HomeAssistant, enable_custom_integrations: None) -> None:
    """Load the texts of exceptions."""
    await async_load_integrations(hass, {DOMAIN})
    hass.config.components.add(DOMAIN)


def placeholders(text: str) -> set[str]:
    """Return what a text names."""
    return set(re.findall(r"{(\w+)}", text))


def test_every_class_is_tried() -> None:
    """A new class of errors is to be given a text."""
    classes = {
        item.__name__
        for item in vars(client).values()
        if isinstance(item, type) and issubclass(item, StackError)
    }
    assert classes <= set(ERRORS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", ALL)
def test_every_place_has_a_text_for_every_error(case: str, place: str) -> None:
    """The last reason of each error is one of the general ones, which every place has."""
    assert reason_of(ALL[case]).keys[-1] in GENERAL
    assert set(GENERAL) <= PLACES[place].keys()
    assert text_key(ALL[case], PLACES[place]) in PLACES[place].values()


def test_no_reason_is_without_an_error() -> None:
    """A reason that no error has would be a text that nobody ever sees."""
    known = {key for error in ALL.values() for key in reason_of(error).keys}
    for place, table in PLACES.items():
        assert table.keys() <= known, place


@pytest.mark.parametrize("texts_of", [action_error, downlink_error])
@pytest.mark.parametrize("case", ALL)
def test_every_exception_has_a_text(
    texts: None, case: str, texts_of: Callable[[StackError], HomeAssistantError]
) -> None:
    """It names only what is known, and says what the server said where nothing is more specific."""
    error = texts_of(ALL[case])
    assert error.translation_key is not None
    message = TEXTS["exceptions"][error.translation_key]["message"]
    given = dict(error.translation_placeholders or {})
    assert placeholders(message) <= given.keys()
    assert "{" not in str(error)


@pytest.mark.parametrize("door", DIALOGUES)
@pytest.mark.parametrize("case", ALL)
def test_every_form_has_a_text(texts: None, case: str, door: str) -> None:
    """In each dialogue, with all that it names."""
    shown = refusal(ALL[case])
    if door == "add end device" and shown.key == "partly_deleted":
        return  # nothing is deleted there
    assert placeholders(DIALOGUES[door][shown.key]) <= shown.placeholders.keys()


def test_the_lists_are_those_of_the_texts() -> None:
    """No reason without a text, and no text that only looks like one of a reason."""
    for table in (ACTION_TEXTS, DOWNLINK_TEXTS):
        assert set(table.values()) <= set(TEXTS["exceptions"])
    for table in (SETUP_TEXTS, MQTT_TEXTS):
        assert set(table.values()) <= set(TEXTS["config"]["error"])
    for table in (GATEWAY_TEXTS, APPLICATION_KEY_TEXTS):
        assert set(table.values()) <= set(TEXTS["config_subentries"]["gateway"]["error"])
    for door, errors in DIALOGUES.items():
        missing = FORM_KEYS.keys() - errors.keys()
        assert missing <= ({"partly_deleted"} if door == "add end device" else set())


def test_the_innermost_cause_is_shown(texts: None) -> None:
    """The field in the user's words, and the rule instead of a pattern, in all doors."""
    rule = "it needs at least 3 lower-case letters or digits, with single dashes between them"
    error = action_error(NESTED)
    assert isinstance(error, ServiceValidationError)
    assert str(error) == f"The Things Stack doesn't take this end device ID: {rule}"
    shown = refusal(NESTED)
    assert (shown.field, shown.key) == ("device_id", "refused")
    assert shown.placeholders == {"reason": f"end device ID: {rule}"}
    rolled_back = refusal(ERRORS["RollbackFailed"])
    assert rule in rolled_back.placeholders["reason"]
    assert rolled_back.placeholders["servers"] == "Join Server"


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("name", "name", "name"),
        ("end_device.serial_number", "qr_code", "serial number"),
        ("end_device.attributes[room]", "attributes", "attributes"),
        ("session.keys.app_s_key.key", "app_s_key", "AppSKey"),
        ("mac_settings.rx1_delay", "base", "mac_settings.rx1_delay"),
    ],
)
def test_fields_are_called_as_users_know_them(path: str, field: str, words: str) -> None:
    """By the last part of the path that has a name."""
    reason = reason_of(InvalidRequest("x", attributes={"field": path, "reason": "too odd"}))
    assert (reason.field, reason.placeholders["field"]) == (field, words)
    assert reason.placeholders["reason"] == "too odd"


def test_the_most_specific_text_wins(texts: None) -> None:
    """A form without a text for the case takes that of the actions."""
    error = InvalidRequest(
        "x",
        name="invalid_lorawan_phy_version",
        attributes={"value": "RP001_V1_1", "known": "RP001_V1_0_3"},
    )
    shown = refusal(error)
    assert (shown.field, shown.key) == ("lorawan_phy_version", "refused")
    assert shown.placeholders["reason"] == str(action_error(error))
    assert "RP001_V1_0_3" in shown.placeholders["reason"]


def test_a_downlink_has_texts_of_its_own(texts: None) -> None:
    """For what only downlinks have; rights are called as the Console calls them."""
    full = RateLimited("x", retry_after=60, name="downlink_queue_capacity")
    assert downlink_error(full).translation_key == "downlink_queue_full"
    assert not isinstance(downlink_error(full), ServiceValidationError)
    assert action_error(full).translation_key == "management_refused"
    for rights in ((TRAFFIC_DOWN_WRITE,), ()):
        forbidden = downlink_error(MissingRight("x", rights=rights, name="no_application_rights"))
        assert forbidden.translation_key == "downlink_missing_right"
        assert "“Write downlink application traffic”" in str(forbidden)
        assert "RIGHT_" not in str(forbidden)
    priority = InvalidRequest("x", attributes={"field": "downlinks[0].priority", "reason": "odd"})
    assert str(downlink_error(priority)).endswith("downlinks[0].priority: odd")


def test_a_half_created_device_in_the_way_is_named() -> None:
    """It has a repair of its own."""
    taken = Conflict("x", name="end_device_euis_taken", attributes={"device_id": "pump"})
    shown = refusal(taken, str.upper, {"pump"})
    assert isinstance(shown, Refusal)
    assert (shown.field, shown.key) == ("dev_eui", "half_created_blocks")
    assert shown.placeholders == {"device": "PUMP"}
