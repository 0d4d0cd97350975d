"""What a real kubectl and the Python client for Kubernetes read: discovery, tables, selections, pages."""

import subprocess
from pathlib import Path
from uuid import uuid4

import kubernetes
import pytest

from tests.api.fleet import FLOTTA, Device, Operator
from tests.api.installation import Api
from tests.api.resources.kubectl import Kubectl, unpack_kubectl

GROUP = "management.project-flotta.io"


@pytest.fixture(scope="module")
def namespace(operator: Operator) -> str:
    """A namespace with three device sets."""
    name = f"reads-{uuid4().hex[:8]}"
    operator.add_namespace(name)
    for number, labels in enumerate(({"tier": "a"}, {"tier": "b"}, {})):
        metadata = {"name": f"set-{number}", "labels": labels}
        spec = {"heartbeat": {"periodSeconds": 10 + number}}
        operator.create(f"{FLOTTA}/namespaces/{name}/edgedevicesets", {"metadata": metadata, "spec": spec})
    return name


def test_the_server_has_a_version_kubectl_understands(kubectl: Kubectl) -> None:
    """Without a warning about versions too far apart."""
    done = kubectl.run("version")
    assert "Server Version: v1.32" in done.stdout
    assert "WARNING" not in done.stderr


def test_resources_are_discovered(kubectl: Kubectl) -> None:
    """Every kind with its short names, group and scope."""
    lines = kubectl.lines("api-resources", "--no-headers")
    assert ["edgedevicesignedrequest", "edsr", f"{GROUP}/v1alpha1", "true", "EdgeDeviceSignedRequest"] in lines
    assert ["namespaces", "ns", "v1", "false", "Namespace"] in lines
    assert ["secrets", "v1", "true", "Secret"] in lines
    assert kubectl.lines("api-versions") == [[f"{GROUP}/v1alpha1"], ["v1"]]


@pytest.mark.parametrize("slash", ["", "/"])
def test_discovery_has_a_document_a_group(operator: Operator, slash: str) -> None:
    """As clients without the aggregated form read it, some with a slash at the end."""
    kinds = {
        "/api": "APIVersions",
        "/apis": "APIGroupList",
        f"/apis/{GROUP}": "APIGroup",
        "/api/v1": "APIResourceList",
        FLOTTA: "APIResourceList",
    }
    found = {path: operator.http.get(path + slash).json()["kind"] for path in kinds}
    assert found == kinds
    assert operator.http.get(f"/apis/apps{slash}").status_code == 404
    assert operator.http.get(f"/apis/apps/v1{slash}").status_code == 404


def test_old_clients_get_a_document_of_the_old_form(operator: Operator) -> None:
    """Protobuf, without which kubectl before 1.29 writes nothing."""
    answer = operator.http.get("/openapi/v2")
    assert answer.headers["content-type"].startswith("application/com.github.proto-openapi.spec.v2")
    assert answer.content.startswith(b"\x0a\x032.0")


def test_get_shows_the_columns_of_the_kind(kubectl: Kubectl, device: Device) -> None:
    """Cells come from the server; the printer columns of signed requests are the definition's."""
    device.become("approved")
    heading, *rows = kubectl.lines("get", "edsr")
    assert heading == ["NAME", "DEVICEID", "TARGETNAMESPACE", "APPROVED", "STATUS", "SET", "AGE"]
    (row,) = (row for row in rows if row[0] == device.device_id)
    assert row[1:6] == [device.device_id, "default", "true", "approved", "<none>"]
    (one,) = kubectl.lines("get", "edsr", device.device_id, "--no-headers")
    assert one[:6] == row[:6]


def test_get_over_all_namespaces_says_which(kubectl: Kubectl, namespace: str) -> None:
    """Namespaces and labels beside the cells come from the rows' metadata."""
    heading, *rows = kubectl.lines("get", "edgedevicesets", "-A", "--show-labels")
    assert heading == ["NAMESPACE", "NAME", "PERIOD", "AGE", "LABELS"]
    found = [[*row[:3], row[-1]] for row in rows if row[0] == namespace]
    assert found == [
        [namespace, "set-0", "10", "tier=a"],
        [namespace, "set-1", "11", "tier=b"],
        [namespace, "set-2", "12", "<none>"],
    ]


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("tier=a", ["set-0"]),
        ("tier!=a", ["set-1", "set-2"]),
        ("tier in (a,b)", ["set-0", "set-1"]),
        ("tier notin (a)", ["set-1", "set-2"]),
        ("tier", ["set-0", "set-1"]),
        ("!tier", ["set-2"]),
        ("tier,tier!=a", ["set-1"]),
    ],
)
def test_labels_select(kubectl: Kubectl, namespace: str, selector: str, selected: list[str]) -> None:
    """On the server, as Kubernetes defines it."""
    lines = kubectl.lines("get", "edgedevicesets", "-n", namespace, "-l", selector, "-o", "name")
    assert lines == [[f"edgedeviceset.{GROUP}/{name}"] for name in selected]


