"""What travels with a workload, rule by rule."""

import json
from typing import Any

import pytest
import yaml

from fleet.configuration import ConfigurationError
from fleet.errors import UnavailableError
from tests.fleet.configuration.parts import base64, config_map, configured, message, secret, workload
from tests.fleet.resources.documents import Document


def only(made: Document, **resources: Any) -> Any:
    """The one workload a device is told to run."""
    (each,) = message(configured(workloads=[made], **resources))["workloads"]
    return each


def failing(made: Document, **resources: Any) -> ConfigurationError:
    """The error that keeps a device from its configuration."""
    with pytest.raises(ConfigurationError) as failure:
        configured(workloads=[made], **resources)
    return failure.value


def test_plain_workload_has_name_namespace_and_specification() -> None:
    """Empty parts are left out; the pod is YAML in a string."""
    made = only(workload("web"))
    assert sorted(made) == ["name", "namespace", "specification"]
    assert (made["name"], made["namespace"]) == ("web", "ns")
    assert yaml.safe_load(made["specification"]) == {"containers": [{"image": "i", "name": "c"}]}


def test_only_podman_labels_and_annotations_travel_without_their_prefix() -> None:
    """Others are for the control plane."""
    entries = {"podman/a": "x", "b": "y", "podman.io/c": "z"}
    made = only(workload(changes={"metadata.labels": entries, "metadata.annotations": {"podman/io.x": "1", "d": "2"}}))
    assert made["labels"] == {"a": "x"}
    assert made["annotations"] == {"io.x": "1"}


def test_data_paths_and_log_target_travel() -> None:
    """In the order given."""
    paths = [{"source": "b", "target": "t"}, {"source": "a", "target": "u"}]
    made = only(workload(changes={"spec.data": {"egress": paths, "ingress": []}, "spec.logCollection": "syslog"}))
    assert made["data"] == {"egress": paths}
    assert made["log_collection"] == "syslog"


def test_auth_file_comes_from_its_secret() -> None:
    """The text of `.dockerconfigjson`."""
    made = workload(changes={"spec.imageRegistries.secretRef.name": "auth"})
    assert only(made, secrets={"auth": secret(**{".dockerconfigjson": "{}"})})["imageRegistries"] == {"authFile": "{}"}
    for secrets, key in (({}, ""), ({"auth": secret(x="y")}, ".dockerconfigjson")):
        error = failing(made, secrets=secrets)
        assert (str(error.resource), error.key) == ("Secret ns/auth", key)


def test_auth_file_that_is_no_text_fails_the_configuration() -> None:
    """JSON could not carry it."""
    made = workload(changes={"spec.imageRegistries.secretRef.name": "auth"})
    error = failing(made, secrets={"auth": {"data": {".dockerconfigjson": "/w=="}}})
    assert "not text" in str(error)


def test_metrics_travel_when_there_is_a_port() -> None:
    """With defaults, allow list and settings for each container."""
    metrics = {"port": 8080, "allowList": {"name": "list"}, "containers": {"b": {"disabled": True}, "a": {"port": 1}}}
    lists = {"list": config_map({"metrics_list.yaml": "names: [m]"})}
    assert only(workload(changes={"spec.metrics": metrics}), config_maps=lists)["metrics"] == {
        "path": "/",
        "port": 8080,
        "interval": 60,
        "allow_list": {"names": ["m"]},
        "containers": {"a": {"path": "/", "port": 1}, "b": {"disabled": True, "path": "/"}},
    }
    for port in ({}, {"port": 0}):
        without = workload(changes={"spec.metrics": {**metrics, **port} if port else {"path": "/m"}})
        assert "metrics" not in only(without)


def test_missing_allow_list_of_a_workload_fails_the_configuration() -> None:
    """The error says which workload wants it."""
    error = failing(workload("web", {"spec.metrics": {"port": 1, "allowList": {"name": "list"}}}))
    assert str(error.resource) == "ConfigMap ns/list"
    assert "EdgeWorkload web" in str(error)


def env_from(kind: str, name: str, *, optional: bool = False) -> dict[str, Any]:
    """A container's `envFrom` of one whole resource."""
    return {"envFrom": [{f"{kind}Ref": {"name": name, "optional": optional}}]}


def env(kind: str, name: str, key: str, *, optional: bool = False) -> dict[str, Any]:
    """A container's `env` of one key."""
    return {"env": [{"name": "V", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key, "optional": optional}}}]}


