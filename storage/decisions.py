"""The table `decisions`: the outcome of every request, written once a batch, and the desired state read from it.

Of a revision the row stored first counts (see the migration), so a writer reads back whose rows count before it
publishes. All functions block, for use in threads, and raise clickhouse_connect's errors; all may be repeated.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from clickhouse_connect.driver import Client

from fleet.commands import Change, DeviceEvent, Outcome, ResourceKey
from fleet.decider import Decision
from fleet.state import FleetState

_COLUMNS: Final = {
    "revision": "UInt64",
    "received_at": "DateTime64(3, 'UTC')",
    "request_id": "String",
    "first_revision": "UInt64",
    "author": "String",
    "issued_at": "DateTime64(3, 'UTC')",
    "result": "LowCardinality(String)",
    "message": "String",
    "changes.kind": "Array(LowCardinality(String))",
    "changes.namespace": "Array(LowCardinality(String))",
    "changes.name": "Array(String)",
    "changes.body": "Array(String)",
    "events": "String",
    "decider": "String",
}
_REPEATED: Final = "repeated"
_READ_AT_ONCE: Final = 1000
"""Outcomes looked up by one query."""

_encode = msgspec.json.Encoder().encode
_decode_body = msgspec.json.Decoder(dict[str, object]).decode
_decode_events = msgspec.json.Decoder(list[DeviceEvent]).decode


class StoredOutcome(NamedTuple):
    """What counts at a revision. `outcome` is None for a retry of the request decided at `first_revision`."""

    revision: int
    first_revision: int
    outcome: Outcome | None


def insert_decisions(client: Client, database: str, decisions: Sequence[Decision], decider: str) -> None:
    """Store a batch, all or nothing. `decider` names the run of the worker that decided it."""
    rows = [_row(decision, decider) for decision in decisions]
    client.insert(
        "decisions",
        rows,
        column_names=list(_COLUMNS),
        column_type_names=list(_COLUMNS.values()),
        database=database,
    )


def last_revision(client: Client, database: str) -> int:
    """The last place of the command log that is decided; 0 when none is."""
    query = "SELECT max(revision) FROM {database:Identifier}.decisions"
    return int(client.query(query, parameters={"database": database}).result_rows[0][0])


def foreign_revisions(client: Client, database: str, first: int, last: int, decider: str) -> list[int]:
    """Revisions from first to last of which another decider's row counts."""
    query = """
        SELECT revision
        FROM (
            SELECT revision, decider FROM {database:Identifier}.decisions
            WHERE revision BETWEEN {first:UInt64} AND {last:UInt64}
            ORDER BY revision, _block_number LIMIT 1 BY revision
        )
        WHERE decider != {decider:String}
        ORDER BY revision
    """
    parameters = {"database": database, "first": first, "last": last, "decider": decider}
    return [int(revision) for (revision,) in client.query(query, parameters=parameters).result_rows]


def load_state(client: Client, database: str, initial_namespace: str) -> FleetState:
    """The desired state as of the last revision. Streamed: memory is that of the state itself."""
    state = FleetState(initial_namespace)
    last = last_revision(client, database)
    counting = """
        SELECT revision, result, `changes.kind` AS kinds, `changes.namespace` AS namespaces, `changes.name` AS names
            {bodies}
        FROM {database:Identifier}.decisions
        WHERE revision <= {last:UInt64}
        ORDER BY revision, _block_number LIMIT 1 BY revision
    """
    query = f"""
        SELECT kind, namespace, name, body, revision
        FROM ({counting.replace("{bodies}", ", `changes.body` AS bodies")})
        ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name, bodies AS body
        WHERE result = 'accepted' AND body != '' AND (kind, namespace, name, revision) IN (
            SELECT kind, namespace, name, max(revision)
            FROM ({counting.replace("{bodies}", "")})
            ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name
            WHERE result = 'accepted'
            GROUP BY kind, namespace, name
        )
    """  # noqa: S608 - put together from the literals above
    with client.query_row_block_stream(query, parameters={"database": database, "last": last}) as blocks:
        for block in blocks:
            for kind, namespace, name, body, revision in block:
                state.load(ResourceKey(kind, namespace, name), body.encode(), revision)
    state.revision = last
    return state


