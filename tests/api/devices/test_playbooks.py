"""Playbooks over HTTP: served as the contract says, followed by heartbeats, and no longer served once ended."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
import yaml

from tests.api.fleet import FLOTTA, MERGE_PATCH, Device, device_path
from tests.api.installation import python_process, until

TEXT = "---\n- name: hällo\n  hosts: all\n"


@pytest.fixture(scope="module")
def folding(variables: dict[str, str], logs: Path) -> Iterator[None]:
    """The heartbeat worker runs."""
    with python_process(["streams", "heartbeats"], variables, logs / "playbooks-heartbeats.log"):
        yield


def condition(device: Device, execution: str) -> str:
    """The one that holds, as the operator sees it; empty as long as there is no such resource."""
    answer = device.operator.http.get(f"{FLOTTA}/namespaces/default/playbookexecutions/{execution}")
    if answer.status_code == 404:
        return ""
    conditions: list[dict[str, Any]] = answer.json()["status"]["conditions"]
    return next(str(each["type"]) for each in conditions if each["status"] == "True")


@pytest.mark.usefixtures("folding")
def test_a_playbook_is_served_until_the_device_has_run_it(registered: Device, contract: Path) -> None:
    """Its conditions follow the heartbeats; the device's status shows them."""
    config = f"c-{uuid4().hex[:8]}"
    playbook = {"content": b64encode(TEXT.encode()).decode()}
    body = {"metadata": {"name": config}, "spec": {"edgePlaybook": {"playbooks": [playbook]}}}
    registered.operator.create(f"{FLOTTA}/namespaces/default/edgeconfigs", body)
    assert registered.call("GET", "playbookexecutions").json == []
    patch = {"metadata": {"labels": {"config/first": config}}}
    path = device_path(registered.device_id)
    assert registered.operator.http.patch(path, json=patch, headers=MERGE_PATCH).status_code == 200
    name = f"{registered.device_id}-{config}"
    served = registered.call("GET", "playbookexecutions").json
    assert served == [{"name": name, "ansible_playbook_string": TEXT}]
    models = yaml.safe_load((contract / "swagger.yaml").read_text())
    schema = {"$ref": "#/definitions/playbook-executions-response", "definitions": models["definitions"]}
    jsonschema.Draft4Validator(schema).validate(served)
    until(lambda: condition(registered, name) == "Deploying")
    for status in ("Running", "SuccessfullyCompleted"):
        assert registered.beat(**{"playbook-executions": [{"name": name, "status": status}, None]}).status == 200
        until(lambda expected=status: condition(registered, name) == expected, 30)
    assert registered.call("GET", "playbookexecutions").json == []
    (shown,) = registered.operator.http.get(path).json()["status"]["PlaybookExec"]
    assert shown["name"] == name
    assert shown["PlaybookExecutionStatus"]["conditions"][-1]["type"] == "SuccessfullyCompleted"
