"""Key files: made once at set-up, never overwritten, read by who needs them.

The folder (0700) holds, each in a file of its own (0600): a password per ClickHouse user; `installation.key`, 32 bytes
in hex, which keys the configurations' versions and the marks of sealed Secrets; and under `encryption/` one file per
encryption key, named by its key id, and the file `current` with the id of the one that seals. Without that file the
newest seals, or the last by name of those of one age.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from settings.load import SettingsError

KEY_BYTES = 32
PASSWORD_USERS = ("muster", "analyst")

_INSTALLATION = "installation.key"
_ENCRYPTION = "encryption"
_CURRENT = "current"


class EncryptionKeys(NamedTuple):
    """Keys by key id; `current_id` names the one that seals, all of them open."""

    current_id: str
    by_id: dict[str, bytes]


def make_keys(folder: Path, random_hex: Callable[[int], str] = secrets.token_hex) -> list[Path]:
    """Make what is missing and give the files made: none when run again. `random_hex` takes a number of bytes.

    Raises SettingsError when the folder cannot be written.
    """
    try:
        (folder / _ENCRYPTION).mkdir(parents=True, exist_ok=True)
        for private in (folder, folder / _ENCRYPTION):
            private.chmod(0o700)
        wanted = [folder / user for user in PASSWORD_USERS] + [folder / _INSTALLATION]
        if not _encryption_files(folder):
            wanted.append(folder / _ENCRYPTION / f"{random_hex(4)}.key")
        return [path for path in wanted if _make(path, random_hex)]
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(
            f"cannot write keys to {folder}: {reason}; set MUSTER_KEYS_FOLDER or MUSTER_DATA"
        ) from error


def read_password(file: Path) -> str:
    """A user's password. Raises SettingsError."""
    password = _read(file).strip()
    if not password:
        raise SettingsError(f"the password file {file} is empty")
    return password


def read_installation_key(folder: Path) -> bytes:
    """The 32 bytes that key versions and marks. Raises SettingsError."""
    return _read_key(folder / _INSTALLATION)


def key_mark(installation_key: bytes) -> str:
    """By which a database recognises the key without being told it."""
    return hmac.new(installation_key, b"muster installation", hashlib.sha256).hexdigest()


def read_encryption_keys(folder: Path) -> EncryptionKeys:
    """Every encryption key and which of them seals. Raises SettingsError, also when there is none."""
    files = _encryption_files(folder)
    if not files:
        raise SettingsError(f"there is no encryption key in {folder / _ENCRYPTION}: `muster setup` makes one")
    current = folder / _ENCRYPTION / _CURRENT
    current_id = _read(current).strip() if current.exists() else files[-1].stem
    if current_id not in {file.stem for file in files}:
        raise SettingsError(f"{current} names the key {current_id[:60]!r}, of which there is no file beside it")
    return EncryptionKeys(current_id, {file.stem: _read_key(file) for file in files})


def add_encryption_key(folder: Path, random_hex: Callable[[int], str] = secrets.token_hex) -> str:
    """Make another key and let it seal from now on; its id. Raises SettingsError when the folder cannot be written.

    The key's file is there before `current` names it, so that whoever meets the id finds the key.
    """
    key_id = random_hex(4)
    encryption = folder / _ENCRYPTION
    try:
        _make(encryption / f"{key_id}.key", random_hex)
        temporary = encryption / f".{_CURRENT}.{os.getpid()}"
        temporary.write_text(f"{key_id}\n")
        temporary.chmod(0o600)
        temporary.replace(encryption / _CURRENT)
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(
            f"cannot write keys to {encryption}: {reason}; where it is mounted read-only, put the file of a new key"
            f" there by other means, and then its id into {_CURRENT}"
        ) from error
    return key_id


def remove_encryption_key(folder: Path, key_id: str) -> None:
    """Remove the file of a key that nothing uses. Raises SettingsError when the folder cannot be written."""
    file = folder / _ENCRYPTION / f"{key_id}.key"
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"cannot remove {file}: {error.strerror or error}") from error


def _encryption_files(folder: Path) -> list[Path]:
    """Oldest first; of equal age by name, so that every process seals with the same key."""
    return sorted((folder / _ENCRYPTION).glob("*.key"), key=lambda file: (file.stat().st_mtime_ns, file.name))


def _make(path: Path, random_hex: Callable[[int], str]) -> bool:
    """Write a new secret under a temporary name and link it into place, so that no process reads half of it."""
    if path.exists():
        return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(random_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def _read_key(file: Path) -> bytes:
    try:
        key = bytes.fromhex(_read(file).strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{file} must hold {KEY_BYTES} bytes in hex")
    return key


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SettingsError(f"cannot read {file}: {reason}; `muster setup` makes missing keys") from error
