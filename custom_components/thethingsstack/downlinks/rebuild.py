"""A queue that was read and replaced: what may have happened to it in between."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from homeassistant.util import dt as dt_util

from ..client import DownlinkReport, QueuedDownlink
from .ledger import SERVER_TAG, DownlinkLedger, DownlinkRecord


def server_id(correlation_ids: Iterable[str]) -> str | None:
    """Return the id that the server gave a downlink."""
    return next((text for text in correlation_ids if text.startswith(SERVER_TAG)), None)


@dataclass(slots=True)
class Rebuild:
    """One replacement of a queue around frames of others; it begins before the queue is read.

    The server has no way to replace a queue only if it is as it was read. So a frame of others may
    go out in between, and then waits a second time; or come in between, and then is lost. The
    stream tells of both, in the server's own time: `excess` and `lost` say what to mend.
    """

    record: DownlinkRecord
    started: datetime = field(default_factory=dt_util.utcnow)
    _kept: dict[str, int] = field(default_factory=dict)
    _heard: list[tuple[datetime, QueuedDownlink]] = field(default_factory=list)
    _sent: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    _replaced_at: datetime | None = None

    def keep(self, others: Iterable[QueuedDownlink]) -> None:
        """Note which frames go into the new queue as they were in the old one."""
        self._kept = {
            name: item.f_cnt
            for item in others
            for name in item.correlation_ids
            if name.startswith(SERVER_TAG)
        }

    def hear(self, report: DownlinkReport) -> bool:
        """Take a report over; returns whether there may be something to mend."""
        names = report.downlink_correlation_ids
        if report.received_at is None or report.state not in ("queued", "sent"):
            return False
        if report.state == "sent":
            self._sent.append((names, report.f_cnt))
        elif self.record.id in names:
            self._replaced_at = report.received_at
            return False
        else:
            self._heard.append((report.received_at, QueuedDownlink.from_json(report.downlink)))
        return True

    def excess(self, item: QueuedDownlink) -> bool:
        """Return whether a waiting frame went out already.

        With the counter of before, that is: the frame of after the replacement has a new one.
        """
        mine = set(item.correlation_ids)
        return any(
            name in mine and self._kept.get(name) == f_cnt
            for names, f_cnt in self._sent
            for name in names
        )

    def lost(self, queue: Sequence[QueuedDownlink], book: DownlinkLedger) -> list[QueuedDownlink]:
        """Return the frames of others that came in between and have vanished."""
        if self._replaced_at is None:
            return []
        present = {name for item in queue for name in item.correlation_ids}
        lost = []
        for moment, item in self._heard:
            record = book.find(item.correlation_ids)
            if (
                moment < self._replaced_at
                and self._kept.keys().isdisjoint(item.correlation_ids)
                and server_id(item.correlation_ids) not in present
                and record is not None
                and not record.ours
                and record.waiting
            ):
                lost.append(item)
        return lost
