"""An application in Home Assistant's own LoRaWAN integration, which 2026.11 and newer have."""
