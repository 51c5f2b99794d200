"""The panel in Home Assistant's sidebar: one for all applications."""

from hashlib import sha256
from pathlib import Path

from homeassistant.components import panel_custom
from homeassistant.components.frontend import async_panel_exists, async_remove_panel
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from .applications import shown_entries

FRONTEND = Path(__file__).parent / "frontend"
PANEL_PATH = "lorawan-traffic"
FRONTEND_URL: HassKey[str] = HassKey(f"{DOMAIN}_frontend_url")
"""Key in `hass.data` for the address of the folder with the frontend's files."""


async def async_register_frontend(hass: HomeAssistant) -> None:
    """Serve the frontend's files, at an address that changes with their content.

    Browsers keep such files for long; the whole folder moves, since its modules import each other.
    """
    version = await hass.async_add_executor_job(_digest)
    hass.data[FRONTEND_URL] = url = f"/{DOMAIN}_frontend/{version}"
    await hass.http.async_register_static_paths([StaticPathConfig(url, str(FRONTEND), True)])


async def async_show_panel(hass: HomeAssistant) -> None:
    """Add the panel to the sidebar, or remove it, as the applications' options say."""
    language = hass.config.language
    texts = await async_get_translations(hass, language, "config_panel", {DOMAIN})
    wanted = bool(shown_entries(hass))
    if wanted == async_panel_exists(hass, PANEL_PATH):
        return
    if not wanted:
        async_remove_panel(hass, PANEL_PATH)
        return
    await panel_custom.async_register_panel(
        hass,
        frontend_url_path=PANEL_PATH,
        webcomponent_name="thethingsstack-panel",
        module_url=f"{hass.data[FRONTEND_URL]}/panel.js",
        sidebar_title=texts[f"component.{DOMAIN}.config_panel.panel.title"],
        sidebar_icon="mdi:radio-tower",
        require_admin=True,
    )


def _digest() -> str:
    """Return a short hash of the frontend's files."""
    digest = sha256()
    for path in sorted(FRONTEND.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
