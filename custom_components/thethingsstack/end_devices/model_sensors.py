"""What the Device Repository says that the models of an application measure, asked once each."""

import asyncio
from collections.abc import Iterable
import logging

from homeassistant.util.hass_dict import HassKey

from ..application import ApplicationStore
from ..client import NotFound, Stack, StackError
from ..const import DOMAIN
from .state import EndDeviceState

_LOGGER = logging.getLogger(__name__)

DEFAULT_PATIENCE = 5.0
"""Seconds that setup waits: knowing the sensors helps first decisions, but is no condition."""
PATIENCE: HassKey[float] = HassKey(f"{DOMAIN}_model_sensors_patience")
"""Where `hass.data` has other seconds, before an application is set up."""


class ModelSensors:
    """Asks for models that are not known yet; what was answered is stored."""

    def __init__(self, stack: Stack, store: ApplicationStore, patience: float) -> None:
        """Nothing is asked yet. `patience` are the seconds that setup waits for answers."""
        self._stack = stack
        self._patience = patience
        self._store = store
        self._asking = asyncio.Lock()

    async def async_learn_soon(self, devices: Iterable[EndDeviceState]) -> None:
        """Ask for the models of these end devices, but don't wait for long."""
        try:
            async with asyncio.timeout(self._patience):
                await self.async_learn(devices)
        except TimeoutError:
            _LOGGER.debug("The Device Repository answers slowly; the rest is asked later")

    async def async_learn(self, devices: Iterable[EndDeviceState]) -> None:
        """Ask for the models of these end devices, and tell them the answers.

        A server without Device Repository, or a refusal, is asked again after a restart.
        """
        async with self._asking:
            for device in list(devices):
                model = device.model
                if model is None or device.version_ids is None:
                    continue
                if model not in self._store.model_sensors:
                    try:
                        found = await self._stack.repository.model(*model.split("/", 1))
                    except NotFound:
                        self._store.model_sensors[model] = ()
                    except StackError as err:
                        _LOGGER.debug("The Device Repository doesn't tell of %s: %s", model, err)
                        return
                    else:
                        self._store.model_sensors[model] = found.sensors
                    self._store.save_soon()
                device.remember_context()
