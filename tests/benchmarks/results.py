"""What one variant took, as lists with a value for each round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(slots=True)
class Result:
    """What one variant took; CPU and times in seconds, latencies in milliseconds, memory in bytes."""

    setups: list[dict[str, float]] = field(default_factory=list)
    """What each first set-up took, with the first uplinks, as of `Span.end`."""
    setups_again: list[dict[str, float]] = field(default_factory=list)
    background_cpu: list[float] = field(default_factory=list)
    """For each end device, of what is read in the background after a first set-up."""
    memory: list[float] = field(default_factory=list)
    entities: dict[str, int] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    collections: list[float] = field(default_factory=list)
    pause: float = 0
    idle_cpu: list[float] = field(default_factory=list)
    """For each uplink with time between it and the next, as `idle_states`."""
    idle_states: list[float] = field(default_factory=list)
    states: list[float] = field(default_factory=list)
    recorded: list[float] = field(default_factory=list)
    lost: int = 0
    latencies: list[list[float]] = field(default_factory=list)
    sustained: int = 0
    stopped: str = ""
    profile: str = ""

    @property
    def setup_cpu(self) -> list[float]:
        """Return the seconds of CPU for each first set-up."""
        return [took["cpu"] for took in self.setups]

    @property
    def again_cpu(self) -> list[float]:
        """Return the seconds of CPU for each later set-up."""
        return [took["cpu"] for took in self.setups_again]

    @property
    def cpu_per_state(self) -> list[float]:
        """Return the seconds of CPU for each state written, of each round."""
        return [cpu / states for cpu, states in zip(self.cpu, self.states, strict=True)]

    @property
    def memory_per_state(self) -> list[float]:
        """Return the bytes for each entity with a state."""
        return [memory / max(self.entities["states"], 1) for memory in self.memory]

    def latency(self, share: float) -> float:
        """Return the milliseconds within which that share of uplinks was through.

        Of the quietest round: whatever else the machine does can only add to it.
        """
        return min(sorted(one)[min(int(len(one) * share), len(one) - 1)] for one in self.latencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """When each uplink was sent and when it was through, in nanoseconds; and what it took."""

    sent: Sequence[int]
    through: Mapping[int, int]
    took: Mapping[str, float]

    @property
    def lost(self) -> int:
        """Return how many never came through."""
        return len(self.sent) - len(self.through)

    @property
    def cpu(self) -> float:
        """Return the seconds of CPU for each."""
        return self.took["cpu"] / len(self.sent)

    @property
    def states(self) -> float:
        """Return how many states were written for each."""
        return self.took["states"] / len(self.sent)

    @property
    def latencies(self) -> list[float]:
        """Return how many milliseconds each needed."""
        return [(at - self.sent[number]) / 1e6 for number, at in self.through.items()]

    @property
    def furthest_behind(self) -> int:
        """Return how many were at most on their way at one time."""
        steps = [(at, 1) for number, at in enumerate(self.sent) if number in self.through]
        steps += [(at, -1) for at in self.through.values()]
        return max(accumulate(step for _, step in sorted(steps)), default=0)


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """Return what each round took beside the other's same round."""
    return [this / that for this, that in zip(these, those, strict=True) if that]
