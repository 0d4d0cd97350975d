"""The containers' two ClickHouse replicas: their configuration as the engine reads it, fitting Muster's settings."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from local.clickhouse.users import DOCUMENTED_TABLES
from settings import load
from storage.replicas import Found, misfit
from tests.deploy.compose_file import PROJECT, cluster_environment, muster_services, services

FOLDER = PROJECT / "deploy" / "clickhouse"

ASK = """
import chdb, sys
handle = chdb.connect(f"{sys.argv[2]}?config-file={sys.argv[1]}")
print(handle.query("SELECT cluster, uniqExact(shard_num), arraySort(groupArray((host_name, port))) FROM system.clusters"
    " GROUP BY cluster", "TSV"))
print(handle.query("SELECT macro, substitution FROM system.macros ORDER BY macro", "TSV"))
"""


def replicas() -> dict[str, dict[str, str]]:
    """The environments of the ClickHouse servers by the names they have as replicas."""
    found = [each["environment"] for each in services(cluster_environment()).values() if _is_clickhouse(each)]
    return {each["CLICKHOUSE_REPLICA"]: each for each in found}


def _is_clickhouse(service: dict[str, object]) -> bool:
    return "CLICKHOUSE_REPLICA" in dict(service.get("environment") or {})  # type: ignore[call-overload]


def test_the_engine_finds_the_cluster_that_the_settings_name(tmp_path: Path) -> None:
    """One shard of two replicas, each of which knows its own name."""
    settings = load(muster_services(cluster_environment())["setup"]).clickhouse
    assert set(replicas()) == {"clickhouse-1", "clickhouse-2"}
    command = [sys.executable, "-c", ASK, str(FOLDER / "replicas.xml"), str(tmp_path)]
    environ = {"CLICKHOUSE_REPLICA": "clickhouse-1", "CLICKHOUSE_CLUSTER_SECRET": "made-up"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n") == [
        f"{settings.cluster}\t1\t[('clickhouse-1',9000),('clickhouse-2',9000)]",
        "",
        "replica\tclickhouse-1",
        "shard\t1",
        "",
        "",
    ], done.stderr
    found = Found([], [], {settings.cluster: 1}, frozenset({"shard", "replica"}), has_keeper=True)
    assert settings.replicated
    assert misfit(settings, found) is None


def test_whoever_asks_for_clickhouse_is_led_to_either_replica_and_they_to_each_other() -> None:
    """By aliases on the network, beside the services' own names."""
    both = {name: each for name, each in services(cluster_environment()).items() if _is_clickhouse(each)}
    known = {name: {name, *each["networks"]["default"]["aliases"]} for name, each in both.items()}
    assert known == {"clickhouse": {"clickhouse", "clickhouse-1"}, "clickhouse-2": {"clickhouse", "clickhouse-2"}}
    assert load(muster_services(cluster_environment())["api"]).clickhouse.address == "http://clickhouse:8123"


def test_keepers_are_one_quorum_that_the_replicas_know() -> None:
    """Three, so that one may be lost."""
    keepers = {name: each for name, each in services(cluster_environment()).items() if name.startswith("keeper")}
    tree = ET.parse(FOLDER / "keeper.xml")  # noqa: S314 - our own file
    voters = {
        each.findtext("hostname"): each.findtext("id")
        for each in tree.findall("keeper_server/raft_configuration/server")
    }
    assert voters == {name: each["environment"]["KEEPER_ID"] for name, each in keepers.items()}
    assert len(voters) == 3
    asked = ET.parse(FOLDER / "replicas.xml").findall("zookeeper/node")  # noqa: S314
    port = tree.findtext("keeper_server/tcp_port")
    assert {(each.findtext("host"), each.findtext("port")) for each in asked} == {(name, port) for name in voters}
    assert all(each["user"] == "101:101" for each in keepers.values())


def test_one_server_is_not_told_of_replicas() -> None:
    """Nor are the tables made for any."""
    settings = load(muster_services({})["setup"]).clickhouse
    assert not settings.replicated
    assert len(ET.parse(FOLDER / "single.xml").getroot()) == 0  # noqa: S314


def test_the_analyst_reads_the_documented_views_and_nothing_else() -> None:
    """On every replica by the same file."""
    analyst = ET.parse(FOLDER / "analyst.xml").find("users/analyst")  # noqa: S314
    assert analyst is not None
    granted = [each.text for each in analyst.findall("grants/query")]
    assert granted == [f"GRANT SELECT ON muster.{name}" for name in DOCUMENTED_TABLES]
    assert all(
        ("analyst", "/etc/clickhouse-server/users.d/analyst.xml")
        in [(each["source"], each["target"]) for each in service["configs"]]
        for service in services(cluster_environment()).values()
        if _is_clickhouse(service)
    )
