"""A file that cannot be used is refused in one line with its setting and what to change."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from settings import SettingsError
from settings.named_files import NamedFile, read_named
from settings.pem_files import read_certificates, read_revoked, require_pair, verifying
from tests.api.listeners.authority import Authority

SETTING = "MUSTER_DEVICE_KEY"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA of the test's own."""
    return Authority(tmp_path)


def file(path: Path) -> NamedFile:
    """As the setting names it."""
    return NamedFile(SETTING, path)


def encrypted(path: Path) -> bytes:
    """The same key, under a passphrase."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    how = serialization.BestAvailableEncryption(b"secret")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file; correct the path, or put it there"),
        (b"  \n", "is empty"),
        (b"0\x82\x01", "holds no private key in PEM: name the file that begins with -----BEGIN PRIVATE KEY-----"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA", "holds no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "perhaps not all of it"),
    ],
)
def test_what_is_no_key_is_said_with_its_setting(
    authority: Authority, tmp_path: Path, content: bytes | None, said: str
) -> None:
    """One line each."""
    path = tmp_path / "x.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=said) as refused:
        require_pair(file(authority.server().certificate), file(path))
    assert str(refused.value).startswith(f"{SETTING}='{path}'")
    assert "\n" not in str(refused.value)


def test_a_key_that_nobody_can_type_the_passphrase_of_is_refused(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL would ask the terminal for it, and the start would hang."""
    server = authority.server()
    (tmp_path / "locked.key").write_bytes(encrypted(server.key))
    with pytest.raises(SettingsError, match="passphrase"):
        require_pair(file(server.certificate), file(tmp_path / "locked.key"))


def test_the_key_of_another_certificate_is_refused(authority: Authority) -> None:
    """Both files are named."""
    server, other = authority.server(), authority.server("other")
    with pytest.raises(SettingsError, match=r"other\.key' is not the key of the first certificate in .*server\.crt"):
        require_pair(file(server.certificate), file(other.key))


@pytest.mark.parametrize("order", [("certificate", "key"), ("key", "certificate")])
def test_certificate_and_key_may_lie_in_one_file(authority: Authority, tmp_path: Path, order: tuple[str, str]) -> None:
    """As some tools write them, and with words around the blocks."""
    server = authority.server()
    both = tmp_path / "both.pem"
    both.write_bytes(b"Bag Attributes\n".join(getattr(server, part).read_bytes() for part in order))
    require_pair(file(both), file(both))


@pytest.mark.parametrize(("read", "what"), [(read_certificates, "certificate"), (read_revoked, "list of revoked")])
def test_a_file_of_another_kind_is_told_apart(
    authority: Authority, read: Callable[[NamedFile], object], what: str
) -> None:
    """Such as two settings mixed up."""
    with pytest.raises(SettingsError, match=f"holds no {what}"):
        read(file(authority.server().key))


def test_a_folder_and_a_file_of_someone_else_are_told_apart(tmp_path: Path) -> None:
    """Neither is a missing file."""
    with pytest.raises(SettingsError, match="is a folder"):
        read_named(file(tmp_path))
    hidden = tmp_path / "hidden"
    hidden.write_text("x")
    hidden.chmod(0)
    if os.geteuid():
        with pytest.raises(SettingsError, match=f"may not be read by user {os.geteuid()}"):
            read_named(file(hidden))


def test_a_relative_path_is_said_with_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most often the command runs in another folder than thought."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=f"there is no such file in {tmp_path}"):
        read_named(file(Path("pki/server.key")))


def test_cas_that_verify_servers_are_read_in_the_same_way(authority: Authority, tmp_path: Path) -> None:
    """Those of Kafka, ClickHouse and the management plane."""
    assert verifying(file(authority.file)).get_ca_certs()
    with pytest.raises(SettingsError, match="there is no such file"):
        verifying(file(tmp_path / "none.crt"))
