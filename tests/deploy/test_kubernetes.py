"""The manifests are what Kubernetes takes, offline, and fit Muster's settings."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.listeners.rules import check_listeners
from settings import load
from tests.deploy.compose_file import PROJECT

FOLDER = PROJECT / "deploy" / "kubernetes"
GIVEN = {"muster-secrets", "muster-keys", "muster-tls", "flotta-ca"}
"""Secrets that an operator makes, or Flotta did: docs/connect.md."""

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """Every resource that the kustomization lists."""
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    return [each for name in listed for each in yaml.safe_load_all((FOLDER / name).read_text())]


def pods() -> Iterator[tuple[str, Manifest]]:
    """The pods' specs by the name of what makes them."""
    for each in manifests():
        if "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def variables(pod: Manifest) -> dict[str, str]:
    """What the first container's environment is."""
    common = next(each for each in manifests() if each["kind"] == "ConfigMap")["data"]
    return {**common, **{each["name"]: each["value"] for each in pod["containers"][0].get("env", ())}}


def test_every_file_is_listed() -> None:
    """Nothing lies beside the kustomization that is never applied."""
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]
    assert {file.name for file in FOLDER.iterdir()} == {"kustomization.yaml", *listed}


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_kubernetes_schemas_take_every_resource(manifest: Manifest) -> None:
    """Strictly: an unknown field is a misspelt one."""
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, which builds kustomizations, is not installed")
def test_the_kustomization_builds() -> None:
    """Into the same resources, all in its namespace."""
    command = ["kubectl", "kustomize", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    built = [each for each in yaml.safe_load_all(done.stdout) if each]
    assert {(each["kind"], each["metadata"]["name"]) for each in built} == {
        (each["kind"], each["metadata"]["name"]) for each in manifests()
    }
    for each in built:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
        assert each["metadata"]["namespace"] == "flotta"


def test_what_grows_is_there_and_grows_by_what_muster_tells() -> None:
    """CPU for both, the lag for those that fold; never more folding workers than partitions."""
    scaled = {
        each["metadata"]["name"]: each["spec"] for each in manifests() if each["kind"] == "HorizontalPodAutoscaler"
    }
    deployments = {each["metadata"]["name"] for each in manifests() if each["kind"] == "Deployment"}
    assert {each["scaleTargetRef"]["name"] for each in scaled.values()} == {"muster-api", "muster-heartbeats"}
    assert set(scaled) <= deployments
    for each in scaled.values():
        assert "cpu" in [metric["resource"]["name"] for metric in each["metrics"] if metric["type"] == "Resource"]
    folding = scaled["muster-heartbeats"]
    (lag,) = [metric["external"]["metric"]["name"] for metric in folding["metrics"] if metric["type"] == "External"]
    assert lag in (PROJECT / "api" / "metrics.py").read_text()
    common = load(variables(next(pod for name, pod in pods() if name == "muster-heartbeats")))
    assert folding["maxReplicas"] <= common.heartbeats.partitions


def test_every_pod_gets_settings_that_muster_takes() -> None:
    """None of them open to the network, all servers outside ones, and no variables added by Kubernetes."""
    assert {name for name, _ in pods()} == {"muster-api", "muster-commands", "muster-heartbeats", "muster-setup"}
    for _, pod in pods():
        settings = load(variables(pod))
        assert not settings.kafka.is_local
        assert not settings.clickhouse.is_local
        check_listeners(settings)
        assert pod["enableServiceLinks"] is False


def test_every_file_a_setting_names_is_mounted() -> None:
    """From a secret that is said to be needed; the CA's key never."""
    for name, pod in pods():
        secrets = {each["name"]: each["secret"] for each in pod["volumes"] if "secret" in each}
        assert {each["secretName"] for each in secrets.values()} <= GIVEN
        mounted = [each["mountPath"] for each in pod["containers"][0]["volumeMounts"]]
        files = [value for value in variables(pod).values() if value.startswith("/")]
        is_keyless = name in ("muster-commands", "muster-heartbeats")
        for file in files:
            is_mounted = any(file.startswith(path) for path in mounted)
            assert is_mounted or (is_keyless and file == "/etc/muster/keys"), (name, file)
        authorities = [each for each in secrets.values() if each["secretName"] == "flotta-ca"]
        assert all(each["items"] == [{"key": "ca.crt", "path": "ca.crt"}] for each in authorities)


def test_containers_may_do_nothing_but_run() -> None:
    """No root, no writing but to volumes, no token of the cluster, bounded memory."""
    for _, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}


def test_every_service_is_probed_where_it_tells_its_health() -> None:
    """Ready before others are let go, live or started again; set-up ends instead."""
    for name, pod in pods():
        container = pod["containers"][0]
        if name == "muster-setup":
            continue
        port = "management" if name == "muster-api" else "metrics"
        for probe, path in (("readinessProbe", "ready"), ("livenessProbe", "live"), ("startupProbe", "live")):
            asked = container[probe]["httpGet"]
            assert (asked["path"], asked["port"]) == (f"/health/{path}", port), name
        settings = load(variables(pod))
        given = {each["name"]: each["containerPort"] for each in container["ports"]}
        streams = settings.streams
        own = {
            "muster-api": settings.http.port,
            "muster-commands": streams.commands_metrics_port,
            "muster-heartbeats": streams.heartbeats_metrics_port,
        }
        assert given[port] == own[name]


def test_ports_and_selectors_meet() -> None:
    """Services and policies name ports and labels that pods have."""
    by_label = {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]: each["spec"]["template"]["spec"]
        for each in manifests()
        if "template" in each.get("spec", {})
    }
    for each in manifests():
        if each["kind"] == "Service":
            ports = by_label[each["spec"]["selector"]["app.kubernetes.io/name"]]["containers"][0]["ports"]
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= {port["name"] for port in ports}
    settings = load(variables(by_label["muster-api"]))
    ports = {port["name"]: port["containerPort"] for port in by_label["muster-api"]["containers"][0]["ports"]}
    assert ports == {"management": settings.http.port, "devices": settings.device.port}
