"""What a real kubectl and the Python client for Kubernetes change, and how refusals read."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import kubernetes
import pytest
import yaml

from tests.api.installation import Api
from tests.api.resources.kubectl import Kubectl

GROUP = "management.project-flotta.io"
HIDDEN = "PGhpZGRlbj4="
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@pytest.fixture
def name() -> str:
    """A name nobody has."""
    return f"k-{uuid4().hex[:10]}"


def device_set(name: str, **spec: Any) -> str:
    """An EdgeDeviceSet as a manifest."""
    metadata = {"name": name, "labels": {"made": "here"}}
    document = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "EdgeDeviceSet", "metadata": metadata, "spec": spec}
    return yaml.safe_dump(document)


def secret(name: str, **values: str) -> str:
    """A Secret as a manifest."""
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values})


def test_apply_creates_changes_and_leaves_alone(kubectl: Kubectl, name: str) -> None:
    """A field the file no longer has is removed; the same again is unchanged."""
    both = device_set(name, heartbeat={"periodSeconds": 10}, mounts=[{"device": "/dev/sda"}])
    label = f"edgedeviceset.{GROUP}/{name}"
    assert kubectl("apply", "-f", "-", given=both) == f"{label} created\n"
    assert kubectl("apply", "-f", "-", given=both) == f"{label} unchanged\n"
    one = device_set(name, heartbeat={"periodSeconds": 20})
    assert kubectl("diff", "-f", "-", given=both) == ""
    assert "+    periodSeconds: 20" in kubectl.run("diff", "-f", "-", given=one).stdout
    assert kubectl("apply", "-f", "-", "--dry-run=server", given=one) == f"{label} configured (server dry run)\n"
    assert kubectl("apply", "-f", "-", given=one) == f"{label} configured\n"
    assert kubectl.json("get", label)["spec"] == {"heartbeat": {"periodSeconds": 20}}


def test_apply_validates_fields(kubectl: Kubectl, name: str) -> None:
    """Strict by default, warnings or silence when asked."""
    wrong = device_set(name, foo=1)
    assert 'unknown field "spec.foo"' in kubectl.refused("apply", "-f", "-", given=wrong)
    warned = kubectl.run("apply", "-f", "-", "--validate=warn", given=wrong)
    assert warned.returncode == 0
    assert 'Warning: unknown field "spec.foo"' in warned.stderr
    assert kubectl.run("apply", "-f", "-", "--validate=ignore", given=wrong).stderr == ""


def test_an_invalid_resource_is_told_by_its_field(kubectl: Kubectl, name: str) -> None:
    """As kubectl prints it of what the server says."""
    said = kubectl.refused("apply", "-f", "-", given=device_set(name, heartbeat={"periodSeconds": 1}))
    assert f'The EdgeDeviceSet "{name}" is invalid: spec.heartbeat.periodSeconds: ' in said


def test_server_side_apply_is_refused(kubectl: Kubectl, name: str) -> None:
    """With kubectl's own words for it."""
    said = kubectl.refused("apply", "--server-side", "-f", "-", given=device_set(name))
    assert "Server-side apply not available on the server" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("namespace", "{name}"),
        ("secret", "generic", "{name}", "--from-literal=a=b"),
        ("configmap", "{name}", "--from-literal=a=b"),
    ],
)
def test_create_makes_core_kinds(kubectl: Kubectl, name: str, arguments: tuple[str, ...]) -> None:
    """Newer kubectls send protobuf for these; a second time is refused."""
    filled = [argument.format(name=name) for argument in arguments]
    assert kubectl("create", *filled) == f"{arguments[0]}/{name} created\n"
    assert "already exists" in kubectl.refused("create", *filled)
    found = kubectl.json("get", arguments[0], name)
    value = {"secret": HIDDEN, "configmap": "b"}.get(arguments[0])
    assert found.get("data", {}).get("a") == value


def test_labels_and_annotations_are_set_and_removed(kubectl: Kubectl, name: str) -> None:
    """Of a custom and of a core kind."""
    kubectl("create", "-f", "-", given=device_set(name))
    kubectl("create", "configmap", name)
    for kind in ("edgedeviceset", "configmap"):
        kubectl("label", kind, name, "colour=red")
        kubectl("annotate", kind, name, "note=a b")
        metadata = kubectl.json("get", kind, name)["metadata"]
        assert metadata["labels"]["colour"] == "red"
        assert metadata["annotations"]["note"] == "a b"
        assert "already has a value" in kubectl.refused("label", kind, name, "colour=blue")
        kubectl("label", kind, name, "colour-")
        assert "colour" not in kubectl.json("get", kind, name)["metadata"].get("labels", {})
        assert "label value" in kubectl.refused("label", kind, name, "colour=-", "--overwrite")


def test_patches_of_every_sort_are_applied(kubectl: Kubectl, name: str) -> None:
    """Merge and JSON patches; strategic ones where Kubernetes has them."""
    kubectl("create", "-f", "-", given=device_set(name, heartbeat={"periodSeconds": 10}))
    one = ("edgedeviceset", name)
    kubectl("patch", *one, "--type=merge", "-p", '{"spec":{"heartbeat":{"periodSeconds":30}}}')
    operations = [{"op": "test", "path": "/spec/heartbeat/periodSeconds", "value": 30}]
    operations += [{"op": "replace", "path": "/spec/heartbeat/periodSeconds", "value": 40}]
    kubectl("patch", *one, "--type=json", "-p", json.dumps(operations))
    assert kubectl.json("get", *one)["spec"] == {"heartbeat": {"periodSeconds": 40}}
    assert "the test failed" in kubectl.refused("patch", *one, "--type=json", "-p", json.dumps(operations))
    kubectl("create", "configmap", name, "--from-literal=a=1", "--from-literal=b=2")
    kubectl("patch", "configmap", name, "-p", '{"data":{"a":null,"c":"3"}}')
    assert kubectl.json("get", "configmap", name)["data"] == {"b": "2", "c": "3"}
    kubectl("patch", "configmap", name, "-p", '{"data":{"$patch":"replace","d":"4"}}')
    assert kubectl.json("get", "configmap", name)["data"] == {"d": "4"}


