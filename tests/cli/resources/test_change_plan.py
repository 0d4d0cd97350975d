"""What `apply` sends for one resource."""

import json
from pathlib import Path
from typing import Any

from api.resources.patches.merge_patch import merge_patch
from cli.resources.change_plan import LAST_APPLIED, plan_change
from cli.resources.manifests import Manifest, read_manifests

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


def manifest(folder: Path, text: str) -> Manifest:
    """The one resource of a text."""
    file = folder / "one.yaml"
    file.write_text(text)
    resources, mistakes = read_manifests([str(file)], "default")
    assert mistakes == []
    return resources[0]


def stored(body: dict[str, Any]) -> dict[str, Any]:
    """A resource as a server shows it."""
    return body | {"metadata": body["metadata"] | {"uid": "u1", "resourceVersion": "7", "generation": 1}}


def test_new_resource_is_created_with_what_was_applied(tmp_path: Path) -> None:
    """The annotation holds the file's content, as kubectl writes it."""
    wanted = manifest(tmp_path, WORKLOAD)
    plan = plan_change(wanted, None)
    assert plan.action == "create"
    annotation = plan.body["metadata"]["annotations"][LAST_APPLIED]
    assert annotation.endswith("\n")
    assert json.loads(annotation)["spec"] == wanted.body["spec"]
    assert LAST_APPLIED not in json.loads(annotation)["metadata"]["annotations"]


def test_applying_again_changes_nothing(tmp_path: Path) -> None:
    """Also when others added labels and a status meanwhile."""
    wanted = manifest(tmp_path, WORKLOAD)
    live = stored(plan_change(wanted, None).body) | {"status": {"phase": "x"}}
    live["metadata"]["labels"] = {"app": "web", "other": "1"}
    assert plan_change(wanted, live).action == "nothing"


def test_what_the_file_no_longer_says_is_removed_and_others_fields_stay(tmp_path: Path) -> None:
    """The file's label goes with the file's line; somebody else's label stays."""
    live = stored(plan_change(manifest(tmp_path, WORKLOAD), None).body)
    live["metadata"]["labels"] = {"app": "web", "other": "1"}
    plan = plan_change(manifest(tmp_path, WORKLOAD.replace(", labels: {app: web}", "")), live)
    assert plan.action == "patch"
    after = merge_patch(live, plan.body)
    assert after["metadata"]["labels"] == {"other": "1"}
    assert after["spec"] == live["spec"]
    assert "labels" not in json.loads(after["metadata"]["annotations"][LAST_APPLIED])["metadata"]


def test_unreadable_annotation_removes_nothing(tmp_path: Path) -> None:
    """Without a readable last version nobody knows what the file once said."""
    wanted = manifest(tmp_path, WORKLOAD)
    live = stored(plan_change(wanted, None).body)
    live["metadata"]["annotations"] = {LAST_APPLIED: "{not json"}
    live["spec"]["data"] = {"egress": []}
    after = merge_patch(live, plan_change(wanted, live).body)
    assert after["spec"]["data"] == {"egress": []}


def test_secrets_value_is_in_no_annotation(tmp_path: Path) -> None:
    """What client-side apply would copy in clear stays out of it."""
    plan = plan_change(manifest(tmp_path, SECRET), None)
    assert plan.action == "create"
    assert "annotations" not in plan.body["metadata"]


def test_secrets_file_owns_its_data(tmp_path: Path) -> None:
    """Values are sent though the live ones are hidden; a key that left the file is removed."""
    live = stored(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "token", "namespace": "shops", "labels": {"other": "1"}},
            "data": {"token": "PGhpZGRlbj4=", "old": "PGhpZGRlbj4="},
        }
    )
    plan = plan_change(manifest(tmp_path, SECRET), live)
    assert plan.action == "patch"
    assert plan.body["stringData"] == {"token": "planted-value"}
    assert plan.body["data"] == {"old": None}
    assert merge_patch(live, plan.body)["metadata"]["labels"] == {"other": "1"}
