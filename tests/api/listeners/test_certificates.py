"""Warnings before the end of any certificate, by a clock that the test moves."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from api.listeners.certificates import Certificates
from api.listeners.client_ends import ClientEnds
from api.listeners.peer import Peer
from api.metrics import ApiMetrics
from settings import load
from tests.api.listeners.authority import Authority

DAY_S = 86_400.0
NAMED = frozenset({"edge.example"})


class Clock:
    """Unix time, some days from now."""

    days = 0.0

    def __call__(self) -> float:
        """The time."""
        return time.time() + self.days * DAY_S


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at now."""
    return Clock()


def certificates(clock: Callable[[], float], tmp_path: Path, which: str) -> Certificates:
    """Everything of both listeners, of which one ends in 60 days and the rest after years."""
    authority = Authority(tmp_path)
    years, soon = timedelta(days=3000), timedelta(days=60)
    management = authority.server("management", valid=soon if which == "MUSTER_HTTP_CERTIFICATE" else years)
    device = authority.server("device", valid=soon if which == "MUSTER_DEVICE_CERTIFICATE" else years)
    revoked = authority.revoke(valid=soon if which == "MUSTER_DEVICE_CLIENT_CRL" else years)
    client_ca = authority.file
    if which == "MUSTER_DEVICE_CLIENT_CA":
        client_ca = tmp_path / "bundle.crt"
        # Two CAs in one file: the one that ends first counts.
        client_ca.write_bytes(authority.file.read_bytes() + authority.server("second", valid=soon)[0].read_bytes())
    files = {
        "MUSTER_HTTP_CERTIFICATE": management.certificate,
        "MUSTER_HTTP_KEY": management.key,
        "MUSTER_DEVICE_PORT": 8443,
        "MUSTER_DEVICE_CERTIFICATE": device.certificate,
        "MUSTER_DEVICE_KEY": device.key,
        "MUSTER_DEVICE_CLIENT_CA": client_ca,
        "MUSTER_DEVICE_CLIENT_CRL": revoked,
    }
    return Certificates(load({name: str(value) for name, value in files.items()}), ApiMetrics(), clock)


@pytest.mark.parametrize(
    "which",
    [
        "MUSTER_HTTP_CERTIFICATE",
        "MUSTER_DEVICE_CERTIFICATE",
        "MUSTER_DEVICE_CLIENT_CA",
        "MUSTER_DEVICE_CLIENT_CRL",
        "the Edge API's certificate (edge.example)",
    ],
)
def test_each_of_them_is_told_of_30_days_before_its_end(clock: Clock, tmp_path: Path, which: str) -> None:
    """In readiness and once a day in the log, with what to do; not a day earlier."""
    of_both = certificates(clock, tmp_path, which)
    if which.startswith("the Edge"):
        of_both.client_was_let_in(Peer(NAMED, "*", "", clock() + 60 * DAY_S))
    clock.days = 29
    assert of_both.degraded() == []
    clock.days = 30.1
    (told,) = of_both.degraded()
    assert told.startswith(f"{which} ends in 30 days: renew ")
    with capture_logs() as lines:
        of_both.look()
        of_both.look()
        clock.days = 31.2
        of_both.look()
    assert [(line["event"], line["setting"]) for line in lines] == [("certificate ends", which)] * 2
    clock.days = 61
    assert all("has ended" in each for each in of_both.degraded())


def test_the_metric_has_the_edge_apis_end_too(clock: Clock, tmp_path: Path) -> None:
    """Beside those of the settings' files."""
    of_both = certificates(clock, tmp_path, "")
    of_both.client_was_let_in(Peer(NAMED, "*", "", 4_000_000_000.0))
    of_both.look()
    assert of_both._metrics.registry.get_sample_value(
        "muster_certificate_end_timestamp_seconds", {"setting": "client"}
    ) == pytest.approx(4_000_000_000.0)


def test_a_renewed_client_certificate_takes_the_place_of_the_former() -> None:
    """An hour after that was last shown; until then, and where there is no other, it counts."""
    ends = ClientEnds()
    first, renewed = Peer(NAMED, "*", "", 1e6), Peer(NAMED, "*", "", 2e6)
    other = Peer(frozenset({"other.example"}), "*", "", 1e6)
    ends.note(first, 0)
    ends.note(other, 0)
    ends.note(renewed, 100)
    ends.note(Peer(NAMED, "*", ""), 100)
    assert sorted(end.at_s for end in ends.current(200)) == [1e6, 1e6, 2e6]
    assert sorted(end.names for end in ends.current(5000)) == ["edge.example", "other.example"]
    assert [end.at_s for end in ends.current(1.5e6)] == [2e6]


def test_no_more_clients_are_kept_than_there_could_be() -> None:
    """The oldest goes first."""
    ends = ClientEnds()
    for number in range(100):
        ends.note(Peer(NAMED, "*", "", 1e6 + number), number)
    assert len(ends.current(100)) == 64
