"""Writes `jars.lock` anew: `python -m local.kafka.lock`, after changing the versions here.

Resolving POMs takes a minute and the network, and what it finds may change; so it is done here, once a version, and
never when Muster starts.
"""

import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import jgo

from local.kafka.jars import fetch_from_maven
from local.kafka.pins import LOCK, Pin

KAFKA: Final = ("org.apache.kafka", "kafka_2.13", "4.4.0")

LOGGING: Final = ("org.slf4j", "slf4j-simple", "1.7.36")
"""Of the version of slf4j-api that Kafka brings. Added by itself: log4j's artifacts would, through a platform
description, change the version of Kafka's own clients."""


def main() -> None:
    """Resolve, download and hash; takes a minute."""
    found = [(each.groupId, each.artifactId, each.version) for each in jgo.resolve(":".join(KAFKA))]
    with TemporaryDirectory() as folder:
        pins = [_pin(coordinates, Path(folder)) for coordinates in sorted({*found, KAFKA, LOGGING})]
    name = " ".join(("Apache Kafka", KAFKA[2]))
    heading = f"# The jars of {name} and what logs for it: coordinates, SHA-256, bytes. Written by local/kafka/lock.py."
    LOCK.write_text("\n".join([heading, *map(str, pins), ""]))
    sys.stdout.write(f"{len(pins)} jars, {sum(pin.size_bytes for pin in pins) / 1e6:.1f} MB: {LOCK}\n")


def _pin(coordinates: tuple[str, str, str], folder: Path) -> Pin:
    content = fetch_from_maven(Pin(*coordinates, "", 0), folder, lambda _: None).read_bytes()
    return Pin(*coordinates, hashlib.sha256(content).hexdigest(), len(content))


if __name__ == "__main__":
    main()
