"""Which workloads a device runs."""

import pytest

from fleet.configuration import References, WorkloadIndex, assemble
from tests.fleet.configuration.parts import KEY, NAMESPACE, configured, device, names, workload


def selecting(name: str, selector: dict[str, object] | None, device_id: str | None = None) -> dict[str, object]:
    """A workload with this selector and device."""
    return workload(name, {"spec.deviceSelector": selector, **({"spec.device": device_id} if device_id else {})})


def test_workloads_are_selected_by_labels() -> None:
    """By matchLabels and matchExpressions, against the device's effective labels."""
    home = selecting("home", {"matchLabels": {"dc": "home"}})
    arm = selecting("arm", {"matchExpressions": [{"key": "device.cpu-architecture", "operator": "Exists"}]})
    assert names(configured(labels={"dc": "home"}, workloads=[home, arm])) == ["home"]
    assert names(configured(labels={"device.cpu-architecture": "arm64"}, workloads=[home, arm])) == ["arm"]


def test_named_device_takes_precedence_over_the_selector() -> None:
    """For the device it names and for all others."""
    named = selecting("named", {"matchLabels": {"a": "x"}}, "d")
    assert names(configured(device(name="d"), workloads=[named])) == ["named"]
    assert names(configured(device(name="other"), labels={"a": "x"}, workloads=[named])) == []


def test_neither_device_nor_selector_runs_nowhere() -> None:
    """A null selector selects nothing."""
    nowhere = workload("nowhere")
    del nowhere["spec"]["deviceSelector"]
    assert names(configured(workloads=[nowhere])) == []


def test_workload_of_another_namespace_never_applies() -> None:
    """Neither by its selector nor by naming the device."""
    elsewhere = workload("elsewhere", {"metadata.namespace": "other"})
    aimed = workload("aimed", {"metadata.namespace": "other", "spec.device": "d"})
    assert names(configured(workloads=[elsewhere, aimed])) == []


def test_device_is_not_configured_from_another_namespace() -> None:
    """Mixing namespaces is a mistake of the program, not a leak of another's secrets."""
    for index, references in ((NAMESPACE, "other"), ("other", NAMESPACE)):
        with pytest.raises(ValueError, match="its own namespace"):
            assemble(
                device(),
                {},
                None,
                WorkloadIndex(index, []),
                References(references, {}.get, {}.get),
                is_deleting=False,
                installation_key=KEY,
            )


def test_workloads_come_in_the_order_of_names() -> None:
    """Whatever order they were stored in."""
    made = [workload(name) for name in ("b", "a", "c")]
    assert names(configured(workloads=made)) == names(configured(workloads=made[::-1])) == ["a", "b", "c"]


def test_device_being_deleted_gets_neither_workloads_nor_secrets() -> None:
    """Nor does a missing Secret of theirs keep it from its last configuration."""
    wanting = workload(envFrom=[{"secretRef": {"name": "missing"}}])
    stripped = configured(workloads=[wanting], is_deleting=True)
    assert stripped == configured()
    assert names(stripped) == []
