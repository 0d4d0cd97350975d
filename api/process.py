"""One API process: its parts, wired once, and the order in which they start and stop.

Stopping loses nothing accepted: requests under way are answered first, then what is collected is sent and
acknowledged, then the connections close.
"""

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Final

from api.desired_state.command_gateway import CommandGateway
from api.desired_state.feed_reader import FeedReader
from api.desired_state.fleet_load import FleetLoad
from api.desired_state.fleet_view import FleetView
from api.devices.configurations import Configurations
from api.devices.deletion_watch import DeletionWatch
from api.devices.enrolment import EnrolmentCall
from api.devices.follow_ups import FollowUps
from api.devices.heartbeat import HeartbeatCall
from api.devices.heartbeat_publisher import HeartbeatPublisher
from api.devices.plane import DevicePlane, calls_of
from api.devices.playbooks import Playbooks
from api.devices.reads import ReadCalls
from api.devices.refusals import RefusalLog
from api.devices.registration import RegistrationCall
from api.devices.retention_guard import RetentionGuard
from api.devices.standing import Standings
from api.encryption_keys import key_ring
from api.health import Health
from api.listeners.certificates import Certificates
from api.metrics import ApiMetrics
from api.operators.previews import Previews
from api.resources.events import Events
from api.resources.reads import ResourceReads
from api.resources.statuses import Statuses
from api.resources.watches.reports import Reports
from api.resources.watches.stream import Watches
from api.resources.writes import ResourceWrites
from api.topic_watch import TopicWatch
from fleet.decisions.verdict import Limits
from fleet.garbage import collect_seldom, freeze_what_is_loaded
from settings import Settings
from settings.keys import read_installation_key, read_password
from storage.device_changes import ChangeReader
from storage.device_event_reads import EventReader
from storage.device_reports import ReportReader
from storage.workload_phases import PhaseReader
from streams.background_task import BackgroundTask
from streams.kafka_producer import KafkaProducer
from streams.kafka_security import kafka_security
from streams.topic_ids import admin_client
from streams.topics import HOUR_MS, heartbeats_group, topics_of

_MEASURED_EVERY_S: Final = 1.0
_GUARDED_EVERY_S: Final = 30.0

_STOP_WITHIN_S: Final = 1.0
"""For each step of a stop; requests under way had theirs before, and a broker that is up answers in milliseconds."""


