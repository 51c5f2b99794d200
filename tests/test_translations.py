"""Every text that the code asks for exists, says what it should, and none is left over."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import load_yaml
import pytest
import voluptuous as vol

from custom_components.thethingsstack import config_flow, logbook, trigger
from custom_components.thethingsstack.actions import (
    application as application_services,
    downlinks as services,
    end_devices as management_services,
    export,
    import_devices,
)
from custom_components.thethingsstack.application import storage_repair
from custom_components.thethingsstack.application.error_texts import (
    ACTION_TEXTS,
    DOWNLINK_TEXTS,
    FORM_KEYS,
    MQTT_TEXTS,
    SETUP_TEXTS,
)
from custom_components.thethingsstack.application.refusals import reason_of
from custom_components.thethingsstack.client import (
    CLOUD_CLUSTERS,
    FEATURES,
    NETWORKS,
    EndDevice,
    StackError,
)
from custom_components.thethingsstack.client.rights import CONSOLE_NAMES
from custom_components.thethingsstack.condition import CONDITIONS
from custom_components.thethingsstack.const import (
    DEVICES_ALL,
    DEVICES_ALL_BUT,
    DEVICES_CHOSEN,
    DEVICES_NOT_IGNORED,
    NETWORK_CLOUD,
    NETWORK_OWN_SERVER,
    NETWORK_V2,
)
from custom_components.thethingsstack.controls.entity import FAILED, PENDING
from custom_components.thethingsstack.controls.kinds import KINDS
from custom_components.thethingsstack.controls.payload_template import REASONS
from custom_components.thethingsstack.controls.suggestions import ISSUES as PRESET_ISSUES
from custom_components.thethingsstack.downlinks.sensors import DOWNLINK_SENSORS, STATES
from custom_components.thethingsstack.end_devices.radio_sensors import (
    BATTERY_SENSOR,
    HEALTH_SENSORS,
    STATUS_SENSOR,
)
from custom_components.thethingsstack.end_devices.status import Status
from custom_components.thethingsstack.event import DOWNLINK_TYPES, ActivityEvent, DownlinkEvent
from custom_components.thethingsstack.fields import edit_form as field_form
from custom_components.thethingsstack.fields.overrides import OVERRIDES_REASONS, Scope
from custom_components.thethingsstack.fields.texts import EXPECTED
from custom_components.thethingsstack.formatters import (
    flow as formatter_flow,
    local_decoding,
    repair as formatter_repair,
)
from custom_components.thethingsstack.formatters.trial import CONF_ANOTHER
from custom_components.thethingsstack.gateways.entities import GATEWAY_SENSORS
from custom_components.thethingsstack.payload import (
    QUANTITIES,
    SENSOR_ROLES,
    Kind,
    Source,
    decoders,
)
from custom_components.thethingsstack.payload.types import UNDECIDED
from custom_components.thethingsstack.provisioning import (
    delete_flow as removal_flow,
    edit_form as change_form,
    partial_repair as half_repair,
    register_form as registration_form,
)
from custom_components.thethingsstack.sensor import APPLICATION_SENSORS
from custom_components.thethingsstack.setup_flow import (
    doors,
    general_options,
    handler,
    probe,
    server_form,
    user_api_key,
)
from custom_components.thethingsstack.setup_flow.webhook_only import WEBHOOK_ONLY
from custom_components.thethingsstack.takeover import TakeoverRepairFlow
from custom_components.thethingsstack.webhook.entry import OTHER_REFUSED_ISSUE, REFUSED_ISSUES
from custom_components.thethingsstack.webhook.managed import ADDRESS_ISSUES

PACKAGE = Path(__file__).parent.parent / "custom_components" / "thethingsstack"
TEXTS: dict[str, Any] = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))
ICONS: dict[str, Any] = json.loads((PACKAGE / "icons.json").read_text("utf-8"))
CONFIG = TEXTS["config"]
OPTIONS = TEXTS["options"]
ENTITY = TEXTS["entity"]
CONTROL_CHOICES = {"command", "confirmed", "platform", "preview"}
"""Those of the dialogue for controls have a test of their own."""
DECODER_CHOICES = {"decoder_reason", "decoder_row", "local_decoder", "row_order", "row_type"}
"""And so have those of decoding in Home Assistant."""
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in PACKAGE.rglob("*.py")
}
"""The code of every module, those in rooms by room and name."""

BUILT_IN_SENSORS = (
    *HEALTH_SENSORS,
    BATTERY_SENSOR,
    STATUS_SENSOR,
    *DOWNLINK_SENSORS,
    *APPLICATION_SENSORS,
    *GATEWAY_SENSORS,
)


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every leaf."""
    if isinstance(node, str):
        yield path, node
        return
    for key, value in node.items():
        yield from leaves(value, f"{path}.{key}" if path else key)


