"""The heartbeat worker as a process on a real broker and engine: what it does when something is wrong, and when not."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver import Client
from httpx import AsyncClient
from xxhash import xxh3_64_intdigest

from fleet.decisions.commands import EnrolDevice, PutResource, RegisterDevice, Request, ResourceKey, SetHardwareLabels
from fleet.decisions.decider import DecidedRequests, Decider
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits
from fleet.heartbeats.entries import HeartbeatEntry
from fleet.position import pack_sequence
from local.clickhouse.process import ClickHouseEndpoint
from local.free_ports import free_port
from settings import Settings
from storage.decisions import insert_decisions
from streams.commands.records import decode_requests
from streams.heartbeats.records import encode_heartbeats, partition_of
from streams.topic_ids import admin_client
from tests.streams.conftest import REPEAT_WITHIN_MS, ROOT, Start
from tests.streams.heartbeats.heartbeat_ledger import expected_views
from tests.streams.heartbeats.heartbeat_scenario import Scenario
from tests.streams.heartbeats.heartbeat_topic import HeartbeatTopicUser
from tests.streams.heartbeats.heartbeat_views import shown

NAMESPACE = ResourceKey("Namespace", "", "north")
NAMESPACE_BODY = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "north"}}


def _entry(body: bytes, device_id: str = "device-1", **options: Any) -> HeartbeatEntry:
    options = {"is_checked": True, "wanted_version": None, "content_hash": xxh3_64_intdigest(body), **options}
    return HeartbeatEntry("north", device_id, body=body, **options)


async def _until(condition: Callable[[], Any], within_s: float = 30.0) -> Any:
    async with asyncio.timeout(within_s):
        while not (result := await asyncio.to_thread(condition)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    return result


async def test_heartbeat_is_visible_within_moments_of_its_acknowledgement(
    settings: Settings, clickhouse: Client, start: Start
) -> None:
    """On an idle machine well under 3 s; a partly filled batch does not wait for others."""
    async with HeartbeatTopicUser(settings) as user:
        start(MUSTER_STREAMS_HEARTBEAT_BATCH_MS="500")
        await user.send([_entry(b'{"status":"up"}')])
        await user.wait_until_committed()
        await user.send([_entry(b'{"status":"degraded","events":[{"reason":"Hot"}],"workloads":[{"name":"web"}]}')])
        acknowledged_s = time.monotonic()
        for query in (
            "SELECT 1 FROM heartbeats WHERE status = 'degraded'",
            "SELECT 1 FROM device_status WHERE status = 'degraded'",
            "SELECT 1 FROM workload_status WHERE workload = 'web'",
            "SELECT 1 FROM device_events WHERE reason = 'Hot'",
        ):
            await _until(lambda query=query: clickhouse.query(query).result_rows, within_s=3)
        assert time.monotonic() - acknowledged_s < 3


async def test_metrics_tell_what_was_done(settings: Settings, start: Start) -> None:
    """Counts, sizes and times, in Prometheus' format at a port of the worker's own, which also tells its health."""
    port = free_port()
    async with HeartbeatTopicUser(settings) as user:
        start(MUSTER_STREAMS_HEARTBEATS_METRICS_PORT=str(port), MUSTER_STREAMS_STALL_EXIT_S="5")
        await user.send([_entry(b'{"status":"up"}'), _entry(b'{"status":"up"}', "device-2")])
        await user.send_raw(0, b"poison")
        await user.wait_until_committed()
        await asyncio.sleep(1.5)
    async with AsyncClient() as client:
        lines = (await client.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines()
        health = [
            (await client.get(f"http://127.0.0.1:{port}/health/{name}")).status_code for name in ("live", "ready")
        ]
    assert health == [200, 200]
    for line in (
        "muster_heartbeats_consumed_total 2.0",
        "muster_dead_letters_total 1.0",
        "muster_worker_lag_records 0.0",
        "muster_devices_remembered 2.0",
        'muster_inserted_rows_total{table="heartbeats_log"} 2.0',
    ):
        assert line in lines


async def test_poison_records_are_put_aside_and_the_rest_goes_on(
    settings: Settings, clickhouse: Client, start: Start
) -> None:
    """Each becomes a dead letter with its bytes, where it stood and why; its neighbours are written."""
    async with HeartbeatTopicUser(settings) as user:
        await user.send(
            [_entry(b'{"status":"up"}'), _entry(b'{"status":7}', "device-2"), _entry(b"[" * 100_000, "device-3")]
        )
        poison = [
            b"",
            b"not MessagePack",
            encode_heartbeats([]) + b"x",
            b"\x92\x03\x90",
            b"\xc1",
            b"\x92\x01" + b"\x91" * 100_000,
            msgspec.msgpack.encode([2, ["north"], [""], bytes(40), b"device-1", b""]),
        ]
        partition = partition_of("north", "device-1", 3)
        sent = [await user.send_raw(partition, value) for value in poison]
        await user.send([_entry(b'{"status":"degraded"}')])
        start()
        await user.wait_until_committed()
    assert clickhouse.query("SELECT status FROM device_status").result_rows == [("degraded",)]
    assert clickhouse.query("SELECT count() FROM heartbeats WHERE device_id != 'device-1'").result_rows == [(2,)]
    letters = await _records(settings, "dead-letters")
    assert {letter.value for letter in letters} == {*poison, b'{"status":7}', b"[" * 100_000}
    headers = {letter.value: dict(letter.headers) for letter in letters}
    assert headers[b"not MessagePack"]["position"].decode() == f"1-{partition}-{sent[1].offset}-0"
    assert headers[b"not MessagePack"]["topic"].decode() == f"{settings.kafka.topic_prefix}.heartbeats"
    assert b"$.status" in headers[b'{"status":7}']["reason"]
    assert b"version 3" in headers[b"\x92\x03\x90"]["reason"]
    assert b"device ids are not as long" in headers[poison[-1]]["reason"]


async def _records(settings: Settings, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(
        f"{settings.kafka.topic_prefix}.{topic}",
        bootstrap_servers=settings.kafka.bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        records: list[Any] = []
        while batch := await consumer.getmany(timeout_ms=1000):
            records += [record for part in batch.values() for record in part]
        return records
    finally:
        await consumer.stop()


async def test_unchecked_heartbeats_count_if_the_decisions_know_the_device(
    settings: Settings, clickhouse: Client, start: Start
) -> None:
    """Heartbeats taken by an API process that had not loaded yet are looked up."""
    decider = Decider(FleetState("default"), DecidedRequests(10, []), Limits(10, 1000), 0)
    decisions = [
        decider.decide(Request("r1", "device", 1, PutResource(NAMESPACE, NAMESPACE_BODY, "upsert", "u1")), 1, 1),
        decider.decide(Request("r2", "device", 1, EnrolDevice("known", "north", {}, True, "u2", "u3")), 2, 1),
        decider.decide(Request("r3", "device", 1, RegisterDevice("known", "north", "ab" * 32, {})), 3, 1),
        decider.decide(Request("r4", "device", 1, EnrolDevice("pending", "north", {}, False, "u4", "u5")), 4, 1),
    ]
    assert [each.outcome.result for each in decisions if each.outcome] == ["accepted"] * 4
    insert_decisions(clickhouse, decisions, "test")
    async with HeartbeatTopicUser(settings) as user:
        start()
        await user.send(
            [_entry(b'{"status":"up"}', name, is_checked=False) for name in ("known", "pending", "never-heard-of")]
        )
        await user.wait_until_committed()
    assert clickhouse.query("SELECT device_id FROM device_status").result_rows == [("known",)]
    registered = clickhouse.query("SELECT device_id, is_registered FROM heartbeats ORDER BY device_id").result_rows
    assert registered == [("known", True), ("never-heard-of", False), ("pending", False)]


async def test_changed_hardware_labels_become_a_command(settings: Settings, clickhouse: Client, start: Start) -> None:
    """The deciding worker learns of them, since they take part in selecting workloads."""
    async with HeartbeatTopicUser(settings) as user:
        start()
        await user.send([_entry(b'{"hardware":{"hostname":"Edge 7","cpu":{"architecture":"x86_64"}}}')])
        await user.wait_until_committed()
    assert clickhouse.query("SELECT hostname FROM hardware").result_rows == [("Edge 7",)]
    (record,) = await _records(settings, "commands")
    (request,) = decode_requests(record.value)
    labels = {"device.hostname": "edge7", "device.cpu-architecture": "x86_64"}
    assert request.command == SetHardwareLabels("device-1", "north", labels, sequence=pack_sequence(1, 0, 0))


async def test_stops_quickly_on_sigterm_and_leaves_its_partitions(
    settings: Settings, clickhouse: Client, start: Start
) -> None:
    """Within the supervisor's patience, with status 0; the next worker need not wait for a session to end."""
    async with HeartbeatTopicUser(settings) as user:
        worker = start()
        await user.send([_entry(b'{"status":"up"}')])
        await user.wait_until_committed()
        began_s = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 10) == 0
        assert time.monotonic() - began_s < 5
        await user.send([_entry(b'{"status":"degraded"}')])
        start()
        await user.wait_until_committed(within_s=15)
    assert clickhouse.query("SELECT status FROM device_status").result_rows == [("degraded",)]


