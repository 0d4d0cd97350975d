"""A fleet approved beforehand from a CSV file: `muster approve -f`, with sets and labels, through every real part."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.benchmark import Findings, Say
from benchmarks.errors import BenchmarkError
from benchmarks.fleet_content import NAMESPACE, REGIONS, SETS, device_id
from benchmarks.measuring.processor_time import usage, used_between
from benchmarks.measuring.scraped_metrics import scrape
from benchmarks.parts.installation import Installation
from benchmarks.report.result import Check, Figure
from benchmarks.scale import Workplace

QUESTION: Final = "how long does it take to import a fleet: approved beforehand, in sets, labelled?"

_WITHIN_S: Final = 1800.0
_MANIFEST: Final = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n"
_STORED: Final = "SELECT count() FROM enrolments WHERE state = 'approved'"
_LABELLED: Final = """
    SELECT uniqExact(name) FROM configuration_revisions
    WHERE kind = 'EdgeDevice' AND JSONExtractString(body, 'metadata', 'labels', 'region') != ''
"""


def measure(workplace: Workplace, say: Say) -> Findings:
    """Import once into an empty installation, and again to see what finding nothing to do costs."""
    scale = msgspec.structs.replace(workplace.scale, api_processes=1)
    installation = Installation(workplace.folder / "import")
    with installation:
        manifest, fleet = installation.folder / "namespace.yaml", installation.folder / "fleet.csv"
        manifest.write_text(_MANIFEST)
        _write(fleet, scale.devices)
        _muster(installation, "apply", "-f", str(manifest))
        members = installation.processes()
        before = usage(members)
        took_s = _muster(installation, "approve", "-f", str(fleet))
        used = used_between(before, usage(members))
        say(f"{scale.devices:,} devices in {took_s:.1f} s")
        stored, labelled = (int(str(installation.query(query)[0][0])) for query in (_STORED, _LABELLED))
        held = _held(installation)
        memory = usage(installation.processes()).resident_bytes
    per_device = tuple(
        Figure(f"processor, {stage}", "µs/device", (used[stage] / scale.devices * 1e6,)) for stage in used
    )
    return Findings(
        installation.chosen,
        (
            Check("every device is approved in the database", stored == scale.devices, f"{stored:,}"),
            Check("every device is labelled in the database", labelled == scale.devices, f"{labelled:,}"),
            Check("the API process holds every device", held == scale.devices, f"{held:,}"),
        ),
        (
            Figure("import", "s", (took_s,), "600 s for 1,000,000"),
            Figure("rate", "devices/s", (scale.devices / took_s,)),
            *per_device,
            *(Figure(f"memory afterwards, {stage}", "MB", (memory[stage] / 1e6,)) for stage in memory),
        ),
        notes=("The file is checked as a whole first; the time is that of the command, from its start to its end.",),
    )


def _write(path: Path, devices: int) -> None:
    with path.open("w") as file:
        file.write("device,namespace,set,region,shop,tier\n")
        for index in range(devices):
            region, member_of = REGIONS[index % len(REGIONS)], SETS[index % len(SETS)]
            file.write(f"{device_id(index)},{NAMESPACE},{member_of},{region},shop-{index // 20:05d},t{index % 3}\n")


def _muster(installation: Installation, *arguments: str) -> float:
    """Run the command as an operator does; how long it took."""
    began_s = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-P", "-m", "cli", *arguments],
        env=installation.environ,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    if told.returncode:
        raise BenchmarkError(f"muster {arguments[0]} failed:\n{told.stdout[-2000:]}{told.stderr[-2000:]}")
    return time.monotonic() - began_s


def _held(installation: Installation) -> int:
    """Devices that the API process says it holds, once a second later."""
    time.sleep(2)
    return int(scrape(installation.address).value("muster_devices_known"))
