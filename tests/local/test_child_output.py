"""Logs of children are bounded and never hold a child up."""

import os
from pathlib import Path

from local.child_output import ChildOutput


def _copied(log: Path, *chunks: bytes, limit_bytes: int = 1000) -> ChildOutput:
    reading, writing = os.pipe()
    output = ChildOutput(os.fdopen(reading, "rb"), log, limit_bytes)
    for chunk in chunks:
        os.write(writing, chunk)
    os.close(writing)
    output.finish(5)
    return output


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    """What an earlier run wrote stays."""
    log = tmp_path / "kafka.log"
    _copied(log, b"first run\n")
    _copied(log, b"second run\n")
    assert log.read_text() == "first run\nsecond run\n"


def test_a_log_never_grows_beyond_two_files_of_the_limit(tmp_path: Path) -> None:
    """A chatty child cannot fill the disk."""
    log = tmp_path / "kafka.log"
    for _ in range(20):
        _copied(log, b"x" * 400 + b"\n")
    assert {file.name for file in tmp_path.iterdir()} == {"kafka.log", "kafka.log.1"}
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2 * (1000 + 401)


def test_the_last_words_are_remembered(tmp_path: Path) -> None:
    """Whether or not the last line was ended."""
    assert _copied(tmp_path / "a.log", b"one\n", b"two\n\n").last_lines() == ["one", "two", "", ""]
    assert _copied(tmp_path / "b.log", b"one\nand", b" a half").last_lines() == ["one", "and a half"]
    assert _copied(tmp_path / "c.log").last_lines() == [""]


def test_output_is_dropped_when_the_log_cannot_be_written(tmp_path: Path) -> None:
    """A full disk or a folder in the way must not block the child's writes."""
    (tmp_path / "kafka.log").mkdir()
    assert "last" in _copied(tmp_path / "kafka.log", b"x" * 60_000, b"\nlast\n").last_lines()
