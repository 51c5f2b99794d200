"""The sidebar panel *LoRaWAN traffic*: its files, its websocket commands and what they show."""

from .commands import async_register_commands
from .dashboard import async_offer_dashboard
from .registration import async_register_frontend, async_show_panel
from .traffic import traffic_of

__all__ = [
    "async_offer_dashboard",
    "async_register_commands",
    "async_register_frontend",
    "async_show_panel",
    "traffic_of",
]
