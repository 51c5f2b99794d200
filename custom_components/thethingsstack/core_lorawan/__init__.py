"""An application's end devices in Home Assistant's own LoRaWAN integration (since 2026.11)."""

from .registration import CoreLorawan, async_core_lorawan

__all__ = ["CoreLorawan", "async_core_lorawan"]
