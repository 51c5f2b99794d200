"""An event loop whose clock can be set forward, and whose pauses can be held."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import override

HELD = 1e9
"""Seconds of a pause that lasts until all that are held end; one that begins later is none."""


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be set forward; `HELD` pauses end when it is asked for."""

    _skipped = 0.0

    def __init__(self) -> None:
        """Hold pauses from now on."""
        super().__init__()
        self._held: list[Callable[[], None]] | None = []

    @override
    def time(self) -> float:
        return super().time() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let so much time have passed: what waited for less is due."""
        vars(self).pop("time", None)  # Home Assistant put the real clock there
        self._skipped += seconds

    @override
    def call_later[*Ts](
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        if delay != HELD:
            return super().call_later(delay, callback, *args, context=context)
        if self._held is None:
            return super().call_later(0, callback, *args, context=context)
        handle = super().call_later(delay, callback, *args, context=context)

        def end() -> None:
            if not handle.cancelled():
                handle.cancel()
                self.call_soon(callback, *args, context=context)

        self._held.append(end)
        return handle

    def end_held(self) -> None:
        """End all pauses that are held; there are none from now on."""
        for end in self._held or ():
            end()
        self._held = None
