"""Who is at the other end of a loopback connection, as the kernel knows it."""

import getpass
import socket
from typing import Any

import pytest

from api.listeners.local_user import local_user


def scope_of(family: socket.AddressFamily, host: str) -> Any:
    """An open connection of this process to itself, as ASGI describes it; with its sockets, to keep them."""
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        client = socket.socket(family)
        client.connect(listener.getsockname())
        server, address = listener.accept()
    return {"client": address[:2], "server": server.getsockname()[:2], "sockets": (client, server)}


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_connection_over_loopback_is_its_users(family: socket.AddressFamily, host: str) -> None:
    """Of either family."""
    try:
        scope = scope_of(family, host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    assert local_user(scope) == getpass.getuser()
    for each in scope["sockets"]:
        each.close()


def test_a_connection_that_its_program_has_closed_is_nobodys() -> None:
    """The kernel would say 0, and that is root."""
    scope = scope_of(socket.AF_INET, "127.0.0.1")
    client, server = scope["sockets"]
    client.close()
    assert local_user(scope) == ""
    server.close()


@pytest.mark.parametrize(
    "scope",
    [
        {"client": ("192.0.2.1", 5), "server": ("192.0.2.2", 80)},
        {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)},
        {"client": ("127.0.0.1", 5), "server": ("::1", 80)},
        {"client": ("no address", 5), "server": ("127.0.0.1", 80)},
        {"client": None, "server": ("127.0.0.1", 80)},
        {"client": ("127.0.0.1", 5), "server": ("/run/socket", None)},
        {},
    ],
)
def test_nobody_is_known_of_any_other(scope: dict[str, Any]) -> None:
    """From elsewhere, of a connection that is not there, or that is none."""
    assert local_user(scope) == ""
