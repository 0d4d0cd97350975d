"""`muster approve -f FILE.csv`: approves a whole fleet before it asks, a thousand devices a request."""

import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cli.devices.preauthorisation_file import check_file, read_batches
from cli.errors import CommandError
from cli.http_client import Server

BATCH = 1000
"""Devices in one request: as many as the server takes."""

AT_A_TIME = 8
"""Requests under way at once: enough that the command log is never idle."""

TRIES = 6
"""A batch is asked for as often while the outcome of some of it is unknown, which the server says after ten seconds: a
database that merges, or a broker that is restarted, is away for so long and must not end an import."""

_PAUSE_S = 1.0

_PATH = "/muster/v1/preauthorisations"
_DONE = ("accepted", "unchanged")
_UNKNOWN = "unknown"


def preauthorise(
    server: Server, path: Path, initial_namespace: str, pause: Callable[[float], None] = time.sleep
) -> int:
    """Approve every device of the file; the exit status. Nothing is sent of a file with a mistake.

    May be repeated: a device that is approved already is left as it is.
    """
    devices, mistakes = check_file(path, initial_namespace)
    if mistakes:
        for mistake in mistakes:
            sys.stderr.write(f"muster: {mistake}\n")
        raise CommandError("nothing was approved")
    counts: Counter[str] = Counter()

    def send(batch: list[dict[str, Any]]) -> list[dict[str, str]]:
        # The server applies each device of a batch once, however often it is asked under the same id.
        request_id = server.new_request_id()
        for tries_left in reversed(range(TRIES)):
            answer = server.change("POST", _PATH, {"devices": batch}, request_id=request_id)
            results: list[dict[str, str]] = answer.body["results"]
            if not tries_left or all(each["result"] != _UNKNOWN for each in results):
                break
            pause(_PAUSE_S)
        return results

    batches = read_batches(path, initial_namespace, BATCH)
    under_way: deque[Future[list[dict[str, str]]]] = deque()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        # A few ahead, so that a file of any length is never held as a whole.
        for batch in batches:
            under_way.append(pool.submit(send, batch))
            if len(under_way) > AT_A_TIME:
                _tell(under_way.popleft().result(), counts)
                _show(counts, devices)
        while under_way:
            _tell(under_way.popleft().result(), counts)
            _show(counts, devices)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    refused = counts.total() - counts["accepted"] - counts["unchanged"]
    sys.stdout.write(f"{counts['accepted']} approved, {counts['unchanged']} were already, {refused} refused\n")
    return 1 if refused else 0


def _show(counts: Counter[str], devices: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{counts.total():,} of {devices:,}")


def _tell(results: list[dict[str, str]], counts: Counter[str]) -> None:
    for each in results:
        counts[each["result"]] += 1
        if each["result"] not in _DONE:
            sys.stderr.write(f"muster: {each['device']}: {each['message']}\n")
