"""The ready body: valid for agents, and a version that is a function of the content."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from fleet.configuration import Configuration
from fleet.configuration.document import versioned
from fleet.documents.yaml_documents import read_documents
from tests.fleet.configuration.parts import (
    base64,
    config_map,
    configured,
    device,
    device_set,
    message,
    secret,
    workload,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
CONTENT = st.dictionaries(st.text(max_size=5), JSON, max_size=4)


@pytest.fixture(scope="module")
def schema(contract: Path) -> Draft4Validator:
    """The answer's schema from the contract, with every field that it does not name forbidden."""
    backend = yaml.safe_load((contract / "swagger-backend.yaml").read_bytes())["definitions"]
    definitions = yaml.safe_load((contract / "swagger.yaml").read_bytes())["definitions"]
    answer = backend["device-configuration-response"]
    assert answer["properties"]["device-configuration"]["x-go-type"]["type"] == "DeviceConfigurationMessage"
    answer["properties"]["device-configuration"] = {"$ref": "#/definitions/device-configuration-message"}
    schema = {**answer, "definitions": definitions}
    _forbid_unknown(schema)
    return Draft4Validator(schema)


def _forbid_unknown(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
        for part in list(schema.values()):
            _forbid_unknown(part)
    elif isinstance(schema, list):
        for part in schema:
            _forbid_unknown(part)


def fullest() -> Configuration:
    """A configuration with every section and every part of a workload."""
    spec = {
        "heartbeat": {"periodSeconds": 15, "hardwareProfile": {"include": True, "scope": "full"}},
        "osInformation": {"automaticallyUpgrade": True, "commitID": "c", "hostedObjectsURL": "u"},
        "mounts": [{"device": "/dev/a", "folder": "/a", "type": "ext4", "options": "rw"}],
        "storage": {"s3": {"secretName": "keys", "configMapName": "bucket"}},
        "logCollection": {"syslog": {"kind": "syslog", "syslogConfig": {"name": "syslog"}}},
        "metrics": {
            "receiverConfiguration": {"url": "https://r", "caSecretName": "ca"},
            "retention": {"maxHours": 1, "maxMiB": 2},
            "system": {"allowList": {"name": "list"}, "disabled": False},
            "dataTransfer": {"interval": 5},
        },
    }
    changes = {
        "metadata.labels": {"podman/a": "b"},
        "metadata.annotations": {"podman/a": "b"},
        "spec.data": {"egress": [{"source": "a", "target": "b"}], "ingress": [{"source": "a", "target": "b"}]},
        "spec.logCollection": "syslog",
        "spec.imageRegistries.secretRef.name": "auth",
        "spec.metrics": {"port": 80, "allowList": {"name": "list"}, "containers": {"c": {"disabled": True, "port": 1}}},
    }
    both = [{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "bucket"}}]
    bucket = {"BUCKET_NAME": "b", "BUCKET_HOST": "h", "BUCKET_PORT": "1", "BUCKET_REGION": "r"}
    return configured(
        device(spec),
        workloads=[workload("a", changes, envFrom=both), workload("b")],
        secrets={
            "keys": secret(**{"AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "k", "tls.crt": "PEM"}),
            "ca": secret(**{"ca.crt": "PEM"}),
            "auth": secret(**{".dockerconfigjson": "{}"}),
        },
        config_maps={
            "bucket": config_map(bucket),
            "list": config_map({"metrics_list.yaml": "names: [m]"}),
            "syslog": config_map({"Address": "a:1"}),
        },
    )


@pytest.mark.parametrize("made", [configured(), configured(is_deleting=True), fullest()])
def test_body_is_what_the_contract_says(made: Configuration, schema: Draft4Validator) -> None:
    """Every field known, every type right: an agent crashes on a misspelt key."""
    body = json.loads(made.body("d"))
    assert list(schema.iter_errors(body)) == []
    assert list(body) == ["device-configuration"]


def test_fullest_has_every_section() -> None:
    """So that the schema was asked about all of them."""
    made = message(fullest())
    assert sorted(made["configuration"]) == ["heartbeat", "log-collection", "metrics", "mounts", "os", "storage"]
    assert fullest().problems == []
    assert len(made["workloads"][0]) == 10


@pytest.mark.parametrize("in_set", [None, device_set({}), device_set({"heartbeat": {}})])
@pytest.mark.parametrize("is_deleting", [False, True])
def test_what_an_agent_crashes_without_is_always_there(in_set: Any, *, is_deleting: bool) -> None:
    """`configuration`, `heartbeat` in it, `hardware_profile` in that; the version text, the period an integer."""
    made = message(configured(in_set=in_set, is_deleting=is_deleting), "some-device")
    assert sorted(made) == ["configuration", "device_id", "secrets", "version", "workloads"]
    assert made["device_id"] == "some-device"
    assert isinstance(made["version"], str)
    assert made["version"]
    heartbeat = made["configuration"]["heartbeat"]
    assert type(heartbeat["period_seconds"]) is int
    assert isinstance(heartbeat["hardware_profile"], dict)


def test_samples_make_a_configuration(samples: Path, schema: Draft4Validator) -> None:
    """The sample device in the sample set, with the sample workload selected by its label."""
    read = {each.kind.kind: each.body for path in samples.glob("*.yaml") for each in read_documents(path.read_bytes())}
    in_set = device_set(read["EdgeDeviceSet"]["spec"])
    made = configured(
        device(read["EdgeDevice"]["spec"], read["EdgeDevice"]["metadata"]["name"]),
        labels={"foo": "bar"},
        in_set=in_set,
        workloads=[workload("edgeworkload-sample", {"spec": read["EdgeWorkload"]["spec"]})],
        config_maps={"syslog-config-map": config_map({"Address": "127.0.0.1:514"})},
    )
    assert list(schema.iter_errors(json.loads(made.body("d")))) == []
    assert message(made)["configuration"]["heartbeat"]["period_seconds"] == 15
    assert [each["name"] for each in message(made)["workloads"]] == ["edgeworkload-sample"]
    assert made.problems[0].resource.name == "common-s3-config"


@given(CONTENT, CONTENT)
def test_versions_are_equal_exactly_when_contents_are(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Equal as JSON: `true` is not 1."""
    same_json = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    versions = [versioned(content, [], b"k" * 32).version for content in (one, other)]
    assert (versions[0] == versions[1]) is same_json


@given(CONTENT, st.randoms(use_true_random=False))
def test_order_of_maps_does_not_matter(content: dict[str, Any], random: Any) -> None:
    """However a process came to hold them."""

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = list(value.items())
            random.shuffle(items)
            return {key: shuffled(item) for key, item in items}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    assert versioned(shuffled(content), [], b"k" * 32) == versioned(content, [], b"k" * 32)


def test_version_is_the_same_after_every_restart() -> None:
    """A fixed example: another algorithm or encoding would tell every device of a fleet to reload."""
    assert configured().version == "fbd16e1a925706d2817dbaee762b38f8"


def test_devices_of_equal_content_share_it() -> None:
    """The id is spliced in and is no part of the version."""
    one, other = configured(device(name="one")), configured(device(name="other"))
    assert one == other
    assert message(one, "one")["device_id"] == "one"
    assert message(one, 'strange "id"\\')["device_id"] == 'strange "id"\\'


def test_changed_secret_changes_the_version() -> None:
    """Though its name stays."""
    made = [workload(envFrom=[{"secretRef": {"name": "s"}}])]
    versions = {configured(workloads=made, secrets={"s": secret(k=value)}).version for value in ("a", "b", "a")}
    assert len(versions) == 2


def test_version_cannot_be_computed_without_the_installation_key() -> None:
    """So that nobody guesses a short secret from it."""
    assert configured(key=b"a" * 32).version != configured(key=b"b" * 32).version


def test_body_is_one_line_of_json_with_the_secret_in_base64() -> None:
    """As it goes over the wire."""
    made = configured(workloads=[workload(envFrom=[{"secretRef": {"name": "s"}}])], secrets={"s": secret(k="v")})
    body = made.body("d")
    assert b"\n" not in body
    assert base64("v").encode() in body
