"""What a run counts: answers per call and status, and latencies, in a space that does not grow with the run."""

import math
from collections import Counter

_BUCKETS_PER_DOUBLING = 32
"""A bucket is 2.2 % wider than the one before: quantiles are exact to that."""

_SHORTEST_S = 1e-5
_BUCKETS = _BUCKETS_PER_DOUBLING * 24
"""From 10 µs to 2.8 min; longer ones share the last bucket."""


class Durations:
    """A histogram of times in seconds."""

    def __init__(self) -> None:
        self._buckets = [0] * _BUCKETS
        self.count = 0
        self.longest_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one."""
        bucket = int(math.log2(max(duration_s, _SHORTEST_S) / _SHORTEST_S) * _BUCKETS_PER_DOUBLING)
        self._buckets[min(bucket, _BUCKETS - 1)] += 1
        self.count += 1
        self.longest_s = max(self.longest_s, duration_s)

    def quantile_s(self, share: float) -> float:
        """The time that `share` of those counted did not exceed (by more than a bucket); 0 when none was counted."""
        wanted = share * self.count
        seen = 0
        for bucket, count in enumerate(self._buckets):
            seen += count
            if count and seen >= wanted:
                return min(self.longest_s, _SHORTEST_S * 2 ** ((bucket + 1) / _BUCKETS_PER_DOUBLING))
        return 0.0


class Measurements:
    """What happened to the calls of a fleet. Calls are named as CONTRACT.md spells them, such as `PUT heartbeat`."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        """By call and outcome: a status such as `200`, or a fault such as `no answer within 1 s`."""
        self.latencies: dict[str, Durations] = {}
        """By call, of those answered, each try by itself, from the wish to send it to the end of the answer."""
        self.lateness = Durations()
        """How much later than planned the simulator itself began a call; large values mean this machine is too busy."""
        self.retried_heartbeats = 0
        self.abandoned_heartbeats = 0
        """Given up by the device after its tries."""
        self.refusals: dict[str, str] = {}
        """By call and status: the last message of a refusal."""

    def add(self, call: str, outcome: str, latency_s: float | None) -> None:
        """Count one try of a call; latency is None when nothing was answered."""
        self.answers[call, outcome] += 1
        if latency_s is not None:
            if (durations := self.latencies.get(call)) is None:
                durations = self.latencies[call] = Durations()
            durations.add(latency_s)

    @property
    def total(self) -> int:
        """All tries of all calls."""
        return self.answers.total()

    @property
    def errors(self) -> int:
        """Tries that got no answer or a server's error."""
        return sum(count for (_, outcome), count in self.answers.items() if not outcome.isdigit() or outcome >= "500")
