"""What settings make of an API process, and of several behind one port."""

import re
import subprocess
import sys
from pathlib import Path

import httpx

from local.free_ports import free_port
from tests.api.fleet import Device, Operator
from tests.api.go_client import GoClient, path_of
from tests.api.installation import READY_WITHIN_S, Api, answers_ok, api_process, python_process, until
from tests.cli.muster import PROJECT, environment

_TOLD_TO_STOP_WHILE_IT_STARTS = """
import os, signal, sys, api.__main__ as entry

def swallow(*_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except BaseException:
        pass
    os._exit(9)

entry.load = swallow
sys.exit(entry.main())
"""


def test_metrics_are_summed_over_the_processes(variables: dict[str, str], deciding: object, tmp_path: Path) -> None:  # noqa: ARG001
    """Two processes share a port; whichever is asked adds them up."""
    port = free_port()
    two = {"HTTP_PROCESSES": 2, "HTTP_PORT": port}
    logs = [tmp_path / "1.log", tmp_path / "2.log"]
    with api_process(variables, logs[0], **two), api_process(variables, logs[1], **two):
        # The port is answered as soon as one of them stands.
        until(lambda: all("fleet loaded" in log.read_text() for log in logs), READY_WITHIN_S)
        for number in range(60):
            with GoClient(port) as edge:
                assert edge.call("GET", path_of(f"stranger-{number}", "configuration")).status == 404
        pattern = r'muster_device_call_seconds_count\{call="configuration",method="GET",status="404"\} (\S+)'

        def counted() -> set[float]:
            texts = [httpx.get(f"http://127.0.0.1:{port}/metrics").text for _ in range(10)]
            return {float(found[1]) for found in (re.search(pattern, text) for text in texts) if found}

        # A process hands over what it counted once a second, or when it is asked itself.
        until(lambda: counted() == {60.0})


def test_a_signal_ends_a_process_that_starts() -> None:
    """Whatever is being imported then: many a module catches everything."""
    started = [sys.executable, "-c", _TOLD_TO_STOP_WHILE_IT_STARTS]
    assert subprocess.run(started, cwd=PROJECT, env=environment(), check=False, timeout=60).returncode == 0


def test_a_port_in_use_is_said_with_its_setting(variables: dict[str, str], api: Api, tmp_path: Path) -> None:
    """One line that names what to change, and status 2."""
    log = tmp_path / "log"
    with python_process(["api"], variables | {"MUSTER_HTTP_PORT": str(api.port)}, log) as process:
        assert process.wait(timeout=20) == 2
    assert "MUSTER_HTTP_PORT" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_missing_keys_are_said_with_their_remedy(tmp_path: Path) -> None:
    """A process started before set-up says what to run."""
    log = tmp_path / "log"
    with python_process(["api"], {"MUSTER_DATA": str(tmp_path), "MUSTER_HTTP_PORT": str(free_port())}, log) as process:
        assert process.wait(timeout=20) == 2
    assert "muster setup" in log.read_text()


def test_secrets_are_shown_when_a_setting_says_so(variables: dict[str, str], api: Api, tmp_path: Path) -> None:
    """Off by default, since whoever reaches the management plane would read them."""
    secrets = "/api/v1/namespaces/default/secrets"
    document = {"metadata": {"name": "shown"}, "stringData": {"token": "planted"}}
    assert httpx.post(api.url + secrets, json=document).status_code == 201
    with api_process(variables, tmp_path / "log", HTTP_SHOW_SECRETS="true") as showing:
        shown = until(lambda: httpx.get(f"{showing.url}{secrets}/shown").json())
    assert shown["data"] == {"token": "cGxhbnRlZA=="}


def test_further_names_are_a_setting(variables: dict[str, str], tmp_path: Path) -> None:
    """People may reach the management plane by another name; devices' calls come under any."""
    with api_process(variables, tmp_path / "log", HTTP_NAMES="muster.example, other.example") as api:
        for host, status in [("muster.example", 200), ("other.example:8080", 200), ("evil.example", 403)]:
            assert httpx.get(f"{api.url}/api/v1/namespaces", headers={"Host": host}).status_code == status
        device = httpx.get(api.url + path_of("nobody", "configuration"), headers={"Host": "backend.internal"})
        assert device.status_code == 404


def test_devices_may_be_approved_by_a_setting(variables: dict[str, str], operator: Operator, tmp_path: Path) -> None:
    """Auto-approval is an option: then the first enrolment is answered 200."""
    with api_process(variables, tmp_path / "log", DEVICES_AUTO_APPROVE="true") as api, GoClient(api.port) as edge:
        until(lambda: answers_ok(api, "/health/ready"))
        device = Device(edge, operator)
        assert device.enrol().status == 200
        assert device.register().status == 200
        assert device.call("GET", "configuration").status == 200
