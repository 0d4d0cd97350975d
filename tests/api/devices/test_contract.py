"""The six calls against the contract's own files: each answer is valid by them, each call is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.api.fleet import FLOTTA, Device
from tests.api.go_client import RawAnswer

MODELS = {
    "DeviceConfigurationMessage": "device-configuration-message",
    "EnrolmentInfo": "enrolment-info",
    "RegistrationInfo": "registration-info",
    "Heartbeat": "heartbeat",
    "PlaybookExecutionsResponse": "playbook-executions-response",
}
"""The Go types that the backend's file refers to, as `swagger.yaml` defines them."""

Check = Callable[[str, str, RawAnswer], None]


def resolved(node: Any) -> Any:
    """JSON schema of a swagger schema: Go types become references, unknown properties are refused."""
    if isinstance(node, list):
        return [resolved(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "x-go-type" in node:
        return {"$ref": f"#/definitions/{MODELS[node['x-go-type']['type']]}"}
    made = {key: resolved(value) for key, value in node.items()}
    if isinstance(made.get("exclusiveMinimum"), bool):
        made.pop("exclusiveMinimum")
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        # A misspelt key crashes the agent, so none may come that the contract does not name.
        made.setdefault("additionalProperties", False)
    return made


@pytest.fixture(scope="module")
def backend(contract: Path) -> dict[str, Any]:
    """The backend's file with the models it refers to."""
    own = yaml.safe_load((contract / "swagger-backend.yaml").read_text())
    models = yaml.safe_load((contract / "swagger.yaml").read_text())
    definitions = resolved(models["definitions"] | own["definitions"])
    return own | {"definitions": definitions}


@pytest.fixture(scope="module")
def check(backend: dict[str, Any]) -> Check:
    """Validates an answer by the schema of its call and status."""

    def check_answer(method: str, call: str, answer: RawAnswer) -> None:
        responses = backend["paths"][f"/namespaces/{{namespace}}/devices/{{device-id}}/{call}"][method.lower()][
            "responses"
        ]
        response = responses.get(str(answer.status), responses["default"])
        if "schema" not in response and str(answer.status) in responses and answer.status < 300:
            assert answer.body == b""
            return
        schema = resolved(response.get("schema", {"$ref": "#/definitions/error"}))
        jsonschema.validate(answer.json, schema | {"definitions": backend["definitions"]})

    return check_answer


def test_answers_are_valid_by_the_contract(device: Device, check: Check) -> None:
    """A device's whole life, each answer by the schema of its status."""

    def call(method: str, name: str, body: Any = None) -> None:
        check(method, name, device.call(method, name, body))

    registration = {"certificate_request": device.request, "hardware": {"hostname": "h"}}
    reads = [("GET", name) for name in ("registration", "configuration", "playbookexecutions")]
    for method, name in reads:
        call(method, name)
    call("PUT", "heartbeat", {})
    call("PUT", "registration", registration)
    call("POST", "enrolment", {})
    call("GET", "registration")
    device.operator.approve(device.device_id)
    call("POST", "enrolment", {})
    call("GET", "registration")
    call("PUT", "registration", registration)
    for method, name in reads:
        call(method, name)
    call("PUT", "heartbeat", {"status": "up"})
    for bad in ([], {"status": 1}):
        call("PUT", "heartbeat", bad)
    device.operator.delete_device(device.device_id)
    for method, name in reads:
        call(method, name)
    call("PUT", "registration", registration)


def test_a_rich_configuration_is_valid_by_the_contract(registered: Device, check: Check) -> None:
    """Sections, workloads and secrets, none misspelt: a misspelt top-level key crashes the agent."""
    name = registered.device_id
    spec = {
        "heartbeat": {"periodSeconds": 15, "hardwareProfile": {"include": True, "scope": "delta"}},
        "metrics": {"retention": {"maxMiB": 10, "maxHours": 2}, "system": {"interval": 60}},
        "osInformation": {"commitID": "c", "hostedObjectsURL": "http://objects.example"},
        "mounts": [{"device": "/dev/sda", "directory": "/mnt", "type": "ext4", "options": "ro"}],
    }
    http = registered.operator.http
    patched = http.patch(
        f"{FLOTTA}/namespaces/default/edgedevices/{name}",
        json={"spec": spec},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert patched.status_code == 200, patched.text
    secret = {"metadata": {"name": name}, "stringData": {"token": "t"}}
    assert http.post("/api/v1/namespaces/default/secrets", json=secret).status_code == 201
    container = {"name": "c", "image": "i:1", "envFrom": [{"secretRef": {"name": name}}]}
    workload = {
        "metadata": {"name": name, "labels": {"podman/x": "y"}},
        "spec": {
            "type": "pod",
            "device": name,
            "pod": {"spec": {"containers": [container]}},
            "data": {"egress": [{"source": "/a", "target": "b"}]},
            "metrics": {"port": 8080, "path": "/m", "interval": 30},
        },
    }
    registered.operator.create(f"{FLOTTA}/namespaces/default/edgeworkloads", workload)
    answer = registered.call("GET", "configuration")
    check("GET", "configuration", answer)
    configuration = answer.json["device-configuration"]
    assert {"device_id", "version", "configuration", "workloads", "secrets"} == set(configuration)
    assert "hardware_profile" in configuration["configuration"]["heartbeat"]


def test_every_call_of_the_contract_is_in_our_document(device: Device, backend: dict[str, Any]) -> None:
    """Paths and methods of the backend's file, under its base path."""
    ours = device.operator.http.get("/docs/openapi.json").json()["paths"]
    for path, methods in backend["paths"].items():
        found = ours[backend["basePath"] + path.replace("{device-id}", "{device_id}")]
        assert set(found) == {method for method in methods if method != "parameters"}