def last_requests(client: Client, database: str, limit: int) -> list[tuple[str, int]]:
    """The last request ids and where each was decided, oldest first."""
    query = """
        SELECT request_id, revision
        FROM (
            SELECT request_id, first_revision, revision FROM {database:Identifier}.decisions
            ORDER BY revision DESC, _block_number LIMIT 1 BY revision
        )
        WHERE first_revision = revision AND request_id != ''
        ORDER BY revision DESC LIMIT {limit:UInt64}
    """
    rows = client.query(query, parameters={"database": database, "limit": limit}).result_rows
    return [(request_id, int(revision)) for request_id, revision in reversed(rows)]


def outcomes_between(client: Client, database: str, first: int, last: int) -> Iterator[list[StoredOutcome]]:
    """What counts at the revisions from first to last, in their order, in blocks."""
    while first <= last:
        rows = _counting_rows(
            client,
            database,
            "revision BETWEEN {first:UInt64} AND {last:UInt64}",
            {"first": first, "last": last},
        )
        if not rows:
            return
        yield rows
        first = rows[-1].revision + 1


def outcomes_at(client: Client, database: str, revisions: Sequence[int]) -> dict[int, Outcome]:
    """The outcomes of requests, by the revisions at which they were decided."""
    found: dict[int, Outcome] = {}
    for start in range(0, len(revisions), _READ_AT_ONCE):
        wanted = list(revisions[start : start + _READ_AT_ONCE])
        rows = _counting_rows(client, database, "revision IN {revisions:Array(UInt64)}", {"revisions": wanted})
        found |= {row.revision: row.outcome for row in rows if row.outcome is not None}
    return found


def _counting_rows(client: Client, database: str, condition: str, parameters: dict[str, Any]) -> list[StoredOutcome]:
    query = f"""
        SELECT revision, first_revision, request_id, author, toUnixTimestamp64Milli(issued_at), result, message,
            `changes.kind`, `changes.namespace`, `changes.name`, `changes.body`, events
        FROM {{database:Identifier}}.decisions
        WHERE {condition}
        ORDER BY revision, _block_number LIMIT 1 BY revision LIMIT {_READ_AT_ONCE}
    """  # noqa: S608 - conditions are literals of this module
    rows = client.query(query, parameters={"database": database, **parameters}).result_rows
    return [StoredOutcome(int(row[0]), int(row[1]), _outcome(row)) for row in rows]


def _outcome(row: Sequence[Any]) -> Outcome | None:
    revision, _, request_id, author, issued_at_ms, result, message, kinds, namespaces, names, bodies, events = row
    if result == _REPEATED:
        return None
    return Outcome(
        revision=int(revision),
        request_id=request_id,
        author=author,
        issued_at_ms=int(issued_at_ms),
        result=result,
        message=message,
        changes=[
            Change(ResourceKey(kind, namespace, name), _decode_body(body) if body else None)
            for kind, namespace, name, body in zip(kinds, namespaces, names, bodies, strict=True)
        ],
        events=_decode_events(events) if events else [],
    )


def _row(decision: Decision, decider: str) -> list[Any]:
    outcome = decision.outcome
    changes = outcome.changes if outcome else []
    return [
        decision.revision,
        decision.received_at_ms,
        decision.request_id,
        decision.first_revision,
        outcome.author if outcome else "",
        outcome.issued_at_ms if outcome else decision.received_at_ms,
        outcome.result if outcome else _REPEATED,
        outcome.message if outcome else "",
        [change.key.kind for change in changes],
        [change.key.namespace for change in changes],
        [change.key.name for change in changes],
        ["" if change.body is None else _encode(change.body).decode() for change in changes],
        _encode(outcome.events).decode() if outcome and outcome.events else "",
        decider,
    ]
