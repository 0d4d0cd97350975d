"""Processor time and memory of the parts, from the kernel's accounting of their processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import psutil

MIB: Final = 1 << 20


class Usage(NamedTuple):
    """What the stages' processes have used so far: processor seconds and resident bytes by stage.

    `machine_s` is the processor time of everything on the machine, `others_s` what of it is not the stages'.
    """

    processor_s: Mapping[str, float]
    resident_bytes: Mapping[str, int]
    machine_s: float


def usage(processes: Mapping[str, list[psutil.Process]]) -> Usage:
    """A look at the processes of every stage; those that are gone are left out."""
    processor_s: dict[str, float] = {}
    resident_bytes: dict[str, int] = {}
    for stage, members in processes.items():
        for process in members:
            try:
                times, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:
                continue
            processor_s[stage] = processor_s.get(stage, 0.0) + times.user + times.system
            resident_bytes[stage] = resident_bytes.get(stage, 0) + memory.rss
    return Usage(processor_s, resident_bytes, _machine_s())


def used_between(before: Usage, after: Usage) -> dict[str, float]:
    """Processor seconds by stage between two looks."""
    return {stage: after.processor_s[stage] - before.processor_s.get(stage, 0.0) for stage in after.processor_s}


def others_between(before: Usage, after: Usage, generator_s: float) -> float:
    """Processor seconds of what is neither a stage nor the load generator: the benchmark itself, and other people."""
    ours_s = sum(used_between(before, after).values()) + generator_s
    return max(0.0, after.machine_s - before.machine_s - ours_s)


def _machine_s() -> float:
    """Processor time of the whole machine that was spent on anything."""
    user, nice, system, _idle, _waiting, hard, soft, *_ = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + hard + soft) / _TICKS_A_SECOND


_TICKS_A_SECOND: Final = 100