async def test_heartbeats_wait_while_clickhouse_is_away(
    endpoint: ClickHouseEndpoint, settings: Settings, clickhouse: Client, start: Start
) -> None:
    """The worker goes on by itself; what was accepted meanwhile is there, once."""
    async with HeartbeatTopicUser(settings) as user:
        scenario = Scenario(55)
        worker = start()
        await user.send(scenario.beat())
        await user.wait_until_committed()
        endpoint.kill()
        for _ in range(4):
            await user.send(scenario.beat())
            await asyncio.sleep(0.5)
        endpoint.start()
        await user.wait_until_committed()
        assert worker.poll() is None
        assert shown(clickhouse) == expected_views(user.taken, REPEAT_WITHIN_MS)


async def test_a_worker_that_stands_still_ends_and_says_why(settings: Settings, start: Start, tmp_path: Path) -> None:
    """With records to read and no commit for long, something inside is dead: only a new process helps."""
    async with HeartbeatTopicUser(settings) as user:
        worker = start(
            [str(ROOT / "tests/streams/heartbeats/stuck_heartbeat_worker.py")], MUSTER_STREAMS_STALL_EXIT_S="5"
        )
        await user.send([_entry(b'{"status":"up"}')])
        assert await asyncio.to_thread(worker.wait, 40) == 1
    assert "stands at 0 of 1 for 5 s" in (tmp_path / "worker-0.log").read_text()


