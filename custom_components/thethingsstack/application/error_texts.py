"""The table from errors of The Things Stack to translated texts.

An error has a *reason*, which is found by its name in NAMES, or by its class and the pattern of its
name in `refusals.py`. Each place that shows errors has a mapping from reason to translation key.
"""

from collections.abc import Mapping

NAMES = {
    "api_key_expired": "expired_key",
    "api_key_not_found": "unknown_key",
    "application_dev_eui_limit_reached": "dev_eui_limit",
    "application_not_found": "application_unknown",
    "cayennelpp_fields": "cayennelpp_fields",
    "confirmed_multicast_downlink": "confirmed_multicast",
    "dev_eui_issuing_not_enabled": "no_dev_eui",
    "dev_eui_unused": "dev_eui_unused",
    "downlink_expired": "downlink_expired",
    "downlink_max_retries_invalid": "retries_invalid",
    "downlink_queue_capacity": "queue_full",
    "duplicate_identifiers": "euis_left_over",
    "empty_file": "empty_file",
    "end_device_euis_taken": "euis_taken",
    "firmware_version_not_found": "model_unknown",
    "frequency_plan_not_found": "plan_unknown",
    "frequency_plan_of_another_band": "plan_of_another_band",
    "id_taken": "id_taken",
    "invalid_attribute": "invalid_attribute",
    "invalid_authorization": "incomplete_key",
    "invalid_csv": "invalid_csv",
    "invalid_device_address": "invalid_dev_addr",
    "invalid_device_id": "invalid_id",
    "invalid_id": "invalid_id",
    "invalid_json": "invalid_json",
    "invalid_lorawan_phy_version": "invalid_phy_version",
    "invalid_lorawan_version": "invalid_version",
    "key_of_version_3": "key_of_version_3",
    "keys_unused": "keys_unused",
    "missing_dev_eui": "missing_dev_eui",
    "missing_frequency_plan_id": "missing_plan",
    "missing_lorawan_version": "missing_version",
    "model_not_found": "model_unknown",
    "no_application_rights": "no_rights",
    "no_device_session": "no_session",
    "no_answer": "no_answer",
    "no_downlink_address": "no_downlink_address",
    "no_downlink_path": "no_path",
    "no_downlink_formatter": "no_formatter",
    "no_f_port": "no_f_port",
    "no_known_columns": "no_known_columns",
    "no_payload": "no_payload",
    "no_profile_for_band": "model_unknown",
    "not_a_handler": "not_a_handler",
    "nwk_key_unused": "nwk_key_unused",
    "publish_closed": "publish_closed",
    "output_errors": "formatter_failed",
    "session_unused": "session_unused",
    "subscription_refused": "subscription_refused",
    "token": "not_a_key",
    "too_many_attributes": "too_many_attributes",
    "too_many_devices": "too_many_devices",
    "twice_in_file": "twice_in_file",
    "unknown_format": "qr_code_unknown",
    "unknown_mac_state": "unknown_mac_state",
    "webhook_paused": "webhook_paused",
    "wrong_cluster": "wrong_cluster",
    "wrong_column_count": "wrong_column_count",
}
"""Reasons by the error's name, which is the server's or the client's."""
GENERAL = (
    "cannot_connect",
    "key_refused",
    "missing_rights",
    "not_found",
    "rate_limited",
    "refused",
)
"""Reasons that every place has a text for: each error has one of them, if nothing more specific."""

