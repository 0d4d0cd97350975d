"""Whether freed memory is kept, by the pages that the system has to fill."""

import platform
import subprocess
import sys

import pytest

_SIZE = 28_000_000

_FAULTS = """
import resource
import sys
from threading import Thread
from fleet.freed_memory import keep_freed_memory

def take_turns():
    for turn in range(21):
        if turn == 1:
            before.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        received = bytearray()
        while len(received) < size:
            received.extend(bytes(262_144))
        whole = bytes(received)
        parts = [whole[at : at + 20_000] for at in range(0, size, 20_000)]

size, before = int(sys.argv[1]), []
if sys.argv[2] == "kept":
    keep_freed_memory(1 << 30)
thread = Thread(target=take_turns)
thread.start()
thread.join()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before[0]) // 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to keep")
def test_a_threads_large_buffers_are_made_of_what_was_freed() -> None:
    """Grown, copied and cut as what comes from Kafka is: where few pages are new, most of them were before."""
    a_quarter = _SIZE // 4096 // 4
    assert _faults("kept") < a_quarter < _faults("as it is")


def _faults(how: str) -> int:
    """New pages in each turn."""
    command = [sys.executable, "-c", _FAULTS, str(_SIZE), how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
