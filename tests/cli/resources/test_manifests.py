"""Reading files: everything is checked before anything is sent, and each mistake says where it is."""

import io
import sys
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.resources.manifests import read_manifests

FLOTTA = "management.project-flotta.io/v1alpha1"


def named(kind: str, name: str, *, api_version: str = FLOTTA, more: str = "") -> str:
    """A small document."""
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n{more}"


def test_resources_come_in_the_order_they_need_each_other(tmp_path: Path) -> None:
    """Namespaces first, then secrets and config maps, sets, devices, and the rest as written."""
    text = "---\n".join(
        [
            named("EdgeWorkload", "web", more="spec: {type: pod, device: d1, pod: {spec: {containers: []}}}\n").replace(
                "containers: []", "containers: [{name: web, image: a}]"
            ),
            named("EdgeDevice", "d1"),
            named("ConfigMap", "c", api_version="v1"),
            named("EdgeDeviceSet", "s"),
            named("Secret", "s", api_version="v1"),
            named("Namespace", "n", api_version="v1"),
        ]
    )
    (tmp_path / "all.yaml").write_text(text)
    resources, mistakes = read_manifests([str(tmp_path / "all.yaml")], "default")
    assert mistakes == []
    kinds = [resource.kind.kind for resource in resources]
    assert kinds == ["Namespace", "Secret", "ConfigMap", "EdgeDeviceSet", "EdgeDevice", "EdgeWorkload"]
    assert [resource.namespace for resource in resources] == ["", *["default"] * 5]


def test_every_mistake_is_told_with_file_document_line_and_field(tmp_path: Path) -> None:
    """Not only the first one: a person mends a file once."""
    (tmp_path / "a.yaml").write_text(
        named("EdgeDeviceSet", "good")
        + "---\n"
        + named("EdgeDeviceSet", "bad", more="spec:\n  heartbeat:\n    periodSeconds: often\n")
    )
    (tmp_path / "b.json").write_text('{"apiVersion": "v1", "kind": "Sekret", "metadata": {"name": "x"}}')
    (tmp_path / "c.txt").write_text("not read")
    resources, mistakes = read_manifests([str(tmp_path)], "default")
    assert [resource.name for resource in resources] == ["good"]
    assert len(mistakes) == 2
    assert mistakes[0].startswith(f"{tmp_path / 'a.yaml'}: document 2 (line 12): spec.heartbeat.periodSeconds")
    assert "b.json: document 1 (line 1): unknown kind 'Sekret': did you mean Secret?" in mistakes[1]


def test_resource_in_two_files_is_refused(tmp_path: Path) -> None:
    """Which of them should win is nothing to guess."""
    for file in ("a.yaml", "b.yaml"):
        (tmp_path / file).write_text(named("EdgeDeviceSet", "twice"))
    _, mistakes = read_manifests([str(tmp_path)], "default")
    assert len(mistakes) == 1
    assert "edgedeviceset/twice is already in" in mistakes[0]


def test_fields_of_the_server_are_left_out_with_a_warning(tmp_path: Path) -> None:
    """YAML exported from a cluster can be applied."""
    (tmp_path / "d.yaml").write_text(
        f"apiVersion: {FLOTTA}\nkind: EdgeDevice\nmetadata:\n  name: d1\n  uid: u\n  resourceVersion: '5'\n"
        "status: {phase: up}\n"
    )
    (resource,), _ = read_manifests([str(tmp_path / "d.yaml")], "default")
    assert "uid" not in resource.body["metadata"]
    assert "status" not in resource.body
    assert any("metadata.resourceVersion" in warning for warning in resource.warnings)


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads it, and messages call it by name."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"kind: Namespace\n")))
    _, mistakes = read_manifests(["-"], "default")
    assert mistakes == ["standard input: document 1 (line 1): apiVersion is missing: write it"]


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    """With the file's name and what else may be given."""
    with pytest.raises(CommandError, match=r"nowhere.yaml: No such file or directory: name a file") as caught:
        read_manifests([str(tmp_path / "nowhere.yaml")], "default")
    assert caught.value.status == 2


@pytest.mark.parametrize("text", ["", "---\n---\n", "# only a comment\n"])
def test_file_without_a_resource_is_said(tmp_path: Path, text: str) -> None:
    """Nothing to apply is a mistake, not a success."""
    (tmp_path / "empty.yaml").write_text(text)
    with pytest.raises(CommandError, match="no resource in"):
        read_manifests([str(tmp_path / "empty.yaml")], "default")


def test_resources_of_the_real_samples_are_accepted_or_refused_with_a_reason(samples: Path) -> None:
    """An old field is accepted with a warning, an empty PlaybookExecution refused."""
    resources, mistakes = read_manifests([str(path) for path in sorted(samples.glob("*.yaml"))], "default")
    assert {resource.kind.kind for resource in resources} == {
        "EdgeConfig", "EdgeDevice", "EdgeDeviceSet", "EdgeWorkload",
    }  # fmt: skip
    (workload,) = [resource for resource in resources if resource.kind.kind == "EdgeWorkload"]
    assert any("spec.data.paths" in warning for warning in workload.warnings)
    (mistake,) = mistakes
    assert "management_v1alpha1_playbookexecution.yaml" in mistake
    assert "spec.playbook" in mistake
