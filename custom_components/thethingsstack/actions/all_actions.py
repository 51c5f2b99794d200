"""Registers the actions of the integration."""

from homeassistant.core import HomeAssistant, callback

from .application import async_setup_application
from .downlinks import async_setup_services as async_setup_downlinks
from .end_devices import async_setup_management
from .export import async_setup_export
from .history import async_setup_history
from .import_devices import async_setup_import
from .overdue import async_setup_overdue
from .radio_details import async_setup_radio_details


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register all actions of the integration."""
    async_setup_downlinks(hass)
    async_setup_management(hass)
    async_setup_application(hass)
    async_setup_history(hass)
    async_setup_export(hass)
    async_setup_import(hass)
    async_setup_overdue(hass)
    async_setup_radio_details(hass)
