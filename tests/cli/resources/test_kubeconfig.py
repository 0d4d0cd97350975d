"""The configuration for kubectl."""

from pathlib import Path

import yaml

from cli.resources.kubeconfig import configuration
from settings import HttpSettings
from tests.cli.muster import run


def test_configuration_names_this_machine_and_no_secret() -> None:
    """One cluster, one context, a user without credentials."""
    done = run("kubeconfig", HTTP_PORT=18080)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == configuration("http://127.0.0.1:18080", "default", HttpSettings())


def test_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """It may be the configuration of all of somebody's clusters."""
    file = tmp_path / "config"
    done = run("kubeconfig", "--write", str(file), "-n", "shops", "--server", "http://localhost:1")
    assert f"KUBECONFIG={file}" in done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    written = file.read_text()
    assert yaml.safe_load(written)["contexts"][0]["context"]["namespace"] == "shops"
    again = run("kubeconfig", "--write", str(file))
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert file.read_text() == written


def test_token_and_ca_are_named_where_kubectl_uses_them(tmp_path: Path) -> None:
    """By their files, over TLS alone; the token itself stays where it is."""
    http = HttpSettings(ca=tmp_path / "ca.pem", token_file=tmp_path / "token")
    secured = configuration("https://muster.example:8443", "default", http)
    assert secured["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.pem")
    assert secured["users"][0]["user"] == {"tokenFile": str(tmp_path / "token")}
    assert configuration("http://127.0.0.1:8080", "default", http)["users"][0]["user"] == {}
