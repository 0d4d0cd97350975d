"""A made-up fleet: its shared resources and its devices, the same for a seed, decided by the rules themselves.

Each device was approved beforehand with labels, has registered a key with the hardware it showed, and has used it.
"""

from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from fleet.decisions.commands import (
    Change,
    Command,
    JSONObject,
    Outcome,
    PreauthoriseDevice,
    ProveKey,
    RegisterDevice,
    Request,
    ResourceKey,
)
from fleet.decisions.decide import decide
from fleet.decisions.resource_bodies import created
from fleet.decisions.signed_request import API_VERSION
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Limits

NAMESPACE: Final = "shops"
INITIAL_NAMESPACE: Final = "default"
SETS: Final = ("kiosks", "gateways", "robots")
REGIONS: Final = tuple(f"region-{number}" for number in range(10))
"""A workload that selects one of them selects a tenth of the fleet."""

_AUTHOR: Final = "seed"
_BEGAN_AT_MS: Final = 1_767_225_600_000
"""2026-01-01: all times of a seeded fleet come after it."""

_LIMITS: Final = Limits(1, 1)
_DEVICES_A_SCRATCH: Final = 1000

_CPUS: Final = ("cortex-a72", "intelrceleronrn5105", "amdryzenembeddedv1605b", "intelrcoretmi5-8365ue1.60ghz")
_MAKERS: Final = ("raspberrypi", "advantech", "siemens", "dell", "lenovo")
_PRODUCTS: Final = tuple(f"edge-{series}{size}" for series in ("x", "s", "t") for size in (10, 20, 50, 100))


class SeededDevice(NamedTuple):
    """A device of the fleet and what it is known by. `changes` are its resources as they stand."""

    device_id: str
    namespace: str
    key_fingerprint: str
    changes: list[Change]


def device_id(index: int) -> str:
    """The id of the fleet's device of that number, from 0."""
    return f"edge-{index:07d}"


def shared_resources(seed: int = 0) -> list[Change]:
    """The namespace, its sets and workloads: one for all, one a set, one a region, with a ConfigMap."""
    random = Random(f"muster fleet {seed} shared")  # noqa: S311 - the same for a seed, not secret
    bodies = [
        _body("v1", "Namespace", "", NAMESPACE, {}),
        _body("v1", "ConfigMap", NAMESPACE, "settings", {"data": {"GREETING": "hello", "INTERVAL": "30"}}),
        *(_set(name, 60 + 10 * number) for number, name in enumerate(SETS)),
        workload("agent", {}),
        *(workload(f"of-{name}", {"matchLabels": {"flotta/member-of": name}}) for name in SETS),
        *(workload(f"in-{name}", {"matchLabels": {"region": name}}) for name in REGIONS),
    ]
    return [_change(body, random) for body in bodies]


def devices(count: int, seed: int = 0, first: int = 0) -> Iterator[SeededDevice]:
    """The devices from number `first` on, each decided as the deciding worker would. About 100 µs each."""
    for start in range(first, first + count, _DEVICES_A_SCRATCH):
        scratch = FleetState(INITIAL_NAMESPACE)
        for change in shared_resources(seed)[:1]:
            scratch.apply(change, 1)
        for index in range(start, min(start + _DEVICES_A_SCRATCH, first + count)):
            yield _device(scratch, index, seed)


def _device(scratch: FleetState, index: int, seed: int) -> SeededDevice:
    random = Random(f"muster fleet {seed} device {index}")  # noqa: S311 - as above
    name = device_id(index)
    key = sha256(random.randbytes(8)).hexdigest()
    labels = {"region": REGIONS[index % len(REGIONS)], "shop": f"shop-{index // 20:05d}", "tier": f"t{index % 3}"}
    at_ms = _BEGAN_AT_MS + index * 25
    set_name = SETS[random.randrange(len(SETS))]
    hardware = {
        "device.hostname": f"host-{random.getrandbits(24):06x}",
        "device.cpu-architecture": ("aarch64", "x86_64")[random.getrandbits(1)],
        "device.cpu-model": random.choice(_CPUS),
        "device.system-manufacturer": random.choice(_MAKERS),
        "device.system-product": random.choice(_PRODUCTS),
        "device.system-serial": f"sn{random.getrandbits(40):010x}",
    }
    approved = _decided(
        scratch, PreauthoriseDevice(name, NAMESPACE, set_name, labels, _uid(random), _uid(random)), at_ms
    )
    registering = RegisterDevice(name, NAMESPACE, key, hardware, (1 << 53) | index)
    _decided(scratch, registering, at_ms + 86_400_000 + random.randrange(3_600_000))
    proven = _decided(scratch, ProveKey(name, NAMESPACE, key), at_ms)
    resources = [change for change in approved.changes if change.key.kind != proven.changes[0].key.kind]
    return SeededDevice(name, NAMESPACE, key, [*resources, *proven.changes])


def _decided(scratch: FleetState, command: Command, at_ms: int) -> Outcome:
    outcome = decide(scratch, Request("", _AUTHOR, at_ms, command), scratch.revision + 1, _LIMITS)
    if outcome.result != "accepted":
        raise ValueError(f"a seeded device was refused: {outcome.message}")
    scratch.apply_outcome(outcome)
    return outcome


def _set(name: str, period_s: int) -> JSONObject:
    spec = {"heartbeat": {"periodSeconds": period_s}, "metrics": {"system": {"interval": 60}}}
    return _body(API_VERSION, "EdgeDeviceSet", NAMESPACE, name, {"spec": spec})


def workload(name: str, selector: JSONObject) -> JSONObject:
    """An EdgeWorkload of the devices that the selector names."""
    container = {
        "name": name,
        "image": f"quay.example/{name}:1.4",
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "ports": [{"containerPort": 8080, "hostPort": 8080}],
    }
    spec = {"type": "pod", "deviceSelector": selector, "pod": {"spec": {"containers": [container]}}}
    return _body(API_VERSION, "EdgeWorkload", NAMESPACE, name, {"spec": spec})


def _body(api_version: str, kind: str, namespace: str, name: str, content: JSONObject) -> JSONObject:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def _change(body: JSONObject, random: Random) -> Change:
    metadata = body["metadata"]
    key = ResourceKey(body["kind"], metadata.get("namespace", ""), metadata["name"])
    return Change(key, created(body, _uid(random), _BEGAN_AT_MS))


def _uid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))
