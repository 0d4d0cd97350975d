"""A Secret's value, sent in every way there is, is afterwards found nowhere: plain, in hex, or in base64."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from settings import load
from settings.keys import read_password
from storage.client import connect
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient
from tests.api.resources.kubectl import Kubectl, find_kubectl
from tests.cli.conftest import Served
from tests.cli.resources.planted import Planted, files_with, records_with, said, secret, tables_with


class Sender(NamedTuple):
    """Sends the planted value; `heard` is all that was answered."""

    served: Served
    kubectl: Kubectl
    planted: Planted
    folder: Path
    heard: list[str]

    def kube(self, *arguments: str, given: str = "", is_refused: bool = False) -> str:
        """Run kubectl."""
        done = self.kubectl.run(*arguments, given=given)
        assert bool(done.returncode) is is_refused, said(done)
        self.heard.append(said(done))
        return said(done)

    def muster(self, content: str, *, is_refused: bool = False) -> str:
        """Run `muster apply` on a file."""
        file = self.folder / "file.yaml"
        file.write_text(content)
        done = self.served.muster("apply", "-f", str(file))
        assert bool(done.returncode) is is_refused, said(done)
        self.heard.append(said(done))
        return said(done)

    def post(self, body: object, path: str = "/api/v1/namespaces/default/secrets", **query: str) -> int:
        """Send a body as it is."""
        content = body if isinstance(body, (bytes, str)) else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(self.served.url + path, content=content, params=query, headers=headers, timeout=20)
        self.heard.append(answer.text + repr(answer.headers))
        return answer.status_code


@pytest.fixture
def sender(served: Served, tmp_path: Path, muster: Callable[..., str]) -> Sender:
    """A value nobody has sent yet."""
    muster("kubeconfig", "--write", str(tmp_path / "config"))
    return Sender(served, Kubectl(find_kubectl(tmp_path), tmp_path), Planted(), tmp_path, [])


def send_in_every_way(sender: Sender) -> None:
    """Ways that are accepted."""
    text, base64 = sender.planted.text, sender.planted.base64
    sender.kube("apply", "-f", "-", given=secret("by-apply", stringData={"t": text}))
    sender.kube("apply", "-f", "-", given=secret("by-apply", stringData={"t": text, "u": text}))
    sender.kube("apply", "-f", "-", given=secret("by-data", data={"t": base64}))
    sender.kube("diff", "-f", "-", given=secret("by-data", data={"u": base64}), is_refused=True)  # 1: it differs
    sender.kube("create", "secret", "generic", "by-create", f"--from-literal=t={text}")
    sender.kube(
        "create", "secret", "docker-registry", "by-registry", f"--docker-password={text}", "--docker-username=u"
    )
    for sort, patch in {
        "strategic": {"stringData": {"s": text}},
        "merge": {"data": {"m": base64}},
        "json": [{"op": "add", "path": "/data/j", "value": base64}],
    }.items():
        sender.kube("patch", "secret", "by-create", f"--type={sort}", "-p", json.dumps(patch))
    sender.muster(secret("by-muster", stringData={"t": text}))
    sender.muster(secret("by-muster", data={"t": base64, "u": base64}))
    assert sender.post(json.loads(secret("by-post", stringData={"t": text})), dryRun="All") == 201
    sender.kube("label", "secret", "by-apply", "a=b")
    sender.kube("delete", "secret", "by-data")


def send_what_fails(sender: Sender) -> None:
    """Ways that are refused, each with a message of its own."""
    text = sender.planted.text
    wrong: list[dict[str, object]] = [
        {"data": {"t": text + "!"}},  # not base64
        {"data": {"t": [text]}},
        {"data": text},
        {"stringData": {"t": {text: 1}}},
        {"stringData": [text]},
        {"type": "kubernetes.io/tls", "stringData": {"t": text}},
        {"stringData": {"t": text}, "immutable": text},
    ]
    for fields in wrong:
        body = secret("failing", **fields)
        assert sender.post(body) in (400, 422)
    sender.muster(
        "\n---\n".join(secret(f"failing-{number}", **fields) for number, fields in enumerate(wrong)), is_refused=True
    )
    sender.kube("apply", "-f", "-", given=secret("failing", data={"t": text + "!"}), is_refused=True)
    good = secret("failing", stringData={"t": text})
    assert sender.post(good[:-1]) == 400
    assert sender.post(good.replace('"default"', '"elsewhere"')) in (400, 422)
    assert sender.post(good, path="/api/v1/namespaces/default/configmaps") == 400
    assert sender.post(good, path="/api/v1/namespaces/nowhere/secrets") in (400, 404, 422)
    assert sender.post(secret("failing", spec={"t": text}), fieldValidation="Strict") == 400
    assert sender.post(secret("failing", stringData={"t": text * 50_000})) in (413, 422)
    assert sender.post(secret("by-apply", stringData={"t": text})) == 409
    for broken in (f"t: !{text}", f"t: *{text}", f"t: [{text}", f"t: {text}: x", f"t: '{text}"):
        head = "apiVersion: v1\nkind: Secret\nmetadata: {name: failing}\nstringData:\n  "
        sender.muster(head + broken, is_refused=True)
    patches = {
        "json": [[{"op": "test", "path": "/data/t", "value": text}], [{"op": "add", "path": "/a/b", "value": text}]],
        "merge": [{"data": {"t": text + "!"}}, {"stringData": text}],
        "strategic": [{"data": {"t": text + "!"}}, {"$patch": text}],
    }
    for sort, bodies in patches.items():
        for body in bodies:
            sender.kube("patch", "secret", "by-apply", f"--type={sort}", "-p", json.dumps(body), is_refused=True)


def test_a_planted_value_is_found_nowhere(sender: Sender) -> None:
    """Neither in an answer nor in what any process keeps: files and logs, records, rows. A device gets it."""
    send_in_every_way(sender)
    send_what_fails(sender)
    variables, planted = sender.served.variables, sender.planted
    container = {"name": "c", "image": "i:1", "envFrom": [{"secretRef": {"name": "by-apply"}}]}
    with GoClient(int(variables["MUSTER_HTTP_PORT"])) as client, Operator(sender.served.url) as operator:
        device = Device(client, operator).become("registered")
        workload = {"type": "pod", "device": device.device_id, "pod": {"spec": {"containers": [container]}}}
        collection = "/apis/management.project-flotta.io/v1alpha1/namespaces/default/edgeworkloads"
        operator.create(collection, {"metadata": {"name": device.device_id}, "spec": workload})
        configuration = device.call("GET", "configuration")
        assert planted.is_in(configuration.body), "the device needs it"
        assert device.beat(version=configuration.json["device-configuration"]["version"]).status == 200
        sender.heard.append(sender.served.muster("explain", device.device_id).stdout)

    for name in ("by-apply", "by-create", "by-registry", "by-muster"):
        sender.kube("describe", "secret", name)
    for output in ("yaml", "json", "wide", "jsonpath={.items[*].metadata.annotations}"):
        sender.kube("get", "secrets", "-A", "-o", output)
    sender.heard.append(said(sender.served.muster("history", "secret", "by-apply")))
    sender.heard.append(said(sender.served.muster("get", "secret", "by-apply", "-o", "yaml")))
    assert not [heard for heard in sender.heard if planted.is_in(heard.encode())]

    # An annotation is shown, as in Kubernetes, but not stored readable.
    annotation = {"metadata": {"annotations": {"note": planted.text}}}
    sender.kube("patch", "secret", "by-create", "-p", json.dumps(annotation))
    settings = load(variables)
    prefix, database = settings.kafka.topic_prefix, settings.clickhouse.database
    assert files_with(planted, settings.local.data) == []
    found, topics = records_with(planted, settings.kafka.bootstrap, prefix)
    assert found == []
    assert {f"{prefix}.commands", f"{prefix}.feed", f"{prefix}.heartbeats"} <= topics
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    holding, tables = tables_with(planted, client, database)
    assert holding == []
    assert {"decisions", "configuration_revisions", "enrolments"} <= tables
    client.close()


def test_the_search_finds_what_is_there(sender: Sender) -> None:
    """A ConfigMap hides nothing: with a value in one, every place of the search above must report it."""
    text, variables = sender.planted.text, sender.served.variables
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "open", "namespace": "default"}}
    sender.kube("apply", "-f", "-", given=json.dumps(config_map | {"data": {"t": text}}))
    settings = load(variables)
    prefix = settings.kafka.topic_prefix
    found, _ = records_with(sender.planted, settings.kafka.bootstrap, prefix)
    assert {place.partition("/")[0] for place in found} == {f"{prefix}.commands", f"{prefix}.feed"}
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    assert set(tables_with(sender.planted, client, settings.clickhouse.database)[0]) >= {"decisions"}
    client.close()
    (sender.folder / "log").write_text(f"x {sender.planted.base64}")
    assert files_with(sender.planted, sender.folder) == [str(sender.folder / "log")]
