"""Certificates to try mutual TLS with: who they name, and that they serve and are told apart."""

import base64
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from api.listeners.certificates import Certificates
from api.listeners.rules import check_listeners
from api.metrics import ApiMetrics
from settings import load
from tests.cli.muster import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command made."""
    folder = tmp_path_factory.mktemp("pki") / "made"
    done = run(
        "pki", "init", str(folder), "--name", "muster.example", "--domain", "edge.example", "--device", "shops/kiosk"
    )
    assert done.returncode == 0, done.stderr
    assert "MUSTER_DEVICE_CLIENT_CA" in done.stdout
    return folder


def certificate(folder: Path, name: str) -> x509.Certificate:
    """One of the files."""
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def names(found: x509.Certificate) -> list[str]:
    """The SANs; none when there is no such extension."""
    extensions = [each.value for each in found.extensions if isinstance(each.value, x509.SubjectAlternativeName)]
    return [str(name.value) for extension in extensions for name in extension]


def subject(found: x509.Certificate) -> tuple[str, ...]:
    """O, OU and CN."""
    kinds = (NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME)
    return tuple(str(part.value) for kind in kinds for part in found.subject.get_attributes_for_oid(kind))


def test_certificates_name_who_flottas_would(folder: Path) -> None:
    """Hosts have SANs and no OU, devices an OU and no SAN."""
    host, device, server = (certificate(folder, name) for name in ("host", "device-kiosk", "server"))
    assert (subject(host), names(host)) == (("flotta-operator", "*"), ["edge.example", "127.0.0.1", "::1"])
    assert (subject(device), names(device)) == (("flotta-operator", "shops", "kiosk"), [])
    assert names(server) == ["muster.example", "localhost", "127.0.0.1", "::1"]
    for each in (host, device, server):
        each.verify_directly_issued_by(certificate(folder, "ca"))


def test_secrets_are_the_ones_flotta_reads(folder: Path) -> None:
    """Their names and keys are those of its operator; their content is that of the files."""
    secrets = {each["metadata"]["name"]: each for each in yaml.safe_load_all((folder / "secrets.yaml").read_text())}
    assert {name: sorted(each["data"]) for name, each in secrets.items()} == {
        "flotta-ca": ["ca.crt", "ca.key"],
        "flotta-host-certificate": ["server.crt", "server.key"],
    }
    shown = base64.b64decode(secrets["flotta-host-certificate"]["data"]["server.crt"])
    assert shown == (folder / "host.crt").read_bytes()


def test_keys_are_readable_by_their_owner_alone(folder: Path) -> None:
    """Also the manifest, which holds the CA's."""
    for file in [*folder.glob("*.key"), folder / "secrets.yaml"]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_files_fit_musters_settings(folder: Path) -> None:
    """They are taken as they are, and nothing ends soon."""
    files = {"CERTIFICATE": "server.crt", "KEY": "server.key", "CLIENT_CA": "ca.crt"}
    variables = {f"MUSTER_DEVICE_{name}": str(folder / file) for name, file in files.items()}
    settings = load(variables | {"MUSTER_DEVICE_PORT": "8443", "MUSTER_DEVICE_HOST": "10.0.0.1"})
    check_listeners(settings)
    certificates = Certificates(settings, ApiMetrics(), lambda: certificate_start(folder))
    assert certificates.device is not None
    assert certificates.degraded() == []


def certificate_start(folder: Path) -> float:
    """When they were made."""
    return certificate(folder, "server").not_valid_before_utc.timestamp()


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    """Certificates of two CAs would not verify each other."""
    done = run("pki", "init", str(folder))
    assert done.returncode == 1
    assert "exists" in done.stderr


def test_a_device_needs_its_namespace(tmp_path: Path) -> None:
    """It is what stands in the OU; nothing is made."""
    done = run("pki", "init", str(tmp_path / "made"), "--device", "kiosk")
    assert done.returncode == 2
    assert not (tmp_path / "made").exists()
