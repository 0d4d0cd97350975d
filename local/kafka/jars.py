"""The broker's jars in the download cache: a jar is used only if its SHA-256 is the pinned one, on every start.

Downloads arrive in a folder of their own and are moved into place once verified, so that processes downloading side by
side, or killed in the middle, leave nothing half written under a jar's name.
"""

import errno
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Protocol

import requests
from jgo.maven import MavenContext, PythonResolver

from local.errors import LocalError
from local.kafka.pins import Pin

TRIES = 2
"""A download whose SHA-256 is wrong, or that broke off, is fetched again once."""

PARALLEL_DOWNLOADS = 4
"""The jars are many and small: most of a download is waiting."""

NETWORK_TIMEOUT_S = 30
"""Longest silence of the registry; some answer slowly to the first who asks for a file."""

_ABANDONED_AFTER_S = 24 * 3600
_INCOMING = "incoming-"


class Progress(Protocol):
    """Who is told about downloads; called from several threads."""

    def expect(self, files: int, size_bytes: int) -> None:
        """So much will be downloaded."""

    def advance(self, size_bytes: int) -> None:
        """Another part arrived."""

    def note(self, line: str) -> None:
        """Something a person should read."""


class UnseenProgress:
    """Progress nobody looks at."""

    def expect(self, files: int, size_bytes: int) -> None:
        """Nobody asked."""

    def advance(self, size_bytes: int) -> None:
        """Nor here."""

    def note(self, line: str) -> None:
        """Nor here."""


Fetch = Callable[[Pin, Path, Callable[[int], None]], Path]
"""Downloads a pinned jar into a folder, reporting bytes as they arrive, and gives the file."""


def provide_jars(pins: Sequence[Pin], cache: Path, progress: Progress, fetch: Fetch | None = None) -> list[Path]:
    """The verified jars, downloaded where they are missing or damaged.

    Blocks for the download (45 MB, about 10 s) or the verification (0.2 s). Raises LocalError when a jar cannot be
    fetched, is not the pinned one, or the cache cannot be written.
    """
    folder = cache / "kafka" / "jars"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [pin for pin in pins if not _is_sound(pin, folder / pin.file_name, progress)]
        if missing:
            _download(missing, folder, progress, fetch or fetch_from_maven)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise LocalError(
            f"cannot keep Kafka's jars in {folder}: {reason}; set MUSTER_CACHE to another folder"
        ) from error
    return [folder / pin.file_name for pin in pins]


def _is_sound(pin: Pin, jar: Path, progress: Progress) -> bool:
    if not jar.exists():
        return False
    if _sha256(jar) == pin.sha256:
        return True
    progress.note(f"{jar} is damaged (its SHA-256 is not the pinned one); fetching it again")
    return False


def _download(pins: Sequence[Pin], folder: Path, progress: Progress, fetch: Fetch) -> None:
    _forget_abandoned(folder, time.time())
    progress.expect(len(pins), sum(pin.size_bytes for pin in pins))
    with (
        tempfile.TemporaryDirectory(prefix=_INCOMING, dir=folder) as incoming,
        ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool,
    ):
        is_over = Event()

        def arrived(size_bytes: int) -> None:
            if is_over.is_set():
                raise CancelledError
            progress.advance(size_bytes)

        def fetch_into(pin: Pin, target: Path) -> Path:
            return fetch(pin, target, arrived)

        futures = [pool.submit(_download_one, pin, Path(incoming), folder, fetch_into, progress.note) for pin in pins]
        try:
            for future in futures:
                future.result()
        except BaseException:
            # Ctrl-C and a refused jar alike end the other downloads at their next bytes.
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _download_one(
    pin: Pin, incoming: Path, folder: Path, fetch_into: Callable[[Pin, Path], Path], note: Callable[[str], None]
) -> None:
    problem = ""
    for attempt in range(TRIES):
        target = incoming / f"{pin.file_name}-{attempt}"
        target.mkdir()
        try:
            jar = fetch_into(pin, target)
        except (requests.RequestException, RuntimeError) as error:
            problem = f"cannot be downloaded ({_first_line(error)}); check the network or HTTPS_PROXY"
            note(f"{pin.file_name} {problem}")
            continue
        found = _sha256(jar)
        if found == pin.sha256:
            jar.replace(folder / pin.file_name)
            return
        problem = f"was refused: its SHA-256 is {found}, the pinned one is {pin.sha256}"
        note(f"{pin.file_name} {problem}")
    raise LocalError(f"{pin.group}:{pin.artifact}:{pin.version} {problem} (tried {TRIES} times)")


def fetch_from_maven(pin: Pin, folder: Path, arrived: Callable[[int], None]) -> Path:
    """Download from the Maven repository. Raises requests.RequestException or RuntimeError when it cannot."""

    @contextmanager
    def report(_name: str, _total: int) -> Iterator[Callable[[int], None]]:
        yield arrived

    resolver = PythonResolver(progress_callback=report)
    context = MavenContext(resolver, repo_cache=folder, local_repos=[], timeout=NETWORK_TIMEOUT_S)
    jar = resolver.download(context.project(pin.group, pin.artifact).at_version(pin.version).artifact())
    return Path(jar)


def _forget_abandoned(folder: Path, now_s: float) -> None:
    """Folders of downloads that were killed would stay for ever."""
    for abandoned in folder.glob(f"{_INCOMING}*"):
        if now_s - abandoned.stat().st_mtime > _ABANDONED_AFTER_S:
            shutil.rmtree(abandoned, ignore_errors=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
