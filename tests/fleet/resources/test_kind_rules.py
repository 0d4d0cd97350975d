"""What each kind demands beyond its shape, with the path of the field that breaks a rule."""

from base64 import b64encode
from typing import Any

import pytest

from fleet.errors import InvalidResourceError
from tests.fleet.resources.documents import Document, validated

POD = "spec.pod.spec"
CONTAINER = {"name": "c", "image": "i"}


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        # Types, enumerations and bounds of the definitions.
        ("EdgeDevice", {"spec": []}, "spec"),
        ("EdgeDevice", {"spec.heartbeat.periodSeconds": "5"}, "spec.heartbeat.periodSeconds"),
        ("EdgeDevice", {"spec.heartbeat.periodSeconds": True}, "spec.heartbeat.periodSeconds"),
        ("EdgeDevice", {"spec.heartbeat.periodSeconds": 2.5}, "spec.heartbeat.periodSeconds"),
        ("EdgeDevice", {"spec.heartbeat.hardwareProfile.scope": "all"}, "spec.heartbeat.hardwareProfile.scope"),
        ("EdgeDevice", {"spec.requestTime": "yesterday"}, "spec.requestTime"),
        ("EdgeDevice", {"spec.mounts": [{"folder": 5}]}, "spec.mounts[0].folder"),
        ("EdgeDevice", {"spec.metrics.system.interval": -1}, "spec.metrics.system.interval"),
        ("EdgeDevice", {"spec.metrics.system.allowList": {}}, "spec.metrics.system.allowList.name"),
        ("EdgeDevice", {"spec.metrics.retention.maxMiB": 1 << 31}, "spec.metrics.retention.maxMiB"),
        ("EdgeDevice", {"spec.logCollection": {"l": {"kind": "file"}}}, "spec.logCollection[l].kind"),
        ("EdgeDevice", {"spec.logCollection": {"l": {"bufferSize": 0}}}, "spec.logCollection[l].bufferSize"),
        ("EdgeDevice", {"spec.logCollection": {"l": {"syslogConfig": {}}}}, "spec.logCollection[l].syslogConfig.name"),
        ("EdgeDeviceSet", {"spec.storage.s3.createOBC": "no"}, "spec.storage.s3.createOBC"),
        ("EdgeWorkload", {"spec": None}, "spec"),
        ("EdgeWorkload", {"spec.type": None}, "spec.type"),
        ("EdgeWorkload", {"spec.data": {"egress": [{"source": "x"}]}}, "spec.data.egress[0].target"),
        ("EdgeWorkload", {"spec.metrics.port": 65_536}, "spec.metrics.port"),
        ("EdgeWorkload", {"spec.metrics.containers": {"c": {"port": -1}}}, "spec.metrics.containers[c].port"),
        ("EdgeWorkload", {"spec.deviceSelector.matchLabels": {"a": 5}}, "spec.deviceSelector.matchLabels[a]"),
        ("EdgeWorkload", {"spec.imageRegistries.secretRef": {}}, "spec.imageRegistries.secretRef.name"),
        ("EdgeConfig", {"spec.edgePlaybook.playbooks": []}, "spec.edgePlaybook.playbooks"),
        ("EdgeConfig", {"spec.edgePlaybook.playbooks": [{}]}, "spec.edgePlaybook.playbooks[0].content"),
        (
            "PlaybookExecution",
            {"spec.playbook.privilegeEscalationOptions.becomeMethod": "doas"},
            "spec.playbook.privilegeEscalationOptions.becomeMethod",
        ),
        ("PlaybookExecution", {"spec.executionAttempt": -1}, "spec.executionAttempt"),
        ("EdgeDeviceSignedRequest", {"spec.targetNamespace": None}, "spec.targetNamespace"),
        ("EdgeDeviceSignedRequest", {"spec.approved": "true"}, "spec.approved"),
        # Rules beyond the definitions.
        ("EdgeDeviceSet", {"spec.heartbeat.periodSeconds": 10**12}, "spec.heartbeat.periodSeconds"),
        ("EdgeDeviceSignedRequest", {"spec.targetNamespace": ""}, "spec.targetNamespace"),
        ("EdgeDeviceSignedRequest", {"spec.targetNamespace": "../x"}, "spec.targetNamespace"),
        ("EdgeDeviceSignedRequest", {"spec.targetSet": "No Set"}, "spec.targetSet"),
        ("EdgeWorkload", {"spec.device": "No Device"}, "spec.device"),
        ("EdgeWorkload", {"spec.pod": None}, "spec.pod"),
        ("EdgeWorkload", {"spec.pod.spec": "text"}, "spec.pod.spec"),
        ("EdgeWorkload", {POD: {}}, f"{POD}.containers"),
        ("EdgeWorkload", {f"{POD}.containers": []}, f"{POD}.containers"),
        ("EdgeWorkload", {f"{POD}.containers": [{"name": "c"}]}, f"{POD}.containers[0].image"),
        ("EdgeWorkload", {f"{POD}.containers": [{"image": "i"}]}, f"{POD}.containers[0].name"),
        ("EdgeWorkload", {f"{POD}.containers": [{"name": "C c", "image": "i"}]}, f"{POD}.containers[0].name"),
        ("EdgeWorkload", {f"{POD}.containers": [CONTAINER, CONTAINER]}, f"{POD}.containers[1].name"),
        ("EdgeWorkload", {f"{POD}.initContainers": [CONTAINER]}, f"{POD}.containers[0].name"),
        ("EdgeWorkload", {f"{POD}.containers": [{**CONTAINER, "env": {}}]}, f"{POD}.containers[0].env"),
        (
            "EdgeWorkload",
            {f"{POD}.containers": [{**CONTAINER, "envFrom": [{"secretRef": {}}]}]},
            f"{POD}.containers[0].envFrom[0].secretRef.name",
        ),
        ("EdgeConfig", {"spec.edgePlaybook.playbooks": [{"content": "%"}]}, "spec.edgePlaybook.playbooks[0].content"),
        ("PlaybookExecution", {"spec": None}, "spec.playbook"),
        ("PlaybookExecution", {"spec": {}}, "spec.playbook"),
        ("PlaybookExecution", {"spec.playbook.content": ""}, "spec.playbook.content"),
        ("Secret", {"data": {"k": "not base64"}}, "data[k]"),
        ("Secret", {"data": {"k": "YQ"}}, "data[k]"),
        ("Secret", {"data": {"k": 5}}, "data[k]"),
        ("Secret", {"data": []}, "data"),
        ("Secret", {"data": {"a/b": "YQ=="}}, "data"),
        ("Secret", {"stringData": {"..": "x"}}, "data"),
        ("Secret", {"type": "kubernetes.io/dockerconfigjson"}, "data[.dockerconfigjson]"),
        ("ConfigMap", {"data": {"k": 5}}, "data[k]"),
        ("ConfigMap", {"data": {"k": "x"}, "binaryData": {"k": "YQ=="}}, "binaryData[k]"),
        ("ConfigMap", {"binaryData": {"k": "x"}}, "binaryData[k]"),
        ("ConfigMap", {"data": {"a": "x" * 600_000, "b": "x" * 600_000}}, "data"),
        ("Secret", {"data": {"a": b64encode(b"x" * 1_100_000).decode()}}, "data"),
    ],
)
def test_broken_rule_is_refused_with_its_path(kind: str, changes: Document, field: str) -> None:
    """One example a rule; the message begins with the path or names it."""
    with pytest.raises(InvalidResourceError) as refusal:
        validated(kind, changes)
    assert refusal.value.field == field
    assert field in str(refusal.value)


