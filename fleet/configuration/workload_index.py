"""The workloads of one namespace, read and compiled once, and which of them a device runs.

A workload that names a device goes to that one alone, whatever its selector says; one of another namespace never
applies. Source: CONTRACT.md “Workload selection”.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from fleet.configuration.device_yaml import to_yaml
from fleet.decisions.commands import JSONObject
from fleet.resources.pod import PodSpec, read_pod
from fleet.resources.structs import UNSET
from fleet.resources.workload import EdgeWorkloadSpec
from fleet.selection import Selector

_NONE_COMPILED: Mapping[str, "Workload"] = {}


class Workload:
    """One EdgeWorkload, from its validated body."""

    def __init__(self, body: JSONObject) -> None:
        metadata = body["metadata"]
        self.name: str = metadata["name"]
        self.namespace: str = metadata["namespace"]
        self.labels: Mapping[str, str] = metadata.get("labels") or {}
        self.annotations: Mapping[str, str] = metadata.get("annotations") or {}
        self.spec = msgspec.convert(body["spec"], EdgeWorkloadSpec)
        self.device: str = self.spec.device or ""
        self._selector = Selector(None if self.spec.device_selector is UNSET else self.spec.device_selector)

    @cached_property
    def pod(self) -> PodSpec:
        """What the pod refers to."""
        return read_pod(self.spec.pod.spec)

    @cached_property
    def specification(self) -> str:
        """The pod's specification as YAML. Costs a millisecond, hence once."""
        return to_yaml(self.spec.pod.spec)

    @property
    def label_keys(self) -> frozenset[str]:
        """The labels that its selector asks for."""
        return self._selector.keys

    @property
    def wanted_label(self) -> tuple[str, frozenset[str]] | None:
        """A label of which its selector wants one of these values; None when it asks for none, or otherwise."""
        return self._selector.wanted

    def applies_to(self, device_id: str, labels: Mapping[str, str]) -> bool:
        """Whether a device of this namespace runs it."""
        return self.device == device_id if self.device else self._selector.matches(labels)


class WorkloadIndex:
    """The workloads of `namespace` among `bodies`; those in `compiled`, by name, are taken as they are."""

    def __init__(
        self, namespace: str, bodies: Iterable[JSONObject], compiled: Mapping[str, Workload] = _NONE_COMPILED
    ) -> None:
        self.namespace = namespace
        self.by_name: dict[str, Workload] = dict(compiled)
        for body in bodies:
            if body["metadata"]["namespace"] == namespace:
                workload = Workload(body)
                self.by_name[workload.name] = workload
        self._by_device: dict[str, list[Workload]] = {}
        self._by_label: dict[tuple[str, str], list[Workload]] = {}
        self._others: list[Workload] = []
        labels: set[str] = set()
        for workload in self.by_name.values():
            if workload.device:
                self._by_device.setdefault(workload.device, []).append(workload)
                continue
            labels |= workload.label_keys
            key, values = workload.wanted_label or ("", ())
            for value in values:
                self._by_label.setdefault((key, value), []).append(workload)
            if not key:
                self._others.append(workload)
        self.labels = tuple(sorted(labels))
        self.named = self._by_device.keys()

    def select(self, device_id: str, labels: Mapping[str, str]) -> list[Workload]:
        """What a device with these effective labels runs, in the order of names. Only `self.labels` matter.

        A selector that wants a label's value is looked at only for devices that have it.
        """
        candidates = list(self._others)
        for label in labels.items():
            candidates += self._by_label.get(label, ())
        selected = [workload for workload in candidates if workload.applies_to(device_id, labels)]
        selected += self._by_device.get(device_id, [])
        return sorted(selected, key=lambda workload: workload.name)
