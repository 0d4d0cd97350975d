"""What still uses each encryption key: Secrets as they are, stored revisions, records that Kafka keeps."""

from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from clickhouse_connect.driver import Client

from cli.table import table
from fleet.sealing import sealing_key_of
from settings import Settings
from settings.keys import read_encryption_keys
from storage.sealed_secrets import live_secrets, rows_by_key
from streams.kafka_security import kafka_security
from streams.key_uses import KeyUse, find_key_uses
from streams.topics import Topics


class KeyState(NamedTuple):
    """One key. `has_file` is false for a key that something uses but nobody has any more."""

    key_id: str
    is_current: bool
    has_file: bool
    secrets: int
    rows: int
    uses: list[KeyUse]

    @property
    def may_go(self) -> bool:
        """Whether its file can be removed without anything becoming unreadable."""
        return self.has_file and not (self.is_current or self.secrets or self.rows or self.uses)


async def key_states(settings: Settings, client: Client, topics: Topics) -> list[KeyState]:
    """Every key that has a file or is used, the current one first. Reads all records that Kafka keeps of changes."""
    keys = read_encryption_keys(settings.keys_folder)
    secrets = Counter(sealing_key_of(secret.body) for secret in live_secrets(client))
    rows = rows_by_key(client)
    key_ids = sorted(
        keys.by_id.keys() | rows.keys() | secrets.keys() - {""}, key=lambda key: (key != keys.current_id, key)
    )
    uses = await find_key_uses(
        settings.kafka.bootstrap,
        [topics.commands, topics.feed, topics.dead_letters],
        key_ids,
        security=kafka_security(settings.kafka),
    )
    return [
        KeyState(key, key == keys.current_id, key in keys.by_id, secrets[key], rows.get(key, 0), uses[key])
        for key in key_ids
    ]


def key_table(states: list[KeyState]) -> str:
    """For a person."""
    rows = [
        (
            each.key_id,
            "yes" if each.is_current else "no",
            str(each.secrets),
            str(each.rows),
            _records(each),
            _fate(each),
        )
        for each in states
    ]
    return table(("KEY", "SEALS", "SECRETS", "REVISIONS", "RECORDS", "MAY GO"), rows)


def _records(state: KeyState) -> str:
    return ", ".join(f"{use.records} in {use.topic}" for use in state.uses) or "0"


def _fate(state: KeyState) -> str:
    if not state.has_file:
        return "its file is missing: what uses it cannot be read"
    if state.is_current:
        return "no: it seals"
    if state.secrets or state.rows:
        return "no: run `muster secrets rotate`"
    if state.uses:
        return (
            f"when Kafka has dropped the records, not before {_spelled(max(use.kept_until_ms for use in state.uses))}"
        )
    return "yes: `muster secrets keys --remove`"


def _spelled(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
