"""Which keys the Secrets in `decisions` are sealed with, and the erasure of what a key's superseded rows hold.

A seal begins with its key's id, and text inside JSON strings has its quotes escaped: so a seal is found by its text,
whatever the Secret's labels say. All functions block and raise clickhouse_connect's errors.
"""

from typing import Any, Final, NamedTuple

import msgspec
from clickhouse_connect.driver import Client

from fleet.decisions.commands import JSONObject, ResourceKey

_decode = msgspec.json.Decoder(dict[str, Any]).decode

_SECRETS: Final = """
    FROM (
        SELECT revision, result, `changes.kind` AS kinds, `changes.namespace` AS namespaces, `changes.name` AS names,
            `changes.body` AS bodies
        FROM decisions
        WHERE revision IN (SELECT revision FROM decisions WHERE has(`changes.kind`, 'Secret'))
        ORDER BY revision, _block_number LIMIT 1 BY revision
    )
    ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name, bodies AS body
    WHERE result = 'accepted' AND kind = 'Secret'
"""
_LIVE: Final = f"""
    SELECT namespace, name, argMax(body, revision) AS content {_SECRETS}
    GROUP BY namespace, name HAVING content != '' ORDER BY namespace, name
"""
_ROWS: Final = r"""
    SELECT extract(body, '"sealed":\\{"key_id":"([^"]+)"') AS key_id, count()
    FROM decisions ARRAY JOIN `changes.kind` AS kind, `changes.body` AS body
    WHERE kind = 'Secret' AND key_id != ''
    GROUP BY key_id
"""
_ERASE: Final = r"""
    ALTER TABLE decisions UPDATE `changes.body` = arrayMap(
        (kind, body) -> if(
            kind = 'Secret' AND match(body, '"sealed":\\{"key_id":"[^"]+"')
                AND NOT position(body, concat('"sealed":{"key_id":"', {key_id:String}, '"')) > 0,
            replaceRegexpOne(
                replaceRegexpOne(body, '"sealed":\\{"key_id":"[^"]+"', '"sealed":{"key_id":""'),
                '"ciphertext":"[^"]*"', '"ciphertext":""'
            ),
            body
        ),
        `changes.kind`, `changes.body`
    )
    WHERE revision <= {last:UInt64} AND has(`changes.kind`, 'Secret')
    SETTINGS mutations_sync = 2
"""


class SealedSecret(NamedTuple):
    """A Secret as it is stored now."""

    key: ResourceKey
    body: JSONObject


def live_secrets(client: Client) -> list[SealedSecret]:
    """Every Secret there is, ordered by namespace and name."""
    rows = client.query(_LIVE).result_rows
    return [SealedSecret(ResourceKey("Secret", namespace, name), _decode(body)) for namespace, name, body in rows]


def rows_by_key(client: Client) -> dict[str, int]:
    """How many stored revisions of Secrets are sealed with each key, superseded ones included."""
    return {key_id: int(count) for key_id, count in client.query(_ROWS).result_rows}


def erase_superseded(client: Client, key_id: str, last: int) -> None:
    """Erase what rows up to a revision hold under other keys than `key_id`; who changed what and when stays.

    Only to be called when every Secret as of `last` is sealed with `key_id`: the rows are then superseded, and no
    reader opens them. Returns when it is done, on all replicas.
    """
    client.command(_ERASE, parameters={"key_id": key_id, "last": last})
