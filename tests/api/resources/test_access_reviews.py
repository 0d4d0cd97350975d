"""Who the caller is and what may be done here, as `kubectl auth` asks; and what may be done to a status."""

import getpass
from typing import Any
from uuid import uuid4

import kubernetes.client
import pytest

from tests.api.fleet import FLOTTA, MERGE_PATCH, Device, Operator
from tests.api.installation import Api
from tests.api.resources.kubectl import Kubectl

GROUP = "management.project-flotta.io"

CONDITIONS = {"conditions": [{"type": "Ready", "status": "True", "reason": "Told"}]}
PLAYBOOK = {"content": "LQ=="}
POD = {"type": "pod", "device": "nobody", "pod": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("create", "edgeworkloads"), "yes"),
        (("delete", "secrets", "-n", "shops"), "yes"),
        (("patch", "edgedevicesignedrequest", "--subresource=status"), "yes"),
        (("patch", "edgedevices", "--subresource=status"), "no"),
        (("list", "events"), "yes"),
        (("watch", "events"), "no"),
        (("*", "*"), "yes"),
        (("get", "pods"), "no"),
        (("get", "/health/ready"), "yes"),
    ],
)
def test_can_i_tells_what_is_offered(kubectl: Kubectl, arguments: tuple[str, ...], answer: str) -> None:
    """Whoever reaches the management plane may do all of it."""
    done = kubectl.run("auth", "can-i", *arguments)
    assert done.stdout.split()[0] == answer, done.stdout + done.stderr
    assert (done.returncode == 0) is (answer == "yes")


def test_whoami_tells_who_changes_are_noted_for(kubectl: Kubectl) -> None:
    """On loopback that is the user of this machine."""
    assert getpass.getuser() in kubectl("auth", "whoami")
    assert "edgedevices" in kubectl("auth", "can-i", "--list")


def test_a_collection_is_deleted_at_once(api: Api, operator: Operator) -> None:
    """What the Python client's `delete_collection` asks; a selection narrows it, a dry run deletes nothing."""
    namespace = f"ns-{uuid4().hex[:8]}"
    operator.add_namespace(namespace)
    for number in range(4):
        labels = {"parity": "even" if number % 2 == 0 else "odd"}
        document = {"metadata": {"name": f"c{number}", "labels": labels}}
        operator.create(f"/api/v1/namespaces/{namespace}/configmaps", document)
    with kubernetes.client.ApiClient(kubernetes.client.Configuration(host=api.url)) as client:
        core = kubernetes.client.CoreV1Api(client)
        core.delete_collection_namespaced_config_map(namespace, dry_run="All")
        core.delete_collection_namespaced_config_map(namespace, label_selector="parity=odd")
        left = [item.metadata.name for item in core.list_namespaced_config_map(namespace).items]
        assert left == ["c0", "c2"]
        core.delete_collection_namespaced_config_map(namespace)
        assert core.list_namespaced_config_map(namespace).items == []


@pytest.mark.parametrize(
    ("plural", "spec", "status"),
    [
        ("edgeworkloads", POD, {"phase": "Told"}),
        ("edgedevicesets", {}, {"phase": "Told"}),
        ("edgeconfigs", {"edgePlaybook": {"playbooks": [PLAYBOOK]}}, {"edgePlaybookStatus": CONDITIONS}),
        ("playbookexecutions", {"playbook": PLAYBOOK}, CONDITIONS),
    ],
)
def test_a_status_is_written_by_itself(operator: Operator, plural: str, spec: Any, status: Any) -> None:
    """It changes nothing else, counts no generation, and a change of the resource keeps it."""
    name = f"s{uuid4().hex[:8]}"
    collection = f"{FLOTTA}/namespaces/default/{plural}"
    operator.create(collection, {"metadata": {"name": name}, "spec": spec})
    body = {"metadata": {"labels": {"not": "this"}}, "status": status}
    written = operator.http.patch(f"{collection}/{name}/status", json=body, headers=MERGE_PATCH).json()
    assert written["status"] == status
    operator.http.patch(f"{collection}/{name}", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE_PATCH)
    shown = operator.http.get(f"{collection}/{name}/status").json()
    assert (shown["status"], shown["metadata"]["labels"]) == (status, {"a": "b"})
    assert shown["metadata"]["generation"] == 1


def test_a_devices_status_is_read_and_not_written(registered: Device) -> None:
    """It is what the device reports."""
    path = f"{FLOTTA}/namespaces/default/edgedevices/{registered.device_id}/status"
    assert registered.operator.http.get(path).json()["status"]["state"] == "registered"
    refused = registered.operator.http.patch(path, json={"status": {"phase": "up"}}, headers=MERGE_PATCH)
    assert (refused.status_code, refused.json()["reason"]) == (405, "MethodNotAllowed")


def test_custom_kinds_are_written_by_the_python_client(api: Api) -> None:
    """Create, patch, replace, the status, and what is wrong as an exception with the cause."""
    name = f"p{uuid4().hex[:8]}"
    place = (GROUP, "v1alpha1", "default", "edgedevicesets")
    with kubernetes.client.ApiClient(kubernetes.client.Configuration(host=api.url)) as client:
        custom = kubernetes.client.CustomObjectsApi(client)
        document: dict[str, Any] = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "EdgeDeviceSet",
            "metadata": {"name": name},
            "spec": {},
        }
        custom.create_namespaced_custom_object(*place, document)
        changed = custom.patch_namespaced_custom_object(*place, name, {"spec": {"heartbeat": {"periodSeconds": 30}}})
        assert changed["metadata"]["generation"] == 2
        changed["spec"]["heartbeat"]["periodSeconds"] = 0
        with pytest.raises(kubernetes.client.ApiException, match="periodSeconds") as refused:
            custom.replace_namespaced_custom_object(*place, name, changed)
        assert refused.value.status == 422
        custom.delete_namespaced_custom_object(*place, name)