@pytest.mark.parametrize("reference", [env_from("secret", "s"), env("secret", "s", "k")])
def test_secrets_of_containers_travel_once(reference: dict[str, Any]) -> None:
    """All keys, as a JSON object in a string, of base64 values; two workloads share one."""
    made = configured(
        workloads=[workload("a", **reference), workload("b", **reference)], secrets={"s": secret(k="v", b="w")}
    )
    (each,) = message(made)["secrets"]
    assert each["name"] == "s"
    assert json.loads(each["data"]) == {"b": base64("w"), "k": base64("v")}


def test_secrets_of_init_containers_travel() -> None:
    """Flotta reads both sorts of containers."""
    init = {"name": "init", "image": "i", **env_from("secret", "s")}
    made = workload(changes={"spec.pod.spec.initContainers": [init]})
    assert [s["name"] for s in message(configured(workloads=[made], secrets={"s": secret()}))["secrets"]] == ["s"]


def test_secret_volumes_are_not_included() -> None:
    """As in Flotta."""
    made = workload(changes={"spec.pod.spec.volumes": [{"name": "v", "secret": {"secretName": "s"}}]})
    assert message(configured(workloads=[made], secrets={"s": secret(k="v")}))["secrets"] == []


@pytest.mark.parametrize(
    ("reference", "secrets", "key"),
    [
        (env_from("secret", "s"), {}, ""),
        (env("secret", "s", "k"), {}, ""),
        (env("secret", "s", "k"), {"s": secret(other="v")}, "k"),
    ],
)
def test_missing_required_secret_or_key_fails_the_configuration(
    reference: dict[str, Any], secrets: dict[str, Document], key: str
) -> None:
    """The error names Secret, key and workload, and lets the device ask again."""
    error = failing(workload("web", **reference), secrets=secrets)
    assert (str(error.resource), error.key) == ("Secret ns/s", key)
    assert "EdgeWorkload web" in str(error)
    assert isinstance(error, UnavailableError)
    assert error.problem.message == str(error)


@pytest.mark.parametrize(
    "reference", [env_from("secret", "s", optional=True), env("secret", "s", "missing", optional=True)]
)
def test_optional_secret_may_be_missing(reference: dict[str, Any]) -> None:
    """It travels when it is there, even without the key."""
    assert message(configured(workloads=[workload(**reference)]))["secrets"] == []
    there = message(configured(workloads=[workload(**reference)], secrets={"s": secret(k="v")}))["secrets"]
    assert [each["name"] for each in there] == ["s"]


def test_one_required_reference_makes_an_optional_secret_required() -> None:
    """Whatever the order of the references."""
    wanting, content = workload("a", **env("secret", "s", "k")), workload("b", **env_from("secret", "s", optional=True))
    for pair in ([wanting, content], [content, wanting]):
        with pytest.raises(ConfigurationError, match="EdgeWorkload a"):
            configured(workloads=pair)


@pytest.mark.parametrize(
    "reference",
    [
        env_from("configMap", "m"),
        env("configMap", "m", "k"),
        {"changes": {"spec.pod.spec.volumes": [{"name": "v", "configMap": {"name": "m"}}]}},
    ],
)
def test_config_maps_of_a_pod_travel_as_yaml(reference: dict[str, Any]) -> None:
    """env, envFrom and volumes; each is a ConfigMap with apiVersion, kind, name and data."""
    made = workload(**reference)
    (text,) = only(made, config_maps={"m": config_map({"k": "1e3", "a": "x\ny\n"})})["configmaps"]
    assert yaml.safe_load(text) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m"},
        "data": {"a": "x\ny\n", "k": "1e3"},
    }
    assert str(failing(made).resource) == "ConfigMap ns/m"


def test_missing_key_of_a_config_map_fails_unless_optional() -> None:
    """As with Secrets."""
    maps = {"m": config_map({"other": "x"})}
    assert failing(workload(**env("configMap", "m", "k")), config_maps=maps).key == "k"
    assert len(only(workload(**env("configMap", "m", "k", optional=True)), config_maps=maps)["configmaps"]) == 1
    assert "configmaps" not in only(workload(**env_from("configMap", "m", optional=True)))


def test_config_maps_come_in_the_order_of_names() -> None:
    """Lists made from maps are fixed."""
    references = [{"configMapRef": {"name": name}} for name in ("b", "a")]
    maps = {name: config_map({"n": name}) for name in ("a", "b")}
    texts = only(workload(envFrom=references), config_maps=maps)["configmaps"]
    assert [yaml.safe_load(text)["metadata"]["name"] for text in texts] == ["a", "b"]
