"""Resources over HTTP as Kubernetes spells them: read, written, patched, deleted, refused."""

from base64 import b64encode
from uuid import uuid4

import httpx
import pytest

from tests.api.fleet import FLOTTA, MERGE_PATCH, Device, Operator, request_path
from tests.api.installation import Api

SETS = f"{FLOTTA}/namespaces/default/edgedevicesets"
SECRETS = "/api/v1/namespaces/default/secrets"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
HIDDEN = "PGhpZGRlbj4="


@pytest.fixture
def http(operator: Operator) -> httpx.Client:
    """An operator's client."""
    return operator.http


@pytest.fixture
def name() -> str:
    """A name nobody has."""
    return f"r-{uuid4().hex[:10]}"


@pytest.fixture
def device_set(http: httpx.Client, name: str) -> dict[str, object]:
    """An EdgeDeviceSet just made."""
    document = {"metadata": {"name": name, "labels": {"a": "1"}}, "spec": {"heartbeat": {"periodSeconds": 15}}}
    answer = http.post(SETS, json=document)
    assert answer.status_code == 201, answer.text
    created: dict[str, object] = answer.json()
    return created


def test_a_created_resource_has_what_the_server_says_of_it(device_set: dict[str, dict[str, str]]) -> None:
    """uid, times, generation and resourceVersion; kind and apiVersion also when the body left them out."""
    metadata = device_set["metadata"]
    assert (device_set["kind"], device_set["apiVersion"]) == ("EdgeDeviceSet", "management.project-flotta.io/v1alpha1")
    assert metadata["namespace"] == "default"
    assert metadata["generation"] == 1
    assert metadata["uid"]
    assert metadata["creationTimestamp"]
    assert int(metadata["resourceVersion"]) > 0


