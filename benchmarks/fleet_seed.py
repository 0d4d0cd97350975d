"""Fills a fresh installation with a fleet: up to millions of registered, labelled devices, in minutes.

    MUSTER_DATA=… python -m benchmarks.fleet_seed --devices 1000000

The decisions are stored under the epoch that set-up began, and the topics, still empty, are given the next one: as if
the fleet had been decided in a former life of the topics. So every part reads it as it reads any past, and the command
log goes on from its first record. A device is one row: what led to how it stands is left out.
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from typing import Final

from clickhouse_connect.driver import Client
from rich.console import Console

from benchmarks.fleet_content import SeededDevice, devices, shared_resources
from cli.service.children import Children
from cli.service.download_progress import DownloadProgress
from cli.service.setup import set_up
from fleet.decisions.commands import Change, Outcome
from fleet.decisions.decider import Decision
from fleet.position import MAX_INDEX, pack_sequence
from local.data_folder import held_alone
from local.supervisor import Supervisor
from settings import Settings, load
from settings.keys import read_password
from storage.client import connect
from storage.decisions import insert_decisions
from storage.epochs import Epoch, add_epoch, read_epochs

_AT_ONCE: Final = 20_000
"""Devices of one insert: some tens of megabytes."""

_DECIDER: Final = "seed"


def seed_fleet(client: Client, database: str, count: int, seed: int = 0, *, first: int = 0) -> int:
    """Store a fleet of `count` devices; the number of revisions stored.

    `client` is the owner's, of a database that was set up and holds nothing yet, while neither API nor workers run.
    Raises ValueError for one that is in use.
    """
    epochs = read_epochs(client, database)
    if len(epochs) != 1 or client.query("SELECT count() FROM decisions").result_rows[0][0]:
        raise ValueError("only an installation that was just set up can be seeded: use another data folder")
    epoch = epochs[0].number
    record = [_decision(_revision(epoch, 0), shared_resources(seed))]
    stored = 0
    for number, device in enumerate(devices(count, seed, first), start=1):
        record.append(_of_device(_revision(epoch, number), device))
        if len(record) == _AT_ONCE:
            insert_decisions(client, record, _DECIDER)
            stored += len(record)
            record = []
    insert_decisions(client, record, _DECIDER)
    now = datetime.now(UTC)
    add_epoch(client, database, Epoch(epoch, {name: f"seeded-{name}" for name in epochs[0].topic_ids}), now)
    add_epoch(client, database, Epoch(epoch + 1, epochs[0].topic_ids), now)
    return stored + len(record)


def seed_installation(settings: Settings, count: int, seed: int = 0) -> None:
    """Set the installation of these settings up with local parts as they say, and seed it; then stop the parts."""
    console = Console(stderr=True, highlight=False)
    supervisor = Supervisor(console.print)
    with held_alone(settings.local.data):
        try:
            with DownloadProgress(console) as progress:
                stores = Children(settings, os.environ).stores(progress)
            supervisor.start(stores)
            set_up(settings, datetime.now(UTC))
            client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
            seed_fleet(client, settings.clickhouse.database, count, seed)
            client.close()
        finally:
            supervisor.stop()


def _revision(epoch: int, number: int) -> int:
    return pack_sequence(epoch, *divmod(number, MAX_INDEX + 1))


def _of_device(revision: int, device: SeededDevice) -> Decision:
    return _decision(revision, device.changes)


def _decision(revision: int, changes: list[Change]) -> Decision:
    at_ms = 1_767_225_600_000
    outcome = Outcome(revision, "", _DECIDER, at_ms, "accepted", "", changes, [])
    return Decision(revision, revision, "", at_ms, outcome)


def main() -> int:
    """Seed the installation that the MUSTER_* variables name."""
    parser = argparse.ArgumentParser(description="Fill a fresh installation with registered, labelled devices.")
    parser.add_argument("--devices", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began_s = time.monotonic()
    seed_installation(load(os.environ), asked.devices, asked.seed)
    sys.stdout.write(f"{asked.devices} devices (seed {asked.seed}) in {time.monotonic() - began_s:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
