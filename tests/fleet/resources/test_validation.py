"""What every kind has in common: the envelope, metadata, unknown fields, what the server owns."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fleet.documents.yaml_documents import read_documents
from fleet.errors import BadInputError, InvalidResourceError
from fleet.resources import KINDS, Validated, validate
from tests.fleet.resources.documents import SMALLEST, Document, document, validated

NAMESPACED = [kind for kind in SMALLEST if KINDS[kind].is_namespaced]


def refused(kind: str, changes: Document, **options: Any) -> InvalidResourceError:
    """The refusal of a document; its message always names the field."""
    with pytest.raises(InvalidResourceError) as refusal:
        validated(kind, changes, **options)
    return refusal.value


@pytest.mark.parametrize("kind", SMALLEST)
def test_smallest_document_of_each_kind_is_valid(kind: str) -> None:
    """No warnings, and the body says what it is."""
    body, warnings = validated(kind)
    assert warnings == []
    assert (body["apiVersion"], body["kind"], body["metadata"]["name"]) == (KINDS[kind].api_version, kind, "n")


@pytest.mark.parametrize("kind", SMALLEST)
def test_valid_body_is_valid_again_and_stays_the_same(kind: str) -> None:
    """What is stored can be read back, edited and applied."""
    body = validated(kind).body
    assert validate(KINDS[kind], body, unknown_fields="strict") == Validated(body, [])


@pytest.mark.parametrize("kind", SMALLEST)
def test_document_is_never_changed(kind: str) -> None:
    """The caller's values are its own."""
    given = document(kind, {"metadata.uid": "u", "status": {"x": 1}})
    before = deepcopy(given)
    validate(KINDS[kind], given)
    assert given == before


def test_path_supplies_what_a_body_leaves_out() -> None:
    """Typed clients send bodies without kind, apiVersion and namespace."""
    body = validate(KINDS["ConfigMap"], {"data": {"a": "b"}}, namespace="ns", name="n").body
    assert body == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "n", "namespace": "ns"},
        "data": {"a": "b"},
    }


@pytest.mark.parametrize(("field", "options"), [("namespace", {"namespace": "x"}), ("name", {"name": "x"})])
def test_body_that_contradicts_its_path_is_refused(field: str, options: dict[str, str]) -> None:
    """Another namespace or name than the request's."""
    assert refused("ConfigMap", {}, **options).field == f"metadata.{field}"


@pytest.mark.parametrize(("field", "value"), [("kind", "Secret"), ("apiVersion", "v2"), ("kind", 5)])
def test_body_of_another_kind_is_bad_input(field: str, value: object) -> None:
    """A Secret sent to the ConfigMaps."""
    with pytest.raises(BadInputError, match=f"{field} is"):
        validated("ConfigMap", {field: value})


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_document_that_is_no_mapping_is_bad_input(value: object) -> None:
    """The message says what a document has."""
    with pytest.raises(BadInputError, match="write apiVersion, kind, metadata"):
        validate(KINDS["ConfigMap"], value)


@pytest.mark.parametrize("metadata", [[], "x", 5, {"name": 5}, {"name": ["n"]}, {"name": "n", "labels": []}])
def test_wrong_metadata_is_refused(metadata: object) -> None:
    """Wrong types anywhere in it."""
    assert refused("ConfigMap", {"metadata": metadata}, namespace="ns").field.startswith("metadata")


@pytest.mark.parametrize("kind", SMALLEST)
def test_name_is_required(kind: str) -> None:
    """A name is never generated."""
    assert refused(kind, {"metadata.name": None}).field == "metadata.name"


@pytest.mark.parametrize("kind", NAMESPACED)
def test_namespace_is_required_where_the_kind_has_one(kind: str) -> None:
    """Whoever reads the document may supply it; nobody guesses it."""
    assert refused(kind, {"metadata.namespace": None}).field == "metadata.namespace"


def test_namespace_has_no_namespace() -> None:
    """A Namespace in a namespace is a mistake."""
    assert refused("Namespace", {"metadata.namespace": "ns"}).field == "metadata.namespace"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("ConfigMap", "A"), ("Namespace", "a.b"), ("EdgeDevice", "register"), ("EdgeDeviceSignedRequest", "*")],
)
def test_names_follow_their_kind(kind: str, name: str) -> None:
    """Device ids are checked wherever a resource is named after one."""
    assert refused(kind, {"metadata.name": name}).field == "metadata.name"


@pytest.mark.parametrize(
    ("field", "value"),
    [("labels", {"a b": "x"}), ("labels", {"a": "x y"}), ("labels", {"a": 5}), ("annotations", {"/": "x"})],
)
def test_labels_and_annotations_follow_kubernetes(field: str, value: object) -> None:
    """Keys of both, values of labels; numbers must be quoted."""
    assert refused("ConfigMap", {f"metadata.{field}": value}).field.startswith(f"metadata.{field}")


def test_annotations_are_bounded() -> None:
    """256 KiB together."""
    assert refused("ConfigMap", {"metadata.annotations": {"a": "x" * 262_144}}).field == "metadata.annotations"