def test_heartbeat_period_under_two_seconds_says_why() -> None:
    """The definition would take 1, but repetitions could not be told from heartbeats."""
    with pytest.raises(InvalidResourceError, match=r"periodSeconds is 1: write 2 or more; .* sent again"):
        validated("EdgeDevice", {"spec.heartbeat.periodSeconds": 1})
    assert validated("EdgeDevice", {"spec.heartbeat.periodSeconds": 2}).warnings == []


def test_message_lists_what_an_enumeration_allows() -> None:
    """Rather than only that the value is wrong."""
    with pytest.raises(InvalidResourceError, match="write one of delta, full"):
        validated("EdgeDevice", {"spec.heartbeat.hardwareProfile.scope": "all"})


def test_defaults_of_the_definitions_are_written() -> None:
    """As the Kubernetes API does when it stores a resource."""
    changes = {"spec.logCollection": {"l": {"kind": "syslog"}}, "spec.metrics.dataTransfer": {}}
    spec = validated("EdgeDevice", changes).body["spec"]
    assert spec["logCollection"]["l"]["bufferSize"] == 12
    assert spec["metrics"]["dataTransfer"]["interval"] == 60
    workload = validated("EdgeWorkload", {"spec.metrics": {"containers": {"c": {}}}}).body["spec"]["metrics"]
    assert workload == {"containers": {"c": {"path": "/"}}, "interval": 60, "path": "/"}
    assert validated("EdgeDeviceSignedRequest").body["spec"]["approved"] is False


