"""Pytest plugin: lets pytest-homeassistant-custom-component run on the next Home Assistant.

Load it first (`-p newer_home_assistant -p no:respx`). The test package is made for the release
before: it imports httpx before Home Assistant has put its successor in that place, and calls a
function of the logger integration that moved.
"""

import homeassistant
from homeassistant.components import logger
from homeassistant.components.logger import helpers

assert homeassistant

if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # noqa: SLF001
