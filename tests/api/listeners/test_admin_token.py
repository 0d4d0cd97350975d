"""The management plane with TLS and a token of its own, as it stands when it is not on loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from local.free_ports import free_port
from tests.api.installation import python_process, until
from tests.api.listeners.authority import Authority
from tests.cli.muster import run

TOKEN = "a-token-made-for-this-test"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a host that is not loopback


class Guarded(NamedTuple):
    """A management plane that asks for the token; `settings` are its variables without their prefix."""

    url: str
    settings: dict[str, object]
    token_file: Path
    client: httpx.Client

    def get(self, path: str, token: str | None = None) -> httpx.Response:
        """One call, with or without a token."""
        return self.client.get(self.url + path, headers={"Authorization": f"Bearer {token}"} if token else {})


@pytest.fixture(scope="module")
def guarded(
    variables: dict[str, str],
    deciding: object,  # noqa: ARG001
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Guarded]:
    """Listens on all addresses, which it may since nobody gets in without the token."""
    folder = tmp_path_factory.mktemp("guarded")
    token_file = folder / "token"
    token_file.write_text(TOKEN + "\n")
    server = authority.server("management")
    settings: dict[str, object] = {
        "HTTP_HOST": EVERYWHERE,
        "HTTP_PORT": free_port(),
        "HTTP_CERTIFICATE": server.certificate,
        "HTTP_KEY": server.key,
        "HTTP_TOKEN_FILE": token_file,
        "HTTP_CA": authority.file,
        "DEVICE_PORT": free_port(),
    }
    given = {f"MUSTER_{name}": str(value) for name, value in settings.items()}
    url = f"https://127.0.0.1:{settings['HTTP_PORT']}"
    with (
        python_process(["api"], {**variables, **given}, folder / "log"),
        httpx.Client(verify=authority.client_context(None)) as client,
    ):
        guarded = Guarded(url, settings, token_file, client)
        until(lambda: _is_ready(guarded), 60, (folder / "log").read_text)
        yield guarded


def _is_ready(guarded: Guarded) -> bool:
    try:
        return guarded.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_only_the_token_opens_the_management_plane(guarded: Guarded) -> None:
    """Metrics and documents included; probes carry no secret and need none."""
    for path in ("/api/v1/namespaces", "/metrics", "/docs", "/no-such-path"):
        for token in (None, "another-token-of-some-length"):
            answer = guarded.get(path, token)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert answer.json()["reason"] == "Unauthorized"
    assert guarded.get("/api/v1/namespaces", TOKEN).status_code == 200
    assert guarded.get("/health/live").status_code == 200


def test_the_commands_send_the_token(guarded: Guarded) -> None:
    """Read from the same file, over https verified by the CA of the settings."""
    done = run("get", "namespaces", **guarded.settings)
    assert done.returncode == 0, done.stderr
    assert "default" in done.stdout


def test_a_changed_token_holds_at_once(guarded: Guarded) -> None:
    """The former one opens nothing any more; a file that is half written changes nothing."""
    guarded.token_file.write_text("short")
    assert guarded.get("/api/v1/namespaces", TOKEN).status_code == 200
    guarded.token_file.write_text("another-token-for-this-test")
    assert guarded.get("/api/v1/namespaces", TOKEN).status_code == 401
    assert guarded.get("/api/v1/namespaces", "another-token-for-this-test").status_code == 200
    guarded.token_file.write_text(TOKEN)


def test_an_open_management_plane_is_not_started(variables: dict[str, str], tmp_path: Path) -> None:
    """Anywhere but on loopback, with the settings that are missing."""
    log = tmp_path / "log"
    everywhere = {"MUSTER_HTTP_HOST": EVERYWHERE, "MUSTER_HTTP_PORT": str(free_port())}
    with python_process(["api"], {**variables, **everywhere}, log) as process:
        assert process.wait(timeout=20) == 2
    assert "MUSTER_HTTP_TOKEN_FILE" in log.read_text()
