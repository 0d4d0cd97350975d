"""The Faust app of a worker: a consumer in a group of its epoch, and nothing else that Faust could do."""

from typing import Any

import faust
from faust.auth import Credentials, SASLCredentials, SSLCredentials

from settings import KafkaSettings, StreamSettings
from streams.kafka_security import NO_SECURITY, KafkaSecurity

_BUFFERED_RECORDS = 1000
"""Records Faust holds between the consumer and the agent; more only takes memory, since records are big."""

_HEARTBEATS_A_SESSION = 4
"""A worker may miss a few heartbeats to the broker before it counts as gone."""


class DisklessApp(faust.App):  # type: ignore[misc]  # Faust is not typed
    """Faust makes folders for its tables where it is started; ours has no tables, and keeps nothing on disk."""

    def _create_directories(self) -> None:
        """Make none."""


def faust_app(
    group: str,
    kafka: KafkaSettings,
    streams: StreamSettings,
    security: KafkaSecurity = NO_SECURITY,
    *,
    kind: type[DisklessApp] = DisklessApp,
    **options: Any,
) -> faust.App:
    """An app whose group id is `group`. Topics are made by set-up; a new group reads from their first records.

    `options` are further settings of Faust, or other values than here.
    """
    settings = {
        "id": group,
        "broker": [f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        "broker_credentials": _credentials(security),
        "store": "memory://",
        "autodiscover": False,
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "consumer_auto_offset_reset": "earliest",
        # A partition's fetch must hold the largest record.
        "consumer_max_fetch_size": kafka.record_limit_bytes,
        # Nothing is acknowledged through Faust (see streams.offset_commits), so there is nothing to wait for.
        "stream_wait_empty": False,
        "stream_buffer_maxsize": _BUFFERED_RECORDS,
        "broker_session_timeout": streams.session_timeout_s,
        "broker_heartbeat_interval": streams.session_timeout_s / _HEARTBEATS_A_SESSION,
    }
    return kind(**(settings | options))


def _credentials(security: KafkaSecurity) -> Credentials | None:
    context = security.context()
    if security.user:
        return SASLCredentials(
            username=security.user, password=security.password, mechanism=security.mechanism, ssl_context=context
        )
    return SSLCredentials(context=context) if context else None
