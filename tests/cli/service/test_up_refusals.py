"""What keeps `muster up` from starting is said in one line that names the setting to change."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.service.children import wanted_ports
from local.data_folder import held_alone
from local.free_ports import free_port, free_ports
from settings import load
from tests.api.listeners.authority import Authority
from tests.cli.muster import run


def ports() -> dict[str, int]:
    """Settings that keep clear of a running Muster."""
    http, kafka, clickhouse = free_ports(3, consecutive=2)
    return {"HTTP_PORT": http, "KAFKA_PORT": kafka, "CLICKHOUSE_PORT": clickhouse}


@pytest.mark.parametrize("setting", ["HTTP_PORT", "KAFKA_PORT", "CLICKHOUSE_PORT"])
def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path, setting: str) -> None:
    """Before anything is downloaded or started."""
    wanted = ports()
    with socket.create_server(("127.0.0.1", wanted[setting])):
        done = run("up", DATA=tmp_path / "data", CACHE=tmp_path / "cache", **wanted)
    assert done.returncode == 1
    assert f"muster: port {wanted[setting]} on 127.0.0.1" in done.stderr
    assert f"set MUSTER_{setting} to a free one" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("setting", "change", "said"),
    [
        ("DEVICE_CERTIFICATE", Path.unlink, "there is no such file"),
        ("DEVICE_KEY", lambda file: file.write_text("half a ke"), "holds no private key in PEM"),
        ("DEVICE_CLIENT_CA", lambda file: file.write_text(""), "is empty"),
        ("DEVICE_CLIENT_CRL", Path.unlink, "there is no such file"),
        ("HTTP_TOKEN_FILE", Path.unlink, "there is no such file"),
        ("HTTP_TOKEN_FILE", lambda file: file.write_text("short"), "fewer than 16 characters"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_setting(
    tmp_path: Path, setting: str, change: Callable[[Path], object], said: str
) -> None:
    """Before anything is downloaded or started, and in one line."""
    authority = Authority(tmp_path)
    server, token = authority.server(), tmp_path / "token"
    token.write_text("a-token-of-some-length")
    files = {
        "DEVICE_CERTIFICATE": server.certificate,
        "DEVICE_KEY": server.key,
        "DEVICE_CLIENT_CA": authority.file,
        "DEVICE_CLIENT_CRL": authority.revoke(),
        "HTTP_TOKEN_FILE": token,
    }
    change(files[setting])
    cache = tmp_path / "cache"
    done = run("up", DATA=tmp_path / "data", CACHE=cache, DEVICE_PORT=free_port(), **files, **ports())
    assert done.returncode == 2
    assert f"MUSTER_{setting}='{files[setting]}'" in done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not cache.exists()


def test_a_data_folder_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    """Two Musters on one folder would tear each other's files."""
    with held_alone(tmp_path):
        done = run("up", DATA=tmp_path, **ports())
    assert done.returncode == 1
    assert "used by another Muster" in done.stderr
    assert "MUSTER_DATA" in done.stderr


def test_a_cache_that_cannot_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    """Such as a folder below a file."""
    (tmp_path / "file").touch()
    done = run("up", DATA=tmp_path / "data", CACHE=tmp_path / "file" / "cache", **ports())
    assert done.returncode == 1
    assert "set MUSTER_CACHE to another folder" in done.stderr
    assert done.stderr.count("\n") == 1


def test_outside_clusters_need_no_local_port() -> None:
    """Someone else's Kafka may well listen on the default port."""
    settings = load({"MUSTER_KAFKA": "127.0.0.1:9092", "MUSTER_CLICKHOUSE": "http://127.0.0.1:8123"})
    assert [port.setting for port in wanted_ports(settings)] == ["MUSTER_HTTP_PORT"]


def test_set_up_without_kafka_or_clickhouse_says_where_it_looked(tmp_path: Path) -> None:
    """`muster setup` does not start them."""
    done = run("setup", DATA=tmp_path, **ports())
    assert done.returncode == 1
    assert "MUSTER_CLICKHOUSE" in done.stderr
    assert done.stderr.count("\n") == 1
