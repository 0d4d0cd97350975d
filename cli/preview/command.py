"""`muster preview`: which devices would change if files were applied or resources deleted, and how."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import orjson
from cyclopts import Parameter

from cli.errors import CommandError
from cli.options import NamespaceOption, ServerOption
from cli.preview.report import report
from cli.resources.kind_argument import kind_argument
from cli.resources.manifests import Manifest, read_manifests
from cli.server_address import USAGE_STATUS, open_server
from fleet.decisions.commands import JSONObject
from settings import load

_WITHIN_S = 240.0
"""A preview may wait for others, and goes over the whole fleet."""


def preview(
    *,
    file: Annotated[list[str] | None, Parameter(name=("--file", "-f"), negative=(), allow_leading_hyphen=True)] = None,
    delete: Annotated[list[tuple[str, str]] | None, Parameter(name="--delete", negative=())] = None,
    delete_file: Annotated[
        list[str] | None, Parameter(name="--delete-file", negative=(), allow_leading_hyphen=True)
    ] = None,
    namespace: NamespaceOption = None,
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))] = "text",
    server: ServerOption = None,
) -> int:
    """Show what files would change, as `muster apply` and `muster delete` would do it, and change nothing.

    Which devices get another configuration, counted by set and label; an example of each group of equal devices; what
    is missing; how much the devices will read. Values of Secrets are not shown.

    Parameters
    ----------
    file
        File, folder, or - for standard input, describing what to apply; YAML or JSON. May be repeated.
    delete
        KIND NAME of a resource to delete. May be repeated.
    delete_file
        File, folder, or - describing what to delete. May be repeated.
    namespace
        Namespace of resources that name none.
    output
        text, or json with all that the server tells.
    server
        URL of the API; this machine's unless given.
    """
    if not (file or delete or delete_file):
        raise CommandError("say what to preview: -f FILE, --delete KIND NAME or --delete-file FILE", USAGE_STATUS)
    settings = load(os.environ)
    where = namespace or settings.devices.initial_namespace
    applied, mistakes = read_manifests(file, where) if file else ([], [])
    deleted, further = read_manifests(delete_file, where) if delete_file else ([], [])
    if mistakes or further:
        for mistake in (*mistakes, *further):
            sys.stderr.write(f"muster: {mistake}\n")
        return 1
    deletions = [*_named(delete or (), where), *(_described(each) for each in reversed(deleted))]
    with open_server(server, settings, within_s=_WITHIN_S) as connection:
        documents = [each.body for each in applied]
        told = connection.ask("/muster/v1/preview", {"namespace": where, "documents": documents, "delete": deletions})
    if output == "json":
        sys.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
        return 1 if told["refused"] else 0
    if told["refused"]:
        return _refuse(told, applied)
    for manifest in applied:
        for warning in manifest.warnings:
            sys.stderr.write(f"warning: {manifest.place}: {warning}\n")
    sys.stdout.write(report(told))
    return 0


def _named(given: Iterable[tuple[str, str]], namespace: str) -> list[JSONObject]:
    return [{"kind": kind_argument(kind).singular, "namespace": namespace, "name": name} for kind, name in given]


def _described(manifest: Manifest) -> JSONObject:
    return {"kind": manifest.kind.singular, "namespace": manifest.namespace, "name": manifest.name}


def _place(manifest: Manifest, field: str) -> str:
    return f"{manifest.place_of(field) if field else manifest.place}: {manifest.label}"


def _refuse(told: JSONObject, applied: Sequence[Manifest]) -> int:
    """Each refusal with the place of its document."""
    for each in told["refusals"]:
        number = each["number"] - 1
        field = each.get("field") or ""
        place = _place(applied[number], field) if number < len(applied) else each["resource"]
        said = each["message"] if field in each["message"] else f"{field}: {each['message']}"
        sys.stderr.write(f"muster: {place}: {said}\n")
    rest = told["refused"] - len(told["refusals"])
    if rest:
        sys.stderr.write(f"muster: and {rest} more\n")
    sys.stderr.write(f"muster: {told['refused']} would be refused, so nothing would be applied\n")
    return 1
