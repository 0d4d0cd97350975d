"""A port in use is said in one line that names the setting."""

import os
import socket

import pytest

from local.errors import LocalError
from local.free_ports import free_port
from local.ports import WantedPort, require_free


def test_a_port_in_use_names_its_owner_and_the_setting() -> None:
    """The line is all a person needs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        wanted = WantedPort("127.0.0.1", port, "the API", "MUSTER_HTTP_PORT")
        with pytest.raises(LocalError) as caught:
            require_free([wanted], wait_s=0)
    message = str(caught.value)
    assert f"port {port} on 127.0.0.1, for the API, is in use by " in message
    assert f"(pid {os.getpid()}): set MUSTER_HTTP_PORT to a free one" in message
    assert "\n" not in message


def test_a_port_shared_by_several_listeners_is_in_use_too() -> None:
    """API processes share a port; two Musters must not."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as server:
        wanted = WantedPort("127.0.0.1", server.getsockname()[1], "the API", "MUSTER_HTTP_PORT")
        with pytest.raises(LocalError, match="MUSTER_HTTP_PORT"):
            require_free([wanted], wait_s=0)


def test_free_ports_pass() -> None:
    """Nothing is left bound: asking twice is fine."""
    wanted = WantedPort("127.0.0.1", free_port(), "Kafka", "MUSTER_KAFKA_PORT")
    require_free([wanted])
    require_free([wanted])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 65_536), ("192.0.2.1", 8080)])
def test_an_impossible_address_names_the_setting(host: str, port: int) -> None:
    """One beyond the last port, and one that is not this machine's."""
    with pytest.raises(LocalError, match=r"cannot be used .* set MUSTER_X to another one"):
        require_free([WantedPort(host, port, "Kafka", "MUSTER_X")], wait_s=0)


def test_a_host_that_is_not_there_names_the_hosts_setting() -> None:
    """Another port would not help."""
    wanted = WantedPort("192.0.2.1", 8080, "the API", "MUSTER_HTTP_PORT", "MUSTER_HTTP_HOST")
    with pytest.raises(LocalError, match="set MUSTER_HTTP_HOST to another one"):
        require_free([wanted], wait_s=0)
