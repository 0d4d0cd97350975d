"""`muster simulate`: play a fleet through the HTTP interface, then look for everything acknowledged in ClickHouse."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from cli.errors import CommandError
from cli.server_address import USAGE_STATUS, admin_token, server_address, trusted
from cli.simulate.device_plane import HostCertificate, device_plane
from cli.simulate.fleet_run import FleetRun
from cli.simulate.ledger import Ledger
from cli.simulate.plan import FleetPlan, ManagementPlane
from cli.simulate.progress import Progress
from cli.simulate.stored_heartbeats import StoredHeartbeats
from cli.simulate.summary import is_good, print_summary
from fleet.errors import BadInputError
from fleet.names import check_device_id, check_namespace
from settings import Settings, load
from settings.keys import read_password

PLAIN_WIDTH = 120
"""Columns of the summary where the output is no terminal."""


def simulate(
    *,
    devices: Annotated[int, Parameter(validator=Number(gte=1, lte=1_000_000))],
    period: Annotated[float, Parameter(validator=Number(gte=0.1, lte=86_400))] = 60.0,
    duration: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 1,
    approve: Annotated[bool, Parameter(negative=())] = False,
    namespace: str | None = None,
    prefix: str = "sim",
    server: str | None = None,
    device_server: str | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    ca: Path | None = None,
) -> int:
    """Play a fleet of devices exactly as the Edge API would, and check that nothing acknowledged was lost.

    Every acknowledged heartbeat is looked for in ClickHouse by its position; the exit status is 1 unless each is found
    exactly once. Ctrl-C ends the run early, and the ledger is still checked.

    Parameters
    ----------
    devices
        How many devices.
    period
        Seconds between two heartbeats of a device; below 60 its other calls come faster in proportion.
    duration
        Seconds to play; without it until Ctrl-C. Devices start spread over the first period and beat a period later.
    seed
        Decides hardware and heartbeats; the same seed gives the same ones.
    approve
        Approve the devices and make their namespace, instead of waiting for an operator.
    namespace
        Where the devices ask to be; the initial namespace unless given.
    prefix
        First part of the devices' ids. Two fleets at a time need two prefixes.
    server
        URL of the API; this machine's unless given.
    device_server
        URL for devices' calls, where they have an address of their own (MUSTER_DEVICE_PORT) or go through a proxy.
    cert
        The Edge API's certificate (PEM), where that address asks for it; the `host.crt` that `muster pki init` put
        beside MUSTER_DEVICE_CERTIFICATE unless given.
    key
        Private key (PEM) of that certificate.
    ca
        CA (PEM) by which that address is verified.
    """
    settings = load(os.environ)
    plan = FleetPlan(
        devices=devices,
        period_s=period,
        duration_s=duration,
        seed=seed,
        is_approving=approve,
        namespace=namespace or settings.devices.initial_namespace,
        initial_namespace=settings.devices.initial_namespace,
        prefix=prefix,
        operator=_operator(server_address(server, settings), settings),
        devices_at=device_plane(device_server, server, HostCertificate(cert, key, ca), settings),
    )
    _check_names(plan)
    return _play(plan, settings)


def _operator(address: str, settings: Settings) -> ManagementPlane:
    tls = trusted(settings.http.ca) if address.startswith("https:") else None
    return ManagementPlane(address, tls, admin_token(address, settings))


def _check_names(plan: FleetPlan) -> None:
    """Refuse what the server would refuse a thousand times. Raises CommandError (usage)."""
    try:
        check_device_id(plan.device_id(0))
        check_namespace(plan.namespace)
    except BadInputError as error:
        raise CommandError(str(error), USAGE_STATUS) from None


def _password(plan: FleetPlan, settings: Settings) -> str:
    """Of ClickHouse. Where it is not, Muster is somewhere else: the message says where it was looked for."""
    file = settings.clickhouse_password_file
    if not file.exists():
        raise CommandError(
            f"there is no {file}, the password for ClickHouse at {settings.clickhouse.address}, where the ledger looks"
            f" (devices would call {plan.devices_at.address}): run this in the folder where Muster runs, or set"
            " MUSTER_DATA to its data",
            USAGE_STATUS,
        )
    return read_password(file)


def _play(plan: FleetPlan, settings: Settings) -> int:
    # Its errors are told by ours; without a handler Python would write them to standard error as well.
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    # Without the table to compare with there is nothing to find out: this is refused before the first call.
    password = _password(plan, settings)
    rows = StoredHeartbeats.open(settings.clickhouse, password, plan.namespace, plan.prefix)
    rows.count()
    run = FleetRun(plan)
    console = Console(stderr=True)
    with Progress(console, plan.devices) as progress:
        uvloop.run(run.play(progress))
        ledger = Ledger(rows, plan.device_id)
        verdict = ledger.check(run.acknowledged, progress.show_ledger)
    rows.close()
    output = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    print_summary(output, plan.devices_at.address, run.measurements, run.acknowledged, verdict)
    return 0 if is_good(run.acknowledged, verdict) else 1
