"""`muster delete`: resources by kind and name, or those that files describe."""

import os
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

from cyclopts import Parameter

from cli.errors import CommandError
from cli.http_client import RefusedError, Server
from cli.options import MessageOption, NamespaceOption, ServerOption
from cli.resources.kind_argument import kind_argument
from cli.resources.manifests import read_manifests
from cli.resources.resource_paths import resource_path
from cli.server_address import USAGE_STATUS, open_server
from fleet.resources import Kind
from settings import load


def delete(
    kind: str | None = None,
    /,
    *names: str,
    file: Annotated[list[str] | None, Parameter(name=("--file", "-f"), negative=(), allow_leading_hyphen=True)] = None,
    namespace: NamespaceOption = None,
    message: MessageOption = "",
    ignore_not_found: Annotated[bool, Parameter(negative=())] = False,
    server: ServerOption = None,
) -> int:
    """Delete resources, by KIND NAME… or those described in files.

    A registered device is first told to stop what it runs, and is gone when it has reported so, or after an hour.

    Parameters
    ----------
    kind
        Kind, singular, plural or short name.
    names
        Names of the resources.
    file
        File, folder, or - for standard input, describing what to delete. May be repeated.
    namespace
        Namespace of resources that name none; the initial namespace unless given.
    message
        Why; it is kept with each change and shown by `muster history`.
    ignore_not_found
        Resources that are not there are no failure.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    where = namespace or settings.devices.initial_namespace
    targets = list(_targets(kind, names, file or [], where))
    status = 0
    with open_server(server, settings, message) as connection:
        for target_kind, target_namespace, name in targets:
            label = f"{target_kind.singular}/{name}"
            try:
                outcome = _delete(connection, resource_path(target_kind, target_namespace, name))
            except RefusedError as error:
                if ignore_not_found and error.status_code == HTTPStatus.NOT_FOUND:
                    continue
                sys.stderr.write(f"muster: {label}: {error}\n")
                status = 1
            else:
                sys.stdout.write(f"{label} {outcome}\n")
    return status


def _targets(
    kind: str | None, names: tuple[str, ...], files: list[str], namespace: str
) -> Iterator[tuple[Kind, str, str]]:
    """Kind, namespace and name of each; what files describe in the reverse of the order in which it is applied."""
    if bool(files) == (kind is not None) or bool(kind) != bool(names):
        raise CommandError("say what to delete: KIND NAME… or -f FILE", USAGE_STATUS)
    if kind is not None:
        for name in names:
            yield kind_argument(kind), namespace, name
        return
    manifests, mistakes = read_manifests(files, namespace)
    if mistakes:
        raise CommandError("; ".join(mistakes))
    for manifest in reversed(manifests):
        yield manifest.kind, manifest.namespace, manifest.name


def _delete(server: Server, path: str) -> str:
    """What became of it: the server answers with the resource while it is still there."""
    left = server.change("DELETE", path).body
    return "is being deleted" if (left.get("metadata") or {}).get("deletionTimestamp") else "deleted"
