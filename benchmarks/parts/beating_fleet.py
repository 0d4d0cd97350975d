"""An installation with a registered fleet, ready for calls."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.benchmark import Say
from benchmarks.heartbeat_run import Beats
from benchmarks.parts.installation import Installation
from benchmarks.scale import Scale, Workplace

_PORTION_S: Final = 20.0
_SENT: Final = "sent.txt"


@contextmanager
def registered_fleet(
    workplace: Workplace,
    scale: Scale,
    say: Say,
    settings: Mapping[str, str] | None = None,
    kept: Path | None = None,
) -> Iterator[Installation]:
    """A Muster of its own whose `scale.devices` are registered; stopped and removed on leaving.

    `settings` are further `MUSTER_*` variables without the prefix; `kept` is a folder to begin with.
    """
    folder = workplace.folder / f"muster-{scale.devices}"
    installation = Installation(folder, {"HTTP_PROCESSES": str(scale.api_processes), **(settings or {})})
    _store_fleet(installation, kept or _kept(workplace, scale), scale, say)
    try:
        with installation:
            say(f"ready with {scale.devices:,} devices after {installation.ready_after_s:.1f} s")
            yield installation
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def beaten_fleet(workplace: Workplace, scale: Scale, say: Say) -> Iterator[tuple[Installation, Beats]]:
    """The same, and every device has beaten once."""
    kept = _kept(workplace, scale, "-beaten")
    if kept is not None and not kept.exists():
        with registered_fleet(workplace, scale, say) as installation:
            beats = Beats(installation, scale.devices, scale.seed, scale.connections)
            beats.first_round(_PORTION_S)
            say(f"first round: {told_first(beats)}")
            installation.stop()
            (installation.folder / _SENT).write_text(str(beats.sent))
            _copy(installation.folder, kept)
    with registered_fleet(workplace, scale, say, kept=kept) as installation:
        beats = Beats(installation, scale.devices, scale.seed, scale.connections)
        if kept is None:
            beats.first_round(scale.at_most(_PORTION_S))
            say(f"first round: {told_first(beats)}")
        else:
            beats.sent = int((installation.folder / _SENT).read_text())
        yield installation, beats


def told_first(beats: Beats) -> str:
    """How the first round went."""
    rates = [
        f"{run.outcome.accepted_per_s:,.0f}/s accepted, {run.stored_per_s:,.0f}/s until stored,"
        f" {run.outcome.answered - run.outcome.accepted:,} refused"
        for run in beats.first
    ]
    return "; ".join(rates) or "gone before, and kept"


def _kept(workplace: Workplace, scale: Scale, kind: str = "") -> Path | None:
    return workplace.seeds / f"{scale.devices}-{scale.seed}{kind}" if workplace.seeds else None


def _store_fleet(installation: Installation, kept: Path | None, scale: Scale, say: Say) -> None:
    """Register the fleet, or copy what was kept of an earlier time."""
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
