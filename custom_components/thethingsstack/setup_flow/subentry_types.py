"""What an application's page offers, which depends on what its key may do."""

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import callback

from ..client.rights import DEVICES_WRITE


@callback
def may_write_devices(entry: ConfigEntry) -> bool:
    """Return whether the key may register and remove end devices; yes as long as it isn't known."""
    if entry.state not in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_IN_PROGRESS):
        return True
    coordinator = getattr(entry, "runtime_data", None)
    return coordinator is None or DEVICES_WRITE in coordinator.rights


@callback
def async_offer_anew(entry: ConfigEntry) -> None:
    """Let the application's page ask again what can be added to it.

    Home Assistant asks once and keeps the answer for as long as it runs, and may do so before the
    key's rights are known. Should it stop keeping it there, this does nothing.
    """
    object.__setattr__(entry, "_supported_subentry_types", None)
    entry.clear_state_cache()
