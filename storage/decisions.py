"""The table `decisions`: the outcome of every request, written once a batch, and the desired state read from it.

Of a revision the row stored first counts (see the migration), so a writer reads back whose rows count before it
publishes. All functions block, for use in threads, and raise clickhouse_connect's errors; all may be repeated.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from clickhouse_connect.driver import Client

from fleet.collection_pause import collection_paused
from fleet.decisions.commands import Change, DeviceEvent, Outcome, ResourceKey
from fleet.decisions.decider import Decision
from fleet.decisions.state import FleetState
from fleet.decisions.state_load import load_columns
from fleet.freed_memory import return_freed_memory
from storage.table import Table, insert_rows

DECISIONS = Table(
    "decisions",
    {
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
        "change_message": "String",
    },
)
_REPEATED: Final = "repeated"
_READ_AT_ONCE: Final = 1000
"""Outcomes looked up by one query."""

_NAMES_AT_ONCE: Final = 250_000
"""Names whose resources one query of a load reads. It lasts as long as they take to be packed, ten seconds or, on a
busy machine, several times that, and a server bounds the time of a query."""

_COUNTING: Final = """
    SELECT revision, result, `changes.kind` AS kinds, `changes.namespace` AS namespaces, `changes.name` AS names
        {bodies}
    FROM decisions
    WHERE revision <= {last:UInt64}
    ORDER BY revision, _block_number LIMIT 1 BY revision
"""
_NAMES: Final = "SELECT uniq(arrayJoin(`changes.name`)) FROM decisions WHERE revision <= {last:UInt64}"
_LOAD: Final = f"""
    SELECT kind, namespace, name, body, revision
    FROM ({_COUNTING.replace("{bodies}", ", `changes.body` AS bodies")})
    ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name, bodies AS body
    WHERE result = 'accepted' AND body != '' AND cityHash64(name) % {{portions:UInt32}} = {{portion:UInt32}}
        AND (kind, namespace, name, revision) IN (
            SELECT kind, namespace, name, max(revision)
            FROM ({_COUNTING.replace("{bodies}", "")})
            ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name
            WHERE result = 'accepted' AND cityHash64(name) % {{portions:UInt32}} = {{portion:UInt32}}
            GROUP BY kind, namespace, name
        )
