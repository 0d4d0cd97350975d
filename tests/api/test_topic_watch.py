"""A process whose topics were deleted and made anew ends rather than give positions of another epoch."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from cli.service.setup import set_up
from fleet.position import Position
from local.free_ports import free_port
from settings import load
from streams.topic_ids import admin_client, find_topics
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient, RawAnswer, path_of
from tests.api.installation import api_process, python_process, until
from tests.cli.muster import PROJECT, environment


def test_topics_made_anew_end_the_process_and_the_next_knows_their_epoch(
    fresh: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    """Nothing is acknowledged with the former epoch, it says why in a line, and set-up lets it start again."""
    admin, topic = admin_client(kafka), f"{fresh['MUSTER_KAFKA_TOPIC_PREFIX']}.heartbeats"
    log = tmp_path / "api.log"
    with api_process(fresh, log) as api, GoClient(api.port) as edge:
        with python_process(["streams", "commands"], fresh, tmp_path / "commands.log"), Operator(api.url) as operator:
            until(lambda: Device(edge, operator).enrol().status == 201, 30)
            device = Device(edge, operator).become("registered")
        assert _position(device.beat()).epoch == 1
        _make_anew(admin, topic)
        until(lambda: api.process.poll() is not None, 30, log.read_text)
        assert api.process.returncode == 1
    (reason,) = _ends(log)
    assert reason.startswith(f"the topic {topic} was ")  # deleted or made anew, by when it looked
    assert "muster setup" in reason

    # As long as set-up has not run, a process that is started again ends, too, before it acknowledges anything.
    early = tmp_path / "early.log"
    assert _run_to_its_end(fresh, early) == 1
    assert "muster setup" in _ends(early)[0]

    set_up(load(fresh), datetime(2026, 11, 22, 13, tzinfo=UTC))
    with api_process(fresh, tmp_path / "later.log") as api, GoClient(api.port) as edge:
        beat = edge.call("PUT", path_of(device.device_id, "heartbeat"), {})
        assert _position(beat).epoch == 2


def _position(answer: RawAnswer) -> Position:
    assert answer.status == 200, answer.body
    return Position.parse(answer.header("muster-position") or "")


def _make_anew(admin: AdminClient, topic: str) -> None:
    partitions = find_topics(admin, [topic])[topic].partitions
    admin.delete_topics([topic])[topic].result(20)
    until(lambda: topic not in find_topics(admin, [topic]))
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(20)


def _run_to_its_end(variables: dict[str, str], log: Path) -> int:
    plain = {**environment(), **variables, "MUSTER_HTTP_PORT": str(free_port())}
    with log.open("wb") as output:
        return subprocess.run(
            [sys.executable, "-m", "api"], cwd=PROJECT, env=plain, stdout=output, stderr=output, timeout=60, check=False
        ).returncode


def _ends(log: Path) -> list[str]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line["reason"] for line in lines if line["event"] == "process ends"]
