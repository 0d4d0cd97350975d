"""Watches over HTTP: what is told, in which order, and when a follower must begin anew."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import kubernetes
import pytest

from tests.api.fleet import Device, Operator
from tests.api.installation import Api, api_process
from tests.api.resources.kubectl import Kubectl

CONFIG_MAPS = "/api/v1/namespaces/{}/configmaps"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


@pytest.fixture
def namespace(operator: Operator) -> str:
    """A namespace with nothing in it."""
    name = f"watch-{uuid4().hex[:8]}"
    operator.add_namespace(name)
    return name


class Followed:
    """A watch that is read line by line."""

    def __init__(self, response: httpx.Response) -> None:
        assert response.status_code == 200, response.read()
        self._lines = response.iter_lines()

    def next(self) -> tuple[str, Any]:
        """The next event's type and object."""
        event = json.loads(next(self._lines))
        return event["type"], event["object"]

    def named(self) -> tuple[str, str]:
        """The next event's type and name of the resource."""
        type_, body = self.next()
        return type_, body["metadata"]["name"]


def watching(operator: Operator, namespace: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
    """An open watch of the config maps of a namespace."""
    params = {"watch": "1", "timeoutSeconds": "30", **query}
    return operator.http.stream("GET", CONFIG_MAPS.format(namespace), params=params, headers=headers)


def make(operator: Operator, namespace: str, name: str, **labels: str) -> dict[str, Any]:
    """A config map."""
    return operator.create(CONFIG_MAPS.format(namespace), {"metadata": {"name": name, "labels": labels}, "data": {}})


def relabel(operator: Operator, namespace: str, name: str, **labels: str | None) -> None:
    """Change labels of a config map."""
    path = f"{CONFIG_MAPS.format(namespace)}/{name}"
    headers = {"Content-Type": "application/merge-patch+json"}
    assert operator.http.patch(path, json={"metadata": {"labels": labels}}, headers=headers).status_code == 200


def test_a_watch_begins_with_what_there_is(operator: Operator, namespace: str) -> None:
    """Then it tells each change."""
    make(operator, namespace, "a")
    with watching(operator, namespace) as response:
        followed = Followed(response)
        assert followed.named() == ("ADDED", "a")
        make(operator, namespace, "b")
        assert followed.named() == ("ADDED", "b")
        relabel(operator, namespace, "a", x="1")
        assert followed.named() == ("MODIFIED", "a")
        assert operator.http.delete(f"{CONFIG_MAPS.format(namespace)}/a").status_code == 200
        assert followed.named() == ("DELETED", "a")


def test_a_watch_goes_on_from_a_list(operator: Operator, namespace: str) -> None:
    """Nothing between list and watch is missed."""
    make(operator, namespace, "a")
    listed = operator.http.get(CONFIG_MAPS.format(namespace)).json()["metadata"]["resourceVersion"]
    make(operator, namespace, "b")
    with watching(operator, namespace, resourceVersion=listed) as response:
        assert Followed(response).named() == ("ADDED", "b")


def test_what_leaves_the_selection_is_deleted_for_the_watch(operator: Operator, namespace: str) -> None:
    """And what comes into it is added."""
    make(operator, namespace, "a")
    with watching(operator, namespace, labelSelector="x=1") as response:
        followed = Followed(response)
        relabel(operator, namespace, "a", x="1")
        assert followed.named() == ("ADDED", "a")
        relabel(operator, namespace, "a", x=None)
        assert followed.named() == ("DELETED", "a")


def test_a_watch_may_be_a_table(operator: Operator, namespace: str) -> None:
    """Columns in the first event alone."""
    make(operator, namespace, "a")
    make(operator, namespace, "b")
    with watching(operator, namespace, TABLE) as response:
        followed = Followed(response)
        (_, first), (_, second) = followed.next(), followed.next()
    assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert "columnDefinitions" not in second
    assert [table["rows"][0]["cells"][0] for table in (first, second)] == ["a", "b"]


def test_a_watch_from_too_long_ago_is_expired(variables: dict[str, str], logs: Path, namespace: str) -> None:
    """410 as an event, upon which clients list again: a process knows no change from before its start."""
    with api_process(variables, logs / "api-late.log") as late, Operator(late.url) as operator:
        with watching(operator, namespace, resourceVersion="1") as response:
            type_, status = Followed(response).next()
        assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")


def test_a_watch_ends_at_its_time_after_a_bookmark(operator: Operator, namespace: str) -> None:
    """Bookmarks only when asked."""
    for asked, types in (("true", ["BOOKMARK"]), ("false", [])):
        with watching(operator, namespace, timeoutSeconds="1", allowWatchBookmarks=asked) as response:
            assert [json.loads(line)["type"] for line in response.iter_lines()] == types


def test_odd_watches_are_refused(operator: Operator, namespace: str) -> None:
    """Before the stream begins."""
    for query in ({"resourceVersion": "x"}, {"sendInitialEvents": "true"}, {"labelSelector": "a=b=c"}):
        with watching(operator, namespace, **query) as response:
            assert response.status_code == 400


@pytest.fixture
def kubectl_watch(kubectl: Kubectl, namespace: str) -> Iterator[subprocess.Popen[str]]:
    """`kubectl get --watch`, running."""
    arguments = [kubectl.binary, "get", "configmaps", "-n", namespace, "--watch", "--no-headers"]
    with subprocess.Popen(arguments, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.terminate()


def test_kubectl_watches(kubectl_watch: subprocess.Popen[str], operator: Operator, namespace: str) -> None:
    """Rows as they come."""
    assert kubectl_watch.stdout is not None
    for name in ("a", "b"):
        make(operator, namespace, name)
        assert kubectl_watch.stdout.readline().split()[0] == name


def test_kubectl_waits(kubectl: Kubectl, operator: Operator, namespace: str) -> None:
    """For a value, and until something is gone."""
    make(operator, namespace, "a")
    where = ("configmap/a", "-n", namespace, "--timeout=30s")
    arguments = [kubectl.binary, "wait", "--for=jsonpath={.metadata.labels.x}=1", *where]
    with subprocess.Popen(arguments, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as waiting:
        relabel(operator, namespace, "a", x="1")
        assert waiting.wait(timeout=60) == 0
    arguments = [kubectl.binary, "wait", "--for=delete", *where]
    with subprocess.Popen(arguments, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as waiting:
        kubectl("delete", "configmap", "a", "-n", namespace)
        assert waiting.wait(timeout=60) == 0


def test_kubectl_waits_for_a_condition(kubectl: Kubectl, device: Device) -> None:
    """Of a signed request, until an operator has approved it."""
    device.become("pending")
    arguments = [kubectl.binary, "wait", "--for=condition=approved", f"edsr/{device.device_id}", "--timeout=30s"]
    with subprocess.Popen(arguments, env=kubectl.environment, stdout=subprocess.PIPE, text=True) as waiting:
        device.operator.approve(device.device_id)
        assert waiting.wait(timeout=60) == 0


def test_the_python_client_watches(api: Api, operator: Operator, namespace: str) -> None:
    """Until its time is over."""
    make(operator, namespace, "a")
    with kubernetes.client.ApiClient(kubernetes.client.Configuration(host=api.url)) as client:
        core = kubernetes.client.CoreV1Api(client)
        events = kubernetes.watch.Watch().stream(core.list_namespaced_config_map, namespace, timeout_seconds=2)
        assert [(event["type"], event["object"].metadata.name) for event in events] == [("ADDED", "a")]


def test_a_process_that_stops_ends_its_watches(variables: dict[str, str], logs: Path, namespace: str) -> None:
    """In order, as if their time were over: followers go on at another process."""
    with api_process(variables, logs / "api-stopping.log") as stopping, Operator(stopping.url) as operator:
        with watching(operator, namespace) as response:
            stopping.process.terminate()
            assert list(response.iter_lines()) == []
        stopping.process.wait(timeout=10)
        assert "Exception" not in stopping.log.read_text()
