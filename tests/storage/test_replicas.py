"""Set-up refuses what does not fit before it changes anything, and says what to set."""

from collections.abc import Iterator

import msgspec
import pytest
from clickhouse_connect.driver import Client

from fleet.errors import ConflictError
from settings import ClickHouseSettings, RetentionSettings
from storage.client import connect
from storage.consistency import insert_settings
from storage.replicas import Found, misfit
from storage.schema import set_up_schema

SINGLE = ClickHouseSettings(url="http://clickhouse:8123")
REPLICATED = ClickHouseSettings(url="http://clickhouse:8123", replicated=True)
GOOD = Found([], [], shards={"default": 1}, macros=frozenset({"shard", "replica"}), has_keeper=True)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (SINGLE, Found(["decisions"], [])),
        (REPLICATED, GOOD),
        (REPLICATED, GOOD._replace(replicated=["decisions"])),
        (msgspec.structs.replace(REPLICATED, cluster="other"), GOOD._replace(shards={"default": 3, "other": 1})),
    ],
)
def test_what_fits_is_taken(settings: ClickHouseSettings, found: Found) -> None:
    """New or set up before, on one server or on the replicas of the cluster named."""
    assert misfit(settings, found) is None


@pytest.mark.parametrize(
    ("settings", "found", "said"),
    [
        (SINGLE, Found([], ["decisions"]), "has replicated tables (decisions): set MUSTER_CLICKHOUSE_REPLICATED=true"),
        (ClickHouseSettings(replicated=True), GOOD, "the local endpoint is one: set MUSTER_CLICKHOUSE"),
        (
            REPLICATED,
            GOOD._replace(plain=["a", "b", "c", "d"]),
            "tables that are not replicated (a, b, c, …): unset it",
        ),
        (REPLICATED, GOOD._replace(shards={}), "knows no cluster default (remote_servers)"),
        (REPLICATED, GOOD._replace(shards={"main": 1}), "set MUSTER_CLICKHOUSE_CLUSTER to one of main"),
        (REPLICATED, GOOD._replace(shards={"default": 2}), "the cluster default has 2 shards"),
        (REPLICATED, GOOD._replace(macros=frozenset({"shard"})), "has no macro replica"),
        (REPLICATED, GOOD._replace(macros=frozenset()), "has no macro replica and no macro shard"),
        (REPLICATED, GOOD._replace(has_keeper=False), "reaches no Keeper"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_set(settings: ClickHouseSettings, found: Found, said: str) -> None:
    """One reason at a time, the first to mend."""
    assert said in (misfit(settings, found) or "")


def test_a_server_without_a_cluster_is_left_as_it_is(clickhouse_settings: ClickHouseSettings, password: str) -> None:
    """Not even the database is made."""
    replicated = msgspec.structs.replace(clickhouse_settings, replicated=True)
    with pytest.raises(ConflictError, match="knows no cluster default"):
        set_up_schema(replicated, password, RetentionSettings())
    client = connect(clickhouse_settings, password, database="default")
    known = client.query("SELECT name FROM system.databases").result_columns[0]
    client.close()
    assert clickhouse_settings.database not in known


def test_tables_of_a_single_server_stay_such(clickhouse_settings: ClickHouseSettings, password: str) -> None:
    """The setting is for the life of a database."""
    set_up_schema(clickhouse_settings, password, RetentionSettings())
    replicated = msgspec.structs.replace(clickhouse_settings, replicated=True)
    with pytest.raises(ConflictError, match=r"not replicated \(decisions, "):
        set_up_schema(replicated, password, RetentionSettings())


@pytest.fixture
def consistent(clickhouse_settings: ClickHouseSettings, password: str) -> Iterator[Client]:
    """Of a worker whose settings say that there are replicas; the engine takes what it is asked, alone as it is."""
    settings = msgspec.structs.replace(clickhouse_settings, replicated=True)
    client = connect(settings, password, database="default")
    yield client
    client.close()


def asked(client: Client, name: str) -> str:
    """What the engine was told for a statement of this client."""
    return str(client.query(f"SELECT toString(getSetting('{name}'))").result_rows[0][0])


def test_statements_ask_for_a_majority_and_for_all_that_was_acknowledged(consistent: Client) -> None:
    """Each of them, so that any replica may be asked."""
    assert asked(consistent, "insert_quorum") == "auto"
    assert asked(consistent, "insert_quorum_parallel") == "false"
    assert asked(consistent, "select_sequential_consistency") == "1"
    assert asked(consistent, "deduplicate_insert") == "disable"
    assert asked(consistent, "async_insert") == "false"


def test_reads_for_people_may_lag(clickhouse_settings: ClickHouseSettings, password: str) -> None:
    """They would rather be answered by a replica that is behind than not at all."""
    settings = msgspec.structs.replace(clickhouse_settings, replicated=True)
    client = connect(settings, password, database="default", may_lag=True)
    assert asked(client, "select_sequential_consistency") == "0"
    client.close()


def test_a_single_server_is_asked_for_nothing(clickhouse_settings: ClickHouseSettings, password: str) -> None:
    """As before there were replicas."""
    client = connect(clickhouse_settings, password, database="default")
    assert asked(client, "insert_quorum") == "0"
    assert insert_settings(client, is_read_back=False, only_once="7") == {}
    client.close()


def test_inserts_for_analysts_are_taken_in_parallel_and_decisions_once(consistent: Client) -> None:
    """And none but decisions is ever dropped as one that was there before."""
    assert insert_settings(consistent, is_read_back=True) == {}
    assert insert_settings(consistent, is_read_back=False) == {"insert_quorum_parallel": 1}
    once = insert_settings(consistent, is_read_back=True, only_once="7")
    assert once == {"deduplicate_insert": "enable", "insert_deduplicate": 1, "insert_deduplication_token": "7"}
