"""A new key for Secrets, with a crash after each step: no version changes, and no API process is started again."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cli.secrets.key_table import KeyState
from cli.secrets.rotation import Rotation, Step, rotate
from settings import load
from settings.keys import read_encryption_keys, read_password
from storage.client import connect
from streams.topics import topics_of
from tests.api.fleet import FLOTTA, Device
from tests.api.go_client import GoClient, path_of
from tests.api.installation import Api, api_process
from tests.cli.muster import run

SECRETS = "/api/v1/namespaces/default/secrets"


class CrashError(Exception):
    """The command is killed."""


class Rotations:
    """Rotates the keys of the tests' installation, dying after a step if asked."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.settings = load(variables)
        self.client = connect(self.settings.clickhouse, read_password(self.settings.clickhouse_password_file))
        self._topics = topics_of(self.settings)

    def run(self, dies_after: Step | None = None) -> Rotation:
        """One run of the command."""

        def reached(step: Step) -> None:
            if step == dies_after:
                raise CrashError

        return asyncio.run(rotate(self.settings, self.client, self._topics, reached))

    @property
    def key_ids(self) -> set[str]:
        """Keys that have a file."""
        return set(read_encryption_keys(self.settings.keys_folder).by_id)

    def rows_with(self, text: str) -> int:
        """Rows of decisions that hold a text."""
        query = (
            "SELECT count() FROM decisions WHERE arrayExists(body -> position(body, {text:String}) > 0, changes.body)"
        )
        return int(self.client.query(query, parameters={"text": text}).result_rows[0][0])


@pytest.fixture
def rotations(variables: dict[str, str]) -> Iterator[Rotations]:
    """Of the installation of the API's tests."""
    rotations = Rotations(variables)
    yield rotations
    rotations.client.close()


@pytest.fixture
def other_api(variables: dict[str, str], logs: Path, api: Api) -> Iterator[Api]:  # noqa: ARG001
    """Another process of the same installation, which runs through the rotation, too."""
    with api_process(variables, logs / "other-api.log") as running:
        yield running


def use_secret(device: Device, name: str) -> None:
    """Let a device run a workload that needs a Secret."""
    container = {"name": "c", "image": "i:1", "envFrom": [{"secretRef": {"name": name}}]}
    spec = {"type": "pod", "device": device.device_id, "pod": {"spec": {"containers": [container]}}}
    device.operator.create(f"{FLOTTA}/namespaces/default/edgeworkloads", {"metadata": {"name": name}, "spec": spec})


def test_a_rotation_that_dies_anywhere_is_finished_by_the_next(
    registered: Device, rotations: Rotations, other_api: Api, api: Api
) -> None:
    """Devices get the same bytes from every process; clients' resourceVersions stay; the old key's data is erased."""
    http, name = registered.operator.http, registered.device_id
    for value in ("former", "token"):  # the former revision is superseded
        method = "PUT" if value == "token" else "POST"
        path = f"{SECRETS}/{name}" if value == "token" else SECRETS
        assert http.request(method, path, json={"metadata": {"name": name}, "stringData": {"t": value}}).is_success
    use_secret(registered, name)
    before = registered.call("GET", "configuration").body
    resource_version = http.get(f"{SECRETS}/{name}").json()["metadata"]["resourceVersion"]
    first = read_encryption_keys(rotations.settings.keys_folder).current_id
    old_seal = f'"sealed":{{"key_id":"{first}"'
    assert rotations.rows_with(old_seal) >= 2

    steps: list[Step] = ["key made", "sent", "resealed", "erased"]
    for step in steps[:-1]:
        with pytest.raises(CrashError):
            rotations.run(dies_after=step)
    done = rotations.run()

    assert not done.new_key_id, "the first run made the key, and the others went on with it"
    new, old = done.keys[0], next(each for each in done.keys if each.key_id == first)
    assert rotations.rows_with(old_seal) == 0
    assert (old.secrets, old.rows, old.may_go) == (0, 0, False)
    assert {use.topic for use in old.uses} == {"api-tests.commands", "api-tests.feed"}
    assert all(use.kept_until_ms > time.time() * 1000 + 6 * 24 * 3_600_000 for use in old.uses)
    assert new.secrets >= 1
    shown = http.get(f"{SECRETS}/{name}").json()
    assert shown["metadata"]["resourceVersion"] == resource_version
    history = http.get(f"/muster/v1/history/secrets/{name}", params={"namespace": "default"}).json()["items"]
    assert [each["revision"] for each in history][:1] == [resource_version]
    assert len(history) == 2
    with GoClient(other_api.port) as edge:
        path = path_of(name, "configuration", "default")
        assert [registered.call("GET", "configuration").body, edge.call("GET", path).body] == [before, before]
        _rotated_key_seals_at_once(registered, edge, rotations, new)
    assert api.process.poll() is None


def _rotated_key_seals_at_once(device: Device, edge: GoClient, rotations: Rotations, new: KeyState) -> None:
    """A process that runs since before the rotation seals with the new key, and another one opens it."""
    http, name = device.operator.http, f"{device.device_id}.later"
    http.post(SECRETS, json={"metadata": {"name": name}, "stringData": {"t": "later"}}).raise_for_status()
    use_secret(device, name)
    body = device.call("GET", "configuration").json["device-configuration"]
    assert [secret["data"] for secret in body["secrets"]] == ['{"t":"dG9rZW4="}', '{"t":"bGF0ZXI="}']
    path = path_of(device.device_id, "configuration", "default")
    assert edge.call("GET", path).json["device-configuration"]["version"] == body["version"]
    assert rotations.rows_with(f'"sealed":{{"key_id":"{new.key_id}"') >= 2


def test_only_a_key_that_nothing_uses_is_removed(variables: dict[str, str], rotations: Rotations, api: Api) -> None:  # noqa: ARG001
    """The table names what uses each key."""
    rotations.run()
    unused = rotations.settings.keys_folder / "encryption" / "unused.key"
    unused.write_text("ab" * 32)
    used = rotations.key_ids - {"unused"}
    done = _muster(variables, "secrets", "keys", "--remove")
    assert done.returncode == 0, done.stderr
    assert rotations.key_ids == used
    assert "removed key unused\n" in done.stdout
    assert "no: it seals" in done.stdout
    assert "when Kafka has dropped the records, not before 20" in done.stdout


def _muster(variables: dict[str, str], *arguments: str) -> CompletedProcess[str]:
    return run(*arguments, **{name.removeprefix("MUSTER_"): value for name, value in variables.items()})
