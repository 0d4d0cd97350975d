"""Muster's way from HTTP to Kafka beside a Go service and a bare ASGI application that do that and nothing else."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple

import psutil
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.benchmark import Findings, Say
from benchmarks.ledger import Verdict, acknowledged_places, check, stored_rows, wait_until_stored
from benchmarks.load.heartbeat_load import heartbeat_script
from benchmarks.load.wrk import Load, Outcome
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.parts.beating_fleet import registered_fleet
from benchmarks.parts.installation import Installation
from benchmarks.peers.go_heartbeats import build
from benchmarks.peers.peer import Peer
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace
from local.free_ports import free_ports

QUESTION: Final = "what does it cost to acknowledge a heartbeat durably, beside programs that do only that?"

_WARM_S: Final = 3.0
_LONGEST_S: Final = 20.0
_KAFKA_WITHIN_S: Final = 10.0
_TURNS: Final = (
    "In turns on one machine and one broker, in a closed loop, the same requests. Heartbeat worker and ClickHouse stand"
    " still meanwhile and store everything afterwards."
)
_PROCESSES: Final = (
    "The Go service uses all cores by itself; Muster and the bare application have the API processes told below."
)


class _Contender(NamedTuple):
    """Who takes heartbeats: where, in which processes, into which topic ("" for Muster's own)."""

    name: str
    address: str
    processes: Callable[[], Sequence[psutil.Process]]
    topic: str


class _Turn(NamedTuple):
    """One load of one contender. Processor seconds of its own and of the broker."""

    outcome: Outcome
    server_s: float
    broker_s: float
    places: int
    """Distinct positions acknowledged."""

    @property
    def rate(self) -> float:
        return self.outcome.accepted_per_s

    @property
    def cost_us(self) -> float:
        """Microseconds of server and broker for a heartbeat."""
        return (self.server_s + self.broker_s) / max(1, self.outcome.accepted) * 1e6

    @property
    def server_us(self) -> float:
        return self.server_s / max(1, self.outcome.accepted) * 1e6


def measure(workplace: Workplace, say: Say) -> Findings:
    """All contenders in turn, again and again, while what stores heartbeats stands still; then that catches up."""
    scale = workplace.scale
    with ExitStack() as stack:
        installation = stack.enter_context(registered_fleet(workplace, scale, say))
        contenders = [
            _Contender("Muster", installation.address, lambda: installation.processes()["api"], ""),
            *stack.enter_context(_peers(installation, scale.api_processes)),
        ]
        stored_before = stored_rows(installation)
        turns: dict[str, list[_Turn]] = {contender.name: [] for contender in contenders}
        with _standing_still(installation):
            warmed = [_turn(installation, workplace, contender, _WARM_S, 0) for contender in contenders]
            for number in range(1, scale.repeats + 1):
                for contender in contenders:
                    turn = _turn(installation, workplace, contender, scale.at_most(_LONGEST_S), number)
                    turns[contender.name].append(turn)
                    say(
                        f"{contender.name}: {turn.rate:,.0f}/s, {turn.server_us:.0f} + broker"
                        f" {turn.cost_us - turn.server_us:.0f} µs"
                    )
        accepted = sum(turn.outcome.accepted for turn in (warmed[0], *turns["Muster"]))
        wait_until_stored(installation, stored_before + accepted)
        verdict = check(installation, installation.folder / "positions-Muster", 0)
        return Findings(
            installation.chosen,
            _checks(installation, contenders, turns, verdict),
            tuple(figure for name in turns for figure in _figures(name, turns)),
            notes=(_TURNS, _PROCESSES),
        )


@contextmanager
def _peers(installation: Installation, processes: int) -> Iterator[list[_Contender]]:
    """The Go service and the bare application, each with a topic like Muster's."""
    kafka = installation.settings.kafka
    partitions = installation.settings.heartbeats.partitions
    topics = ("peer.go", "peer.bare")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    made = admin.create_topics(
        [NewTopic(topic, partitions, 1, config={"message.timestamp.type": "LogAppendTime"}) for topic in topics]
    )
    for future in made.values():
        future.result(_KAFKA_WITHIN_S)
    go_port, bare_port = free_ports(2)
    program = build(installation.folder)
    go_argv = [str(program), "-port", str(go_port), "-bootstrap", kafka.bootstrap, "-topic", topics[0]]
    bare_argv = [
        *(sys.executable, "-m", "benchmarks.peers.bare_heartbeats", f"--port={bare_port}"),
        *(f"--bootstrap={kafka.bootstrap}", f"--topic={topics[1]}", f"--partitions={partitions}"),
    ]
    with ExitStack() as stack:
        go = stack.enter_context(Peer(go_argv, go_port, installation.folder / "go.log"))
        bare = [
            stack.enter_context(Peer(bare_argv, bare_port, installation.folder / f"bare-{number}.log"))
            for number in range(processes)
        ]
        yield [
            _Contender("Go service", go.address, go.processes, topics[0]),
            _Contender(
                "bare application",
                bare[0].address,
                lambda: [process for peer in bare for process in peer.processes()],
                topics[1],
            ),
        ]


@contextmanager
def _standing_still(installation: Installation) -> Iterator[None]:
    """Stop what stores heartbeats, so that all contenders have the machine to themselves."""
    running = installation.processes()
    members = [*running["heartbeat worker"], *running["clickhouse"]]
    for process in members:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in members:
            process.send_signal(signal.SIGCONT)


def _turn(
    installation: Installation, workplace: Workplace, contender: _Contender, seconds: float, number: int
) -> _Turn:
    scale, folder = workplace.scale, installation.folder
    positions = folder / f"positions-{contender.name.replace(' ', '-')}.{number}"
    script = heartbeat_script(folder, devices=scale.devices, seed=scale.seed + number, positions=positions)
    members: Mapping[str, list[psutil.Process]] = {
        "server": list(contender.processes()),
        "broker": installation.processes()["broker"],
    }
    before = usage(members)
    outcome = Load(
        contender.address,
        script,
        folder / "turn.json",
        seconds=seconds,
        connections=scale.connections,
    ).finish()
    used = used_between(before, usage(members))
    return _Turn(outcome, used["server"], used["broker"], len(acknowledged_places(positions)))


def _checks(
    installation: Installation,
    contenders: Sequence[_Contender],
    turns: Mapping[str, Sequence[_Turn]],
    verdict: Verdict,
) -> tuple[Check, ...]:
    checks = [Check("Muster: each acknowledged heartbeat is stored exactly once", verdict.is_clean, str(verdict))]
    for contender in contenders:
        outcomes = [turn.outcome for turn in turns[contender.name]]
        accepted = sum(outcome.accepted for outcome in outcomes)
        places = sum(turn.places for turn in turns[contender.name])
        refused = sum(outcome.answered - outcome.accepted for outcome in outcomes)
        told = f"{accepted:,} accepted at {places:,} positions, {refused:,} refused"
        checks.append(Check(f"{contender.name}: positions are distinct", accepted == places > 0, told))
    go = next(contender for contender in contenders if contender.name == "Go service")
    records = _records(installation, go.topic)
    accepted = sum(turn.outcome.accepted for turn in turns[go.name])
    checks.append(Check("Go service: a record for each", records >= accepted, f"{records:,} records, warming included"))
    return tuple(checks)


def _records(installation: Installation, topic: str) -> int:
    """Records that the topic holds."""
    consumer = Consumer({"bootstrap.servers": installation.settings.kafka.bootstrap, "group.id": "benchmark"})
    try:
        ends = [
            consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_KAFKA_WITHIN_S)[1]
            for partition in range(installation.settings.heartbeats.partitions)
        ]
    finally:
        consumer.close()
    return sum(ends)


def _figures(name: str, turns: Mapping[str, Sequence[_Turn]]) -> list[Figure]:
    own = turns[name]
    figures = [
        Figure(f"{name}: acknowledged", "heartbeats/s", tuple(turn.rate for turn in own)),
        Figure(f"{name}: p99", "ms", tuple(turn.outcome.latency_ms["p99"] for turn in own)),
        Figure(f"{name}: processor, server", "µs/heartbeat", tuple(turn.server_us for turn in own)),
        Figure(f"{name}: processor, broker", "µs/heartbeat", tuple(turn.cost_us - turn.server_us for turn in own)),
        Figure(f"{name}: processor, both", "µs/heartbeat", tuple(turn.cost_us for turn in own)),
    ]
    if name != "Muster":
        pairs = list(zip(turns["Muster"], own, strict=True))
        costs = tuple(mine.cost_us / theirs.cost_us for mine, theirs in pairs)
        rates = tuple(mine.rate / theirs.rate for mine, theirs in pairs)
        figures += [
            Figure(f"Muster's processor time, of the {name}'s", "", costs, "at most 1.6" if "Go" in name else ""),
            Figure(f"Muster's rate, of the {name}'s", "", rates, "at least 0.8" if "bare" in name else ""),
        ]
    return figures