def test_old_data_paths_become_egress_with_a_warning() -> None:
    """Beside egress that is there already, and also when unknown fields are refused."""
    path = {"source": "a", "target": "b"}
    other = {"source": "c", "target": "d"}
    body, warnings = validated("EdgeWorkload", {"spec.data": {"paths": [path], "egress": [other]}})
    assert body["spec"]["data"] == {"egress": [other, path]}
    assert "spec.data.paths" in warnings[0]
    assert validated("EdgeWorkload", {"spec.data": {"paths": [path]}}, unknown_fields="strict").warnings


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"spec.device": None}, "no device will run"),
        ({"spec.type": "vm"}, "devices run pods"),
    ],
)
def test_workload_that_does_nothing_gets_a_warning(changes: Document, told: str) -> None:
    """Valid, but hardly meant."""
    assert any(told in warning for warning in validated("EdgeWorkload", changes).warnings)


def test_bucket_that_nothing_makes_gets_a_warning() -> None:
    """`createOBC` needs an operator of another cluster."""
    assert "createOBC" in validated("EdgeDevice", {"spec.storage.s3.createOBC": True}).warnings[0]


def test_pod_is_kept_as_it_was_written() -> None:
    """Fields Muster does not know included: the device knows them."""
    pod: dict[str, Any] = {"containers": [{**CONTAINER, "x": None, "ports": [{"hostPort": 1}]}], "hostNetwork": True}
    assert validated("EdgeWorkload", {POD: pod}, unknown_fields="strict").body["spec"]["pod"]["spec"] == pod


def test_empty_selector_and_none_are_kept_apart() -> None:
    """They mean everything and nothing."""
    everything = validated("EdgeWorkload", {"spec.device": None, "spec.deviceSelector": {}}).body["spec"]
    assert everything["deviceSelector"] == {}
    assert "deviceSelector" not in validated("EdgeWorkload", {"spec.device": None}).body["spec"]


def test_string_data_is_merged_into_data_and_wins() -> None:
    """As in Kubernetes; line breaks in base64 are dropped."""
    body = validated("Secret", {"data": {"a": "YWFh\nYWFh\n", "b": "Yg=="}, "stringData": {"b": "ü"}}).body
    assert body["data"] == {"a": "YWFhYWFh", "b": b64encode("ü".encode()).decode()}
    assert body["type"] == "Opaque"
    assert "stringData" not in body


def test_message_about_a_secret_never_repeats_its_value() -> None:
    """Wherever it is wrong."""
    for changes in ({"data": {"k": "hunter2!"}}, {"data": {"k": ["hunter2"]}}, {"stringData": "hunter2"}):
        with pytest.raises(InvalidResourceError) as refusal:
            validated("Secret", changes)
        assert "hunter2" not in str(refusal.value)


def test_a_second_playbook_is_warned_of() -> None:
    """Of an EdgeConfig devices run one."""
    playbooks = [{"content": "eA=="}, {"content": "eQ=="}]
    warnings = validated("EdgeConfig", {"spec.edgePlaybook": {"playbooks": playbooks}}).warnings
    assert [warning.partition(":")[0] for warning in warnings] == ["spec.edgePlaybook.playbooks"]
    assert not validated("EdgeConfig", {"spec.edgePlaybook": {"playbooks": playbooks[:1]}}).warnings
