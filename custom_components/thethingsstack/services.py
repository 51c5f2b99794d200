"""Registers the actions of the integration."""

from homeassistant.core import HomeAssistant, callback

from .actions.application import async_setup_application
from .actions.downlinks import async_setup_services as async_setup_downlinks
from .actions.end_devices import async_setup_management
from .actions.history import async_setup_history
from .actions.overdue import async_setup_overdue


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register all actions of the integration."""
    async_setup_downlinks(hass)
    async_setup_management(hass)
    async_setup_application(hass)
    async_setup_history(hass)
    async_setup_overdue(hass)
