"""How an end device was received in the last day: its signal, and each gateway that heard it."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import math
from typing import NamedTuple

from ..client import GatewaySignal, Reception

PERIOD = 900
"""Seconds of which one signal is kept: the one that came last."""
_ONE_PERIOD = timedelta(seconds=PERIOD)
PERIODS = 96
GATEWAYS = 32
"""Gateways that are kept of an end device: those that received it last."""
LATEST = 16
"""Uplinks that the averages are about: of earlier ones, less and less is left."""


class Signal(NamedTuple):
    """The best reception of an uplink: RSSI in dBm, SNR in dB."""

    at: datetime
    rssi: float | None
    snr: float | None


class Latest(NamedTuple):
    """The best RSSI (dBm) and SNR (dB) of an uplink, and how many gateways received it."""

    rssi: float | None
    snr: float | None
    gateways: int


@dataclass(slots=True)
class HeardBy:
    """How a gateway receives an end device; RSSI in dBm and SNR in dB are averages."""

    reception: Reception
    """A recent one, which says what is known of the gateway."""
    read_at: datetime
    at: datetime
    rssi: float | None = None
    snr: float | None = None
    share: float = 0.0
    """The share of the end device's uplinks that it received, 0 to 1."""
    count: int = 0
    """How many receptions the averages are of."""


class ReceptionHistory:
    """What is kept of the receptions of an end device, in memory only."""

    __slots__ = ("_count", "_gateways", "_latest_at", "_periods", "_rssi", "_snr", "latest")

    def __init__(self) -> None:
        """Start with nothing received."""
        self.latest: Latest | None = None
        """How the latest uplink was received; None where it doesn't say."""
        self._latest_at: datetime | None = None
        self._periods = array("q")
        self._rssi = array("f")
        self._snr = array("f")
        self._gateways: dict[str, HeardBy] = {}
        self._count = 0

    def note(self, moment: datetime, signals: Sequence[GatewaySignal]) -> None:
        """Add an uplink with its signals at gateways, the best first; it may be an older one."""
        if self._latest_at is None or moment >= self._latest_at:
            best = signals[0] if signals else None
            self.latest = best and Latest(best.rssi, best.snr, len(signals))
            self._latest_at = moment
        if not signals:
            return
        self._note_signal(moment, signals[0])
        self._count = min(self._count + 1, LATEST)
        weight = 1 / self._count
        gateways = self._gateways
        silent = len(gateways)
        outdated = moment - _ONE_PERIOD
        for signal in signals:
            gateway_id, rssi, snr, _ = signal
            if (known := gateways.get(gateway_id)) is None:
                known = gateways[gateway_id] = HeardBy(signal.reception, moment, moment)
            else:
                silent -= 1
                if moment > known.at:
                    known.at = moment
                    if known.read_at <= outdated:
                        known.reception, known.read_at = signal.reception, moment
            known.share += (1 - known.share) * weight
            if (count := known.count) < LATEST:
                count += 1
                known.count = count
            if rssi is not None:
                known.rssi = (
                    rssi if known.rssi is None else known.rssi + (rssi - known.rssi) / count
                )
            if snr is not None:
                known.snr = snr if known.snr is None else known.snr + (snr - known.snr) / count
        if silent:
            self._note_silent({signal.gateway_id for signal in signals}, weight)
        while len(gateways) > GATEWAYS:
            del gateways[min(gateways, key=lambda gateway_id: gateways[gateway_id].at)]

    def _note_silent(self, others: AbstractSet[str], weight: float) -> None:
        """Lower the share of the gateways that didn't receive the uplink as the others did."""
        for gateway_id, known in self._gateways.items():
            if gateway_id not in others:
                known.share -= known.share * weight

    def _note_signal(self, moment: datetime, best: GatewaySignal) -> None:
        periods, period = self._periods, int(moment.timestamp()) // PERIOD
        rssi = math.nan if best.rssi is None else best.rssi
        snr = math.nan if best.snr is None else best.snr
        place = bisect_left(periods, period)
        if place < len(periods) and periods[place] == period:
            self._rssi[place], self._snr[place] = rssi, snr
            return
        periods.insert(place, period)
        self._rssi.insert(place, rssi)
        self._snr.insert(place, snr)
        if len(periods) > PERIODS:
            del periods[0], self._rssi[0], self._snr[0]

    def signals(self, since: datetime) -> list[Signal]:
        """Return the signals after a time, one for each quarter of an hour with uplinks."""
        first = bisect_left(self._periods, int(since.timestamp()) // PERIOD)
        return [
            Signal(
                datetime.fromtimestamp(self._periods[place] * PERIOD, UTC),
                _known(self._rssi[place]),
                _known(self._snr[place]),
            )
            for place in range(first, len(self._periods))
        ]

    def gateways(self, since: datetime) -> Mapping[str, HeardBy]:
        """Return the gateways that received it after a time, by ID."""
        return {key: heard for key, heard in self._gateways.items() if heard.at >= since}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 1)
