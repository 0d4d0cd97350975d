"""What a process logs is one JSON object a line, and never shows what variables held."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from settings.logs import configure_logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where the logs of this test go."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("test", stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def _read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_event_is_a_line_of_json(lines: io.StringIO) -> None:
    """Ours and those of libraries alike."""
    structlog.get_logger("ours").warning("refused", device="d1")
    logging.getLogger("theirs").warning("lost %s", "it")
    first, second = _read(lines)
    assert first | {"event": "refused", "device": "d1", "process": "test", "level": "warning"} == first
    assert second | {"event": "lost it", "logger": "theirs", "process": "test"} == second


def test_a_traceback_shows_no_local_variable(lines: io.StringIO) -> None:
    """A variable may hold a Secret's value."""

    def fail() -> None:
        value = "planted-" + "secret"
        raise ValueError(len(value))

    try:
        fail()
    except ValueError as error:
        structlog.get_logger("ours").error("failed", exc_info=error)
    (event,) = _read(lines)
    assert "ValueError" in str(event["exception"])
    assert "planted-secret" not in lines.getvalue()
