"""Only where Home Assistant has its LoRaWAN integration are the tests of it collected."""

from importlib.util import find_spec

collect_ignore = (
    [] if find_spec("homeassistant.components.lorawan") else ["test_in_core_lorawan.py"]
)
