"""`muster history`, `diff` and `rollback`: who changed a resource and when, what changed, and back to what it was."""

import difflib
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import yaml
from cyclopts import Parameter

from cli.errors import CommandError
from cli.history.revisions import Which, list_revisions, read_revision, written
from cli.options import MessageOption, NamespaceOption, ServerOption
from cli.resources.kind_argument import kind_argument
from cli.resources.resource_paths import collection_path, resource_path
from cli.server_address import open_server
from cli.table import table
from fleet.decisions.commands import JSONObject
from fleet.resources.columns import age
from settings import Settings, load

_SHOWN = 50
"""Revisions shown unless asked otherwise."""


def history(
    kind: str, name: str, /, *, namespace: NamespaceOption = None, limit: int = _SHOWN, server: ServerOption = None
) -> int:
    """Show who changed a resource and when, the newest change first.

    Parameters
    ----------
    kind
        Kind, singular, plural or short name.
    name
        Name of the resource; it may be deleted by now.
    namespace
        Its namespace; the initial one unless given.
    limit
        How many changes to show.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    with open_server(server, settings) as connection:
        found = list_revisions(connection, _which(kind, name, namespace, settings), limit)
    now = datetime.now(UTC)
    rows = [
        [each["revision"], age(each["time"], now), each["author"], _change(each), each["message"]] for each in found
    ]
    sys.stdout.write(table(["REVISION", "AGE", "AUTHOR", "CHANGE", "MESSAGE"], rows))
    return 0


def diff(
    kind: str,
    name: str,
    /,
    *,
    from_: Annotated[str, Parameter(name="--from")] = "",
    to: str = "",
    namespace: NamespaceOption = None,
    server: ServerOption = None,
) -> int:
    """Show what changed in a resource between two revisions.

    Parameters
    ----------
    kind
        Kind, singular, plural or short name.
    name
        Name of the resource.
    from_
        The older revision; the one before the newest unless given.
    to
        The newer revision; the newest unless given.
    namespace
        Its namespace; the initial one unless given.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    which = _which(kind, name, namespace, settings)
    with open_server(server, settings) as connection:
        newest = [each["revision"] for each in list_revisions(connection, which, 2)]
        older, newer = from_ or newest[-1], to or newest[0]
        before, after = (written(read_revision(connection, which, each)["body"]) for each in (older, newer))
    lines = difflib.unified_diff(_lines(before), _lines(after), f"{which.label} {older}", f"{which.label} {newer}")
    sys.stdout.writelines(lines)
    return 0


def rollback(
    kind: str,
    name: str,
    /,
    *,
    to: str,
    message: MessageOption = "",
    namespace: NamespaceOption = None,
    server: ServerOption = None,
) -> int:
    """Make a resource what it was at a revision. That is a change like any other, with a revision of its own.

    Parameters
    ----------
    kind
        Kind, singular, plural or short name.
    name
        Name of the resource; one that is deleted by now is made anew.
    to
        The revision.
    message
        Why; it is kept behind "rollback to REVISION".
    namespace
        Its namespace; the initial one unless given.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    which = _which(kind, name, namespace, settings)
    why = f"rollback to {to}: {message}" if message.strip() else f"rollback to {to}"
    with open_server(server, settings, why) as connection:
        then = read_revision(connection, which, to)["body"]
        if then is None:
            raise CommandError(f"{which.label} was deleted at revision {to}: delete it if that is meant")
        path = resource_path(which.kind, which.namespace, name)
        live = connection.find(path)
        body = _without_server_fields(then)
        if live is None:
            changed = connection.change("POST", collection_path(which.kind, which.namespace), body).body
        else:
            # What changed since it was read must not be lost unseen.
            metadata = body["metadata"] | {"resourceVersion": live["metadata"]["resourceVersion"]}
            changed = connection.change("PUT", path, body | {"metadata": metadata}).body
    is_same = live is not None and changed["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
    outcome = "is as it was" if is_same else f"rolled back, revision {changed['metadata']['resourceVersion']}"
    sys.stdout.write(f"{which.label} {outcome}\n")
    return 0


def _which(kind: str, name: str, namespace: str | None, settings: Settings) -> Which:
    return Which(kind_argument(kind), namespace or settings.devices.initial_namespace, name)


def _change(revision: JSONObject) -> str:
    return "deleted" if revision["isDeleted"] else "changed"


def _without_server_fields(body: JSONObject) -> JSONObject:
    metadata = written(body)["metadata"]
    annotations = body["metadata"].get("annotations")
    # The annotation of the last apply belongs to what the resource then was.
    metadata |= {"annotations": annotations} if annotations else {}
    return {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}


def _lines(body: JSONObject) -> list[str]:
    if not body:
        return []
    text: str = yaml.dump(body, Dumper=yaml.CSafeDumper, sort_keys=True, allow_unicode=True, default_flow_style=False)
    return text.splitlines(keepends=True)
