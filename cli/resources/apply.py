"""`muster apply`: make the fleet as files describe it, all of them or, if anything is wrong, none."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Annotated, TypeVar

from cyclopts import Parameter

from cli.http_client import MERGE_PATCH, Answer, RefusedError, Server
from cli.options import FilesOption, MessageOption, NamespaceOption, ServerOption
from cli.resources.apply_together import Planned, planned_change, refusals_of, send_together
from cli.resources.manifests import Manifest, read_manifests
from cli.resources.rehearsal import refusals
from cli.resources.resource_paths import collection_path, resource_path
from cli.server_address import open_server
from fleet.decisions.together import TOGETHER_LIMIT
from fleet.resources.change_plan import ChangePlan
from settings import load

AT_A_TIME = 16
"""Requests under way at once: changes wait for their batch in the command log, and fill it together."""

TOLD_LIMIT = 50
"""Mistakes that are told: who has more of them has one mistake many times."""
_WARNED_FIELD = re.compile(r'(?:unknown field ")?((?:spec|metadata|data)[^":,\s]*)')
"""How a warning about a field begins."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def apply(
    *,
    file: FilesOption,
    atomic: Annotated[bool, Parameter(negative=())] = False,
    message: MessageOption = "",
    namespace: NamespaceOption = None,
    server: ServerOption = None,
) -> int:
    """Create and change resources as files say, as `kubectl apply` does.

    Every resource is checked here and tried on the server before the first is changed: if one is refused, none is
    applied. Fields that a file does not mention stay as they are; fields it mentioned last time and no longer does are
    removed.

    Parameters
    ----------
    file
        File, folder, or - for standard input; YAML or JSON with any number of documents. May be repeated.
    atomic
        One change of all resources, which nobody sees half done: at most 1,000 of them.
    message
        Why; it is kept with each change and shown by `muster history`.
    namespace
        Namespace of resources that name none.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    initial_namespace = settings.devices.initial_namespace
    manifests, mistakes = read_manifests(file, namespace or initial_namespace)
    if mistakes:
        return _refuse(mistakes, len(manifests) + len(mistakes))
    if atomic and len(manifests) > TOGETHER_LIMIT:
        return _refuse([f"--atomic takes {TOGETHER_LIMIT} documents at most: leave it out, or split the files"], 0)
    for manifest in manifests:
        _warn(manifest, manifest.warnings)
    with open_server(server, settings, message) as connection:
        planned = list(_in_parallel(lambda each: planned_change(connection, each), manifests))
        if atomic:
            return _apply_together(connection, planned)
        refused = refusals(connection, planned)
        if refused:
            return _refuse(refused, len(manifests))
        return _apply_all(connection, planned)


def _apply_all(server: Server, planned: Sequence[Planned]) -> int:
    """Send every change, kind after kind, since later ones need the earlier; the exit status."""
    refused = 0
    for _, kind in groupby(planned, key=lambda each: each.manifest.kind.kind):
        for manifest, outcome in _in_parallel(lambda each: _apply(server, each), list(kind)):
            if isinstance(outcome, RefusedError):
                sys.stderr.write(f"muster: {manifest.place}: {manifest.label}: {outcome}\n")
                refused += 1
            else:
                verb, answer = outcome
                _warn(manifest, [text for text in answer.warnings if text not in manifest.warnings])
                sys.stdout.write(f"{manifest.label} {verb}\n")
                sys.stdout.flush()
    if refused:
        sys.stderr.write(f"muster: {refused} of {len(planned)} documents were refused, the others are applied\n")
    return 1 if refused else 0


def _apply_together(server: Server, planned: Sequence[Planned]) -> int:
    """One change of everything; the exit status."""
    try:
        results = send_together(server, planned)
    except RefusedError as error:
        return _refuse(refusals_of(planned, error), len(planned))
    for (manifest, *_), (verb, warnings) in zip(planned, results, strict=True):
        _warn(manifest, [text for text in warnings if text not in manifest.warnings])
        sys.stdout.write(f"{manifest.label} {verb}\n")
    return 0


def _apply(server: Server, planned: Planned) -> tuple[Manifest, tuple[str, Answer] | RefusedError]:
    manifest, plan, revision, _ = planned
    try:
        answer = _send(server, manifest, plan)
    except RefusedError as error:
        return manifest, error
    if plan.action == "create":
        return manifest, ("created", answer)
    # The server may find that a patch says nothing new: it reads values in more than one spelling.
    is_unchanged = plan.action == "nothing" or answer.body["metadata"].get("resourceVersion") == revision
    return manifest, ("unchanged" if is_unchanged else "configured", answer)


def _send(server: Server, manifest: Manifest, plan: ChangePlan) -> Answer:
    if plan.action == "create":
        path = collection_path(manifest.kind, manifest.namespace)
        return server.change("POST", path, plan.body)
    if plan.action == "patch":
        path = resource_path(manifest.kind, manifest.namespace, manifest.name)
        return server.change("PATCH", path, plan.body, content_type=MERGE_PATCH)
    return Answer({}, [])


def _in_parallel(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results in the order of the items; the first error ends it, and nothing more is begun."""
    pool = ThreadPoolExecutor(AT_A_TIME)
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _warn(manifest: Manifest, warnings: Sequence[str]) -> None:
    for warning in warnings:
        field = _WARNED_FIELD.match(warning)
        place = manifest.place_of(field[1]) if field else manifest.place
        sys.stderr.write(f"warning: {place}: {warning}\n")


def _refuse(mistakes: Sequence[str], documents: int) -> int:
    """Tell what is wrong, and of how many documents (0: no matter) it is."""
    for mistake in mistakes[:TOLD_LIMIT]:
        sys.stderr.write(f"muster: {mistake}\n")
    if len(mistakes) > TOLD_LIMIT:
        sys.stderr.write(f"muster: and {len(mistakes) - TOLD_LIMIT} more mistakes\n")
    wrong = f"{len(mistakes)} of {documents} documents are wrong: " if documents > 1 else ""
    sys.stderr.write(f"muster: {wrong}nothing was applied\n")
    return 1
