"""From measured costs to a size: how many processes, partitions, brokers and shards a fleet needs.

The constants come from results of `heartbeats`, `cost`, `reads` and `conversation`; nothing is run. What the model says
of the measured machine is compared with what was measured there before anything larger is reckoned.
"""

from math import ceil
from typing import Final, NamedTuple

from benchmarks.benchmark import Findings, Say
from benchmarks.errors import BenchmarkError
from benchmarks.held_rate import ACCEPTED_SHARE
from benchmarks.load.heartbeat_bodies import mean_size_bytes
from benchmarks.parts.installation import GENERATOR, STAGES
from benchmarks.report.files import newest
from benchmarks.report.result import Check, Figure, Result
from benchmarks.scale import Workplace

QUESTION: Final = "how many processes, partitions, brokers and shards do a million and ten million devices need?"

_FLEETS: Final = (1_000_000, 10_000_000)
_READS_A_MINUTE: Final = 25
_MINUTE_S: Final = 60.0
_BUSY_SHARE: Final = 0.6
"""How busy a core may be on average: beats come unevenly, and one machine of three may be down."""

_TOLERANCE: Final = 0.2
"""By which the model may differ from a measured point."""

_REPLICAS: Final = 3
_BROKER_CORES: Final = 4
_SHARD_CORES: Final = 8
_RETENTION_S: Final = 72 * 3600
_TABLE_DAYS: Final = 90
_DAY_S: Final = 86_400
_PARTITIONS_A_WORKER: Final = 4
"""So that workers can be added, and one that dies is shared by the others."""


class Constants(NamedTuple):
    """Processor time in microseconds for each more, sizes in bytes, each as measured."""

    api_us: float
    broker_us: float
    worker_us: float
    clickhouse_us: float
    generator_us: float
    read_us: float
    new_connection_us: float
    """What a connection of its own adds to a call, in the API."""
    row_bytes: float
    device_bytes: float
    """Of an API process's memory."""
    state_bytes: float
    fixed_cores: float
    """Of all parts of one machine, while heartbeats come at all: small batches cost nearly what full ones do."""
    broker_cores: float
    """Of these the broker's."""
    worker_cores: float
    """Of these the heartbeat worker's."""
    inserts_cores: float
    """Of these ClickHouse's, which every worker's batches cost it."""

    def highest_rate(self, cores: float, api_processes: int) -> float:
        """Heartbeats per second of one machine: bound by all cores together, by the API, or by the one worker."""
        all_us = self.api_us + self.broker_us + self.worker_us + self.clickhouse_us + self.generator_us
        return 1e6 * min((cores - self.fixed_cores) / all_us, api_processes / self.api_us, 1 / self.worker_us)

    def conversation_cores(self, heartbeats_per_s: float, reads_per_s: float) -> float:
        """Cores of Muster's parts for so many calls."""
        beat_us = self.api_us + self.broker_us + self.worker_us + self.clickhouse_us
        return self.fixed_cores + (heartbeats_per_s * beat_us + reads_per_s * self.read_us) / 1e6


def measure(workplace: Workplace, say: Say) -> Findings:
    """Read the constants, compare the model with the measured points, then reckon."""
    results = [_result(workplace, name) for name in ("cost", "heartbeats", "reads", "conversation")]
    cost, heartbeats, reads, conversation = results
    try:
        constants = _constants(cost, reads)
        checks, compared = _compared(constants, heartbeats, conversation)
    except KeyError as missing:
        raise BenchmarkError(
            f"a result lacks the figure {missing}: run cost, heartbeats, reads and conversation again"
        ) from None
    for check in checks:
        say(f"{check.what}: {check.detail}")
    figures = [*compared, *(figure for devices in _FLEETS for figure in _needed(constants, devices, workplace))]
    used = ", ".join(f"{name} {value:,.3g}" for name, value in constants._asdict().items())
    return Findings(
        {},
        tuple(checks),
        tuple(figures),
        notes=(
            f"Constants: {used}.",
            "Results: " + ", ".join(f"{each.name} of {each.began_at:%Y-%m-%d %H:%M}" for each in results) + ".",
            f"Cores are {_BUSY_SHARE:.0%} busy on average; a broker has {_BROKER_CORES}, a shard {_SHARD_CORES}.",
            (
                f"Assumed, not measured: a replica costs a broker or a shard what the first copy costs ({_REPLICAS}"
                " copies in Kafka, 2 in ClickHouse), and cores of other machines are as these."
            ),
            "Every call on a connection of its own, without TLS: see the result of `handshakes` for what that adds.",
        ),
    )


def _result(workplace: Workplace, name: str) -> Result:
    result = newest(name, workplace.results, _is_as_high_as_could_be)
    if result is None:
        raise BenchmarkError(f"there is no result of {name} in {workplace.results}: python -m benchmarks {name}")
    return result


def _is_as_high_as_could_be(result: Result) -> bool:
    """Whether no rate was asked for, or a higher one: what was held since it was asked for is not the highest."""
    rate = result.scale.get("rate")
    return not rate or result.figure("accepted").median < float(str(rate)) * ACCEPTED_SHARE


def _largest(cost: Result) -> str:
    """The first words of the figures of the largest fleet."""
    sizes = {
        int(figure.name.partition(" ")[0].replace(",", "")) for figure in cost.figures if " devices: " in figure.name
    }
    return f"{max(sizes):,} devices"


