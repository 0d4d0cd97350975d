"""Every setting is listed, and a wrong one ends a command with one line."""

import pytest

from cli.service.settings import listing
from settings import describe, load
from tests.cli.muster import run


def test_every_setting_is_listed_with_value_and_default() -> None:
    """What differs from its default is marked."""
    done = run("settings", HTTP_PORT=8099)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for variable in describe():
        assert any(variable.name in line for line in lines), variable.name
    (port,) = [line for line in lines if "MUSTER_HTTP_PORT" in line]
    assert port == "MUSTER_HTTP_PORT = 8099 *  (default 8080)"


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dance"], "dance"),
        (["get"], "KIND"),
        (["get", "devices", "--bogus"], "--bogus"),
        (["simulate", "--devices", "many"], '"many"'),
        (["simulate", "--devices", "0"], ">= 1"),
        (["pki", "init"], "--folder"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(arguments: list[str], said: str) -> None:
    """On standard error, without a frame, with the command whose help lists what there is."""
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("muster: ")
    assert said in done.stderr
    assert "--help`)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_can_be_read_in_a_narrow_terminal() -> None:
    """At 80 columns: each meaning in whole words below its variable."""
    shown = listing(load({}), 80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "\n    API processes sharing the port\n" in shown
