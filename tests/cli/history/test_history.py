"""`muster history`, `diff` and `rollback` against a running installation."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.conftest import Served

Muster = Callable[..., str]


@pytest.fixture
def name() -> str:
    """A name nobody has."""
    return f"h-{uuid4().hex[:8]}"


def apply_period(muster: Muster, folder: Path, name: str, period_s: int, *options: str) -> None:
    """Make a set whose devices beat that often."""
    file = folder / "set.yaml"
    api_version = "management.project-flotta.io/v1alpha1"
    metadata = f"metadata: {{name: {name}}}"
    spec = f"spec: {{heartbeat: {{periodSeconds: {period_s}}}}}"
    file.write_text(f"apiVersion: {api_version}\nkind: EdgeDeviceSet\n{metadata}\n{spec}\n")
    muster("apply", "-f", str(file), *options)


def messages(muster: Muster, kind: str, name: str) -> list[str]:
    """Why each change was made, newest first."""
    return [line.split(maxsplit=4)[4] for line in muster("history", kind, name).splitlines()[1:]]


def revisions(muster: Muster, kind: str, name: str) -> list[list[str]]:
    """The lines of a history, newest first."""
    return [line.split() for line in muster("history", kind, name).splitlines()[1:]]


def test_every_change_is_told_with_its_author_and_undone_by_a_new_one(
    muster: Muster, tmp_path: Path, name: str
) -> None:
    """Back and forth, also after the resource was deleted."""
    for period_s in (10, 20):
        apply_period(muster, tmp_path, name, period_s)
    newer, older = revisions(muster, "edgedeviceset", name)
    assert newer[3] == "changed"
    assert newer[2]
    text = muster("diff", "edgedeviceset", name)
    assert "-    periodSeconds: 10\n+    periodSeconds: 20\n" in text
    assert muster("diff", "edgedeviceset", name, "--from", newer[0], "--to", newer[0]) == ""
    told = muster("rollback", "edgedeviceset", name, "--to", older[0])
    assert told.startswith(f"edgedeviceset/{name} rolled back, revision ")
    assert muster("get", "edgedeviceset", name).splitlines()[1].split()[1] == "10"
    assert muster("rollback", "edgedeviceset", name, "--to", older[0]) == f"edgedeviceset/{name} is as it was\n"
    muster("delete", "edgedeviceset", name)
    assert [line[3] for line in revisions(muster, "edgedeviceset", name)] == [
        "deleted",
        "changed",
        "changed",
        "changed",
    ]
    muster("rollback", "edgedeviceset", name, "--to", newer[0])
    assert muster("get", "edgedeviceset", name).splitlines()[1].split()[1] == "20"


def test_a_secrets_history_says_when_but_never_what(served: Served, muster: Muster, tmp_path: Path, name: str) -> None:
    """Neither its content nor a way back."""
    file = tmp_path / "secret.yaml"
    file.write_text(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{k: tell-nobody}}\n")
    muster("apply", "-f", str(file))
    ((revision, *_),) = revisions(muster, "secret", name)
    for command in (("diff", "secret", name), ("rollback", "secret", name, "--to", revision)):
        done = served.muster(*command)
        assert done.returncode == 1
        assert "shown to nobody" in done.stderr


def test_what_never_was_has_no_history(served: Served, name: str) -> None:
    """Nor had it one at an earlier revision."""
    done = served.muster("history", "edgedeviceset", name)
    assert done.returncode == 1
    assert "has no history" in done.stderr
    done = served.muster("rollback", "edgedeviceset", name, "--to", "1")
    assert done.returncode == 1
    assert "has no history" in done.stderr


def test_a_change_is_kept_with_its_reason_and_a_rollback_says_to_what(
    served: Served, muster: Muster, tmp_path: Path, name: str
) -> None:
    """Also with a reason of its own, and for a deletion; what is no message is refused before anything changes."""
    apply_period(muster, tmp_path, name, 10, "-m", "kiosks beat more often: größer")
    apply_period(muster, tmp_path, name, 20)
    oldest = revisions(muster, "edgedeviceset", name)[-1][0]
    muster("rollback", "edgedeviceset", name, "--to", oldest)
    muster("delete", "edgedeviceset", name, "-m", "not needed")
    muster("rollback", "edgedeviceset", name, "--to", oldest, "--message", "needed after all")
    assert messages(muster, "edgedeviceset", name) == [
        f"rollback to {oldest}: needed after all",
        "not needed",
        f"rollback to {oldest}",
        "<none>",
        "kiosks beat more often: größer",
    ]
    done = served.muster("delete", "edgedeviceset", name, "-m", "x" * 1001)
    assert (done.returncode, "at most 1000" in done.stderr) == (1, True)
    assert len(revisions(muster, "edgedeviceset", name)) == 5


def test_a_revision_that_is_not_the_resources_own_is_refused_with_those_that_are(
    served: Served, muster: Muster, tmp_path: Path, name: str
) -> None:
    """Whether it is before them, after them or no number."""
    apply_period(muster, tmp_path, name, 10)
    ((own, *_),) = revisions(muster, "edgedeviceset", name)
    for revision in ("1", str(int(own) + 1), "9" * 30):
        for command in (("rollback", "--to", revision), ("diff", "--from", revision)):
            done = served.muster(command[0], "edgedeviceset", name, *command[1:])
            assert done.returncode == 1
            assert done.stderr == f"muster: edgedeviceset/{name} has no revision {revision}: it has {own}\n"
    assert "is a number" in served.muster("rollback", "edgedeviceset", name, "--to", "x").stderr
