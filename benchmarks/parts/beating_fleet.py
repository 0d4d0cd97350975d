"""An installation with a registered fleet, ready for calls."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Say
from benchmarks.heartbeat_run import Beats
from benchmarks.measuring.merges import wait_for_merges
from benchmarks.parts.installation import Installation
from benchmarks.scale import Scale, Workplace

_PORTION_S: Final = 20.0

MERGED_WITHIN_S: Final = 120.0


@contextmanager
def registered_fleet(
    workplace: Workplace,
    scale: Scale,
    say: Say,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """A Muster of its own whose `scale.devices` are registered; stopped and removed on leaving.

    `settings` are further `MUSTER_*` variables without the prefix.
    """
    folder = workplace.folder / f"muster-{scale.devices}"
    installation = Installation(
        folder, {"HTTP_PROCESSES": str(scale.api_processes), **workplace.settings, **(settings or {})}
    )
    _store_fleet(installation, workplace, scale, say)
    try:
        with installation:
            say(f"ready with {scale.devices:,} devices after {installation.ready_after_s:.1f} s")
            yield installation
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def beaten_fleet(workplace: Workplace, scale: Scale, say: Say) -> Iterator[tuple[Installation, Beats]]:
    """The same, and every device has beaten twice.

    What they said is merged, as far as that is done within two minutes: a gigabyte that goes through the processors'
    caches makes everything dearer, and a fleet beats for the first time once.
    """
    with registered_fleet(workplace, scale, say) as installation:
        beats = Beats(installation, scale.devices, scale.seed, scale.connections)
        beats.first_rounds(scale.at_most(_PORTION_S))
        say(f"first two rounds: {told_first(beats)}")
        say(f"merged {wait_for_merges(installation.client, MERGED_WITHIN_S):.0f} s later")
        yield installation, beats


def told_first(beats: Beats) -> str:
    """How the first two rounds went."""
    rates = [
        f"{run.outcome.accepted_per_s:,.0f}/s accepted, {run.stored_per_s:,.0f}/s until stored,"
        f" {run.outcome.answered - run.outcome.accepted:,} refused"
        for run in beats.first
    ]
    return "; ".join(rates)


def _store_fleet(installation: Installation, workplace: Workplace, scale: Scale, say: Say) -> None:
    """Register the fleet, or copy what was kept of an earlier time."""
    kept = workplace.seeds / f"{scale.devices}-{scale.seed}" if workplace.seeds else None
    if kept is None or not kept.exists():
        say(f"registering {scale.devices:,} devices")
        installation.seed(scale.devices, scale.seed)
        if kept is not None:
            _copy(installation.folder, kept)
    else:
        _copy(kept, installation.folder)


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # The engine's tables are links into its store.
    shutil.copytree(source, partial, symlinks=True)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
