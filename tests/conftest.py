"""Real parts for all tests, started once a session, and the contract's files, read where they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from local.kafka.broker import KafkaBroker
from tests.ports import free_ports

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


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a real broker of this session's own; tests keep apart by topic prefixes."""
    (port,) = free_ports(1, consecutive=2)
    with KafkaBroker(tmp_path_factory.mktemp("kafka"), CACHE, port) as broker:
        yield broker.bootstrap
