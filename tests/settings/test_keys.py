"""Keys are made once, for the owner's eyes only, and a wrong one is named."""

import os
from pathlib import Path

import pytest

from settings import SettingsError
from settings.keys import make_keys, read_encryption_keys, read_installation_key, read_password


def test_all_keys_are_made_at_first(tmp_path: Path) -> None:
    """A password per user, the installation key, and one encryption key."""
    made = {path.name for path in make_keys(tmp_path / "keys")}
    assert {"muster", "analyst", "installation.key"} < made
    assert len(made) == 4


def test_making_keys_again_changes_nothing(tmp_path: Path) -> None:
    """A key overwritten would make what it sealed unreadable."""
    make_keys(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert make_keys(tmp_path) == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    """Folders 0700, files 0600, also when the folder was there with wider rights."""
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o755)
    make_keys(keys)
    modes = {path.stat().st_mode & 0o777 for path in [keys, *keys.rglob("*")] if path.is_dir()}
    assert modes == {0o700}
    assert {path.stat().st_mode & 0o777 for path in keys.rglob("*") if path.is_file()} == {0o600}


def test_what_was_made_can_be_read(tmp_path: Path) -> None:
    """Readers and the maker agree on names and spelling."""
    make_keys(tmp_path)
    encryption = read_encryption_keys(tmp_path)
    assert len(read_installation_key(tmp_path)) == 32
    assert len(encryption.by_id[encryption.current_id]) == 32
    assert read_password(tmp_path / "muster") != read_password(tmp_path / "analyst")


def test_the_newest_encryption_key_seals_and_older_ones_open(tmp_path: Path) -> None:
    """A key file added by hand becomes the current one."""
    make_keys(tmp_path)
    first = read_encryption_keys(tmp_path).current_id
    added = tmp_path / "encryption" / "added.key"
    added.write_text("ab" * 32)
    os.utime(added, (2_000_000_000, 2_000_000_000))
    keys = read_encryption_keys(tmp_path)
    assert keys.current_id == "added"
    assert set(keys.by_id) == {first, "added"}


@pytest.mark.parametrize("content", ["", "ab" * 31, "not hexadecimal", "\x00"])
def test_a_damaged_key_is_named(tmp_path: Path, content: str) -> None:
    """The message names the file, never its content."""
    make_keys(tmp_path)
    (tmp_path / "installation.key").write_text(content)
    with pytest.raises(SettingsError, match=r"installation\.key must hold 32 bytes in hex"):
        read_installation_key(tmp_path)


def test_a_missing_password_says_what_makes_it(tmp_path: Path) -> None:
    """Before set-up there is none."""
    with pytest.raises(SettingsError, match="`muster setup` makes missing keys"):
        read_password(tmp_path / "muster")
