"""Muster on three brokers with three replicas: what it acknowledged survives the loss of any of them."""

from collections.abc import Iterator

import pytest

from local.free_ports import free_port
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient
from tests.cluster.broker_loss import count, in_sync, leader, load, summary
from tests.kafka_cluster import NODES, KafkaCluster
from tests.test_roll_call import Installation, running, until

pytestmark = pytest.mark.timeout(420)

DEVICES = 4
ENOUGH = 150
"""Heartbeats before, and again after, each fault."""

TOPICS = ["muster.heartbeats", "muster.commands", "muster.feed"]

LEADERLESS_S = 20.0
"""Beyond the 15 s after which aiokafka's producer gives a batch up and has used its sequence number."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three brokers of this module's own, since they are killed."""
    with KafkaCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, cluster: KafkaCluster) -> Iterator[Installation]:
    """`muster up` with these brokers."""
    installation = Installation(
        tmp_path_factory.mktemp("muster") / "data",
        MUSTER_KAFKA=cluster.bootstrap,
        MUSTER_KAFKA_REPLICATION=str(NODES),
        MUSTER_STREAMS_HEARTBEATS_METRICS_PORT=str(free_port()),
        MUSTER_STREAMS_COMMANDS_METRICS_PORT=str(free_port()),
    )
    with running(installation):
        yield installation


@pytest.fixture(scope="module")
def devices(installation: Installation) -> list[str]:
    """Ids of registered devices."""
    with GoClient(installation.port) as edge, Operator(installation.url) as operator:
        return [Device(edge, operator).become("registered").device_id for _ in range(DEVICES)]


def _is_all_stored(installation: Installation, made: list[str]) -> bool:
    kept = {each["metadata"]["name"] for each in installation.http.get("/api/v1/namespaces").json()["items"]}
    changes = dict(
        installation.sql("SELECT name, count() FROM configuration_revisions WHERE kind = 'Namespace' GROUP BY name")
    )
    return all(name in kept and changes.get(name) == 1 for name in made)


def test_a_broker_killed_under_load_costs_nothing_acknowledged(
    cluster: KafkaCluster, installation: Installation, devices: list[str]
) -> None:
    """The leader of the command log at that; heartbeats and changes go on, and each is stored exactly once."""
    with load(installation, devices) as asked:
        until(lambda: asked.acknowledged > ENOUGH and len(asked.created) > 5, 60)
        victim = cluster.nodes[leader(cluster.bootstrap, "muster.commands") - 1]
        victim.kill()
        before, created = asked.acknowledged, len(asked.created)
        until(lambda: asked.acknowledged > before + ENOUGH and len(asked.created) > created + 5, 60)
    assert set(asked.statuses) <= {200, 503}
    until(lambda: not count(installation, asked).missing, 60, lambda: str(count(installation, asked)))
    assert count(installation, asked).twice == 0
    until(lambda: _is_all_stored(installation, asked.created), 30)
    print(f"the leader of the commands killed: {summary(asked)}")  # noqa: T201 - make test-cluster shows it
    victim.start()
    until(lambda: in_sync(cluster.bootstrap, TOPICS) == NODES, 60)


def test_partitions_without_a_leader_are_refused_in_time_and_then_go_on(
    cluster: KafkaCluster, installation: Installation, devices: list[str], pytestconfig: pytest.Config
) -> None:
    """Two of three gone for longer than a producer waits: its sequence numbers are off then, and it is built anew."""
    if not pytestconfig.getoption("--long"):
        pytest.skip("waits half a minute for a producer to be poisoned: make test-cluster")
    with load(installation, devices) as asked:
        until(lambda: asked.acknowledged > ENOUGH, 60)
        for node in cluster.nodes[:2]:
            node.kill()
        until(lambda: asked.statuses[-20:] == [503] * 20, 60)
        refused = asked.acknowledged
        asked.is_over.wait(LEADERLESS_S)
        assert asked.acknowledged == refused
        for node in cluster.nodes[:2]:
            node.launch()
        cluster.wait_until_ready()
        until(lambda: asked.acknowledged > refused + ENOUGH, 90)
    assert set(asked.statuses) <= {200, 503}
    until(lambda: not count(installation, asked).missing, 90, lambda: str(count(installation, asked)))
    assert count(installation, asked).twice == 0
    until(lambda: _is_all_stored(installation, asked.created), 60)
    print(f"two of three brokers killed for {LEADERLESS_S:.0f} s: {summary(asked)}")  # noqa: T201