def _constants(cost: Result, reads: Result) -> Constants:
    of = _largest(cost)

    def median(name: str) -> float:
        return cost.figure(f"{of}: {name}").median

    rate = median("accepted")

    def marginal_us(stage: str) -> float:
        """What one more heartbeat costs a stage: all of it less what a trickle costs already."""
        return max(0.0, median(stage) - trickle_cores(stage) * 1e6 / rate)

    def trickle_cores(stage: str) -> float:
        return median(f"{stage}, 100 heartbeats/s")

    kept = reads.figure("configuration, kept connections, processor").median
    new = reads.figure("configuration, new connections, processor").median
    return Constants(
        api_us=marginal_us("api"),
        broker_us=marginal_us("broker"),
        worker_us=marginal_us("heartbeat worker"),
        clickhouse_us=marginal_us("clickhouse"),
        generator_us=marginal_us(GENERATOR),
        read_us=kept,
        new_connection_us=max(0.0, new - kept),
        row_bytes=median("disk, any heartbeat"),
        device_bytes=_slope(cost, "memory, api") / _processes(cost),
        fixed_cores=sum(trickle_cores(stage) for stage in STAGES),
        broker_cores=trickle_cores("broker"),
        worker_cores=trickle_cores("heartbeat worker"),
        inserts_cores=trickle_cores("clickhouse"),
        state_bytes=(median("disk, a device's state") + median("disk, a device's decisions")),
    )


def _processes(result: Result) -> int:
    return int(result.scale["api_processes"])


def _slope(cost: Result, name: str) -> float:
    """Bytes that a device adds, from the smallest fleet to the largest."""
    points = [
        (int(figure.name.partition(" ")[0].replace(",", "")), figure.median * (1 << 20))
        for figure in cost.figures
        if figure.name.endswith(f" devices: {name}")
    ]
    (few, low), (many, high) = min(points), max(points)
    return (high - low) / (many - few) if many > few else high / many


def _compared(constants: Constants, heartbeats: Result, conversation: Result) -> tuple[list[Check], list[Figure]]:
    rate = heartbeats.figure("accepted").median
    told_rate = constants.highest_rate(float(heartbeats.machine["cores"]), _processes(heartbeats))
    beats, reads = conversation.figure("heartbeats").median, conversation.figure("reads").median
    used = sum(conversation.figure(f"processor, {stage}").median for stage in STAGES)
    told_used = constants.conversation_cores(beats, reads)
    return (
        [_check("highest rate, heartbeats/s", told_rate, rate), _check("conversation, cores", told_used, used)],
        [
            Figure("highest rate of the measured machine, model", "heartbeats/s", (told_rate,)),
            Figure("highest rate of the measured machine, accepted", "heartbeats/s", (rate,)),
            Figure("cores for the measured conversation, model", "cores", (told_used,)),
            Figure("cores for the measured conversation, measured", "cores", (used,)),
        ],
    )


def _check(what: str, told: float, measured: float) -> Check:
    ratio = told / measured if measured else 0.0
    return Check(
        f"the model gives the measured {what}",
        abs(ratio - 1) <= _TOLERANCE,
        f"{told:,.3g} against {measured:,.3g} measured, {ratio:.2f} of it",
    )


def _needed(constants: Constants, devices: int, workplace: Workplace) -> list[Figure]:
    of = f"{devices // 1_000_000}M devices"
    beats, reads = devices / _MINUTE_S, devices * _READS_A_MINUTE / _MINUTE_S
    calls_us = beats * constants.api_us + reads * constants.read_us + (beats + reads) * constants.new_connection_us
    api = ceil(calls_us / 1e6 / _BUSY_SHARE)
    if constants.worker_cores >= _BUSY_SHARE or constants.broker_cores >= _BROKER_CORES * _BUSY_SHARE:
        raise BenchmarkError("the result of cost says that a trickle keeps a worker or broker busy: run cost again")
    workers = ceil(beats * constants.worker_us / 1e6 / (_BUSY_SHARE - constants.worker_cores))
    records_cores = beats * constants.broker_us * _REPLICAS / 1e6
    brokers = max(_REPLICAS, ceil(records_cores / (_BROKER_CORES * _BUSY_SHARE - constants.broker_cores)))
    broker_cores = (records_cores + brokers * constants.broker_cores) / _BUSY_SHARE
    shard_cores = (beats * constants.clickhouse_us / 1e6 + workers * constants.inserts_cores) / _BUSY_SHARE
    kafka_bytes = beats * mean_size_bytes(workplace.scale.seed) * _RETENTION_S * _REPLICAS
    table_bytes = beats * constants.row_bytes * _DAY_S * _TABLE_DAYS
    counted = {
        "heartbeats": (beats, "1/s"),
        "reads": (reads, "1/s"),
        "API processes, a core each": (api, ""),
        "memory of the fleet in each API process": (devices * constants.device_bytes / (1 << 30), "GiB"),
        "heartbeat workers, a core each": (workers, ""),
        "partitions": (max(12, workers * _PARTITIONS_A_WORKER), ""),
        "brokers": (brokers, ""),
        "Kafka's disks, 72 h, all replicas": (kafka_bytes / 1e12, "TB"),
        "ClickHouse shards": (max(1, ceil(shard_cores / _SHARD_CORES)), ""),
        "ClickHouse's disks, 90 days, one replica": (table_bytes / 1e12, "TB"),
        "ClickHouse's state of the devices": (devices * constants.state_bytes / 1e9, "GB"),
        "cores in all, one ClickHouse replica": (api + workers + broker_cores + shard_cores, ""),
    }
    return [Figure(f"{of}: {name}", unit, (float(value),)) for name, (value, unit) in counted.items()]
