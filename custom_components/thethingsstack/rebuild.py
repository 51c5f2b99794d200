"""A queue that was read and replaced: what may have happened to it in between."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .client import DownlinkReport, QueuedDownlink
from .fate import SERVER_TAG, DownlinkBook, FollowedDownlink


def server_id(correlation_ids: Iterable[str]) -> str | None:
    """Return the id that the server gave a downlink."""
    return next((text for text in correlation_ids if text.startswith(SERVER_TAG)), None)


@dataclass(slots=True)
class Rebuild:
    """One replacement of a queue around frames of others.

    The server has no way to replace a queue only if it is as it was read. So a frame of others may
    go out in between, and then waits a second time; or come in between, and then is lost. The
    stream tells of both, in the server's own time: `excess` and `lost` say what to mend.
    """

    record: FollowedDownlink
    kept: dict[str, int]
    """The frame counter that each kept frame had, by the server's ids."""
    _heard: list[tuple[datetime, QueuedDownlink]] = field(default_factory=list)
    _sent: set[str] = field(default_factory=set)
    _replaced_at: datetime | None = None

    @classmethod
    def around(cls, record: FollowedDownlink, others: Sequence[QueuedDownlink]) -> Rebuild:
        """Note what is kept."""
        return cls(
            record,
            {
                name: item.f_cnt
                for item in others
                for name in item.correlation_ids
                if name.startswith(SERVER_TAG)
            },
        )

    def hear(self, report: DownlinkReport) -> bool:
        """Take a report over; returns whether there may be something to mend."""
        names = report.downlink_correlation_ids
        if report.state == "queued":
            if self.record.id in names:
                self._replaced_at = report.received_at
            elif report.received_at is not None and not self.kept.keys() & set(names):
                item = QueuedDownlink.from_json(report.downlink)
                self._heard.append((report.received_at, item))
                return True
        elif report.state == "sent":
            for name in names:
                # With the counter of before: the frame of after the replacement has a new one.
                if self.kept.get(name) == report.f_cnt:
                    self._sent.add(name)
                    return True
        return False

    def excess(self, item: QueuedDownlink) -> bool:
        """Return whether a waiting frame went out already."""
        return not self._sent.isdisjoint(item.correlation_ids)

    def lost(self, queue: Sequence[QueuedDownlink], book: DownlinkBook) -> list[QueuedDownlink]:
        """Return the frames of others that came in between and have vanished."""
        if self._replaced_at is None:
            return []
        present = {name for item in queue for name in item.correlation_ids}
        lost = []
        for moment, item in self._heard:
            record = book.find(item.correlation_ids)
            if (
                moment < self._replaced_at
                and server_id(item.correlation_ids) not in present
                and record is not None
                and not record.ours
                and record.waiting
            ):
                lost.append(item)
        return lost