async def test_a_worker_whose_topic_was_made_anew_ends_and_names_the_set_up(
    settings: Settings, start: Start, tmp_path: Path
) -> None:
    """Its positions would stand for other records."""
    admin = admin_client(settings.kafka.bootstrap)
    worker = start()
    async with HeartbeatTopicUser(settings) as user:
        await user.send([_entry(b'{"status":"up"}')])
        await user.wait_until_committed()
        admin.delete_topics([user.topic])[user.topic].result(20)
    assert await asyncio.to_thread(worker.wait, 40) == 1
    assert "muster setup" in (tmp_path / "worker-0.log").read_text()


async def test_two_workers_share_the_partitions_and_one_takes_over(
    settings: Settings, clickhouse: Client, start: Start
) -> None:
    """While partitions move to a second worker, from a killed and from a stopped one, nothing is lost or doubled."""
    async with HeartbeatTopicUser(settings) as user:
        scenario = Scenario(77)
        first, second = start(), None
        for number in range(24):
            await user.send(scenario.beat())
            await asyncio.sleep(0.25)
            if number == 6:
                second = start()
            if number == 12:
                first.kill()
            if number == 16:
                start()
            if number == 20 and second:
                second.terminate()
        await user.wait_until_committed()
        assert shown(clickhouse) == expected_views(user.taken, REPEAT_WITHIN_MS)
