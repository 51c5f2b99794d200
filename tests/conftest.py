"""Fixtures; those of Home Assistant only where it is installed."""

from importlib.util import find_spec

pytest_plugins = ["tests.ha_fixtures"] if find_spec("homeassistant") else []
