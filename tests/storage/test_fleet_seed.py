"""A seeded fleet (`benchmarks.fleet_seed`) is one that every part takes for its own past."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver import Client

from benchmarks.fleet_content import NAMESPACE, REGIONS, device_id, devices
from benchmarks.fleet_seed import seed_fleet
from fleet.decisions.commands import ResourceKey
from fleet.devices.states import DeviceState
from fleet.position import unpack_sequence
from settings import ClickHouseSettings, RetentionSettings
from storage import decisions
from storage.client import connect
from storage.decisions import last_revision, load_state
from storage.epochs import Epoch, add_epoch, read_epochs, topic_lives
from storage.schema import set_up_schema

TOPICS = {"muster.commands": "id-1", "muster.heartbeats": "id-2"}


@pytest.fixture
def fresh(clickhouse_settings: ClickHouseSettings, password: str) -> Iterator[Client]:
    """A database that was just set up."""
    set_up_schema(clickhouse_settings, password, RetentionSettings())
    client = connect(clickhouse_settings, password)
    add_epoch(client, clickhouse_settings.database, Epoch(1, TOPICS), datetime(2026, 11, 22, tzinfo=UTC))
    yield client
    client.close()


def test_a_seeded_fleet_is_registered_and_labelled(fresh: Client) -> None:
    """As the deciding worker would have stored it."""
    assert seed_fleet(fresh, fresh.database or "", 25) == 26
    state = load_state(fresh, "default")
    assert {identity.state for identity in state.identities.values()} == {DeviceState.REGISTERED}
    assert sorted(state.identities) == [device_id(index) for index in range(25)]
    held = state.get(ResourceKey("EdgeDevice", NAMESPACE, device_id(13)))
    assert held is not None
    assert held.body["metadata"]["labels"]["region"] == REGIONS[3]
    assert len(state.resources("EdgeWorkload", NAMESPACE)) == 14


def test_a_fleet_read_by_several_queries_is_the_same(fresh: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of names a query takes."""
    seed_fleet(fresh, fresh.database or "", 25)
    whole = load_state(fresh, "default")
    monkeypatch.setattr(decisions, "_NAMES_AT_ONCE", 7)
    apart = load_state(fresh, "default")
    assert apart.identities == whole.identities
    for kind in ("EdgeDevice", "EdgeDeviceSignedRequest", "EdgeWorkload", "ConfigMap"):
        for namespace in (NAMESPACE, "default"):
            by_name = [
                {name: (each.revision, each.json) for name, each in state.resources(kind, namespace).items()}
                for state in (whole, apart)
            ]
            assert by_name[0] == by_name[1]
    assert len(apart.resources("EdgeDevice", NAMESPACE)) == 25


def test_the_topics_begin_an_epoch_after_the_seed(fresh: Client) -> None:
    """So the command log goes on from its first record, whose revision is above all that was seeded."""
    seed_fleet(fresh, fresh.database or "", 3)
    assert unpack_sequence(last_revision(fresh))[0] == 1
    lives = topic_lives(read_epochs(fresh, fresh.database or ""))
    assert {name: (life.epoch, life.topic_id) for name, life in lives.items()} == {
        name: (2, id_) for name, id_ in TOPICS.items()
    }


def test_what_is_in_use_is_not_seeded(fresh: Client) -> None:
    """Revisions would stand among those that somebody was told of."""
    seed_fleet(fresh, fresh.database or "", 1)
    with pytest.raises(ValueError, match="another data folder"):
        seed_fleet(fresh, fresh.database or "", 1)


def test_the_same_seed_gives_the_same_fleet() -> None:
    """Whichever part of it is asked for."""
    assert list(devices(5, seed=7))[3:] == list(devices(2, seed=7, first=3))
    assert list(devices(1, seed=7)) != list(devices(1, seed=8))