def placeholders(text: str) -> set[str]:
    """Return what a text names."""
    return set(re.findall(r"{(\w+)}", text))


def constants(node: ast.AST) -> set[str]:
    """Return the texts that an expression may be: both arms of a condition."""
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value
    }


def calls(*modules: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the name of what is called, and the call, in these modules or in all."""
    for name in modules or MODULES:
        for node in ast.walk(MODULES[name]):
            if isinstance(node, ast.Call):
                function = node.func
                if isinstance(function, ast.Attribute):
                    yield function.attr, node
                elif isinstance(function, ast.Name):
                    yield function.id, node


def modules_in(room: str) -> list[str]:
    """Return the names of a room's modules."""
    return [name for name in MODULES if name.startswith(f"{room}/")]


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return an argument given by name."""
    return next((given.value for given in call.keywords if given.arg == name), None)


# The rules that Home Assistant has for texts


def test_one_file_of_literal_texts() -> None:
    """Custom integrations have translations only, without references."""
    assert not (PACKAGE / "strings.json").exists()
    assert set(TEXTS) <= {
        "title",
        "config",
        "config_subentries",
        "options",
        "selector",
        "services",
        "system_health",
        "triggers",
        "conditions",
        "exceptions",
        "issues",
        "entity",
        "config_panel",
    }


FORBIDDEN = {
    "stray blanks": r"^\s|\s$|  |^$",
    "a reference": r"\[%key",
    "HTML": r"</?[a-zA-Z]",
    "a URL": r"[a-z]+://",
    "a quoted placeholder": r"'{\w+}'",
    "an odd placeholder": r"{(?![a-z_]+})|(?<![a-z_])}",
}


def test_texts_keep_the_rules() -> None:
    """Keys are slugs; texts have nothing that Home Assistant forbids."""
    for path, text in leaves(TEXTS):
        assert all(re.fullmatch(r"[a-z0-9_]+", key) for key in path.split(".")), path
        for what, pattern in FORBIDDEN.items():
            assert not re.search(pattern, text), f"{path} has {what}"


def test_descriptions_belong_to_fields() -> None:
    """Every field has a name and a description, and nothing else has."""
    for flow in (CONFIG, OPTIONS):
        for step in flow["step"].values():
            for part in (step, *step.get("sections", {}).values()):
                assert set(part.get("data", {})) == set(part.get("data_description", {}))


def test_issues_tell_what_to_do() -> None:
    """An issue that can't be fixed by Home Assistant has a title and a description."""
    for key, issue in TEXTS["issues"].items():
        fixable = key in (
            *("undecoded", "half_created", "storage_off", "takeover"),
            *("preset_climate", "preset_valve", "preset_other"),
        )
        assert set(issue) == {"title", "fix_flow" if fixable else "description"}


# Forms


SCHEMAS: dict[str, vol.Schema | None] = {
    "user": None,
    "cloud": server_form.CLOUD_SCHEMA,
    "own_server": server_form.OWN_SERVER_SCHEMA,
    "key": server_form.KEY_SCHEMA,
    "reauth_confirm": server_form.KEY_SCHEMA,
    "handler": handler.HANDLER_SCHEMA,
    "reauth_access_key": server_form.KEY_SCHEMA,
    "reconfigure_handler": handler.RECONFIGURE_SCHEMA.extend(doors.door_schema("mqtt").schema),
    "rights": doors.door_schema("mqtt"),
    "wrong_cluster": vol.Schema({}),
}


def steps_of(flow: type) -> set[str]:
    """Return the steps that a dialogue of ours has, with those of its parts."""
    return {
        name.removeprefix("async_step_")
        for part in flow.__mro__
        if part.__module__.startswith("custom_components.")
        for name in vars(part)
        if name.startswith("async_step_") and name != "async_step_reauth"
    }


def test_every_step_has_its_texts() -> None:
    """As many steps as texts."""
    choices = {"use_event_stream", "use_mqtt"}
    silent = {*choices, "reconfigure_connection", "move"}
    assert set(CONFIG["step"]) == steps_of(config_flow.TheThingsStackConfigFlow) - silent
    menu = CONFIG["step"]["reconfigure_webhook"]["menu_options"]
    assert set(menu) == {"webhook_values", "reconfigure_connection"}
    assert set(CONFIG["step"]["mqtt_unreachable"]["menu_options"]) == choices
    without_form = {
        "change_model",
        "check_rights",
        "edit_again",
        "done",
        "partial_devices",
        "partial_found",
        "partial_interrupted",
    }
    steps = steps_of(config_flow.TheThingsStackOptionsFlow)
    assert set(OPTIONS["step"]) == steps - without_form
    for flow in (CONFIG, OPTIONS):
        assert all(step["title"] for step in flow["step"].values())
    # The frontend fills in those of a title for options and subentries alone.
    assert not any(placeholders(step["title"]) for step in CONFIG["step"].values())


def fields_of(schema: vol.Schema) -> dict[str, vol.Schema | None]:
    """Return the fields of a form; a section with its own form."""
    return {str(key): getattr(value, "schema", None) for key, value in schema.schema.items()}


@pytest.mark.parametrize(
    ("step", "schema"), [(step, schema) for step, schema in SCHEMAS.items() if schema is not None]
)
def test_every_field_has_its_texts(step: str, schema: vol.Schema) -> None:
    """As many fields as texts, in sections too."""
    texts = CONFIG["step"][step]
    fields = fields_of(schema)
    sections = {name: part for name, part in fields.items() if isinstance(part, vol.Schema)}
    assert set(texts.get("data", {})) == set(fields) - set(sections)
    assert set(texts.get("sections", {})) == set(sections)
    for name, part in sections.items():
        assert set(texts["sections"][name]["data"]) == set(fields_of(part))


def test_reconfigure_has_the_texts_of_all_its_forms() -> None:
    """Its form depends on the network: all fields have texts, and the same as elsewhere."""
    texts = CONFIG["step"]["reconfigure"]
    schemas = (
        server_form.SANDBOX_SCHEMA,
        server_form.CLOUD_SCHEMA,
        server_form.OWN_SERVER_SCHEMA,
        server_form.OPTIONAL_KEY_SCHEMA,
        doors.door_schema("mqtt"),
    )
    fields = {name for schema in schemas for name in fields_of(schema)}
    assert set(texts["data"]) == fields - {"advanced"}
    assert texts["sections"] == CONFIG["step"]["own_server"]["sections"]


def test_texts_of_overrides_have_the_placeholders_of_their_reasons() -> None:
    """Nothing of a reason is missing in its text, and nothing else is in it."""
    for key, reason in OVERRIDES_REASONS.items():
        text = TEXTS["options"]["error"][f"override_{key}"]
        assert placeholders(text) == placeholders(reason), key


def test_options_have_their_texts() -> None:
    """The general options, the choice of devices, and every form of a field."""
    steps = OPTIONS["step"]
    general = general_options.GENERAL_SCHEMA.extend(
        {**general_options.CORE_LORAWAN_OPTION, **general_options.RADIO_DETAILS_OPTION}
    )
    assert set(steps["general"]["data"]) == set(fields_of(general))
    assert set(steps["chosen_devices"]["data"]) == {"chosen_devices"}
    asked = {
        value
        for name, value in vars(field_form).items()
        if name.startswith("CONF_") and isinstance(value, str)
    }
    assert set(steps["edit"]["data"]) == set(steps["edit"]["data_description"]) == asked
    errors = {"choose_from_list", *(f"override_{key}" for key in OVERRIDES_REASONS)}
    for name, call in calls("fields/edit_form"):
        if name == "FieldError":
            errors |= constants(call.args[1])
    for name, call in calls(
        "formatters/flow",
        "formatters/local_decoding_flow",
        "formatters/local_decoding_steps",
        "provisioning/delete_flow",
        "provisioning/edit_flow",
        "provisioning/edit_form",
        "provisioning/register_form",
        "provisioning/replace_flow",
    ):
        if name == "Refusal" and isinstance(call.args[1], ast.Constant):
            errors |= constants(call.args[1])
    errors |= {key for _, key in change_form.WRONG_TEXTS.values()}
    errors.remove("phy_version_odd")  # asked only where an end device is added
    # What the servers may say.
    errors |= set(FORM_KEYS)
    assert set(OPTIONS["error"]) == errors
    asked = set[str]()
    for places in ({}, {"user": {"latitude": 1, "longitude": 2}}):
        device = EndDevice.from_json({"attributes": {"room": "Hall"}, "locations": places})
        here = change_form.InHomeAssistant(registry_id="1", area="Attic", renamed=True)
        asked |= set(fields_of(change_form.change_schema(device, here)))
    assert set(steps["change_what"]["data"]) == asked
    assert set(steps["remove_what"]["data"]) == set(fields_of(removal_flow.UNDERSTOOD_SCHEMA))
    aborts = {"changed", "no_fields", "removed", "replaced", "replaced_with_keys"}
    aborts |= {"model_saved", "repository_unreadable"}
    aborts |= {"local_decoder_removed", "local_decoder_saved"}
    aborts |= {"mqtt_failed", "mqtt_moved", "mqtt_no_field"}
    aborts |= {"partial_found", "partial_refused", "no_partial", "not_loaded"}
    assert set(OPTIONS["progress"]) == {"partial_devices"}
    for name, call in calls("fields/flow", "formatters/flow", "provisioning/replace"):
        if name in ("AbortFlow", "_formatter_abort"):
            aborts |= constants(call.args[0])
    assert set(OPTIONS["abort"]) == aborts


def test_choices_have_their_texts() -> None:
    """Every option of every select."""
    selector = TEXTS["selector"]
    assert set(selector) == {"features", "door",
        "network", "cluster", "devices", "setup_summary", "field_platform", "field_source", "field_note", "field_word", "field_state_class", "field_scope", "payload_formatter", "payload_formatter_kind",
        *CONTROL_CHOICES,
        "export_format", "import_status", "priority", "wait_for",
        "activation",
        "area", "device_formatter", "formatter_scope", "logbook", "model_note", "names", "present_formatter", "registration_note",
        *DECODER_CHOICES,
    }  # fmt: skip
    for key in ("names", "area"):
        choices = {change_form.APART, change_form.TO_HOME, change_form.TO_SERVER}
        assert set(selector[key]["options"]) == choices
    kinds_of_formatter = {*formatter_flow.KINDS.values(), formatter_flow.NONE}
    assert set(selector["device_formatter"]["options"]) == {
        formatter_flow.DEFAULT,
        formatter_flow.HERE,
        *kinds_of_formatter,
    }
    assert set(selector["formatter_scope"]["options"]) == {formatter_flow.ONE, formatter_flow.ALL}
    assert set(selector["present_formatter"]["options"]) == {
        *kinds_of_formatter,
        *("other", "own", "default", "default_unseen"),
    }
    notes = {
        str(node.slice.value)
        for node in ast.walk(MODULES["provisioning/model_change_flow"])
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    }
    assert set(selector["model_note"]["options"]) == notes
    kinds = {*Kind, field_form.HIDDEN} - {Kind.IGNORE}
    assert set(selector["field_platform"]["options"]) == kinds
    assert set(selector["field_source"]["options"]) == {*Source, UNDECIDED, EXPECTED}
    assert set(selector["field_note"]["options"]) == {"left_out"}
    assert set(selector["field_state_class"]["options"]) == set(SENSOR_ROLES)
    assert set(selector["field_scope"]["options"]) == {scope.name.lower() for scope in Scope}
    assert set(selector["door"]["options"]) == set(doors.OFFERED)
    assert set(selector["features"]["options"]) == {*FEATURES, user_api_key.DELETE_KEY}
    networks = {*NETWORKS, NETWORK_CLOUD, NETWORK_OWN_SERVER, NETWORK_V2, WEBHOOK_ONLY}
    assert set(selector["network"]["options"]) == networks
    assert set(selector["cluster"]["options"]) == set(CLOUD_CLUSTERS)
    assert set(selector["devices"]["options"]) == {
        DEVICES_ALL,
        DEVICES_ALL_BUT,
        DEVICES_CHOSEN,
        DEVICES_NOT_IGNORED,
    }


def test_decoding_here_has_its_texts() -> None:
    """Ways of decoding, the editor of rows, and why a table or bytes can't be used."""
    selector = TEXTS["selector"]
    kinds = {*decoders.DecoderKind, local_decoding.SERVER}
    assert set(selector["local_decoder"]["options"]) == kinds
    assert set(selector["row_type"]["options"]) == set(decoders.RowType)
    assert set(selector["row_order"]["options"]) == set(decoders.Order)
    every_part = decoders.Row.from_data({"name": "a", "byte": 0}, 1).as_dict().keys()
    fields = selector["decoder_row"]["fields"]
    assert every_part <= fields.keys()
    assert all(set(texts) == {"name", "description"} for texts in fields.values())
    reasons = selector["decoder_reason"]["options"]
    assert set(reasons) == set(decoders.DECODER_REASONS)
    for key, text in reasons.items():
        assert placeholders(text) == placeholders(decoders.DECODER_REASONS[key]), key


def test_logbook_has_its_words() -> None:
    """For each kind of event, and what a command waits for."""
    texts = TEXTS["selector"]["logbook"]["options"]
    because = {"failed_because", "expired_because"}
    waiting = {"waiting", "waiting_until", "waiting_for_report"}
    assert set(texts) == {*logbook.ICONS, *because, *waiting, "downlink", "downlink_on"}
    assert set(DOWNLINK_TYPES) <= set(logbook.ICONS)
    for key, text in texts.items():
        known = {"what", "time", "reason", "state", "f_port"}
        assert placeholders(text) <= known, key


def test_status_says_the_next_step() -> None:
    """For each but the one without anything to do."""
    texts = ENTITY["sensor"]["status"]["state_attributes"]["next_step"]["state"]
    assert set(texts) == set(Status) - {Status.ACTIVE}


def test_summary_has_its_texts() -> None:
    """What the survey says: each feature, each right, each state of the storage."""
    texts = set(TEXTS["selector"]["setup_summary"]["options"])
    expected = {f"{can}_{feature}" for feature in FEATURES for can in ("can", "cannot")}
    expected |= {right.lower() for rights in FEATURES.values() for right in rights}
    expected |= {storage.value for storage in probe.Storage}
    for name, call in calls("setup_flow/probe"):
        if name == "text":
            expected |= {text for text in constants(call.args[0]) if not text.endswith("_")}
    assert texts == expected


def test_every_refusal_has_its_text() -> None:
    """Every reason that the code may give, and no other."""
    reasons = {*SETUP_TEXTS.values(), *MQTT_TEXTS.values()}
    reasons |= {"invalid_certificate", "wrong_cluster"}
    reasons |= {"invalid_identity_server", "invalid_server"}
    reasons |= set(ADDRESS_ISSUES) - {"address_cloud"}
    for name, call in calls(*modules_in("setup_flow")):
        if name in ("FormError", "AddressError") and isinstance(call.args[0], ast.Constant):
            reasons.add(str(call.args[0].value))
    assert set(CONFIG["error"]) == reasons


def test_refusals_name_only_what_the_forms_give() -> None:
    """A placeholder that nobody fills in would hide the whole text."""
    given = {"application", "console", "example", "server"}
    special = {
        "other_application": {"other"},
        "wrong_cluster": {"cluster"},
        "application_name_too_long": {"length", "longest"},
        "application_refused": {"error"},
        "no_event_stream": {"error"},
        "webhook_rights": {"rights"},
        **{reason: {"address"} for reason in ADDRESS_ISSUES},
    }
    for reason, text in CONFIG["error"].items():
        extra = {"mqtt"} if reason.startswith("mqtt_") else special.get(reason, set())
        assert placeholders(text) <= given | extra, reason
    for step in ("cloud", "own_server", "key", "application", "reauth_confirm", "reconfigure"):
        for _, text in leaves(CONFIG["step"][step]):
            assert placeholders(text) <= given, step


def test_every_abort_has_its_text() -> None:
    """Those that Home Assistant doesn't bring."""
    assert set(CONFIG["abort"]) == {"already_configured", "moved", "webhook_shown", *ADDRESS_ISSUES}


# Actions and triggers


def fields_in(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of an action or a trigger, those in sections too."""
    for name, field in described.get("fields", {}).items():
        if "fields" in field:
            yield from fields_in(field)
        else:
            yield name, field


def test_every_action_has_its_texts() -> None:
    """Each action and field has a name and a description, and the schemas know the fields."""
    described = load_yaml(str(PACKAGE / "services.yaml"))
    assert isinstance(described, dict)
    schemas = {
        services.SEND_DOWNLINK: services.SEND_SCHEMA,
        services.REPLACE_QUEUE: services.DOWNLINK_SCHEMA,
        services.CLEAR_QUEUE: services.DEVICES_SCHEMA,
        services.GET_QUEUE: services.DEVICES_SCHEMA,
        management_services.REGISTER_DEVICE: management_services.REGISTER_SCHEMA,
        management_services.UPDATE_DEVICE: management_services.UPDATE_SCHEMA,
        management_services.DELETE_DEVICE: management_services.DELETE_SCHEMA,
        management_services.GET_DEVICE: management_services.GET_SCHEMA,
        management_services.LIST_DEVICES: management_services.LIST_SCHEMA,
        export.EXPORT_DEVICES: export.SCHEMA,
        import_devices.IMPORT_DEVICES: import_devices.SCHEMA,
        management_services.RESET_DEVICE: management_services.DEVICE_SCHEMA,
        management_services.SIMULATE_UPLINK: management_services.SIMULATE_SCHEMA,
        application_services.SET_PAYLOAD_FORMATTER: application_services.SET_FORMATTER_SCHEMA,
        application_services.TEST_PAYLOAD_FORMATTER: application_services.TEST_FORMATTER_SCHEMA,
        application_services.GET_APPLICATION: application_services.APPLICATION_SCHEMA,
        application_services.UPDATE_APPLICATION: application_services.UPDATE_APPLICATION_SCHEMA,
        application_services.LIST_API_KEYS: application_services.APPLICATION_SCHEMA,
        application_services.CREATE_API_KEY: application_services.CREATE_KEY_SCHEMA,
        application_services.DELETE_API_KEY: application_services.DELETE_KEY_SCHEMA,
        application_services.LIST_COLLABORATORS: application_services.APPLICATION_SCHEMA,
    }
    assert set(described) == set(TEXTS["services"]) == set(ICONS["services"]) >= set(schemas)
    for name, texts in TEXTS["services"].items():
        assert texts["name"]
        assert texts["description"]
        fields = dict(fields_in(described[name] or {}))
        assert set(texts.get("fields", {})) == set(fields)
        assert all(set(field) == {"name", "description"} for field in texts["fields"].values())
        if name in schemas:
            assert {str(key) for key in schemas[name].schema} == set(fields)


def test_choices_of_actions_have_their_texts() -> None:
    """Every option of their selects."""
    described = load_yaml(str(PACKAGE / "services.yaml"))
    assert isinstance(described, dict)
    for name in TEXTS["services"]:
        for _, field in fields_in(described[name] or {}):
            select = (field["selector"] or {}).get("select") or {}
            if key := select.get("translation_key"):
                assert list(TEXTS["selector"][key]["options"]) == select["options"]


def test_every_trigger_has_its_texts() -> None:
    """Each trigger and field, in texts and icons."""
    described = load_yaml(str(PACKAGE / "triggers.yaml"))
    assert isinstance(described, dict)
    described = {name: item for name, item in described.items() if not name.startswith(".")}
    assert set(described) == set(trigger.TRIGGERS) == set(TEXTS["triggers"])
    assert set(ICONS["triggers"]) == set(trigger.TRIGGERS)
    for name, texts in TEXTS["triggers"].items():
        assert texts["name"]
        assert texts["description"]
        fields = dict(fields_in(described[name]))
        assert set(texts.get("fields", {})) == set(fields)


def test_every_condition_has_its_texts() -> None:
    """Each condition and field, in texts and icons."""
    described = load_yaml(str(PACKAGE / "conditions.yaml"))
    assert isinstance(described, dict)
    described = {name: item for name, item in described.items() if not name.startswith(".")}
    assert set(described) == set(CONDITIONS) == set(TEXTS["conditions"])
    assert set(ICONS["conditions"]) == set(CONDITIONS)
    for name, texts in TEXTS["conditions"].items():
        assert texts["name"]
        assert texts["description"]
        assert set(texts["fields"]) == set(dict(fields_in(described[name])))


# Exceptions and issues


def test_every_exception_has_its_text() -> None:
    """Key and placeholders are those of the code."""
    found: dict[str, list[set[str]]] = {}
    for function, call in calls():
        key, domain = keyword(call, "translation_key"), keyword(call, "translation_domain")
        if function in ("refused", "failure") and call.args:
            names = {str(given.arg) for given in call.keywords}
            for name in constants(call.args[0]):
                found.setdefault(name, []).append(names)
        if key is None or domain is None:
            continue
        given = keyword(call, "translation_placeholders")
        for name in constants(key):
            found.setdefault(name, []).append(
                {str(k.value) for k in given.keys if isinstance(k, ast.Constant)}
                if isinstance(given, ast.Dict)
                else set()
            )
    known = set(reason_of(StackError("x")).placeholders) | {"rights", "seconds", "servers"}
    for name in (*ACTION_TEXTS.values(), *DOWNLINK_TEXTS.values()):
        found.setdefault(name, []).append(known)
    for name in (*services.NOT_REACHED.values(), *services.TIME_LIMITS):
        found.setdefault(name, []).append({"reason"})
    for name, reason in REASONS.items():
        found.setdefault(f"command_{name}", []).append({"control", *placeholders(reason)})
    assert set(TEXTS["exceptions"]) == set(found)
    for name, texts in TEXTS["exceptions"].items():
        # An error that is raised in several places says what all of them tell.
        assert placeholders(texts["message"]) <= set.intersection(*found[name]), name


def test_every_issue_has_its_texts() -> None:
    """Key and placeholders are those of the code."""
    found: dict[str, set[str]] = {}
    for name, call in calls():
        if name not in ("raise_issue", "update_issue"):
            continue
        key, given = call.args[2:4]
        if isinstance(given, ast.IfExp):
            given = given.body
        if not isinstance(given, ast.Dict):
            continue
        names = {str(k.value) for k in given.keys if isinstance(k, ast.Constant)}
        arms = (key.body, key.orelse) if isinstance(key, ast.IfExp) else (key,)
        for arm in arms:
            found |= dict.fromkeys(constants(arm), names)
    found |= {  # what functions return
        "key_expires": {"application", "date"},
        "control_right": {"application", "count"},
        "application_moved": {"application", "chosen", "cluster"},
        "devices_elsewhere": {"application", "chosen", "devices"},
        "downlink_limit": {"application", "devices", "limit"},
        "airtime_limit": {"application", "devices", "limit"},
        **{key: {"application", "devices"} for key in PRESET_ISSUES.values()},
        **{key: {"application", "address"} for key in ADDRESS_ISSUES.values()},
        **{key: {"application", "count"} for key in REFUSED_ISSUES.values()},
        OTHER_REFUSED_ISSUE: {"application", "count"},
    }
    assert set(TEXTS["issues"]) == set(found)
    for key, issue in TEXTS["issues"].items():
        # Home Assistant shows a title as plain text, where escaped Markdown would be seen.
        assert placeholders(issue["title"]) <= {f"{name}_plain" for name in found[key]}, key
        assert placeholders(issue.get("description", "")) <= found[key], key


def test_the_repair_of_formatters_has_its_texts() -> None:
    """As many steps and reasons as the code has, naming only what they are given."""
    texts = TEXTS["issues"]["undecoded"]["fix_flow"]
    steps = steps_of(formatter_repair.FormatterRepairFlow)
    assert set(texts["step"]) == steps - {"init", "repository", "cayenne_lpp", "here"}
    given = {"devices", "count", "reason", "results", "url", "frames", "model", "rights", "preview"}
    for name, step in texts["step"].items():
        assert step["title"]
        for _, text in leaves(step):
            assert placeholders(text) <= given, name
        if "menu_options" in step:
            choices = {"repository", "brand", "cayenne_lpp", "javascript", "here"}
            if name == "missing_rights":
                choices = {"here"}
            assert set(step["menu_options"]) == set(step["menu_option_descriptions"]) == choices
    assert set(texts["step"]["javascript"]["data"]) == {
        formatter_repair.CONF_SCRIPT,
        CONF_ANOTHER,
    }
    assert set(texts["step"]["which"]["data"]) == {formatter_repair.CONF_DEVICES}
    assert set(texts["error"]) == {
        *("choose_from_list", "choose_one", "formatter_failed", "not_saved"),
        *("decoder_unfit", "decoder_wrong"),
    }
    assert set(texts["abort"]) == {
        *("no_versions", "not_loaded", "repository_unreadable"),
    }


def test_the_repair_of_half_created_devices_has_its_texts() -> None:
    """As many steps, fields and reasons as the code has, naming only what they are given."""
    texts = TEXTS["issues"]["half_created"]["fix_flow"]
    silent = {"init", "complete_it", "work", "interrupted", "still_partial"}
    assert set(texts["step"]) == steps_of(half_repair.PartialRepairFlow) - silent
    given = {"device", "device_id", "missing"}
    extra = {"done": {"facts"}, "missing_rights": {"rights"}}
    refused = {"reason", "rights", "seconds", "address", "expected", "servers", "known"}
    refused |= {"length", "longest", "application"}
    for name, step in texts["step"].items():
        assert step["title"]
        assert set(step.get("data", {})) == set(step.get("data_description", {}))
        assert set(step.get("menu_options", {})) == set(step.get("menu_option_descriptions", {}))
        for _, text in leaves(step):
            assert placeholders(text) <= given | extra.get(name, set()), name
    choices = {"complete_it", "remove"}
    menus = {
        name: set(step["menu_options"])
        for name, step in texts["step"].items()
        if "menu_options" in step
    }
    assert menus == {"partial": choices, "stranded": choices, "left_over": {"remove"}}
    for part in ("error", "abort", "progress"):
        for name, text in texts[part].items():
            assert placeholders(text) <= given | refused, name
    fields = fields_of(registration_form.by_hand_schema(activation=False))
    assert set(texts["step"]["version"]["data"]) == set(fields)
    assert set(texts["step"]["remove"]["data"]) == set(fields_of(removal_flow.UNDERSTOOD_SCHEMA))
    asked = {"name", "frequency_plan"}
    assert set(texts["step"]["complete"]["data"]) == asked | set(registration_form.ROOT_KEYS)
    session = asked | {"dev_addr"} | set(registration_form.SESSION_KEYS)
    assert set(texts["step"]["session"]["data"]) == session
    reasons = {"choose_from_list", "name_too_long", "not_understood", "partly_deleted"}
    for name, call in calls("provisioning/register_form"):
        if name == "Refusal":
            reasons |= constants(call.args[1])
    reasons |= set(FORM_KEYS)
    # Of fields that it doesn't ask for.
    reasons -= {"name_missing", "invalid_device_id", "not_an_eui"}
    assert set(texts["error"]) == reasons
    ends = {"not_loaded", "missing_rights", "already_complete", "already_deleted", "still_partial"}
    read = {"not_found", "key_refused", "rate_limited", "cannot_connect", "refused"}
    assert set(texts["abort"]) == ends | read


def test_the_repair_of_the_storage_has_its_texts() -> None:
    """One step, naming only what it is given."""
    texts = TEXTS["issues"]["storage_off"]["fix_flow"]
    assert set(texts["step"]) == steps_of(storage_repair.StorageRepairFlow) - {"init"}
    for _, text in leaves(texts["step"]):
        assert placeholders(text) <= {"application", "missed"}
    assert set(texts["error"]) == {"refused"}
    assert placeholders(texts["error"]["refused"]) == {"reason"}
    assert set(texts["abort"]) == {"not_loaded"}


def test_the_repair_that_takes_over_has_its_texts() -> None:
    """Both dialogues name only what they are given; each choice of the menu is described."""
    texts = TEXTS["issues"]["takeover"]["fix_flow"]
    chosen = {"finish", "take_back"}
    assert set(texts["step"]) == steps_of(TakeoverRepairFlow) - {"init"} - chosen
    given = {"integration", "application", "moves", "other_kind", "waiting", "unknown"}
    for _, text in leaves(texts["step"]):
        assert placeholders(text) <= given
    waiting = texts["step"]["waiting"]
    assert set(waiting["menu_options"]) == set(waiting["menu_option_descriptions"]) == chosen
    assert set(texts["abort"]) == {"not_loaded", "already_removed", "failed"}


# Entities


def test_every_quantity_has_a_name_and_a_face() -> None:
    """A name in its platform, and an icon unless its class brings one."""
    assert QUANTITIES
    for key, quantity in QUANTITIES.items():
        assert ENTITY[quantity.kind].get(key, {}).get("name"), key
        if quantity.device_class is None:
            assert key in ICONS["entity"][quantity.kind], key
        else:
            assert quantity.kind in ("sensor", "binary_sensor"), key


def test_every_built_in_entity_has_a_name_and_a_face() -> None:
    """Radio, health, activity, and what the application has."""
    for sensor in BUILT_IN_SENSORS:
        key = sensor.translation_key or sensor.key
        assert ENTITY["sensor"][key]["name"]
        assert sensor.device_class not in (None, "enum") or key in ICONS["entity"]["sensor"]
    assert ENTITY["binary_sensor"]["connection"]["name"]
    assert set(ENTITY["sensor"]["status"]["state"]) == {status.value for status in Status}
    assert set(ENTITY["sensor"]["downlink_state"]["state"]) == set(STATES)


@pytest.mark.parametrize("entity", [ActivityEvent, DownlinkEvent])
def test_events_have_the_texts_of_their_types(
    entity: type[ActivityEvent | DownlinkEvent],
) -> None:
    """Each type of event, in texts and icons."""
    key = entity.entity_description.key
    types = set(entity.entity_description.event_types or ())
    assert set(ENTITY["event"][key]["state_attributes"]["event_type"]["state"]) == types
    icons = ICONS["entity"]["event"][key]["state_attributes"]["event_type"]["state"]
    assert set(icons) == types


def test_no_entity_text_is_left_over() -> None:
    """Names and icons belong to a quantity or to a built-in entity."""
    known = {(quantity.kind.value, key) for key, quantity in QUANTITIES.items()}
    known |= {("sensor", sensor.translation_key or sensor.key) for sensor in BUILT_IN_SENSORS}
    known |= {("binary_sensor", "connection"), ("event", "activity")}
    known.add(("event", "downlink"))
    known |= {(platform.value, key) for platform in KINDS for key in (PENDING, FAILED)}
    for texts in (ENTITY, ICONS["entity"]):
        assert {(platform, key) for platform, keys in texts.items() for key in keys} <= known


def test_controls_have_the_icons_of_their_commands() -> None:
    """On every platform that a control can be of."""
    for platform in KINDS:
        assert {PENDING, FAILED} <= ICONS["entity"][platform.value].keys()


def test_icons_are_material_design_icons() -> None:
    """The only set that Home Assistant takes."""
    assert set(ICONS) == {"conditions", "entity", "services", "triggers"}
    for _, icon in leaves(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9]+(-[a-z0-9]+)*", icon)


def test_rights_are_called_as_in_the_console() -> None:
    """In the summary of the config flow as in errors."""
    texts = TEXTS["selector"]["setup_summary"]["options"]
    for right, name in CONSOLE_NAMES.items():
        assert texts.get(right.lower(), name) == name