def test_what_was_written_is_read(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """Read your writes, singly and in lists."""
    assert http.get(f"{SETS}/{name}").json() == device_set
    for path in (SETS, f"{FLOTTA}/edgedevicesets"):
        listed = http.get(path).json()
        assert listed["kind"] == "EdgeDeviceSetList"
        assert device_set in listed["items"]
        assert int(listed["metadata"]["resourceVersion"]) >= int(device_set["metadata"]["resourceVersion"])  # type: ignore[index]


def test_lists_come_in_pages(http: httpx.Client) -> None:
    """`limit` and `continue` give every resource once, in order."""
    names = sorted(f"page-{uuid4().hex[:8]}" for _ in range(5))
    for name in names:
        assert http.post(CONFIG_MAPS, json={"metadata": {"name": name}, "data": {}}).status_code == 201
    found: list[str] = []
    token = ""
    while True:
        page = http.get(CONFIG_MAPS, params={"limit": 2} | ({"continue": token} if token else {})).json()
        assert len(page["items"]) <= 2
        found += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert [name for name in found if name in names] == names
    assert len(found) == len(set(found))
    assert http.get(CONFIG_MAPS, params={"continue": "nonsense"}).status_code == 400
    assert http.get(CONFIG_MAPS, params={"limit": "many"}).status_code == 400


def test_a_replaced_resource_counts_a_generation(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """PUT of what was read and changed; the same again changes nothing."""
    changed = device_set | {"spec": {"heartbeat": {"periodSeconds": 30}}}
    first = http.put(f"{SETS}/{name}", json=changed)
    assert first.status_code == 200, first.text
    assert first.json()["metadata"]["generation"] == 2
    again = http.put(f"{SETS}/{name}", json=first.json())
    assert again.json() == first.json()


def test_an_old_resource_version_conflicts(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """A resourceVersion in a PUT or PATCH is a precondition: 409."""
    assert http.put(f"{SETS}/{name}", json=device_set | {"spec": {}}).status_code == 200
    stale = http.put(f"{SETS}/{name}", json=device_set)
    assert (stale.status_code, stale.json()["reason"]) == (409, "Conflict")
    version = device_set["metadata"]["resourceVersion"]  # type: ignore[index]
    patch = {"metadata": {"resourceVersion": version, "labels": {"a": "2"}}}
    assert http.patch(f"{SETS}/{name}", json=patch, headers=MERGE_PATCH).status_code == 409
    without = device_set | {"metadata": {"name": name}}
    assert http.put(f"{SETS}/{name}", json=without).status_code == 200
    wrong = device_set | {"metadata": {"name": name, "resourceVersion": "abc"}}
    assert http.put(f"{SETS}/{name}", json=wrong).status_code == 400


def test_a_name_is_created_once(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """The second POST says that it exists."""
    answer = http.post(SETS, json={"metadata": {"name": name}, "spec": {}})
    assert (answer.status_code, answer.json()["reason"]) == (409, "AlreadyExists")
    assert http.get(f"{SETS}/{name}").json() == device_set


def test_what_is_not_there_is_not_found(http: httpx.Client) -> None:
    """GET, PUT, PATCH and DELETE of a name nobody made; a namespace nobody made."""
    path = f"{SETS}/nobody"
    assert http.get(path).status_code == 404
    assert http.put(path, json={"metadata": {"name": "nobody"}, "spec": {}}).status_code == 404
    assert http.patch(path, json={}, headers=MERGE_PATCH).status_code == 404
    assert http.delete(path).status_code == 404
    made = http.post(f"{FLOTTA}/namespaces/nowhere/edgedevicesets", json={"metadata": {"name": "x"}, "spec": {}})
    assert made.status_code == 404
    assert "nowhere" in made.json()["message"]


def test_a_patch_merges(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """RFC 7386: values replace, null removes, objects are merged; the rest stays."""
    patch = {"metadata": {"labels": {"a": None, "b": "2"}}, "spec": {"heartbeat": {"periodSeconds": 20}}}
    patched = http.patch(f"{SETS}/{name}", json=patch, headers=MERGE_PATCH)
    assert patched.status_code == 200, patched.text
    assert patched.json()["metadata"]["labels"] == {"b": "2"}
    assert patched.json()["spec"] == {"heartbeat": {"periodSeconds": 20}}
    assert patched.json()["metadata"]["uid"] == device_set["metadata"]["uid"]  # type: ignore[index]


def test_other_patches_are_refused(http: httpx.Client, name: str) -> None:
    """415 with what to send instead; strategic merge is for core kinds alone."""
    for media_type in ("application/strategic-merge-patch+json", "application/json"):
        answer = http.patch(f"{SETS}/{name}", content=b"{}", headers={"Content-Type": media_type})
        assert answer.status_code == 415
        assert "application/merge-patch+json" in answer.json()["message"]
    apply = http.patch(f"{SETS}/{name}", content=b"{}", headers={"Content-Type": "application/apply-patch+yaml"})
    assert apply.status_code == 415
    assert "without --server-side" in apply.json()["message"]


def test_a_deleted_resource_is_gone(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """Status Success with the uid; preconditions are kept."""
    uid = device_set["metadata"]["uid"]  # type: ignore[index]
    wrong = http.request("DELETE", f"{SETS}/{name}", json={"preconditions": {"uid": "another"}})
    assert wrong.status_code == 409
    answer = http.request("DELETE", f"{SETS}/{name}", json={"propagationPolicy": "Background"})
    assert answer.json()["status"] == "Success"
    assert answer.json()["details"]["uid"] == uid
    assert http.get(f"{SETS}/{name}").status_code == 404


def test_a_dry_run_changes_nothing(http: httpx.Client, name: str, device_set: dict[str, object]) -> None:
    """`dryRun=All` answers what would be, and leaves what is."""
    other = {"metadata": {"name": f"{name}-2"}, "spec": {}}
    assert http.post(SETS, params={"dryRun": "All"}, json=other).status_code == 201
    assert http.get(f"{SETS}/{name}-2").status_code == 404
    patch = {"spec": {"heartbeat": {"periodSeconds": 99}}}
    would = http.patch(f"{SETS}/{name}", params={"dryRun": "All"}, json=patch, headers=MERGE_PATCH)
    assert would.json()["spec"]["heartbeat"]["periodSeconds"] == 99
    assert http.request("DELETE", f"{SETS}/{name}", json={"dryRun": ["All"]}).status_code == 200
    assert http.post(SETS, params={"dryRun": "All"}, json=device_set).status_code == 409
    assert http.get(f"{SETS}/{name}").json() == device_set
    assert http.post(SETS, params={"dryRun": "Some"}, json=other).status_code == 400


def test_unknown_fields_are_warned_of_refused_or_ignored(http: httpx.Client, name: str) -> None:
    """FieldValidation Warn, Strict and Ignore."""
    document = {"metadata": {"name": name}, "spec": {"foo": 1}}
    strict = http.post(SETS, params={"fieldValidation": "Strict"}, json=document)
    assert strict.status_code == 400
    assert 'unknown field "spec.foo"' in strict.json()["message"]
    warned = http.post(SETS, params={"dryRun": "All"}, json=document)
    assert warned.headers.get_list("warning") == ['299 - "unknown field \\"spec.foo\\""']
    ignored = http.post(SETS, params={"fieldValidation": "Ignore"}, json=document)
    assert ignored.status_code == 201
    assert "warning" not in ignored.headers
    assert http.post(SETS, params={"fieldValidation": "Maybe"}, json=document).status_code == 400


def test_an_invalid_resource_names_its_field(http: httpx.Client, name: str) -> None:
    """422 with the field's path in the causes."""
    answer = http.post(SETS, json={"metadata": {"name": name}, "spec": {"heartbeat": {"periodSeconds": "soon"}}})
    assert answer.status_code == 422
    (cause,) = answer.json()["details"]["causes"]
    assert cause["field"] == "spec.heartbeat.periodSeconds"


def test_a_missing_set_is_warned_of(http: httpx.Client, name: str, device: Device) -> None:
    """A label or a signed request that names no set: accepted with a warning, since the set may come later."""
    labelled = {"metadata": {"name": name, "labels": {"flotta/member-of": "nobody"}}, "spec": {}}
    made = http.post(f"{FLOTTA}/namespaces/default/edgedevices", params={"dryRun": "All"}, json=labelled)
    assert made.status_code == 201
    assert "there is no EdgeDeviceSet 'nobody'" in made.headers["warning"]
    device.enrol()
    patch = {"spec": {"targetSet": "nobody"}}
    patched = http.patch(request_path(device.device_id), json=patch, headers=MERGE_PATCH)
    assert "spec.targetSet" in patched.headers["warning"]


def test_a_namespace_goes_when_it_is_empty(http: httpx.Client, name: str) -> None:
    """And the initial one never."""
    assert http.post("/api/v1/namespaces", json={"metadata": {"name": name}}).status_code == 201
    config_map = f"/api/v1/namespaces/{name}/configmaps"
    assert http.post(config_map, json={"metadata": {"name": "c"}, "data": {"a": "1"}}).status_code == 201
    assert http.delete(f"/api/v1/namespaces/{name}").status_code == 409
    assert http.delete(f"{config_map}/c").status_code == 200
    assert http.delete(f"/api/v1/namespaces/{name}").status_code == 200
    assert http.delete("/api/v1/namespaces/default").status_code == 403


def test_a_secret_is_shown_without_its_values(http: httpx.Client, name: str) -> None:
    """Opened on GET only with values replaced, the annotation that repeats them left out."""
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "planted-secret", "note": "kept"}
    document = {"metadata": {"name": name, "annotations": annotations}, "stringData": {"token": "planted-secret"}}
    made = http.post(SECRETS, json=document)
    assert made.status_code == 201, made.text
    for answer in (made, http.get(f"{SECRETS}/{name}"), http.get(SECRETS), http.get("/api/v1/secrets")):
        assert "planted-secret" not in answer.text
        assert b64encode(b"planted-secret").decode() not in answer.text
    shown = http.get(f"{SECRETS}/{name}").json()
    assert shown["data"] == {"token": HIDDEN}
    assert shown["metadata"]["annotations"] == {"note": "kept"}
    assert shown["type"] == "Opaque"


def test_a_secret_shown_can_be_written_back(http: httpx.Client, name: str, registered: Device) -> None:
    """The placeholder stands for the value there is: labels change, values stay, and devices get them."""
    name = registered.device_id
    assert http.post(SECRETS, json={"metadata": {"name": name}, "stringData": {"a": "1", "b": "2"}}).status_code == 201
    container = {"name": "c", "image": "i:1", "envFrom": [{"secretRef": {"name": name}}]}
    spec = {"type": "pod", "device": name, "pod": {"spec": {"containers": [container]}}}
    registered.operator.create(f"{FLOTTA}/namespaces/default/edgeworkloads", {"metadata": {"name": name}, "spec": spec})
    shown = http.get(f"{SECRETS}/{name}").json()
    shown["metadata"]["labels"] = {"new": "1"}
    shown["data"]["b"] = b64encode(b"3").decode()
    assert http.put(f"{SECRETS}/{name}", json=shown).status_code == 200
    assert http.patch(f"{SECRETS}/{name}", json={"metadata": {"labels": {"more": "2"}}}, headers=MERGE_PATCH).is_success
    (secret,) = registered.call("GET", "configuration").json["device-configuration"]["secrets"]
    assert secret["data"] == '{"a":"MQ==","b":"Mw=="}'
    shown["data"]["c"] = HIDDEN
    shown["metadata"].pop("resourceVersion")
    assert http.put(f"{SECRETS}/{name}", json=shown).status_code == 422


def test_a_secret_applied_again_is_unchanged(http: httpx.Client, name: str) -> None:
    """So that a re-apply is not a change, although every sealing differs."""
    document = {"metadata": {"name": name}, "stringData": {"token": "x"}}
    made = http.post(SECRETS, json=document).json()
    again = http.put(f"{SECRETS}/{name}", json=document).json()
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_repeated_request_id_is_applied_once(http: httpx.Client, name: str) -> None:
    """The second answer is the first's, though the name is taken by now."""
    headers = {"Muster-Request-Id": f"request-{name}", "Muster-Author": "ann"}
    document = {"metadata": {"name": name}, "spec": {}}
    first = http.post(SETS, json=document, headers=headers)
    second = http.post(SETS, json=document, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


@pytest.mark.parametrize("headers", [{"Muster-Request-Id": "short"}, {"Muster-Author": "a" * 200}])
def test_odd_headers_are_refused(http: httpx.Client, name: str, headers: dict[str, str]) -> None:
    """Both are stored beside the change, so both are bounded."""
    answer = http.post(SETS, json={"metadata": {"name": name}, "spec": {}}, headers=headers)
    assert answer.status_code == 400
    assert next(iter(headers)) in answer.json()["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:1234"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "http://127.0.0.1.evil.example"}, 403),
    ],
)
def test_web_pages_from_elsewhere_are_refused(http: httpx.Client, headers: dict[str, str], status: int) -> None:
    """Check the Host header and refuse foreign Origins."""
    for path in ("/api/v1/namespaces", "/metrics", "/docs/openapi.json"):
        answer = http.get(path, headers=headers)
        assert answer.status_code == status
        assert status == 200 or answer.json()["message"]


def test_the_document_lists_every_path(http: httpx.Client) -> None:
    """OpenAPI: the six calls with models and errors, every kind, probes; and a page to read it."""
    paths = http.get("/docs/openapi.json").json()["paths"]
    base = "/api/flotta-backend/v1/namespaces/{namespace}/devices/{device_id}"
    calls = {path: set(methods) for path, methods in paths.items() if path.startswith(base)}
    assert calls == {
        f"{base}/enrolment": {"post"},
        f"{base}/registration": {"get", "put"},
        f"{base}/configuration": {"get"},
        f"{base}/heartbeat": {"put"},
        f"{base}/playbookexecutions": {"get"},
    }
    heartbeat = paths[f"{base}/heartbeat"]["put"]
    assert heartbeat["requestBody"]["content"]["application/json"]["schema"]
    assert {"200", "400", "404", "413", "503"} <= set(heartbeat["responses"])
    assert {"get", "post"} <= set(paths[f"{FLOTTA}/namespaces/{{namespace}}/edgeworkloads"])
    assert "/health/ready" in paths
    page = http.get("/docs")
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]


def test_metrics_count_what_happened(http: httpx.Client, registered: Device, api: Api) -> None:
    """Requests, latencies, produced heartbeats, applied changes, lag."""
    assert api.process.poll() is None
    registered.beat()
    text = http.get("/metrics").text
    for line in (
        'muster_device_call_seconds_count{call="heartbeat",method="PUT",status="200"}',
        "muster_heartbeats_produced_total",
        "muster_heartbeat_records_produced_total",
        "muster_feed_applied_outcomes_total",
        "muster_heartbeat_lag_records",
        "muster_fleet_loaded 1.0",
    ):
        assert line in text
