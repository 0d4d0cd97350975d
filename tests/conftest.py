"""Real parts for all tests, started once a session, and the contract's files, read where they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from local.free_ports import free_ports
from local.kafka.broker import KafkaBroker

SHARED = Path(__file__).parents[2] / "shared"
"""The contract and the real messages belong to another project and stand beside the checkout."""

CACHE = Path(os.environ.get("MUSTER_CACHE") or platformdirs.user_cache_dir("muster"))
"""As `muster up` has it, so that tests download nothing twice."""


def _shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        reason = f"the contract's files are read from ../shared/{name} beside the checkout, which is not there"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def contract() -> Path:
    """Folder of the normative files: `swagger-backend.yaml`, `swagger.yaml`, `crd/`."""
    return _shared_folder("contract")


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of real messages and resources."""
    return _shared_folder("samples")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make test-cluster` asks for."""
    parser.addoption("--brokers", type=int, choices=(1, 3), default=1, help="Kafka brokers the tests share")
    parser.addoption("--long", action="store_true", help="also tests that wait for faults of half a minute")


@pytest.fixture(scope="session")
def kafka_replication(pytestconfig: pytest.Config) -> int:
    """How many replicas a topic has: one on each broker."""
    brokers: int = pytestconfig.getoption("--brokers")
    return brokers


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, kafka_replication: int) -> Iterator[str]:
    """Bootstrap address of real brokers of this session's own; tests keep apart by topic prefixes."""
    folder = tmp_path_factory.mktemp("kafka")
    if kafka_replication > 1:
        from tests.kafka_cluster import KafkaCluster  # noqa: PLC0415 - needs what is defined here

        with KafkaCluster(folder) as cluster:
            yield cluster.bootstrap
        return
    (port,) = free_ports(1, consecutive=2)
    with KafkaBroker(folder, CACHE, port) as broker:
        yield broker.bootstrap
