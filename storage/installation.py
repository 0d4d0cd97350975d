"""Which installation key a database belongs to, noted by the first set-up: the table `installation_keys`."""

from clickhouse_connect.driver.client import Client

from fleet.errors import ConflictError


def require_same_key(client: Client, database: str, key_mark: str, where: str) -> None:
    """Note the key's mark in a new database; in another one raise ConflictError unless it is the noted one.

    `where` is the key's place, for the message. Only one set-up may run at a time.
    """
    query = "SELECT key_mark FROM {database:Identifier}.installation_keys ORDER BY noted_at LIMIT 1"
    noted = client.query(query, parameters={"database": database}).result_rows
    if not noted:
        client.insert("installation_keys", [[key_mark]], column_names=["key_mark"], database=database)
    elif noted[0][0] != key_mark:
        raise ConflictError(
            f"the database {database} was set up with other keys than those in {where}, and the Secrets in it open with"
            " those of then only: put them back from your copy, or name their folder in MUSTER_KEYS_FOLDER; to begin"
            " anew, set MUSTER_CLICKHOUSE_DATABASE to a new database"
        )
