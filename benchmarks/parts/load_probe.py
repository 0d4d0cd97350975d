"""Loads a stored fleet as an API process does, alone in a process of its own, and tells what that takes, as JSON.

`python -m benchmarks.parts.load_probe` with the `MUSTER_*` variables of a running installation.
"""

import gc
import os
import sys
import time
import tracemalloc

import msgspec
import psutil

from api.desired_state.fleet_view import FleetView
from api.devices.configurations import Configurations
from fleet.sealing import KeyRing
from settings import load
from settings.keys import read_encryption_keys, read_installation_key, read_password
from storage.client import connect
from storage.decisions import load_state


class Held(msgspec.Struct, frozen=True):
    """What holding a fleet takes. `loaded_bytes` and `read_bytes` are resident beyond what there was before.

    `traced_bytes` is what Python allocated, where that was traced; 0 where it was not. Times are of the processor.
    """

    devices: int
    load_s: float
    load_processor_s: float
    loaded_bytes: int
    traced_bytes: int
    read_processor_s: float
    read_bytes: int
    bodies: int


def probe(*, is_traced: bool) -> Held:
    """Load, then assemble every device's configuration."""
    settings = load(os.environ)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    encryption = read_encryption_keys(settings.keys_folder)
    installation_key = read_installation_key(settings.keys_folder)
    view = FleetView(settings.devices.initial_namespace, 60, time.monotonic)
    configurations = Configurations(
        view,
        KeyRing(encryption.by_id, encryption.current_id, installation_key),
        installation_key,
        settings.api.remembered_configurations,
        on_failure=lambda: None,
        report=lambda _: None,
    )
    client.query("SELECT revision FROM decisions LIMIT 1")
    if is_traced:
        tracemalloc.start()
    gc.collect()
    process = psutil.Process()
    before_bytes, began_s, began_cpu_s = process.memory_info().rss, time.monotonic(), time.process_time()
    view.replace(load_state(client, settings.devices.initial_namespace))
    load_s, load_cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    gc.collect()
    loaded_bytes = process.memory_info().rss - before_bytes
    traced_bytes = tracemalloc.get_traced_memory()[0] if is_traced else 0
    began_cpu_s = time.process_time()
    for identity in view.state.identities.values():
        configurations.response(identity)
    read_cpu_s = time.process_time() - began_cpu_s
    return Held(
        len(view.state.identities),
        load_s,
        load_cpu_s,
        loaded_bytes,
        traced_bytes,
        read_cpu_s,
        process.memory_info().rss - before_bytes,
        len(configurations._bodies),  # noqa: SLF001 - a probe
    )


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(probe(is_traced="--traced" in sys.argv)).decode())
