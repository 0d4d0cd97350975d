"""Reads the encryption keys again while the process runs, so that a rotation needs no restart."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from fleet.sealing import KeyRing, Keys
from settings import SettingsError
from settings.keys import EncryptionKeys, read_encryption_keys, read_installation_key

_AT_MOST_EVERY_S: Final = 0.1
"""A Secret whose key is lost is asked for at every poll of its devices; the folder need not be read each time."""

_log = structlog.get_logger(__name__)


def key_ring(folder: Path, clock: Callable[[], float] = time.monotonic) -> KeyRing:
    """The keys of a folder, and those that are put there later. Raises SettingsError when they cannot be read now."""
    known = read_encryption_keys(folder)
    again = _ReadAgain(folder, known, clock)
    return KeyRing(known.by_id, known.current_id, read_installation_key(folder), again)


class _ReadAgain:
    """The keys as they are now, or None when they are as before, cannot be read, or were read a moment ago."""

    def __init__(self, folder: Path, known: EncryptionKeys, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._known = known
        self._clock = clock
        self._read_s = float("-inf")

    def __call__(self) -> Keys | None:
        now_s = self._clock()
        if now_s - self._read_s < _AT_MOST_EVERY_S:
            return None
        self._read_s = now_s
        try:
            keys = read_encryption_keys(self._folder)
        except SettingsError as error:
            _log.warning("encryption keys not read: going on with those known", reason=str(error))
            return None
        if keys == self._known:
            return None
        self._known = keys
        _log.info("encryption keys read again", sealing=keys.current_id, keys=sorted(keys.by_id))
        return Keys(keys.by_id, keys.current_id)
