"""A namespace made for a test: valid resources in, a device's configuration out."""

import json
from base64 import b64encode
from typing import Any

from fleet.configuration import Configuration, References, WorkloadIndex, assemble
from tests.fleet.resources.documents import Document, validated

KEY = b"k" * 32
NAMESPACE = "ns"


def device(spec: Document | None = None, name: str = "d") -> Document:
    """A valid EdgeDevice's body."""
    return validated("EdgeDevice", {"spec": spec or {}, "metadata.name": name}).body


def device_set(spec: Document) -> Document:
    """A valid EdgeDeviceSet's body."""
    return validated("EdgeDeviceSet", {"spec": spec}).body


def workload(name: str = "w", changes: Document | None = None, **container: Any) -> Document:
    """A valid EdgeWorkload's body that every device runs, with fields set in its one container."""
    containers = [{"name": "c", "image": "i", **container}]
    anywhere = {"metadata.name": name, "spec.device": None, "spec.deviceSelector": {}}
    return validated("EdgeWorkload", {**anywhere, "spec.pod.spec.containers": containers, **(changes or {})}).body


def secret(**data: str) -> Document:
    """A Secret's body as it is after it was opened."""
    return validated("Secret", {"data": {key: base64(value) for key, value in data.items()}}).body


def config_map(data: dict[str, str]) -> Document:
    """A ConfigMap's body."""
    return validated("ConfigMap", {"data": data}).body


def base64(text: str) -> str:
    """Text as a Secret holds it."""
    return b64encode(text.encode()).decode()


def configured(
    given: Document | None = None,
    *,
    labels: dict[str, str] | None = None,
    in_set: Document | None = None,
    workloads: list[Document] | None = None,
    secrets: dict[str, Document] | None = None,
    config_maps: dict[str, Document] | None = None,
    is_deleting: bool = False,
    key: bytes = KEY,
) -> Configuration:
    """The configuration of a device in a namespace of these resources."""
    return assemble(
        given or device(),
        labels or {},
        in_set,
        WorkloadIndex(NAMESPACE, workloads or []),
        References(NAMESPACE, (secrets or {}).get, (config_maps or {}).get),
        is_deleting=is_deleting,
        installation_key=key,
    )


def message(configuration: Configuration, device_id: str = "d") -> Any:
    """What the device reads: the value under `device-configuration`."""
    return json.loads(configuration.body(device_id))["device-configuration"]


def sections(configuration: Configuration) -> Any:
    """The device's own sections."""
    return message(configuration)["configuration"]


def names(configuration: Configuration) -> list[str]:
    """The workloads a device runs."""
    return [each["name"] for each in message(configuration)["workloads"]]
