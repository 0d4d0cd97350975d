"""What a resource was at each of its revisions, from `decisions`: who changed it, when, and to what.

Secrets are told of, but their content stays in the table: it is sealed, and history shows it to nobody. That it was
sealed with another key is no revision of it.
"""

from typing import Any, Final, NamedTuple

import msgspec
from clickhouse_connect.driver import Client

from fleet.decisions.commands import JSONObject, ResourceKey
from settings import ClickHouseSettings
from storage.lazy_client import LazyClient

_decode = msgspec.json.Decoder(dict[str, Any]).decode

# The row stored first counts, whatever it changed: so rows are sought by name, and then judged by revision.
_QUERY: Final = """
    SELECT revision, toUnixTimestamp64Milli(received_at), author, request_id, content, change_message
    FROM (
        SELECT revision, received_at, author, request_id, result, change_message,
            `changes.kind` AS kinds, `changes.namespace` AS namespaces, `changes.name` AS names,
            `changes.body` AS bodies
        FROM decisions
        WHERE revision <= {last:UInt64} AND revision IN (
            SELECT revision FROM decisions WHERE revision <= {last:UInt64} AND has(`changes.name`, {name:String})
        )
        ORDER BY revision, _block_number LIMIT 1 BY revision
    )
    ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name, bodies AS content
    WHERE result = 'accepted' AND kind = {kind:String} AND namespace = {namespace:String} AND name = {name:String}
        AND NOT (kind = 'Secret' AND match(content, '"sealed":\\\\{[^{}]*"revision":'))
    ORDER BY revision DESC LIMIT {limit:UInt32}
"""


class Revision(NamedTuple):
    """One change of a resource. `body` is None when it removed it, and as stored otherwise. Time: Unix milliseconds.

    `message` says why, in its author's words; it may be empty.
    """

    revision: int
    received_at_ms: int
    author: str
    request_id: str
    body: JSONObject | None
    message: str


def read_revisions(client: Client, key: ResourceKey, last: int, limit: int) -> list[Revision]:
    """The resource's revisions up to `last`, newest first. Blocks. Raises clickhouse_connect's errors."""
    parameters = {"kind": key.kind, "namespace": key.namespace, "name": key.name, "last": last, "limit": limit}
    rows = client.query(_QUERY, parameters=parameters).result_rows
    return [
        Revision(revision, received_at_ms, author, request_id, _decode(content) if content else None, message)
        for revision, received_at_ms, author, request_id, content, message in rows
    ]


class RevisionReader:
    """Reads with a connection of its own, made when first needed; threads may share it, and it mends itself."""

    def __init__(self, settings: ClickHouseSettings, password: str) -> None:
        self._client = LazyClient(settings, password)

    def __call__(self, key: ResourceKey, last: int, limit: int) -> list[Revision]:
        """As `read_revisions`; connecting raises the same errors."""
        return read_revisions(self._client(), key, last, limit)
