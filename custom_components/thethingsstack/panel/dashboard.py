"""The dashboard strategy and the card, which Home Assistant's frontend loads with each page."""

from homeassistant.components.frontend import add_extra_js_url, remove_extra_js_url
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from .registration import FRONTEND_URL

_OFFERED: HassKey[str] = HassKey(f"{DOMAIN}_dashboard_url")


@callback
def async_offer_dashboard(hass: HomeAssistant) -> None:
    """Let pages load strategy and card while there is an application that isn't disabled."""
    if "frontend" not in hass.config.components:
        return
    wanted = bool(hass.config_entries.async_entries(DOMAIN, include_disabled=False))
    if wanted and _OFFERED not in hass.data:
        hass.data[_OFFERED] = url = f"{hass.data[FRONTEND_URL]}/dashboard.js"
        add_extra_js_url(hass, url)
    elif not wanted and _OFFERED in hass.data:
        remove_extra_js_url(hass, hass.data.pop(_OFFERED))