FORM_KEYS: Mapping[str, tuple[str, ...]] = {
    "cannot_connect": ("reason",),
    "euis_left_over": (),
    "euis_taken": ("device", "application"),
    "euis_taken_somewhere": (),
    "id_taken": (),
    "key_refused": ("reason",),
    "missing_rights": ("rights",),
    "no_api_key": (),
    "not_found": ("reason",),
    "partly_deleted": ("servers", "reason"),
    "rate_limited": ("seconds",),
    "refused": ("reason",),
    "rollback_failed": ("reason", "servers"),
    "wrong_cluster": ("address", "expected"),
}
"""Placeholders of the texts in forms and repairs (`error`, `abort`), by reason.

The translation key is the reason itself.
"""
_WITHOUT_DOWNLINKS: dict[str, str] = {
    f"without_{capability}": f"without_{capability}"
    for capability in (
        *("downlink_queue", "downlink_first", "downlink_priority", "downlink_attempts"),
        *("scheduled_downlinks", "formatter_trial"),
    )
}
WITHOUT_TEXTS: dict[str, str] = {
    f"without_{capability}": f"without_{capability}"
    for capability in (
        *("api_keys", "application_settings", "claiming", "dev_eui_issuing"),
        *("device_formatters", "device_names", "frequency_plans", "repository"),
        *("session_reset", "simulated_uplinks"),
    )
} | _WITHOUT_DOWNLINKS
"""Keys in `exceptions` for what a network doesn't have, by reason."""
FILE_TEXTS: dict[str, str] = {
    reason: f"import_{reason}"
    for reason in (
        *("empty_file", "invalid_csv", "invalid_json", "no_known_columns"),
        *("too_many_devices", "twice_in_file", "wrong_column_count"),
    )
}
"""Keys in `exceptions` for files of many end devices, by reason."""
ACTION_TEXTS: Mapping[str, str] = (
    WITHOUT_TEXTS
    | FILE_TEXTS
    | {
        reason: f"management_{reason}"
        for reason in (
            *GENERAL,
            *("dev_eui_limit", "dev_eui_unused", "euis_left_over", "euis_taken"),
            *("euis_taken_somewhere", "field_invalid", "formatter_failed", "id_taken", "invalid"),
            *("invalid_attribute", "invalid_dev_addr", "invalid_eui", "invalid_id", "invalid_key"),
            *(
                "invalid_phy_version",
                "invalid_version",
                "keys_unused",
                "missing",
                "missing_dev_eui",
            ),
            *("missing_key", "missing_plan", "missing_version", "model_unknown", "no_dev_eui"),
            *("no_api_key", "not_on_server", "nwk_key_unused", "partly_deleted"),
            *("plan_of_another_band", "plan_unknown", "qr_code_unknown"),
            *("rollback_failed", "session_unused", "too_long", "too_many_attributes"),
            *("unknown_device", "wrong_cluster"),
        )
    }
)
"""Keys in `exceptions` for actions, by reason."""
DOWNLINK_TEXTS: Mapping[str, str] = _WITHOUT_DOWNLINKS | {
    "cannot_connect": "downlink_no_answer",
    "cayennelpp_fields": "downlink_cayennelpp_fields",
    "confirmed_multicast": "downlink_confirmed_multicast",
    "downlink_expired": "downlink_expired",
    "field_invalid": "downlink_field_invalid",
    "formatter_failed": "downlink_encoder_failed",
    "key_refused": "downlink_key_refused",
    "missing_rights": "downlink_missing_right",
    "no_answer": "downlink_no_word",
    "no_api_key": "management_no_api_key",
    "no_downlink_address": "downlink_no_address",
    "no_f_port": "downlink_port_missing",
    "no_formatter": "downlink_no_encoder",
    "no_path": "downlink_no_path",
    "no_payload": "downlink_no_payload",
    "no_session": "downlink_no_session",
    "not_found": "downlink_device_not_found",
    "publish_closed": "downlink_publish_closed",
    "queue_full": "downlink_queue_full",
    "rate_limited": "downlink_rate_limited",
    "refused": "downlink_refused",
    "retries_invalid": "downlink_retries_invalid",
    "too_long": "downlink_too_long",
    "unknown_mac_state": "downlink_unknown_mac_state",
    "webhook_paused": "downlink_webhook_paused",
}
"""Keys in `exceptions` for downlinks, by reason."""
SETUP_TEXTS: Mapping[str, str] = {
    "application_unknown": "application_unknown",
    "cannot_connect": "cannot_connect",
    "certificate_not_trusted": "certificate_not_trusted",
    "expired_key": "expired_key",
    "incomplete_key": "incomplete_key",
    "key_of_version_3": "key_of_version_3",
    "key_refused": "invalid_auth",
    "missing_rights": "no_rights",
    "no_rights": "no_rights",
    "not_a_handler": "not_a_handler",
    "not_a_key": "not_a_key",
    "not_found": "not_the_things_stack",
    "not_the_things_stack": "not_the_things_stack",
    "rate_limited": "rate_limited",
    "refused": "server_failed",
    "server_failed": "server_failed",
    "timeout": "timeout",
    "unknown_key": "unknown_key",
}
"""Keys in `config.error` for the HTTP API while an application is connected, by reason."""
MQTT_TEXTS: Mapping[str, str] = {
    **SETUP_TEXTS,
    "cannot_connect": "mqtt_cannot_connect",
    "certificate_not_trusted": "mqtt_certificate_not_trusted",
    "mqtt_refused": "mqtt_refused",
    "not_the_things_stack": "mqtt_wrong_port",
    "subscription_refused": "mqtt_no_messages_right",
    "timeout": "mqtt_cannot_connect",
}
"""Keys in `config.error` for the MQTT server while an application is connected, by reason."""
GATEWAY_TEXTS: Mapping[str, str] = {
    "cannot_connect": "cannot_connect",
    "invalid_id": "invalid_id",
    "key_refused": "key_refused",
    "missing_rights": "missing_right",
    "not_found": "gateway_not_found",
    "rate_limited": "rate_limited",
    "refused": "refused",
}
"""Keys of the errors in the dialogue for a gateway that is read with its own key, by reason."""
APPLICATION_KEY_TEXTS: Mapping[str, str] = {
    **GATEWAY_TEXTS,
    "key_refused": "refused",
    "missing_rights": "key_needed",
}
"""The same for a gateway that is read with the application's key."""

FIELD_OF_NAME = {
    "attribute_too_long": "attributes",
    "description_too_long": "description",
    "duplicate_identifiers": "dev_eui",
    "end_device_euis_taken": "dev_eui",
    "frequency_plan_not_found": "frequency_plan",
    "frequency_plan_of_another_band": "frequency_plan",
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
FIELDS = {
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
PATTERNS = {
    "^[a-z0-9](?:[-]?[a-z0-9]){2,}": (
        "it needs at least 3 lower-case letters or digits, with single dashes between them"
    ),
}
"""What the server's validation patterns require, in words."""
