"""Which jars make up the broker: `jars.lock` beside this file, one pinned jar a line."""

import re
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).with_name("jars.lock")

_LINE = re.compile(
    r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+) (?P<sha256>[0-9a-f]{64}) (?P<size>\d+)"
)


class Pin(NamedTuple):
    """One jar, by its Maven coordinates. `size_bytes` tells progress; the SHA-256 alone decides."""

    group: str
    artifact: str
    version: str
    sha256: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """As Maven names the file; unique among the pinned jars."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version} {self.sha256} {self.size_bytes}"


def read_pins(lock: Path = LOCK) -> list[Pin]:
    """The pinned jars in the order of the class path. Raises ValueError with the number of a line that is not one."""
    pins = []
    for number, line in enumerate(lock.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{lock}:{number}: expected 'group:artifact:version sha256 bytes'")
        pins.append(Pin(match["group"], match["artifact"], match["version"], match["sha256"], int(match["size"])))
    return pins
