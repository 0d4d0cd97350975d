"""Three real brokers on loopback, one KRaft quorum: topics with three replicas outlive any one of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

from local.child import Child, Program
from local.free_ports import free_ports
from local.kafka.broker import KafkaBroker, answers
from local.kafka.configuration import new_cluster_id
from tests.api.installation import until
from tests.conftest import CACHE

NODES: Final = 3

_HEAP_MIB: Final = 256
"""Enough for tests; three brokers share the machine with all else."""

_READY_WITHIN_S: Final = 90.0


class ClusterNode(KafkaBroker):
    """Broker and controller number `number`, from 1; `ports` are those of all brokers."""

    def __init__(self, data: Path, number: int, ports: Sequence[int], cluster_id: str) -> None:
        super().__init__(data, CACHE, ports[number - 1], heap_mib=_HEAP_MIB)
        self._number = number
        self._ports = ports
        self._cluster_id = cluster_id

    def properties(self, records: Path) -> str:
        """As of a single broker but for its number, its quorum and the replicas."""
        voters = ",".join(f"{number}@127.0.0.1:{port + 1}" for number, port in enumerate(self._ports, 1))
        return f"""{super().properties(records)}
node.id={self._number}
controller.quorum.voters={voters}
default.replication.factor={NODES}
offsets.topic.replication.factor={NODES}
transaction.state.log.replication.factor={NODES}
transaction.state.log.min.isr=2
# Found out soon that a broker is gone: a test waits for it.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
"""

    def cluster_id(self) -> str:
        """The same for all of them."""
        return self._cluster_id

    def launch(self, program: Program | None = None) -> None:
        """Run it without waiting: one alone is never ready."""
        self._child = Child(program or self.program())


class KafkaCluster:
    """Runs for the block. `bootstrap` names all three."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(NODES, consecutive=2)
        cluster_id = new_cluster_id()
        self.nodes = [ClusterNode(folder / str(number), number, ports, cluster_id) for number in range(1, NODES + 1)]
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)

    def __enter__(self) -> Self:
        with ThreadPoolExecutor(NODES) as pool:  # each formats a folder
            programs = list(pool.map(ClusterNode.program, self.nodes))
        for node, program in zip(self.nodes, programs, strict=True):
            node.launch(program)
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def wait_until_ready(self) -> None:
        """Until every one answers."""
        for node in self.nodes:
            until(lambda node=node: answers(node.bootstrap), _READY_WITHIN_S)
