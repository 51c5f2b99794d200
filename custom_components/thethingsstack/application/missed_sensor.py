"""What the application's sensor shows of uplinks that were missed for good."""

from typing import TYPE_CHECKING, Any

from .interruptions import Interruption

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator

MISSED_UPLINKS = "missed_uplinks"
LISTED_DEVICES = 20
UNRECORDED = frozenset({"end_devices", "more_end_devices", "earlier"})
"""Attributes that the recorder leaves out."""


def missed_uplinks(coordinator: ApplicationCoordinator) -> int:
    """Return how many uplinks were missed in the last interruption, as far as is known."""
    interruptions = coordinator.store.interruptions
    return interruptions[0].uplinks if interruptions else 0


def missed_attributes(coordinator: ApplicationCoordinator) -> dict[str, Any]:
    """Return when the last interruption was and whose uplinks were missed, and earlier ones."""
    if not (interruptions := coordinator.store.interruptions):
        return {}
    newest, *earlier = (_described(coordinator, item) for item in interruptions)
    return {**newest, "earlier": earlier}


def named_counts(coordinator: ApplicationCoordinator, interruption: Interruption) -> dict[str, int]:
    """Return the missed uplinks by the names of end devices, the most first."""
    states = coordinator.roster.states
    counts: dict[str, int] = {}
    for key, count in interruption.end_devices.items():
        name = states[key].name if key in states else key.rpartition("/")[2]
        counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _described(coordinator: ApplicationCoordinator, interruption: Interruption) -> dict[str, Any]:
    counts = named_counts(coordinator, interruption)
    return {
        "last_message": interruption.since,
        "connected_again": interruption.until,
        "end_devices": dict(list(counts.items())[:LISTED_DEVICES]),
        "more_end_devices": max(0, len(counts) - LISTED_DEVICES),
    }
