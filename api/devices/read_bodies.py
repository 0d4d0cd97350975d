"""Which bodies of heartbeats were read before: a device mostly says what it said, and what was read needs no reading.

A table of their content hashes, each at the one place that its last bits tell; where two meet, the later one stays. So
it takes a fixed amount of memory, page by page as it fills: with a million devices four of five are found.

Who makes another body with the hash of one that was read can have it stored unread. Nothing follows from that: to the
fold it is what the device said before, and whatever reads it puts it aside.
"""

from typing import Final

import numpy as np
from xxhash import xxh3_64_intdigest

from fleet.heartbeats.heartbeat import Heartbeat, content_hash, read_heartbeat

_PLACES: Final = 1 << 22
"""32 MiB."""


class ReadBodies:
    """Remembers bodies of which the content hash leaves nothing out. `places`: a power of two, and more than one."""

    def __init__(self, places: int = _PLACES) -> None:
        hashes = np.zeros(places, np.uint64)
        hashes[0] = 1  # belongs at another place, as 0 does where it stands, so that an empty table finds nothing
        self._hashes = hashes.data
        self._last_bits = places - 1

    def content_hash(self, body: bytes) -> int:
        """As `fleet.heartbeats.heartbeat.content_hash` of a body, which is read if it was not before.

        Raises BadInputError for what cannot be read.
        """
        whole = xxh3_64_intdigest(body)
        return whole if self._hashes[whole & self._last_bits] == whole else self.read(body)[1]

    def read(self, body: bytes) -> tuple[Heartbeat, int]:
        """What it says, and its content hash. Raises BadInputError."""
        heartbeat = read_heartbeat(body)
        content = content_hash(body, heartbeat)
        if heartbeat.time is None:
            self._hashes[content & self._last_bits] = content
        return heartbeat, content
