"""What is asked of a ClickHouse of several replicas, so that one machine may be lost and any replica may be asked.

Inserts are acknowledged when a majority has them, and only then is anything committed in Kafka. Tables that Muster
reads back to decide by (device state, decisions, epochs) are written one insert at a time, since only then a replica
knows whether it has all of them; such a read is refused by one that has not. Tables for analysts alone take parallel
inserts. Rows are identified by their positions, so nothing is deduplicated by its block, but for decisions.

A single server needs none of this and is told none of it.
"""

from typing import Any, Final

from clickhouse_connect.driver import Client

from settings import ClickHouseSettings

QUORUM_TIMEOUT_MS: Final = 30_000
"""Wait for the other replicas, well below the client's own patience; after it the insert is tried again."""

QUORUM_BUSY: Final = 286
"""ClickHouse's UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE: another insert into the table is on its way."""

_WRITE: Final = {
    "insert_quorum": "auto",
    "insert_quorum_parallel": 0,
    "insert_quorum_timeout": QUORUM_TIMEOUT_MS,
    # The blocks of one insert take turns, too.
    "max_insert_threads": 1,
    # Answered when written, also where the server would gather inserts.
    "async_insert": 0,
}
_SET_UP: Final = {
    # Done on all replicas, or not done.
    "alter_sync": 2,
    "distributed_ddl_output_mode": "throw",
    "distributed_ddl_task_timeout": 100,
}
_TAKE_ALL: Final = {"deduplicate_insert": "disable", "insert_deduplicate": 0}
_TAKE_ONCE: Final = {"deduplicate_insert": "enable", "insert_deduplicate": 1}
"""The first of each is known to newer servers only, and there it counts instead of the second."""


def ask_for_consistency(client: Client, settings: ClickHouseSettings, *, may_lag: bool) -> None:
    """Have all the client's statements ask for it, unless it only reads and may miss what another replica just took."""
    if not settings.replicated or may_lag:
        return
    wanted = _WRITE | _SET_UP | _TAKE_ALL | {"select_sequential_consistency": 1}
    for name, value in _known(client, wanted).items():
        client.set_client_setting(name, value)


def insert_settings(client: Client, *, is_read_back: bool, only_once: str | None = None) -> dict[str, Any]:
    """Settings of one insert. With `only_once` it is dropped if one of this token was stored before, by whomever."""
    if client.get_client_setting("insert_quorum") is None:
        return {}
    settings: dict[str, Any] = {} if is_read_back else {"insert_quorum_parallel": 1}
    if only_once is not None:
        settings |= _known(client, _TAKE_ONCE) | {"insert_deduplication_token": only_once}
    return settings


def _known(client: Client, settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in client.server_settings}
