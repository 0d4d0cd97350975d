"""`muster apply` and `delete` against a running installation."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Served

FLOTTA = "management.project-flotta.io/v1alpha1"
Muster = Callable[..., str]


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test uses and that does not exist yet."""
    return f"ns-{uuid4().hex[:8]}"


@pytest.fixture
def apply(served: Served, tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Apply documents, given as JSON values, in one file."""

    def apply(*documents: dict[str, Any]) -> CompletedProcess[str]:
        file = tmp_path / "resources.yaml"
        file.write_text("\n---\n".join(json.dumps(document) for document in documents))
        return served.muster("apply", "-f", str(file))

    return apply


def resource(kind: str, name: str, namespace: str = "", **content: Any) -> dict[str, Any]:
    """A document."""
    version = "v1" if kind in ("Namespace", "Secret", "ConfigMap") else FLOTTA
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def get(muster: Muster, kind: str, name: str, namespace: str) -> dict[str, Any]:
    """A resource as it is."""
    shown: dict[str, Any] = json.loads(muster("get", kind, name, "-n", namespace, "-o", "json"))
    return shown


Apply = Callable[..., CompletedProcess[str]]


def test_file_creates_its_namespace_and_what_is_in_it(apply: Apply, namespace: str) -> None:
    """Written last or first: namespaces are made first, and the dry run knows that they will be there."""
    documents = [
        resource("EdgeDeviceSet", "kiosks", namespace, spec={"heartbeat": {"periodSeconds": 15}}),
        resource("Secret", "token", namespace, stringData={"token": "planted-value"}),
        resource("EdgeDeviceSignedRequest", f"d-{namespace}", "default", spec={"targetNamespace": namespace}),
        resource("Namespace", namespace),
    ]
    first = apply(*documents)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        f"namespace/{namespace} created",
        "secret/token created",
        "edgedeviceset/kiosks created",
        f"edgedevicesignedrequest/d-{namespace} created",
    ]
    again = apply(*documents)
    assert {line.split()[1] for line in again.stdout.splitlines()} == {"unchanged"}
    documents[0]["spec"] = {"heartbeat": {"periodSeconds": 20}}
    documents[1]["stringData"] = {"token": "another-value"}
    verbs = {line.split("/")[0]: line.split()[1] for line in apply(*documents).stdout.splitlines()}
    assert verbs == {
        "namespace": "unchanged",
        "secret": "configured",
        "edgedeviceset": "configured",
        "edgedevicesignedrequest": "unchanged",
    }


def test_if_the_server_refuses_one_nothing_is_applied(apply: Apply, served: Served, namespace: str) -> None:
    """Not even the namespace: a device's id is taken in another one, which only the server knows."""
    device_id = f"taken-{namespace}"
    assert apply(resource("EdgeDevice", device_id, "default")).returncode == 0
    refused = apply(
        resource("Namespace", namespace),
        resource("EdgeDeviceSet", "kiosks", namespace),
        resource("EdgeDevice", device_id, namespace),
    )
    assert refused.returncode == 1
    assert refused.stdout == ""
    lines = refused.stderr.splitlines()
    assert "document 3 (line 5)" in lines[0]
    assert f"edgedevice/{device_id}: " in lines[0]
    assert lines[1:] == ["muster: 1 of 3 documents are wrong: nothing was applied"]
    assert served.muster("get", "ns", namespace).returncode == 1


def test_if_a_file_has_a_mistake_nothing_is_applied(apply: Apply, served: Served, namespace: str) -> None:
    """The mistake names file, document, line, field and what to write; there is no stack trace."""
    refused = apply(
        resource("Namespace", namespace),
        resource("EdgeDeviceSet", "kiosks", namespace, spec={"heartbeat": {"periodSeconds": "often"}}),
    )
    assert refused.returncode == 1
    assert "resources.yaml: document 2 (line 3): spec.heartbeat.periodSeconds" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert served.muster("get", "ns", namespace).returncode == 1


def test_what_others_set_stays_and_what_left_the_file_goes(apply: Apply, muster: Muster, namespace: str) -> None:
    """As with kubectl's client-side apply; here the other is an approval."""
    device_id = f"d-{namespace}"
    request = resource("EdgeDeviceSignedRequest", device_id, "default", spec={"targetNamespace": "default"})
    request["metadata"]["labels"] = {"site": "north"}
    assert apply(request).returncode == 0
    muster("approve", device_id)
    del request["metadata"]["labels"]
    assert apply(request).stdout == f"edgedevicesignedrequest/{device_id} configured\n"
    after = get(muster, "edsr", device_id, "default")
    assert after["spec"]["approved"] is True
    assert "labels" not in after["metadata"]


def test_secrets_value_is_shown_nowhere(apply: Apply, muster: Muster, namespace: str) -> None:
    """Neither in the resource nor in an annotation of it."""
    secret = resource("Secret", "token", namespace, stringData={"token": "planted-value"})
    assert apply(resource("Namespace", namespace), secret).returncode == 0
    shown = muster("get", "secret", "token", "-n", namespace, "-o", "yaml")
    assert "planted-value" not in shown
    assert "cGxhbnRlZC12YWx1ZQ" not in shown  # its base64
    assert "token:" in shown


def test_key_that_left_a_secrets_file_is_removed(apply: Apply, muster: Muster, namespace: str) -> None:
    """A Secret's file owns all of its data."""
    two = resource("Secret", "token", namespace, stringData={"token": "one", "old": "two"})
    assert apply(resource("Namespace", namespace), two).returncode == 0
    assert apply(resource("Secret", "token", namespace, stringData={"token": "one"})).stdout.endswith("configured\n")
    assert list(get(muster, "secret", "token", namespace)["data"]) == ["token"]


def test_warnings_say_where(apply: Apply, namespace: str) -> None:
    """An unknown field is left out and told on standard error; the rest is applied."""
    done = apply(resource("Namespace", namespace), resource("EdgeDeviceSet", "s", namespace, spec={"hartbeat": {}}))
    assert done.returncode == 0
    assert 'resources.yaml: document 2 (line 3): unknown field "spec.hartbeat"' in done.stderr
    assert done.stderr.count("hartbeat") == 1


def test_many_resources_are_applied_in_order(apply: Apply, muster: Muster, namespace: str) -> None:
    """Several at a time, and told in the file's order."""
    sets = [resource("EdgeDeviceSet", f"set-{number:03d}", namespace) for number in range(60)]
    done = apply(resource("Namespace", namespace), *sets)
    assert done.stdout.splitlines()[1:] == [f"edgedeviceset/set-{number:03d} created" for number in range(60)]
    assert len(muster("get", "edgedevicesets", "-n", namespace, "-o", "name").splitlines()) == 60


def test_deleting_a_file_undoes_it(served: Served, muster: Muster, namespace: str, tmp_path: Path) -> None:
    """In the reverse order, the namespace last; a second time there is nothing to delete."""
    file = tmp_path / "all.yaml"
    documents = [resource("Namespace", namespace), resource("ConfigMap", "c", namespace, data={"a": "1"})]
    file.write_text("\n---\n".join(json.dumps(document) for document in documents))
    muster("apply", "-f", str(file))
    assert muster("delete", "-f", str(file)) == f"configmap/c deleted\nnamespace/{namespace} deleted\n"
    again = served.muster("delete", "-f", str(file))
    assert again.returncode == 1
    assert "does not exist" in again.stderr
    assert muster("delete", "-f", str(file), "--ignore-not-found") == ""


def test_namespace_that_holds_something_is_not_deleted(apply: Apply, served: Served, namespace: str) -> None:
    """The server says what to do first."""
    assert apply(resource("Namespace", namespace), resource("EdgeDeviceSet", "s", namespace)).returncode == 0
    done = served.muster("delete", "ns", namespace)
    assert (done.returncode, done.stdout) == (1, "")
    assert "EdgeDeviceSet" in done.stderr


def test_usage_errors_have_status_2(served: Served) -> None:
    """And one line that says what to write."""
    for arguments in (["delete"], ["get", "gizmo"], ["get", "ns", "a", "-A"], ["get", "ns", "--server", "nowhere"]):
        done = served.muster(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr.startswith("muster: ")
        assert len(done.stderr.splitlines()) == 1
