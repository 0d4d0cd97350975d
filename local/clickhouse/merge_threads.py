"""The engine's merges stand back behind its inserts: heartbeats are waited for, tidying up is not.

A merge of some million rows keeps a core busy for ten seconds and more, and what is inserted meanwhile would share it
with that.
"""

import os
import threading
import time
from pathlib import Path
from typing import Final

_TASKS: Final = Path("/proc/self/task")
"""Where Linux shows a process's threads. Elsewhere threads have no niceness of their own."""

_MERGE_THREAD: Final = "MergeMutate"
"""As the engine calls the threads that merge; it starts them when it needs them."""

_STEPS: Final = 9
"""Of niceness: an eighth of a processor's time instead of half of it, where an insert wants it as well."""

_LOOK_EVERY_S: Final = 5.0


def let_merges_stand_back() -> None:
    """From now on, in this process."""
    if _TASKS.exists():
        threading.Thread(target=_look, name="merge-threads", daemon=True).start()


def _look() -> None:
    niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + _STEPS)
    while True:
        for task in _TASKS.iterdir():
            _stand_back(task, niceness)
        time.sleep(_LOOK_EVERY_S)


def _stand_back(task: Path, niceness: int) -> None:
    """One thread, if it merges; it may have ended meanwhile."""
    try:
        number = int(task.name)
        is_merging = (task / "comm").read_text().strip() == _MERGE_THREAD
        if is_merging and os.getpriority(os.PRIO_PROCESS, number) < niceness:
            os.setpriority(os.PRIO_PROCESS, number, niceness)
    except OSError:
        return