class ApiProcess:
    """The parts of a process; `end` is called when it must not go on.

    Raises SettingsError when a key, password or certificate cannot be read.
    """

    def __init__(self, settings: Settings, end: Callable[[], None]) -> None:
        self._topic_prefix = settings.kafka.topic_prefix
        topic = topics_of(settings)
        bootstrap, record_limit_bytes = settings.kafka.bootstrap, settings.kafka.record_limit_bytes
        security = kafka_security(settings.kafka)
        initial_namespace = settings.devices.initial_namespace
        installation_key = read_installation_key(settings.keys_folder)
        keys = key_ring(settings.keys_folder)
        password = read_password(settings.clickhouse_password_file)
        self.metrics = ApiMetrics()
        self._measuring = BackgroundTask("measuring")
        self.view = FleetView(
            initial_namespace,
            settings.api.feed_stale_after_s,
            time.monotonic,
            changes_limit=settings.api.remembered_changes,
        )
        self._heartbeats_topic = topic.heartbeats.name
        self._topic_watch = TopicWatch(admin_client(bootstrap, security), end)
        self._load = FleetLoad(
            settings.clickhouse,
            password,
            initial_namespace,
            [topic.heartbeats.name, topic.commands.name, topic.feed.name],
            self._topic_watch.confirm,
        )
        self._heartbeat_producer = KafkaProducer(
            bootstrap, record_limit_bytes, "muster-api-heartbeats", security=security
        )
        self._command_producer = KafkaProducer(bootstrap, record_limit_bytes, "muster-api-commands", security=security)
        self._guard = RetentionGuard(
            bootstrap,
            topic.heartbeats.name,
            settings.heartbeats.partitions,
            self._heartbeat_group,
            guarded_age_ms=int(settings.heartbeats.retention_h * HOUR_MS * settings.heartbeats.retention_guard_share),
            every_s=_GUARDED_EVERY_S,
            wall_clock_ms=_wall_clock_ms,
            security=security,
        )
        self.publisher = HeartbeatPublisher(
            self._heartbeat_producer,
            topic.heartbeats.name,
            settings.heartbeats.partitions,
            window_s=settings.heartbeats.window_ms / 1000,
            deadline_s=settings.api.device_deadline_ms / 1000,
            in_flight_limit_bytes=settings.heartbeats.in_flight_bytes,
            is_endangered=self._guard.is_endangered,
            on_record=self.metrics.observe_record,
        )
        self.gateway = CommandGateway(
            self._command_producer,
            topic.commands.name,
            window_s=settings.commands.window_ms / 1000,
            wall_clock_ms=_wall_clock_ms,
            new_request_id=_new_uid,
        )
        self._follow_ups = FollowUps(self.gateway, settings.api.operator_deadline_ms / 1000)
        self._deletions = DeletionWatch(
            self.view, self._follow_ups, settings.devices.deletion_timeout_s * 1000, _wall_clock_ms
        )
        self._feed = FeedReader(
            bootstrap,
            topic.feed.name,
            record_limit_bytes,
            view=self.view,
            load=self._load.load,
            after_load=self._after_load,
            security=security,
        )
        self.view.watch(self.gateway.on_outcome)
        self.view.watch(self._deletions.on_outcome)
        self.configurations = Configurations(
            self.view,
            keys,
            installation_key,
            settings.api.remembered_configurations,
            on_failure=self.metrics.assembly_errors.inc,
            report=self._follow_ups.configuration_was_assembled,
        )
        self.certificates = Certificates(settings, self.metrics, time.time)
        self.health = Health(self.view, self.publisher, self._guard, self.certificates.degraded)
        self.plane = self._device_plane(settings)
        self._statuses = Statuses(
            self.view,
            self.configurations,
            ReportReader(settings.clickhouse, password),
            PhaseReader(settings.clickhouse, password),
            queries=settings.api.status_queries,
            deadline_s=settings.api.status_deadline_ms / 1000,
        )
        self.reads = ResourceReads(self.view, keys, self._statuses, shows_secrets=settings.http.show_secrets)
        self.events = Events(self.reads, EventReader(settings.clickhouse, password))
        self.keys, self.installation_key = keys, installation_key
        limits = Limits(settings.devices.pending_limit, settings.devices.pending_expiry_h * HOUR_MS)
        self.previews = Previews(
            self.reads, keys, installation_key, limits, random_bytes=os.urandom, wall_clock_ms=_wall_clock_ms
        )
        reports = Reports(ChangeReader(settings.clickhouse, password), self.view.recent.wake, time.monotonic)
        self.watches = Watches(self.reads, self.view.recent, reports, settings.api.watches, time.monotonic)
        self.writes = ResourceWrites(
            self.reads,
            self.gateway,
            keys,
            limits,
            deadline_s=settings.api.operator_deadline_ms / 1000,
            new_uid=_new_uid,
            random_bytes=os.urandom,
            wall_clock_ms=_wall_clock_ms,
        )

    def _device_plane(self, settings: Settings) -> DevicePlane:
        deadline_s = settings.api.device_deadline_ms / 1000
        standings = Standings(self.view, settings.devices.initial_namespace)
        return DevicePlane(
            calls_of(
                EnrolmentCall(
                    standings,
                    self.gateway,
                    is_auto_approved=settings.devices.auto_approve,
                    deadline_s=deadline_s,
                    new_uid=_new_uid,
                ),
                RegistrationCall(
                    standings,
                    self.gateway,
                    self.publisher,
                    self.view,
                    self.configurations,
                    deadline_s=deadline_s,
                    clock=time.monotonic,
                    epoch=self._acknowledged_epoch,
                ),
                HeartbeatCall(
                    standings,
                    self.publisher,
                    self.configurations,
                    self._follow_ups,
                    self._acknowledged_epoch,
                ),
                ReadCalls(standings, self.configurations, Playbooks(self.view, self._follow_ups), self._follow_ups),
            ),
            RefusalLog(),
            clock=time.monotonic,
            observe=self.metrics.device_calls.observe,
        )

    @contextlib.asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        """Run from start to stop, as Litestar's lifespan. Starts without Kafka and ClickHouse, and waits for them."""
        collect_seldom()
        self._heartbeat_producer.start()
        self._command_producer.start()
        self._feed.start()
        self._guard.start()
        self._deletions.start()
        self._measuring.start(self._measure())
        try:
            yield
        finally:
            await self._measuring.stop()
            self._statuses.close()
            self.events.close()
            await self._deletions.stop()
            await self._guard.stop()
            await self.publisher.drain(_STOP_WITHIN_S)
            await self._follow_ups.stop(_STOP_WITHIN_S)
            await self.gateway.drain(_STOP_WITHIN_S)
            await self._feed.stop()
            await self._topic_watch.stop()
            await asyncio.gather(
                self._heartbeat_producer.stop(_STOP_WITHIN_S), self._command_producer.stop(_STOP_WITHIN_S)
            )

    def _acknowledged_epoch(self) -> int | None:
        self._topic_watch.refuse_if_over()
        return self._load.epochs.get(self._heartbeats_topic)

    def _heartbeat_group(self) -> str | None:
        epoch = self._load.epochs.get(self._heartbeats_topic)
        return None if epoch is None else heartbeats_group(self._topic_prefix, epoch)

    def _after_load(self) -> None:
        self._deletions.after_load()
        self.gateway.send_again()
        freeze_what_is_loaded()

    async def _measure(self) -> None:
        applied = 0
        while True:
            metrics, view = self.metrics, self.view
            metrics.flush()
            metrics.in_flight_bytes.set(self.publisher.in_flight_bytes)
            metrics.waiting_commands.set(self.gateway.waiting)
            metrics.feed_age_s.set(view.age_s)
            metrics.revision.set(view.state.revision)
            metrics.devices.set(len(view.state.identities))
            metrics.is_loaded.set(view.is_loaded)
            metrics.endangered.set(len(self._guard.endangered))
            metrics.lag.set(self._guard.lag_records)
            metrics.applied_outcomes.inc(view.applied_outcomes - applied)
            applied = view.applied_outcomes
            await asyncio.sleep(_MEASURED_EVERY_S)


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _new_uid() -> str:
    return str(uuid.uuid4())
