"""Past hours in Home Assistant's long-term statistics: corrected after an outage, filled on request."""
