"""Wires the deciding worker: everything it is made of is constructed here."""

from collections.abc import Callable
from functools import partial
from uuid import uuid4

from fleet.decisions.verdict import Limits
from fleet.garbage import collect_seldom
from settings import Settings
from settings.keys import read_password
from storage.client import connect
from storage.replicas import require_fit
from streams.commands.agent import add_command_agent
from streams.commands.decision_store import DecisionRules, DecisionStore
from streams.commands.feed_publisher import FeedPublisher
from streams.commands.processor import CommandProcessor, Step
from streams.commands.source import CommandSource
from streams.dead_letters import DeadLetters
from streams.epoch_watch import watch_topics
from streams.faust_app import faust_app
from streams.kafka_producer import KafkaProducer
from streams.kafka_security import kafka_security
from streams.metrics import WorkerMetrics
from streams.stall_watch import StallWatch
from streams.topic_ids import admin_client
from streams.topic_lives import known_life
from streams.topics import topics_of
from streams.worker import TOPICS_EVERY_S, held_partitions, run_worker, stall_check_every_s
from streams.worker_health import PARTITIONS, STATE, WorkerHealth
from streams.worker_listener import listen

_HOUR_MS = 3_600_000


async def run_commands(settings: Settings, reached: Callable[[Step], None] = lambda _: None) -> int:
    """Run until told to stop; the exit status. `reached` is told each step of a batch.

    Raises MusterError, SettingsError, and the clients' errors when ClickHouse or Kafka cannot be reached at the start.
    """
    collect_seldom()
    kafka, streams = settings.kafka, settings.streams
    security = kafka_security(kafka)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    require_fit(client, settings.clickhouse)
    names = topics_of(settings)
    admin = admin_client(kafka.bootstrap, security)
    lives = {
        name: known_life(client, settings.clickhouse.database, admin, name)
        for name in (names.commands.name, names.feed.name)
    }
    life = lives[names.commands.name]
    group = f"{kafka.topic_prefix}-commands-{life.epoch}"
    metrics = WorkerMetrics()
    app = faust_app(group, kafka, streams, security)
    producer = KafkaProducer(
        kafka.bootstrap, names.feed.record_limit_bytes, client_id=f"{group}-feed", security=security
    )
    processor = CommandProcessor(
        DecisionStore(client, decider_id=uuid4().hex),
        FeedPublisher(producer, kafka.bootstrap, names.feed.name, kafka.record_limit_bytes, security=security),
        CommandSource(kafka.bootstrap, names.commands.name, kafka.record_limit_bytes, security=security),
        rules=DecisionRules(
            settings.devices.initial_namespace,
            settings.commands.remembered_requests,
            Limits(settings.devices.pending_limit, settings.devices.pending_expiry_h * _HOUR_MS),
        ),
        epoch=life.epoch,
        feed_retention_ms=names.feed.retention_ms,
        dead_letters=DeadLetters(
            producer, names.dead_letters.name, names.dead_letters.partitions, metrics.dead_letters.inc
        ),
        reached=reached,
    )
    health = WorkerHealth((PARTITIONS, STATE))
    add_command_agent(app, names.commands.name, processor, loaded=partial(health.has, STATE))
    listen(metrics.registry, health, streams.metrics_host, streams.commands_metrics_port)
    producer.start()
    async with StallWatch(
        kafka.bootstrap, group, names.commands.name, names.commands.partitions, security=security
    ) as stalls:
        every_s = stall_check_every_s(streams.stall_exit_s)
        return await run_worker(
            app,
            [
                stalls.run(
                    streams.stall_exit_s,
                    every_s,
                    lambda: held_partitions(app, names.commands.name),
                    metrics.lag.set,
                ),
                watch_topics(admin, {name: each.topic_id for name, each in lives.items()}, TOPICS_EVERY_S),
            ],
            health,
        )
