"""An import outlasts a server that cannot say for a while what came of a device."""

import json
from pathlib import Path

import pytest

from cli.devices.preauthorise import TRIES, preauthorise
from cli.http_client import Server
from tests.cli.scripted_server import Asked, Told, scripted_server


def told(*results: str) -> Told:
    """What came of each device."""
    came_of = [
        {"device": f"dev-{number}", "result": result, "message": "why"}
        for number, result in enumerate(results, start=1)
    ]
    return Told(200, json.dumps({"results": came_of}).encode())


@pytest.mark.parametrize(
    ("unknown_times", "status", "output"),
    [
        (2, 0, "1 approved, 1 were already, 0 refused\n"),
        (TRIES, 1, "0 approved, 1 were already, 1 refused\n"),
    ],
)
def test_what_is_unknown_is_asked_for_again_under_the_same_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unknown_times: int, status: int, output: str
) -> None:
    """So that each device is applied once; for about a minute."""
    file = tmp_path / "devices.csv"
    file.write_text("device\ndev-1\ndev-2\n")
    pauses: list[float] = []

    def script(_: Asked, number: int) -> Told:
        return told("unchanged", "unknown" if number < unknown_times else "accepted")

    with scripted_server(script) as server, Server(server.address, 5) as client:
        assert preauthorise(client, file, "default", pauses.append) == status
    assert capsys.readouterr().out == output
    assert len({asked.header("Muster-Request-Id") for asked in server.asked}) == 1
    assert len(server.asked) == min(unknown_times + 1, TRIES)
    assert len(pauses) == len(server.asked) - 1
