"""Names and limits that several modules share."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

DOMAIN: Final = "thethingsstack"
VERSION: Final = "0.1.0"

# Entry data: server, application and API key
CONF_NETWORK: Final = "network"
CONF_SERVER: Final = "server"
CONF_IDENTITY_SERVER: Final = "identity_server"
CONF_TENANT_ID: Final = "tenant_id"
CONF_APPLICATION_ID: Final = "application_id"
CONF_MQTT_HOST: Final = "mqtt_host"
CONF_MQTT_PORT: Final = "mqtt_port"
CONF_MQTT_TLS: Final = "mqtt_tls"
CONF_CA_CERTIFICATE: Final = "ca_certificate"
CONF_KEY_ID: Final = "key_id"
"""ID of the API key that the set-up created, which is deleted with the entry."""
CONF_DOOR: Final = "door"
"""The way by which messages come, one of `DOORS`"""
CONF_WEBHOOK_SECRET: Final = "webhook_secret"
"""What the server sends with each delivery to prove that it is the one"""
CONF_WEBHOOK_EARLIER_SECRETS: Final = "webhook_earlier_secrets"
"""The one before, which counts until the first delivery with the new one"""

# Only in forms
CONF_CLUSTER: Final = "cluster"
CONF_DISCOVERY_SERVER: Final = "discovery_server"
CONF_HANDLER: Final = "handler"
CONF_PLAINTEXT: Final = "plaintext"
SECTION_ADVANCED: Final = "advanced"

# The network the user picked
NETWORK_CLOUD: Final = "cloud"
NETWORK_OWN_SERVER: Final = "own_server"
NETWORK_V2: Final = "ttn_v2"
"""A stack of version 2, which has a Handler of its own"""

# By which way messages come
DOOR_MQTT: Final = "mqtt"
DOOR_WEBHOOK: Final = "webhook"
DOOR_EVENTS: Final = "events"
DOORS: Final = (DOOR_MQTT, DOOR_WEBHOOK, DOOR_EVENTS)
DEFAULT_DOOR: Final = DOOR_MQTT

# Entry options
CONF_DEVICES: Final = "devices"
CONF_CHOSEN_DEVICES: Final = "chosen_devices"
CONF_LEFT_OUT_DEVICES: Final = "left_out_devices"
CONF_OVERDUE_AFTER: Final = "overdue_after"
CONF_OVERDUE_UNAVAILABLE: Final = "overdue_unavailable"
CONF_PLAIN_FIELDS: Final = "plain_fields"
CONF_RADIO_DETAILS: Final = "radio_details"
CONF_FORGET_AFTER: Final = "forget_after"
CONF_CORE_LORAWAN: Final = "core_lorawan"
"""Whether the application is registered with Home Assistant's LoRaWAN integration"""
CONF_PANEL: Final = "panel"
"""Whether the panel in the sidebar shows the application"""

DEVICES_ALL: Final = "all"
DEVICES_ALL_BUT: Final = "all_but"
DEVICES_CHOSEN: Final = "chosen"
DEVICES_NOT_IGNORED: Final = "not_ignored"

DEFAULT_DEVICES: Final = DEVICES_ALL
DEFAULT_FORGET_AFTER: Final = 30  # days; 0 is never
DEFAULT_CORE_LORAWAN: Final = True
DEFAULT_PANEL: Final = True

# A device with this attribute in The Things Stack is left out with DEVICES_NOT_IGNORED
IGNORE_ATTRIBUTE: Final = "home-assistant"
IGNORE_VALUE: Final = "ignore"

# Entities become unavailable if the stream is lost for longer than this
UNAVAILABLE_AFTER: Final = timedelta(minutes=15)
# Period and number of stored uplinks that are read at the first setup
STORAGE_WINDOW: Final = timedelta(hours=24)
CATCH_UP_LIMIT: Final = 1000
# Messages remembered per device, to recognise duplicates
REMEMBERED_MESSAGES: Final = 32
# Home Assistant takes 10,000 enabled entities per entry
ENTITY_LIMIT: Final = 10_000
ENTITY_LIMIT_WARNING: Final = 9000
# With more end devices than this, most built-in entities are only registered when asked for
LARGE_APPLICATION: Final = 500
# A decoded payload above this size (as JSON) is left out of the activity event
ACTIVITY_DECODED_LIMIT: Final = 4096
# Attributes of an end device that suggest its area, first match
AREA_ATTRIBUTES: Final = ("home-assistant-area", "area", "room")
# State attributes that keep a sensor out of the logbook, which leaves out all that have a unit
NOT_IN_LOGBOOK: Final[Mapping[str, None]] = {"unit_of_measurement": None}
# So many undecoded uplinks in a row raise a repair issue
UNDECODED_IN_A_ROW: Final = 3
# When a device with this attribute in The Things Stack is overdue, such as 90 min, 36 h, 2 d
OVERDUE_ATTRIBUTE: Final = "home-assistant-overdue"
