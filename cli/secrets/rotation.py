"""Replaces the key that Secrets are sealed with: every Secret is resealed, what superseded revisions held is erased.

Each step may be repeated, and each run does what is left to do: after a crash the command is run again. No version, no
resourceVersion and no configuration changes by it.
"""

import os
import time
import uuid
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from clickhouse_connect.driver import Client

from cli.author import author
from cli.secrets.key_table import KeyState, key_states
from fleet.decisions.commands import Request, ResealSecret
from fleet.errors import ConflictError, UnavailableError
from fleet.sealing import NONCE_BYTES, KeyRing, sealing_key_of
from settings import Settings
from settings.keys import add_encryption_key, read_encryption_keys, read_installation_key
from storage.decisions import last_revision
from storage.epochs import read_epochs, topic_lives
from storage.sealed_secrets import SealedSecret, erase_superseded, live_secrets, rows_by_key
from streams.commands.feed_publisher import FeedPublisher
from streams.commands.resealing import send_in_order, until_published
from streams.kafka_producer import KafkaProducer
from streams.kafka_security import kafka_security
from streams.topics import Topics

_ROUNDS: Final = 5
"""A Secret that is changed while it is resealed is resealed in the next round; more rounds than that help no more."""

_ANSWER_WITHIN_S: Final = 60.0
_STOP_WITHIN_S: Final = 1.0

Step = Literal["key made", "sent", "resealed", "erased"]


class Rotation(NamedTuple):
    """What was done. `new_key_id` is empty when an earlier rotation was finished."""

    new_key_id: str
    resealed: int
    erased_rows: int
    keys: list[KeyState]


async def rotate(
    settings: Settings, client: Client, topics: Topics, reached: Callable[[Step], None] = lambda _: None
) -> Rotation:
    """Rotate, or finish a rotation. Needs the deciding worker to run, and no API process to be restarted.

    Raises SettingsError, MusterError, and ClickHouse's and Kafka's errors. `reached` is told each step as it ends.
    """
    new_key_id = ""
    if not _is_under_way(client, read_encryption_keys(settings.keys_folder).current_id):
        new_key_id = add_encryption_key(settings.keys_folder)
        reached("key made")
    keys = read_encryption_keys(settings.keys_folder)
    ring = KeyRing(keys.by_id, keys.current_id, read_installation_key(settings.keys_folder))
    resealed = await _reseal(settings, client, topics, ring, reached)
    reached("resealed")
    erased = _erase(client, ring.sealing_key_id)
    reached("erased")
    return Rotation(new_key_id, resealed, erased, await key_states(settings, client, topics))


async def _reseal(
    settings: Settings, client: Client, topics: Topics, ring: KeyRing, reached: Callable[[Step], None]
) -> int:
    """Reseal until nothing is sealed with another key, and all who follow the feed know; how many Secrets."""
    kafka, security = settings.kafka, kafka_security(settings.kafka)
    epoch = topic_lives(read_epochs(client, settings.clickhouse.database))[topics.commands.name].epoch
    producer = KafkaProducer(kafka.bootstrap, kafka.record_limit_bytes, "muster-secrets", security=security)
    feed = FeedPublisher(producer, kafka.bootstrap, topics.feed.name, kafka.record_limit_bytes, security=security)
    producer.start()
    resealed = 0
    try:
        for _ in range(_ROUNDS):
            stale = _stale(client, ring.sealing_key_id)
            if not stale:
                await until_published(feed, last_revision(client), _ANSWER_WITHIN_S)
                return resealed
            requests = [_request(ring, secret) for secret in stale]
            revision = await send_in_order(requests, producer, topics.commands.name, epoch, _ANSWER_WITHIN_S)
            reached("sent")
            await until_published(feed, revision, _ANSWER_WITHIN_S)
            resealed += len(requests)
    finally:
        await producer.stop(_STOP_WITHIN_S)
    raise UnavailableError("Secrets are still being sealed with another key: is there a process with other key files?")


def _is_under_way(client: Client, current_id: str) -> bool:
    """Whether an earlier rotation left something to do."""
    return bool(_stale(client, current_id)) or any(key_id != current_id for key_id in rows_by_key(client))


def _stale(client: Client, current_id: str) -> list[SealedSecret]:
    return [secret for secret in live_secrets(client) if sealing_key_of(secret.body) != current_id]


def _request(ring: KeyRing, secret: SealedSecret) -> tuple[Request, int]:
    """The command that reseals a Secret, and about how many bytes it takes."""
    sealed = ring.seal(ring.open(secret.body), os.urandom(NONCE_BYTES))["sealed"]
    if sealed["mac"] != secret.body["sealed"]["mac"]:
        raise ConflictError(f"{secret.key} was sealed under another installation key than the one in the keys' folder")
    now_ms = time.time_ns() // 1_000_000
    return Request(uuid.uuid4().hex, author(), now_ms, ResealSecret(secret.key, sealed)), len(sealed["ciphertext"])


def _erase(client: Client, current_id: str) -> int:
    """Erase what no Secret needs any more; how many rows."""
    others = sum(count for key_id, count in rows_by_key(client).items() if key_id != current_id)
    last = last_revision(client)
    if others and not _stale(client, current_id):
        erase_superseded(client, current_id, last)
    return others
