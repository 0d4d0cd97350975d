"""What `apply` sends for one resource."""

import json
from typing import Any

from fleet.documents.yaml_documents import ResourceDocument, read_documents
from fleet.resources.change_plan import LAST_APPLIED, plan_change
from fleet.resources.merge_patch import merge_patch

WORKLOAD = """\
apiVersion: management.project-flotta.io/v1alpha1
kind: EdgeWorkload
metadata: {name: web, namespace: shops, labels: {app: web}}
spec:
  deviceSelector: {matchLabels: {site: north}}
  type: pod
  pod: {spec: {containers: [{name: web, image: "registry.example/web:1"}]}}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: shops}
stringData: {token: planted-value}
"""


def document(text: str) -> ResourceDocument:
    """The one resource of a text."""
    (found,) = read_documents(text)
    return found


def stored(body: dict[str, Any]) -> dict[str, Any]:
    """A resource as a server shows it."""
    return body | {"metadata": body["metadata"] | {"uid": "u1", "resourceVersion": "7", "generation": 1}}


def test_new_resource_is_created_with_what_was_applied() -> None:
    """The annotation holds the file's content, as kubectl writes it."""
    wanted = document(WORKLOAD)
    plan = plan_change(wanted, None)
    assert plan.action == "create"
    annotation = plan.body["metadata"]["annotations"][LAST_APPLIED]
    assert annotation.endswith("\n")
    assert json.loads(annotation)["spec"] == wanted.body["spec"]
    assert LAST_APPLIED not in json.loads(annotation)["metadata"]["annotations"]


def test_applying_again_changes_nothing() -> None:
    """Also when others added labels and a status meanwhile."""
    wanted = document(WORKLOAD)
    live = stored(plan_change(wanted, None).body) | {"status": {"phase": "x"}}
    live["metadata"]["labels"] = {"app": "web", "other": "1"}
    assert plan_change(wanted, live).action == "nothing"


def test_what_the_file_no_longer_says_is_removed_and_others_fields_stay() -> None:
    """The file's label goes with the file's line; somebody else's label stays."""
    live = stored(plan_change(document(WORKLOAD), None).body)
    live["metadata"]["labels"] = {"app": "web", "other": "1"}
    plan = plan_change(document(WORKLOAD.replace(", labels: {app: web}", "")), live)
    assert plan.action == "patch"
    after = merge_patch(live, plan.body)
    assert after["metadata"]["labels"] == {"other": "1"}
    assert after["spec"] == live["spec"]
    assert "labels" not in json.loads(after["metadata"]["annotations"][LAST_APPLIED])["metadata"]


def test_unreadable_annotation_removes_nothing() -> None:
    """Without a readable last version nobody knows what the file once said."""
    wanted = document(WORKLOAD)
    live = stored(plan_change(wanted, None).body)
    live["metadata"]["annotations"] = {LAST_APPLIED: "{not json"}
    live["spec"]["data"] = {"egress": []}
    after = merge_patch(live, plan_change(wanted, live).body)
    assert after["spec"]["data"] == {"egress": []}


def test_secrets_value_is_in_no_annotation() -> None:
    """What client-side apply would copy in clear stays out of it."""
    plan = plan_change(document(SECRET), None)
    assert plan.action == "create"
    assert "annotations" not in plan.body["metadata"]


def test_secrets_file_owns_its_data() -> None:
    """Values are sent though the live ones are hidden; a key that left the file is removed."""
    live = stored(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "token", "namespace": "shops", "labels": {"other": "1"}},
            "data": {"token": "PGhpZGRlbj4=", "old": "PGhpZGRlbj4="},
        }
    )
    plan = plan_change(document(SECRET), live)
    assert plan.action == "patch"
    assert plan.body["stringData"] == {"token": "planted-value"}
    assert plan.body["data"] == {"old": None}
    assert merge_patch(live, plan.body)["metadata"]["labels"] == {"other": "1"}
