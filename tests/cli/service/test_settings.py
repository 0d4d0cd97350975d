"""Every setting is listed, and a wrong one ends a command with one line."""

import pytest

from settings import describe
from tests.cli.muster import run


def test_every_setting_is_listed_with_value_and_default() -> None:
    """What differs from its default is marked."""
    done = run("settings", HTTP_PORT=8099)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for variable in describe():
        assert any(variable.name in line for line in lines), variable.name
    (port,) = [line for line in lines if "MUSTER_HTTP_PORT" in line]
    assert "8099 *" in port
    assert "8080" in port


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTP_PORT", "http", "MUSTER_HTTP_PORT='http': write a whole number"),
        ("HTTP_PORT", "70000", "MUSTER_HTTP_PORT='70000': expected int <= 65535"),
        ("HTTP_PROT", "8080", "MUSTER_HTTP_PROT is not a setting; did you mean MUSTER_HTTP_PORT?"),
    ],
)
@pytest.mark.parametrize("command", ["settings", "up", "setup"])
def test_a_wrong_setting_is_one_line_and_status_2(command: str, name: str, value: str, said: str) -> None:
    """Whatever command meets it, before it does anything."""
    done = run(command, **{name: value})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"muster: {said}")
    assert done.stderr.count("\n") == 1


def test_an_unknown_command_is_status_2() -> None:
    """With the commands there are."""
    done = run("dance")
    assert done.returncode == 2
    assert "dance" in done.stdout + done.stderr
