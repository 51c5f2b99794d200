"""What an uplink costs, beside Home Assistant's MQTT integration and beside the least possible."""