def test_exported_yaml_is_accepted_without_what_the_server_owns() -> None:
    """`kubectl get -o yaml | kubectl apply` works; one warning names all that was left out."""
    exported = {"uid": "u", "resourceVersion": "5", "generation": 2, "finalizers": ["f"], "managedFields": []}
    changes = {f"metadata.{field}": value for field, value in exported.items()}
    body, warnings = validated("EdgeDevice", {**changes, "status": {"phase": "up"}})
    assert body == validated("EdgeDevice").body
    assert len(warnings) == 1
    assert all(f"metadata.{field}" in warnings[0] for field in exported)
    assert "status" in warnings[0]
    assert validated("EdgeDevice", changes, warn_of_server_fields=False).warnings == []


def test_exported_namespace_is_accepted() -> None:
    """Its spec holds the server's finalizers alone."""
    assert validated("Namespace", {"spec.finalizers": ["kubernetes"]}).body == validated("Namespace").body


UNKNOWN = {"sepc": {}, "spec.foo": 1, "spec.metrics.system.bar": 2, "metadata.baz": 3}


def test_unknown_fields_are_left_out_with_a_warning() -> None:
    """At every depth, by the path."""
    body, warnings = validated("EdgeDevice", UNKNOWN)
    assert sorted(warnings) == sorted(f'unknown field "{field}"' for field in UNKNOWN)
    assert body["spec"] == {"metrics": {"system": {"interval": 60}}}
    assert "sepc" not in body


def test_unknown_fields_are_refused_when_strict() -> None:
    """In the words kubectl shows."""
    with pytest.raises(BadInputError, match=r'strict decoding error: .*unknown field "spec\.foo"'):
        validated("EdgeDevice", UNKNOWN, unknown_fields="strict")


def test_unknown_fields_are_left_out_silently_on_request() -> None:
    """`fieldValidation=Ignore`."""
    assert validated("EdgeDevice", UNKNOWN, unknown_fields="ignore").warnings == []


def test_warnings_are_bounded() -> None:
    """A thousand unknown fields do not make a thousand headers."""
    warnings = validated("EdgeDevice", {f"spec.f{index}": 1 for index in range(1000)}).warnings
    assert len(warnings) == 21
    assert "980 more" in warnings[-1]


def test_null_means_absent() -> None:
    """As the Kubernetes API reads a field that is not nullable."""
    given = document("EdgeDevice")
    given["spec"] = {"heartbeat": None, "metrics": {"retention": None}}
    given["status"] = None
    assert validate(KINDS["EdgeDevice"], given) == Validated({**document("EdgeDevice"), "spec": {"metrics": {}}}, [])


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1 << 64, "\ud800", {1: "x"}, b"x", {"x"}, {"\udfff": 1}], ids=ascii
)
def test_what_json_cannot_say_is_refused(value: object) -> None:
    """Even inside a pod's specification, which is kept as it stands."""
    assert refused("EdgeWorkload", {"spec.pod.spec.x": value}).field.startswith("spec.pod.spec.x")


def test_bottomless_nesting_is_refused() -> None:
    """A hundred thousand brackets end in a message, not in a crash."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    assert "nested deeper" in str(refused("EdgeWorkload", {"spec.pod.spec.x": value}))


def test_status_is_written_alone_to_its_subresource() -> None:
    """Everything else of the document stays behind."""
    conditions = [{"type": "Declined", "status": "True", "message": "no"}]
    body = validated(
        "EdgeDeviceSignedRequest", {"status.conditions": conditions, "spec.approved": "wrong"}, subresource="status"
    ).body
    assert body["status"] == {"conditions": [{**conditions[0], "type": "declined"}]}
    assert "spec" not in body


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("EdgeDeviceSignedRequest", {}),
        ("EdgeDeviceSignedRequest", {"conditions": [{"type": "maybe", "status": "True"}]}),
        ("EdgeDeviceSignedRequest", {"conditions": [{"type": "declined"}]}),
        ("EdgeDeviceSignedRequest", {"conditions": [{"type": "declined", "status": "yes"}]}),
        ("EdgeDeviceSignedRequest", {"conditions": "declined"}),
        ("EdgeDevice", "up"),
        ("Secret", {"x": 1}),
    ],
)
def test_wrong_status_is_refused(kind: str, status: object) -> None:
    """Conditions follow the definition, and core kinds have no status."""
    assert refused(kind, {"status": status}, subresource="status").field.startswith("status")


def test_samples_are_validated(samples: Path) -> None:
    """Real resource files: exported, with an old field and with an unknown one; one is empty and refused."""
    results: dict[str, Validated | InvalidResourceError] = {}
    for path in samples.glob("*.yaml"):
        (read,) = read_documents(path.read_bytes())
        try:
            results[read.kind.kind] = validate(read.kind, read.body, namespace="default")
        except InvalidResourceError as error:
            results[read.kind.kind] = error
    warnings = {kind: result.warnings for kind, result in results.items() if isinstance(result, Validated)}
    assert warnings["EdgeDeviceSet"] == []
    assert warnings["EdgeWorkload"] == ["spec.data.paths is an old field, taken as spec.data.egress: write it there"]
    assert warnings["EdgeConfig"] == ['unknown field "spec.edgePlaybook.timeoutSeconds"']
    assert "metadata.uid" in warnings["EdgeDevice"][0]
    execution = results["PlaybookExecution"]
    assert isinstance(execution, InvalidResourceError)
    assert "would run nothing" in str(execution)
