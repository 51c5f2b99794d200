"""Names and sensors of the application's device models, from the Device Repository."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
import logging
from typing import Any

from homeassistant.util.hass_dict import HassKey

from ..application import ApplicationStore
from ..client import ApplicationClient, NotFound, StackError
from ..const import DOMAIN
from .state import EndDeviceState

_LOGGER = logging.getLogger(__name__)

DEFAULT_PATIENCE = 5.0
"""Seconds that setup waits for the Device Repository before it continues without answers."""
PATIENCE: HassKey[float] = HassKey(f"{DOMAIN}_model_sensors_patience")
"""Key in `hass.data` for seconds that replace the default; set before setup."""

type Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class ModelSensors:
    """Fetches names and sensors of unknown models, each once; the answers are stored."""

    def __init__(
        self,
        stack: ApplicationClient,
        store: ApplicationStore,
        patience: float,
        on_named: Callable[[EndDeviceState], None],
    ) -> None:
        """Keep client and store; `patience` is how many seconds setup waits for answers.

        `on_named` is called with each end device whose model has got its name.
        """
        self._stack = stack
        self._patience = patience
        self._store = store
        self._on_named = on_named
        self._asking = asyncio.Lock()

    async def async_learn_soon(self, devices: Iterable[EndDeviceState], start: Start) -> None:
        """Fetch the models of these end devices; wait for `patience` seconds at most.

        What takes longer goes on in the task that `start` makes of it.
        """
        learning = start(self.async_learn(devices))
        done, _ = await asyncio.wait([learning], timeout=self._patience)
        if done:
            await learning
        else:
            _LOGGER.debug("The Device Repository answers slowly; setup continues without it")

    async def async_learn(self, devices: Iterable[EndDeviceState]) -> None:
        """Fetch the models of these end devices, and set their names and sensors.

        After a refusal, or without a Device Repository, the next attempt is after a restart.
        """
        named = set[str]()
        async with self._asking:
            for device in list(devices):
                model = device.model
                if model is None or device.version_ids is None:
                    continue
                if model not in self._store.model_names:
                    try:
                        found = await self._stack.repository.model(*model.split("/", 1))
                    except NotFound:
                        self._store.model_sensors.setdefault(model, ())
                        self._store.model_names[model] = ""
                    except StackError as err:
                        _LOGGER.debug("The sensors of %s can't be read: %s", model, err)
                        return
                    else:
                        self._store.model_sensors[model] = found.sensors
                        self._store.model_names[model] = found.name
                        named.add(model)
                    self._store.save_soon()
                if model in named:
                    self._on_named(device)
                device.update_context()
