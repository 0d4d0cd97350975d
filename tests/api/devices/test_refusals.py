"""Refusals are logged once in a while each, and never without bound."""

from typing import Any

import pytest

from api.devices.refusals import RefusalLog


class Lines:
    """A logger that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def warning(self, event: str, **fields: Any) -> None:
        """Keep one."""
        self.lines.append({"event": event} | fields)


@pytest.fixture
def lines() -> Lines:
    """Where the log goes."""
    return Lines()


def refuse(log: RefusalLog, now_s: float, device: str = "d1", status: int = 404) -> None:
    """One refusal."""
    log.add(now_s, "PUT heartbeat", namespace="default", device=device, status=status, reason="unknown")


def test_a_refusal_names_device_and_reason(lines: Lines) -> None:
    """What an operator looks for."""
    refuse(RefusalLog(lines), 0)
    (line,) = lines.lines
    assert line["device"] == "d1"
    assert line["reason"] == "unknown"
    assert line["call"] == "PUT heartbeat"


def test_the_same_refusal_is_said_once_a_minute(lines: Lines) -> None:
    """Agents repeat every few seconds; another status is something else."""
    log = RefusalLog(lines)
    for now_s in range(60):
        refuse(log, now_s)
    refuse(log, 59, status=403)
    refuse(log, 61)
    assert [(line["status"], line["refusals_not_logged_since_last"]) for line in lines.lines] == [
        (404, 0),
        (403, 59),
        (404, 0),
    ]


def test_a_flood_of_strangers_is_bounded(lines: Lines) -> None:
    """Who may enrol any id may not fill a disk, nor memory."""
    log = RefusalLog(lines)
    for number in range(30_000):
        refuse(log, 100.5, device=f"d{number}")
    refuse(log, 102, device="late")
    assert len(lines.lines) == 51
    assert lines.lines[-1]["refusals_not_logged_since_last"] == 29_950
