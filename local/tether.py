"""Runs a program that must not outlive its parent: `python tether.py PARENT_PID NICENESS PROGRAM ARGUMENTS…`.

On Linux the kernel kills the program as soon as the thread that started it ends, even if that was by SIGKILL. This is a
program of its own because a parent with threads cannot safely run code between fork and exec. It imports nothing of
the project, so that it starts in a few milliseconds. NICENESS (0 to 19) is how far the program stands back when others
want the processor too.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent_pid: int, niceness: int, argv: list[str]) -> None:
    """Become the program, unless the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit(1)
    os.nice(niceness)
    os.execv(argv[0], argv)  # noqa: S606 - the whole purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