def test_a_packed_kind_is_selected_by_labels(kubectl: Kubectl, operator: Operator) -> None:
    """Devices too, of which there are many."""
    label, metadata = uuid4().hex, {"name": f"d-{uuid4().hex[:8]}"}
    document = {"metadata": metadata | {"labels": {"batch": label}}, "spec": {}}
    operator.create(f"{FLOTTA}/namespaces/default/edgedevices", document)
    assert kubectl.lines("get", "edgedevices", "-l", f"batch={label}", "-o", "name") == [
        [f"edgedevice.{GROUP}/{metadata['name']}"]
    ]


def test_an_unreadable_selector_is_refused(operator: Operator) -> None:
    """400 with what to write."""
    answer = operator.http.get(f"{FLOTTA}/edgedevicesets", params={"labelSelector": "a=b=c"})
    assert answer.status_code == 400
    assert "write key=value" in answer.json()["message"]


def test_fields_select_by_name_and_namespace(kubectl: Kubectl, namespace: str) -> None:
    """Other fields are refused in the words kubectl knows."""
    where = ("get", "edgedevicesets", "-A", "-o", "name", "--field-selector")
    assert kubectl.lines(*where, f"metadata.namespace={namespace},metadata.name!=set-1") == [
        [f"edgedeviceset.{GROUP}/set-0"],
        [f"edgedeviceset.{GROUP}/set-2"],
    ]
    assert "field label not supported: spec.foo" in kubectl.refused(*where, "spec.foo=1")


def test_every_output_format_is_filled(kubectl: Kubectl, namespace: str) -> None:
    """Whole resources as YAML and JSON, parts by a path."""
    assert kubectl.json("get", "edgedeviceset", "set-1", "-n", namespace)["spec"]["heartbeat"] == {"periodSeconds": 11}
    assert f"  namespace: {namespace}\n" in kubectl("get", "edgedeviceset", "set-1", "-n", namespace, "-o", "yaml")
    path = "jsonpath={.items[*].spec.heartbeat.periodSeconds}"
    assert kubectl("get", "edgedevicesets", "-n", namespace, "-o", path) == "10 11 12"


def test_lists_are_sorted_by_any_field(kubectl: Kubectl, namespace: str) -> None:
    """Which needs the whole resources beside their cells."""
    rows = kubectl.lines("get", "edgedevicesets", "-n", namespace, "--sort-by", "{.metadata.labels.tier}")
    assert [row[0] for row in rows[1:]] == ["set-2", "set-0", "set-1"]


def test_long_lists_come_in_pages(kubectl: Kubectl, namespace: str) -> None:
    """All of them, whatever a page holds."""
    lines = kubectl.lines("get", "edgedevicesets", "-n", namespace, "--chunk-size=1", "--no-headers")
    assert [line[0] for line in lines] == ["set-0", "set-1", "set-2"]


def test_what_is_not_there_is_said_as_kubernetes_says_it(kubectl: Kubectl) -> None:
    """A resource, and a kind."""
    assert "(NotFound)" in kubectl.refused("get", "edgedevice", "nobody")
    assert "doesn't have a resource type" in kubectl.refused("get", "pods")


def test_nobody_acts_in_another_name(kubectl: Kubectl) -> None:
    """To ignore the headers would run it as the caller."""
    assert "(Forbidden)" in kubectl.refused("get", "namespaces", "--as", "somebody")


def test_the_python_client_reads(api: Api, namespace: str) -> None:
    """Typed core kinds and custom kinds."""
    configuration = kubernetes.client.Configuration(host=api.url)
    with kubernetes.client.ApiClient(configuration) as client:
        listed = kubernetes.client.CoreV1Api(client).list_namespace()
        assert namespace in [item.metadata.name for item in listed.items]
        custom = kubernetes.client.CustomObjectsApi(client)
        found = custom.list_namespaced_custom_object(
            GROUP, "v1alpha1", namespace, "edgedevicesets", label_selector="tier=b"
        )
        assert [item["metadata"]["name"] for item in found["items"]] == ["set-1"]
        assert kubernetes.client.VersionApi(client).get_code().git_version.startswith("v1.")


def test_the_carried_kubectl_runs(tmp_path: Path) -> None:
    """For machines that have none of their own."""
    done = subprocess.run(
        [unpack_kubectl(tmp_path), "version", "--client"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Client Version: v1.3" in done.stdout
