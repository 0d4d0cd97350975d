"""What one device is to run, as a function of resources.

Source: CONTRACT.md “What a device's configuration is made of”. Two steps, so that bodies can be shared: `assemble`
selects for one device, `configure` builds from what was selected and is the same for every device with the same spec,
set and workloads.
"""

from collections.abc import Mapping

import msgspec

from fleet.configuration.document import Configuration, versioned
from fleet.configuration.errors import Problem
from fleet.configuration.heartbeat import heartbeat_section
from fleet.configuration.log_collection import log_collection_section
from fleet.configuration.machine import mounts_section, os_section
from fleet.configuration.metrics import metrics_section
from fleet.configuration.pod_secrets import secret_list
from fleet.configuration.references import References
from fleet.configuration.storage import storage_section
from fleet.configuration.workload_index import Workload, WorkloadIndex
from fleet.configuration.workloads import workload_list
from fleet.decisions.commands import JSONObject
from fleet.resources.device import EdgeDeviceSetSpec


def assemble(
    device: JSONObject,
    labels: Mapping[str, str],
    device_set: JSONObject | None,
    workloads: WorkloadIndex,
    references: References,
    *,
    is_deleting: bool,
    installation_key: bytes,
) -> Configuration:
    """The configuration of one device.

    `device` and `device_set` are bodies as stored; `labels` are effective (see `fleet.devices.labels`); `device_set` is
    that of `device_set_name(labels)` or None. A device being deleted gets neither workloads nor secrets. Raises
    ConfigurationError when something required is missing, ValueError when the namespaces are not all the device's.
    """
    namespace = device["metadata"]["namespace"]
    if not namespace == workloads.namespace == references.namespace:
        raise ValueError(f"a device of {namespace} is configured from its own namespace alone")
    selected = [] if is_deleting else workloads.select(device["metadata"]["name"], labels)
    return configure(sections_of(device, device_set), selected, references, installation_key)


def sections_of(device: JSONObject, device_set: JSONObject | None) -> EdgeDeviceSetSpec:
    """The sections that count: with a set all of the set's, even where it leaves one empty."""
    source = device if device_set is None else device_set
    return msgspec.convert(source.get("spec") or {}, EdgeDeviceSetSpec)


def configure(
    sections: EdgeDeviceSetSpec, selected: list[Workload], references: References, installation_key: bytes
) -> Configuration:
    """The configuration made of sections and workloads, in the order of the workloads' names."""
    configuration, problems = _device_configuration(sections, references)
    content = {
        "configuration": configuration,
        "workloads": workload_list(selected, references),
        "secrets": secret_list(selected, references),
    }
    return versioned(content, problems, installation_key)


def _device_configuration(sections: EdgeDeviceSetSpec, references: References) -> tuple[JSONObject, list[Problem]]:
    storage, problems = storage_section(sections.storage, references)
    optional = {
        "os": os_section(sections.os_information),
        "storage": storage,
        "log-collection": log_collection_section(sections.log_collection, references),
    }
    configuration: JSONObject = {
        "heartbeat": heartbeat_section(sections.heartbeat),
        "metrics": metrics_section(sections.metrics, references),
        "mounts": mounts_section(sections.mounts),
    }
    return configuration | {name: section for name, section in optional.items() if section is not None}, problems
