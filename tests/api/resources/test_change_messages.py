"""Who changed a resource and why, as `kubectl` and other clients say it, and as analysts read it."""

import getpass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from settings import load
from settings.keys import read_password
from storage.client import connect
from tests.api.fleet import FLOTTA, Operator
from tests.api.resources.kubectl import Kubectl

SETS = f"{FLOTTA}/namespaces/default/edgedevicesets"
SECRETS = "/api/v1/namespaces/default/secrets"
VALUE = "correct-horse"


@pytest.fixture
def name() -> str:
    """A name nobody has."""
    return f"c-{uuid4().hex[:8]}"


def revisions(operator: Operator, kind: str, name: str) -> list[dict[str, Any]]:
    """A resource's history, newest first."""
    answer = operator.http.get(f"/muster/v1/history/{kind}/{name}", params={"namespace": "default"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_kubectl_has_an_author_and_its_change_cause_is_the_message(
    kubectl: Kubectl, operator: Operator, variables: dict[str, str], name: str
) -> None:
    """The author is the user whose program it is; the cause tells of the change that sets it alone."""
    metadata = {"name": name, "annotations": {"kubernetes.io/change-cause": "beat faster"}}
    operator.create(SETS, {"metadata": metadata, "spec": {}})
    kubectl("label", "edgedeviceset", name, "site=north")
    kubectl("annotate", "--overwrite", "edgedeviceset", name, "kubernetes.io/change-cause=beat slower")
    told = revisions(operator, "edgedeviceset", name)
    assert [each["message"] for each in told] == ["beat slower", "", "beat faster"]
    assert {each["author"] for each in told} == {getpass.getuser()}
    settings = load(variables)
    client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
    query = "SELECT message, author FROM configuration_revisions WHERE name = {name:String} ORDER BY revision"
    rows = client.query(query, parameters={"name": name}).result_rows
    client.close()
    assert [row[0] for row in rows] == ["beat faster", "", "beat slower"]


def test_a_message_that_tells_a_secret_is_refused(operator: Operator, name: str) -> None:
    """In clear or in base64, when it is made, changed or deleted; nothing is changed and the value is not repeated."""
    document = {"metadata": {"name": name}, "stringData": {"password": VALUE}}
    for message in (f"now {VALUE}", "Y29ycmVjdC1ob3JzZQ=="):
        answer = operator.http.post(SECRETS, json=document, headers={"Muster-Message": quote(message)})
        assert answer.status_code == 422
        assert "the message holds the value of data[password]" in answer.text
        assert VALUE not in answer.text
    operator.create(SECRETS, document)
    headers = {"Muster-Message": f"was {VALUE}"}
    assert operator.http.delete(f"{SECRETS}/{name}", headers=headers).status_code == 422
    change = {"metadata": {"labels": {"a": "b"}}}
    patching = {**headers, "Content-Type": "application/merge-patch+json"}
    assert operator.http.patch(f"{SECRETS}/{name}", json=change, headers=patching).status_code == 422
    assert operator.http.delete(f"{SECRETS}/{name}", headers={"Muster-Message": "rotated"}).status_code == 200
    assert [each["message"] for each in revisions(operator, "secret", name)] == ["rotated", ""]


@pytest.mark.parametrize("header", ["x" * 1001, "%FF", "%1B[2J"])
def test_what_is_no_message_is_bad_input(operator: Operator, name: str, header: str) -> None:
    """And nothing is changed."""
    answer = operator.http.post(SETS, json={"metadata": {"name": name}}, headers={"Muster-Message": header})
    assert answer.status_code == 400
    assert "essage" in answer.json()["message"]
    assert operator.http.get(f"{SETS}/{name}").status_code == 404
