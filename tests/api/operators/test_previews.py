"""`POST /muster/v1/preview` against a running installation."""

from base64 import b64encode
from typing import Any

import pytest

from tests.api.fleet import FLOTTA, Device, Operator

PATH = "/muster/v1/preview"
API_VERSION = "management.project-flotta.io/v1alpha1"
VALUE = "planted-value-of-a-preview"


def previewed(operator: Operator, **asked: Any) -> dict[str, Any]:
    """What is told."""
    answer = operator.http.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def for_device(device: Device, secret: str) -> list[dict[str, Any]]:
    """A workload for one device, and its Secret."""
    container = {"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": secret}}]}
    spec = {"device": device.device_id, "type": "pod", "pod": {"spec": {"containers": [container]}}}
    metadata = {"name": device.device_id}
    return [
        {"apiVersion": API_VERSION, "kind": "EdgeWorkload", "metadata": metadata, "spec": spec},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": VALUE}},
    ]


def test_a_registered_device_is_told_what_the_preview_said(registered: Device, operator: Operator) -> None:
    """The version, once it is applied; and its bytes, to the last."""
    documents = for_device(registered, registered.device_id)
    answer = operator.http.post(PATH, json={"documents": documents})
    assert VALUE not in answer.text
    assert b64encode(VALUE.encode()).decode() not in answer.text
    told = answer.json()
    assert (told["devices"]["changed"], told["resources"]["created"]) == (1, 2)
    (group,) = told["groups"]
    assert group["example"] == registered.device_id
    assert "k: <hidden>" in group["diff"]
    before = registered.call("GET", "configuration")
    for collection, document in zip(
        (f"{FLOTTA}/namespaces/default/edgeworkloads", "/api/v1/namespaces/default/secrets"), documents, strict=True
    ):
        operator.create(collection, document)
    after = registered.call("GET", "configuration")
    assert group["version"] in after.body.decode()
    assert group["versionBefore"] in before.body.decode()
    assert (told["reads"]["bytes"], told["reads"]["bytesBefore"]) == (len(after.body), len(before.body))
    again = previewed(operator, documents=documents, delete=[{"kind": "secret", "name": registered.device_id}])
    assert (again["devices"]["failing"], again["missing"][0]["resource"]) == (
        1,
        f"Secret default/{registered.device_id}",
    )


def test_ten_thousand_documents_of_which_one_is_bad(operator: Operator) -> None:
    """The one is told with number, field and rule; the process goes on meanwhile."""
    documents = [
        {"apiVersion": API_VERSION, "kind": "EdgeDeviceSet", "metadata": {"name": f"s{number}"}, "spec": {}}
        for number in range(10_000)
    ]
    documents[6_999]["spec"] = {"heartbeat": {"periodSeconds": 0}}
    told = previewed(operator, documents=documents)
    assert told["refused"] == 1
    (refusal,) = told["refusals"]
    assert (refusal["number"], refusal["field"]) == (7_000, "spec.heartbeat.periodSeconds")
    assert refusal["resource"] == "EdgeDeviceSet s6999"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"[]", 400, "cannot be read"),
        (b"{}", 400, "are empty"),
        (b'{"documents": 5}', 400, "cannot be read"),
        (b'{"document": []}', 400, "unknown field"),
        (b'{"documents": [{}], "namespace": "No Name"}', 400, "namespace"),
        (b'{"documents": [' + b"0," * 10_000 + b"0]}", 400, "10000"),
        (b'{"delete": [{"kind": "x"}]}', 400, "name"),
    ],
)
def test_what_cannot_be_read_is_refused(operator: Operator, body: bytes, status: int, said: str) -> None:
    """With the reason."""
    answer = operator.http.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, said in answer.json()["message"]) == (status, True), answer.text


@pytest.mark.parametrize("document", ["5", '{"metadata": {"name": 5}}', '{"kind": "EdgeDevice"}', "[" * 5000])
def test_a_document_that_is_none_is_refused_by_its_number(operator: Operator, document: str) -> None:
    """And never ends in an error of ours."""
    answer = operator.http.post(
        PATH, content=f'{{"documents": [{document}]}}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert [each["number"] for each in answer.json()["refusals"]] == [1]
