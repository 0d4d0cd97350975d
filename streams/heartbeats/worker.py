"""Wires the heartbeat worker: everything it is made of is constructed here."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from fleet.freed_memory import keep_freed_memory
from fleet.garbage import A_BATCH, collect_seldom
from settings import Settings
from settings.keys import read_password
from storage.client import connect
from storage.replicas import require_fit
from streams.dead_letters import DeadLetters
from streams.epoch_watch import watch_topics
from streams.faust_app import faust_app
from streams.heartbeats.agent import add_heartbeat_agent
from streams.heartbeats.hardware_label_commands import HardwareLabelCommands
from streams.heartbeats.parcels import PARCELS_OF_A_FETCH, ParcelApp
from streams.heartbeats.playbook_commands import PlaybookCommands
from streams.heartbeats.tables import HeartbeatTables
from streams.heartbeats.writer import HeartbeatTopic, HeartbeatWriter
from streams.kafka_producer import KafkaProducer
from streams.kafka_security import kafka_security
from streams.metrics import WorkerMetrics
from streams.stall_watch import StallWatch
from streams.topic_ids import admin_client
from streams.topic_lives import known_life
from streams.topics import heartbeats_group, topics_of
from streams.worker import TOPICS_EVERY_S, held_partitions, run_worker, stall_check_every_s
from streams.worker_health import WorkerHealth
from streams.worker_listener import listen

_KEPT_BYTES: Final = 1 << 30
"""Of freed memory: what the largest batch needs."""


async def run_heartbeats(settings: Settings, reached: Callable[[str], None] = lambda _: None) -> int:
    """Run until told to stop; the exit status. `reached` is told each table that a batch got past.

    Raises MusterError, SettingsError, and the clients' errors when ClickHouse or Kafka cannot be reached at the start.
    """
    keep_freed_memory(_KEPT_BYTES)
    collect_seldom(A_BATCH)
    kafka, streams = settings.kafka, settings.streams
    security = kafka_security(kafka)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    require_fit(client, settings.clickhouse)
    names = topics_of(settings)
    admin = admin_client(kafka.bootstrap, security)
    life = known_life(client, settings.clickhouse.database, admin, names.heartbeats.name)
    group = heartbeats_group(kafka.topic_prefix, life.epoch)
    metrics = WorkerMetrics()
    app = faust_app(
        group,
        kafka,
        streams,
        security,
        kind=ParcelApp,
        stream_buffer_maxsize=PARCELS_OF_A_FETCH,
        broker_max_poll_records=streams.heartbeat_batch_records,
    )
    app.fetch_wait_ms = streams.heartbeat_batch_ms
    producer = KafkaProducer(
        kafka.bootstrap, names.dead_letters.record_limit_bytes, client_id=f"{group}-worker", security=security
    )
    dead_letters = DeadLetters(
        producer, names.dead_letters.name, names.dead_letters.partitions, metrics.dead_letters.inc
    )
    topic = HeartbeatTopic(names.heartbeats.name, names.heartbeats.partitions, life.epoch)
    labels = HardwareLabelCommands(producer, names.commands.name, new_id=lambda: uuid4().hex)
    playbooks = PlaybookCommands(producer, names.commands.name, new_id=lambda: uuid4().hex)
    writer = HeartbeatWriter(
        HeartbeatTables(client, metrics, reached),
        topic,
        relabel=labels.send,
        report_playbooks=playbooks.send,
        put_aside=dead_letters.put,
        repeat_within_ms=streams.repeat_within_ms,
        metrics=metrics,
    )
    add_heartbeat_agent(app, topic.name, writer)
    health = WorkerHealth()
    listen(metrics.registry, health, streams.metrics_host, streams.heartbeats_metrics_port)
    producer.start()
    async with StallWatch(kafka.bootstrap, group, topic.name, topic.partitions, security=security) as stalls:
        every_s = stall_check_every_s(streams.stall_exit_s)
        return await run_worker(
            app,
            [
                stalls.run(streams.stall_exit_s, every_s, lambda: held_partitions(app, topic.name), metrics.lag.set),
                watch_topics(admin, {topic.name: life.topic_id}, TOPICS_EVERY_S),
            ],
            health,
        )
