"""What Home Assistant's recorder writes, where it is on."""

import sqlite3

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .variants import Places


class Recorded:
    """Counts rows of the table of states."""

    def __init__(self, hass: HomeAssistant, places: Places) -> None:
        """Count nothing yet."""
        self._hass = hass
        self._on = places.recorder
        self._before = 0

    def restart(self) -> None:
        """Count from now on."""
        self._before = self._rows() if self._on else 0

    async def count(self) -> int:
        """Wait until everything is written; return how many states were since the restart."""
        if not self._on:
            return 0
        await get_instance(self._hass).async_block_till_done()
        return self._rows() - self._before

    async def compile_statistics(self) -> None:
        """Compile the statistics of the present five minutes, as after their end; only once."""
        now = dt_util.utcnow()
        start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
        recorder = get_instance(self._hass)
        recorder.queue_task(StatisticsTask(start, fire_events=False))
        await self._hass.async_add_executor_job(recorder.block_till_done)

    def _rows(self) -> int:
        path = self._hass.config.path("home-assistant_v2.db")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            (rows,) = database.execute("SELECT COALESCE(MAX(state_id), 0) FROM states").fetchone()
        database.close()
        return int(rows)
