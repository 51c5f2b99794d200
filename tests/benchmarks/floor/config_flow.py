"""The flow that a config entry needs behind it; nobody walks it."""

from homeassistant.config_entries import ConfigFlow


class FloorConfigFlow(ConfigFlow, domain="uplink_floor"):
    """Nothing to ask."""