def test_replace_heeds_what_was_read(kubectl: Kubectl, name: str) -> None:
    """A resource that changed since is not overwritten."""
    kubectl("create", "-f", "-", given=device_set(name, heartbeat={"periodSeconds": 10}))
    read = kubectl("get", "edgedeviceset", name, "-o", "yaml")
    changed = read.replace("periodSeconds: 10", "periodSeconds: 11")
    assert "replaced" in kubectl("replace", "-f", "-", given=changed)
    assert "(Conflict)" in kubectl.refused("replace", "-f", "-", given=changed)


def test_edit_sends_what_the_editor_left(kubectl: Kubectl, name: str, tmp_path: Path) -> None:
    """An editor that changes one number."""
    kubectl("create", "-f", "-", given=device_set(name, heartbeat={"periodSeconds": 10}))
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/periodSeconds: 10/periodSeconds: 12/" "$1"\n')
    editor.chmod(0o755)
    done = kubectl.run("edit", "edgedeviceset", name, EDITOR=str(editor))
    assert done.returncode == 0, done.stderr
    assert kubectl.json("get", "edgedeviceset", name)["spec"] == {"heartbeat": {"periodSeconds": 12}}


def test_delete_waits_until_it_is_gone(kubectl: Kubectl, name: str) -> None:
    """By name and by selector; a dry run deletes nothing."""
    names = [f"{name}-{number}" for number in range(3)]
    for each in names:
        kubectl("create", "-f", "-", given=device_set(each))
        kubectl("label", "edgedeviceset", each, f"batch={name}")
    kubectl("delete", "edgedeviceset", names[0], "--dry-run=server")
    kubectl("delete", "edgedeviceset", names[0])
    assert "(NotFound)" in kubectl.refused("delete", "edgedeviceset", names[0])
    kubectl("delete", "edgedevicesets", "-l", f"batch={name}")
    assert kubectl("get", "edgedevicesets", "-l", f"batch={name}", "-o", "name") == ""


def test_a_secret_applied_is_never_shown(kubectl: Kubectl, name: str) -> None:
    """Neither its values nor the annotation that repeats them; apply still knows what a file no longer says."""
    planted = f"planted-{uuid4().hex}"
    kubectl("apply", "-f", "-", given=secret(name, token=planted, other=planted))
    for output in ("yaml", "json", "wide", "jsonpath={.metadata.annotations}"):
        text = kubectl("get", "secret", name, "-o", output)
        assert planted not in text
        assert b64encode(planted.encode()).decode() not in text
    applied = json.loads(kubectl.json("get", "secret", name)["metadata"]["annotations"][LAST_APPLIED])
    assert applied["stringData"] == {"token": "<hidden>", "other": "<hidden>"}
    before = kubectl.json("get", "secret", name)["metadata"]["resourceVersion"]
    kubectl("apply", "-f", "-", given=secret(name, token=planted, other=planted))
    assert kubectl.json("get", "secret", name)["metadata"]["resourceVersion"] == before


def test_a_patch_cannot_carry_a_hidden_value_elsewhere(kubectl: Kubectl, name: str) -> None:
    """Copying it to a place that is shown copies the placeholder."""
    kubectl("create", "secret", "generic", name, "--from-literal=token=planted")
    kubectl("annotate", "secret", name, "note=x")
    operations = [{"op": "copy", "from": "/data/token", "path": "/metadata/annotations/note"}]
    kubectl("patch", "secret", name, "--type=json", "-p", json.dumps(operations))
    assert kubectl.json("get", "secret", name)["metadata"]["annotations"] == {"note": HIDDEN}


def test_explain_tells_the_fields(kubectl: Kubectl) -> None:
    """From the models that judge resources."""
    text = kubectl("explain", "edgeworkload.spec.metrics")
    assert "FIELD: metrics <WorkloadMetrics>" in text
    assert "Scraping of a workload" in text
    assert "KIND:       Secret" in kubectl("explain", "secret")


def test_the_python_client_writes(api: Api, name: str) -> None:
    """Typed objects without a content type, custom ones, and conflicts as exceptions."""
    with kubernetes.client.ApiClient(kubernetes.client.Configuration(host=api.url)) as client:
        core = kubernetes.client.CoreV1Api(client)
        metadata = kubernetes.client.V1ObjectMeta(name=name)
        core.create_namespaced_config_map("default", kubernetes.client.V1ConfigMap(metadata=metadata, data={"a": "1"}))
        core.patch_namespaced_config_map(name, "default", {"data": {"b": "2"}})
        found = core.read_namespaced_config_map(name, "default")
        assert found.data == {"a": "1", "b": "2"}
        found.metadata.resource_version = "1"
        with pytest.raises(kubernetes.client.ApiException) as refused:
            core.replace_namespaced_config_map(name, "default", found)
        assert refused.value.status == 409
        core.delete_namespaced_config_map(name, "default")
        assert name not in [item.metadata.name for item in core.list_namespaced_config_map("default").items]