"""  # noqa: S608 - put together from literals

_encode = msgspec.json.Encoder().encode
_decode_body = msgspec.json.Decoder(dict[str, object]).decode
_decode_events = msgspec.json.Decoder(list[DeviceEvent]).decode


class StoredOutcome(NamedTuple):
    """What counts at a revision. `outcome` is None for a retry of the request decided at `first_revision`."""

    revision: int
    first_revision: int
    outcome: Outcome | None


def insert_decisions(client: Client, decisions: Sequence[Decision], decider: str) -> None:
    """Store a batch, all or nothing. `decider` names the run of the worker that decided it.

    On several replicas parts are numbered before they are committed, so that alone would not tell who was first. There
    a batch is taken only if none that begins at the same place was: each begins where what is stored ends, so of two
    that were decided side by side one is dropped whole, and `settlement` tells its worker.
    """
    with collection_paused():
        rows = [_row(decision, decider) for decision in decisions]
    insert_rows(client, DECISIONS, rows, only_once=str(decisions[0].revision) if decisions else None)


def last_revision(client: Client) -> int:
    """The last place of the command log that is decided; 0 when none is."""
    rows = client.query("SELECT revision FROM decisions ORDER BY revision DESC LIMIT 1").result_rows
    return int(rows[0][0]) if rows else 0


def first_stored_within(client: Client, duration_ms: int, first: int) -> int | None:
    """The first place of the log, not before `first`, that was stored within the last so many milliseconds."""
    query = """
        SELECT min(revision) FROM decisions
        WHERE revision >= {first:UInt64} AND stored_at >= now64(3) - toIntervalMillisecond({duration_ms:UInt64})
        HAVING count() > 0
    """
    rows = client.query(query, parameters={"first": first, "duration_ms": duration_ms}).result_rows
    return int(rows[0][0]) if rows else None


class Settlement(NamedTuple):
    """What reading a batch back found.

    `unsettled` are those of its revisions, in their order, at which another decider's row counts or none is stored.
    `is_last`: nothing is stored behind it.
    """

    unsettled: list[int]
    is_last: bool


def settlement(client: Client, revisions: Sequence[int], decider: str) -> Settlement:
    """Whose rows count at these revisions, one at least, which are in order.

    Nearly always all are this decider's, which the first query finds in two thirds of the second's time.
    """
    parameters = {"first": revisions[0], "last": revisions[-1], "decider": decider}
    among = """
        SELECT uniqExactIf(revision, revision <= {last:UInt64}),
            countIf(revision <= {last:UInt64} AND decider != {decider:String}), max(revision)
        FROM decisions
        WHERE revision >= {first:UInt64}
    """
    stored, foreign, last = client.query(among, parameters=parameters).result_rows[0]
    is_last = int(last) == revisions[-1]
    if stored == len(revisions) and not foreign:
        return Settlement([], is_last)
    query = """
        SELECT revision
        FROM (
            SELECT revision, decider FROM decisions
            WHERE revision BETWEEN {first:UInt64} AND {last:UInt64}
            ORDER BY revision, _block_number LIMIT 1 BY revision
        )
        WHERE decider = {decider:String}
    """
    own = {int(revision) for (revision,) in client.query(query, parameters=parameters).result_rows}
    return Settlement([revision for revision in revisions if revision not in own], is_last)


def load_state(client: Client, initial_namespace: str) -> FleetState:
    """The desired state as of the last revision.

    Streamed, and packed portion by portion: what is held beside the state is its packed rows once more, until they lie
    in their buckets.
    """
    state = FleetState(initial_namespace)
    last = last_revision(client)
    names = client.query(_NAMES, parameters={"last": last}).result_rows[0][0]
    portions = max(1, -(-names // _NAMES_AT_ONCE))
    for portion in range(portions):
        parameters = {"last": last, "portion": portion, "portions": portions}
        with client.query_column_block_stream(_LOAD, parameters=parameters, column_formats={"body": "bytes"}) as blocks:
            for columns in blocks:
                with collection_paused():
                    load_columns(state, *columns)
    with collection_paused():
        state.settle()
    return_freed_memory()
    state.revision = last
    return state


def last_requests(client: Client, last: int, limit: int) -> list[tuple[str, int]]:
    """The last request ids up to a revision and where each was decided, oldest first."""
    query = """
        SELECT request_id, revision
        FROM (
            SELECT request_id, first_revision, revision FROM decisions
            WHERE revision <= {last:UInt64}
            ORDER BY revision DESC, _block_number LIMIT 1 BY revision
        )
        WHERE first_revision = revision AND request_id != ''
        ORDER BY revision DESC LIMIT {limit:UInt64}
    """
    rows = client.query(query, parameters={"last": last, "limit": limit}).result_rows
    return [(request_id, int(revision)) for request_id, revision in reversed(rows)]


def outcomes_between(client: Client, first: int, last: int) -> list[StoredOutcome]:
    """What counts at the first thousand of the revisions from first to last, in their order."""
    return _counting_rows(client, "revision BETWEEN {first:UInt64} AND {last:UInt64}", {"first": first, "last": last})


def outcomes_at(client: Client, revisions: Sequence[int]) -> dict[int, Outcome]:
    """The outcomes of requests, by the revisions at which they were decided."""
    found: dict[int, Outcome] = {}
    for start in range(0, len(revisions), _READ_AT_ONCE):
        wanted = list(revisions[start : start + _READ_AT_ONCE])
        rows = _counting_rows(client, "revision IN {revisions:Array(UInt64)}", {"revisions": wanted})
        found |= {row.revision: row.outcome for row in rows if row.outcome is not None}
    return found


def _counting_rows(client: Client, condition: str, parameters: dict[str, Any]) -> list[StoredOutcome]:
    query = f"""
        SELECT revision, first_revision, request_id, author, toUnixTimestamp64Milli(issued_at), result, message,
            `changes.kind`, `changes.namespace`, `changes.name`, `changes.body`, events
        FROM decisions
        WHERE {condition}
        ORDER BY revision, _block_number LIMIT 1 BY revision LIMIT {_READ_AT_ONCE}
    """  # noqa: S608 - conditions are literals of this module
    rows = client.query(query, parameters=parameters).result_rows
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


def _row(decision: Decision, decider: str) -> tuple[Any, ...]:
    outcome = decision.outcome
    changes = outcome.changes if outcome else []
    return (
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
        decision.message,
    )
