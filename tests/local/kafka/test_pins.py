"""The lock file is complete, and a broken line is named."""

from pathlib import Path

import pytest

from local.kafka.pins import read_pins


def test_the_lock_pins_the_broker_and_all_it_needs() -> None:
    """One version of each, and of Kafka's own jars the broker's."""
    pins = read_pins()
    assert len(pins) == len({(pin.group, pin.artifact) for pin in pins}) == len({pin.file_name for pin in pins})
    assert {pin.version for pin in pins if pin.group == "org.apache.kafka"} == {"4.4.0"}


def test_a_line_that_is_no_pin_is_named(tmp_path: Path) -> None:
    """By file and number."""
    lock = tmp_path / "jars.lock"
    lock.write_text("# comment\n\norg.example:thing:1.0 not-a-hash 12\n")
    with pytest.raises(ValueError, match=r"jars\.lock:3: expected"):
        read_pins(lock)
