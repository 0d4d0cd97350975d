"""What is wrong with a file is told by document, line, field and rule; every mistake of it, and how many there are."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.resources.manifests import read_manifests
from fleet.decisions.together import TOGETHER_LIMIT
from tests.cli.conftest import Served

FLOTTA = "management.project-flotta.io/v1alpha1"

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n---\n"

WORKLOAD = f"""\
apiVersion: {FLOTTA}
kind: EdgeWorkload
metadata:
  name: web
  labels: {{app: web}}
spec:
  type: pod
  deviceSelector:
    matchExpressions:
      - key: site
        operator: In
        values: [north]
  pod:
    spec:
      containers:
        - {{name: web, image: i}}
"""

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  good: YQ==\n  t: YQ==\n"

BOMB = "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]\n" for level in range(9)
)

MISTAKES = {
    "an unknown operator": (
        WORKLOAD.replace("operator: In", "operator: Near"),
        "document 2 (line 15): spec.deviceSelector.matchExpressions[0].operator: 'Near' is not possible: write one of",
    ),
    "values for Exists": (
        WORKLOAD.replace("operator: In", "operator: Exists"),
        "document 2 (line 16): spec.deviceSelector.matchExpressions[0].values: Exists takes no values: remove them",
    ),
    "a label that is none": (
        WORKLOAD.replace("{app: web}", "{app: 'not a label'}"),
        "document 2 (line 9): metadata.labels[app]: label value 'not a label': use at most 63 letters",
    ),
    "a label's key that is none": (
        WORKLOAD.replace("{app: web}", "\n    a/b/c: web"),
        "document 2 (line 10): metadata.labels[a/b/c]: label key 'a/b/c'",
    ),
    "a selector's label that is none": (
        WORKLOAD.replace("values: [north]", "values: ['-north']"),
        "document 2 (line 16): spec.deviceSelector.matchExpressions[0].values[0]: label value '-north'",
    ),
    "a pod specification that is no mapping": (
        WORKLOAD.partition("    spec:\n      containers")[0] + "    spec: [containers]\n",
        "document 2 (line 18): spec.pod.spec: expected",
    ),
    "no pod specification": (
        WORKLOAD.partition("  pod:")[0] + "  pod: {}\n",
        "document 2 (line 17): spec.pod.spec is missing: it is required",
    ),
    "a container without an image": (
        WORKLOAD.replace("{name: web, image: i}", "{name: web}"),
        "document 2 (line 20): spec.pod.spec.containers[0].image is missing: it is required",
    ),
    "base64 that is none": (
        SECRET.replace("  t: YQ==", "  t: secret!"),
        "document 2 (line 10): data[t] is not base64: encode it (base64 -w0), or use stringData in a Secret",
    ),
    "a ConfigMap of 2 MB": (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata:\n  big: {'x' * 2_000_000}\n",
        "document 2 (line 8): data holds 2000000 bytes, 1048576 are possible: split it into several resources",
    ),
    "anchors that explode": ("a: &a [x]\n" + BOMB, "document 2, line 10: aliases stand for more than 100000 values"),
    "an anchor in itself": ("a: &a [*a]\n", "document 2, line 5: an alias must stand after what it repeats"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_by_document_line_field_and_rule(tmp_path: Path, mistake: str) -> None:
    """Before anything is sent."""
    text, told = MISTAKES[mistake]
    (tmp_path / "a.yaml").write_text(GOOD + text)
    resources, mistakes = read_manifests([str(tmp_path / "a.yaml")], "default")
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"{tmp_path / 'a.yaml'}: {told}")
    assert len(mistakes[0]) < 400
    assert len(resources) == (0 if "a: &a" in text else 1)


POSTED = {name: text for name, (text, _) in MISTAKES.items() if "a: &a" not in text and "ConfigMap" not in name}


@pytest.mark.parametrize("mistake", POSTED)
def test_a_client_is_told_the_field_and_the_rule(served: Served, mistake: str) -> None:
    """Who does not come from our command line reads the same, as a Status with a cause."""
    text, told = MISTAKES[mistake]
    import yaml  # noqa: PLC0415 - only to write what other clients send

    document = yaml.safe_load(text)
    collection = (
        "/api/v1/namespaces/default/secrets"
        if document["kind"] == "Secret"
        else (f"/apis/{FLOTTA}/namespaces/default/edgeworkloads")
    )
    answer = httpx.post(served.url + collection, json=document, timeout=20)
    status = answer.json()
    assert (answer.status_code, status["kind"], status["reason"]) == (422, "Status", "Invalid")
    (cause,) = status["details"]["causes"]
    field = told.partition("): ")[2].partition(": ")[0].removesuffix(" is missing").partition(" is not")[0]
    assert cause["field"] == field
    assert cause["message"]


def test_a_body_that_is_too_large_is_told_as_a_status(served: Served) -> None:
    """Of the 2 MB that are sent no more is kept than the answer needs."""
    config_map = {"metadata": {"name": "big"}, "data": {"big": "x" * 2_000_000}}
    answer = httpx.post(f"{served.url}/api/v1/namespaces/default/configmaps", json=config_map, timeout=20)
    assert (answer.status_code, answer.json()["reason"]) == (413, "RequestEntityTooLarge")
    config_map["data"]["big"] = "x" * 1_200_000  # type: ignore[index]
    answer = httpx.post(f"{served.url}/api/v1/namespaces/default/configmaps", json=config_map, timeout=20)
    assert (answer.status_code, answer.json()["details"]["causes"][0]["field"]) == (422, "data")


def resource(kind: str, name: str, namespace: str = "default", **content: Any) -> dict[str, Any]:
    """A document."""
    version = "v1" if kind in ("Namespace", "ConfigMap") else FLOTTA
    metadata = {"name": name} | ({"namespace": namespace} if kind != "Namespace" else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


Apply = Callable[..., CompletedProcess[str]]


@pytest.fixture
def apply(served: Served, tmp_path: Path) -> Apply:
    """Apply documents, one a line, with further arguments."""

    def apply(documents: list[dict[str, Any]], *arguments: str) -> CompletedProcess[str]:
        file = tmp_path / "all.yaml"
        file.write_text("\n---\n".join(json.dumps(document, indent=1) for document in documents))
        return served.muster("apply", "-f", str(file), *arguments)

    return apply


def workload(name: str, device: str, namespace: str = "default") -> dict[str, Any]:
    """A workload for one device."""
    pod = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
    return resource("EdgeWorkload", name, namespace, spec={"type": "pod", "device": device, "pod": pod})


@pytest.mark.parametrize("arguments", [(), ("--atomic",)])
def test_a_workload_for_a_device_elsewhere_is_told(apply: Apply, arguments: tuple[str, ...]) -> None:
    """Which only the server knows; nothing is applied."""
    name = f"t{uuid4().hex[:8]}"
    assert apply([resource("EdgeDevice", name)]).returncode == 0
    done = apply([resource("Namespace", name), workload("web", name, name)], *arguments)
    assert done.returncode == 1
    assert f"edgeworkload/web: spec.device: device {name} is in namespace default" in done.stderr
    assert "document 2 (line " in done.stderr
    assert done.stderr.endswith("muster: 1 of 2 documents are wrong: nothing was applied\n")


def test_a_set_that_does_not_exist_is_warned_of(apply: Apply) -> None:
    """It is ignored until there is one, as in Flotta, so a file may come before its set."""
    device = resource("EdgeDevice", f"d{uuid4().hex[:8]}")
    device["metadata"]["labels"] = {"flotta/member-of": "no-such-set"}
    done = apply([device])
    assert done.returncode == 0
    told = "metadata.labels[flotta/member-of]: there is no EdgeDeviceSet 'no-such-set' in namespace default"
    assert f"document 1 (line 8): {told}" in done.stderr


def test_one_of_ten_thousand_is_found(apply: Apply) -> None:
    """Number 7,000: before the first is sent, by its place."""
    documents = [resource("ConfigMap", f"c{number}", data={"a": "b"}) for number in range(10_000)]
    documents[6_999]["data"]["a"] = 5
    done = apply(documents)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert (
        lines[0].partition("all.yaml: ")[2]
        == "document 7000 (line 83997): data[a]: expected text, got a number: quote it"
    )
    assert lines[1:] == ["muster: 1 of 10000 documents are wrong: nothing was applied"]


def test_mistakes_beyond_a_number_are_counted(apply: Apply) -> None:
    """One mistake made many times is not told many times."""
    done = apply([resource("ConfigMap", f"c{number}", data="text") for number in range(60)])
    lines = done.stderr.splitlines()
    assert len(lines) == 52
    assert lines[-2:] == ["muster: and 10 more mistakes", "muster: 60 of 60 documents are wrong: nothing was applied"]


def test_atomic_is_all_or_nothing(apply: Apply, served: Served) -> None:
    """One revision for all; and refused, none of them is there."""
    name = f"t{uuid4().hex[:8]}"
    maps = [resource("ConfigMap", f"c{number}", name, data={"a": "1"}) for number in range(20)]
    done = apply([resource("Namespace", name), *maps], "--atomic", "--message", "first")
    assert (done.returncode, done.stderr) == (0, "")
    assert {line.split()[1] for line in done.stdout.splitlines()} == {"created"}
    listed = json.loads(served.muster("get", "cm", "-n", name, "-o", "json").stdout)["items"]
    assert len({each["metadata"]["resourceVersion"] for each in listed}) == 1
    maps[3]["data"] = {"a": "2"}
    changed = apply([resource("Namespace", name), *maps], "--atomic").stdout.splitlines()
    assert [line for line in changed if "unchanged" not in line] == ["configmap/c3 configured"]
    maps[4]["data"] = {"a": "3"}
    refused = apply([*maps, workload("web", "x", "no-such-namespace")], "--atomic")
    assert refused.returncode == 1
    assert "namespace no-such-namespace does not exist" in refused.stderr
    assert served.muster("get", "cm", "c4", "-n", name, "-o", "yaml").stdout.count("'1'") == 1


def test_atomic_has_a_limit(apply: Apply) -> None:
    """A change stands in one record of the log."""
    maps = [resource("ConfigMap", f"c{number}") for number in range(TOGETHER_LIMIT + 1)]
    done = apply(maps, "--atomic")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr.splitlines()[0] == "muster: --atomic takes 1000 documents at most: leave it out, or split the files"
    )
