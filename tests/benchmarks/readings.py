"""What the integration reads of each end device once, in the background, held back until asked for.

It is a request for the payload formatter and one for the battery level, every second or two: with
many end devices that would go on through all of a benchmark.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.loader import Integration

from .clock import HELD


def _formatters(module: ModuleType) -> tuple[Any, Any]:
    return module.READING_PAUSES, module.ReadingPauses(start=HELD, between=HELD)


def _batteries(module: ModuleType) -> tuple[Any, Any]:
    return module.PAUSE, HELD


_PAUSES: dict[str, tuple[str, Callable[[ModuleType], tuple[Any, Any]]]] = {
    "formatters": ("formatters.texts", _formatters),
    "batteries": ("end_devices.registered_batteries", _batteries),
}


def hold_back(
    hass: HomeAssistant, integration: Integration, *, may_lack: bool = False
) -> list[str]:
    """Have the pauses between these requests last until the loop ends them; before set-up.

    Returns what will be read then. With `may_lack`, for an earlier revision, without what that
    doesn't read, or not with pauses that can be replaced; else raises ImportError or AttributeError.
    """
    held = []
    for what, (name, pauses) in _PAUSES.items():
        try:
            key, pause = pauses(import_module(f"{integration.pkg_path}.{name}"))
        except ImportError, AttributeError:
            if not may_lack:
                raise
            continue
        hass.data[key] = pause
        held.append(what)
    return held
