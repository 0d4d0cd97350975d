"""A message names the line of the field it is about, whatever the document looks like."""

import pytest

from fleet.documents.yaml_documents import examine_documents

TEXT = """\
# a comment
apiVersion: v1
kind: ConfigMap
metadata: {name: first}
---
apiVersion: management.project-flotta.io/v1alpha1
kind: EdgeWorkload
metadata:
  name: web
  labels:
    flotta/member-of: x
    é: "\U0001f600"
spec:
  deviceSelector:
    matchExpressions:
      - {key: a, operator: In, values: [b]}
      - key: a
        operator: Near
  pod:
    spec:
      containers:
      - name: web
        image: i
"""

LIST = """\
  apiVersion: v1
  kind: List
  items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: a}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: b}
    data:
      a.key: x
      a.key.more: y
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("kind", 7),
        ("metadata.labels[flotta/member-of]", 11),
        ("metadata.labels[é]", 12),
        ("spec.deviceSelector.matchExpressions[0].operator", 16),
        ("spec.deviceSelector.matchExpressions[1].operator", 18),
        ("spec.pod.spec.containers[0].image", 23),
        ("spec.pod.spec.containers[7]", 21),
        ("spec.type", 13),
        ("nothing", 6),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_field_is_found(path: str, line: int, newline: str) -> None:
    """In the second document; of what is missing, where it would belong."""
    document = examine_documents(TEXT.replace("\n", newline)).resources[1]
    assert document.place_of(path) == f"document 2 (line {line})"


@pytest.mark.parametrize(("path", "line"), [("data[a.key.more]", 12), ("data.a.key", 11), ("metadata.name", 9)])
def test_a_field_of_an_item_is_found(path: str, line: int) -> None:
    """Also where the whole list is indented."""
    document = examine_documents(LIST).resources[1]
    assert document.place_of(path) == f"document 1, item 2 (line {line})"


def test_every_mistake_is_collected() -> None:
    """Each with its document, beside the documents that are right."""
    bad = "apiVersion: v1\nkind: Gizmo\nmetadata: {name: g}\n"
    odd = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 7\n"
    examined = examine_documents(f"{bad}---\n{TEXT}---\njust text\n---\n{odd}---\n{TEXT}")
    assert [document.number for document in examined.resources] == [2, 3]
    assert [str(mistake).partition(": ")[0] for mistake in examined.mistakes] == [
        "document 1 (line 2)",
        "document 4 (line 29)",
        "document 5 (line 34)",
        "document 6 (line 37)",
        "document 7 (line 41)",
    ]
    assert examined.documents == 7
