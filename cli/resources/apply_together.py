"""What `muster apply` sends as one change: each resource as it shall be, with the revision it was planned from.

Whatever somebody else changes in between makes the server refuse all of it, and the command may be given again.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from cli.http_client import RefusedError, Server
from cli.resources.manifests import Manifest
from cli.resources.resource_paths import resource_path
from fleet.decisions.commands import JSONObject
from fleet.resources.change_plan import ChangePlan, plan_change
from fleet.resources.merge_patch import merge_patch

_PATH = "/muster/v1/changes"
_CAUSE = re.compile(r"items\[(?P<index>\d+)\]\.?(?P<field>.*)")


class Planned(NamedTuple):
    """One resource; `plan` changes it by itself, `body` is what it shall be, None when there is nothing to change."""

    manifest: Manifest
    plan: ChangePlan
    revision: str
    body: JSONObject | None


def planned_change(server: Server, manifest: Manifest) -> Planned:
    """What a file's description makes of what is there."""
    live = server.find(resource_path(manifest.kind, manifest.namespace, manifest.name))
    plan = plan_change(manifest, live)
    if live is None:
        return Planned(manifest, plan, "", plan.body)
    revision = live["metadata"]["resourceVersion"]
    if plan.action == "nothing":
        return Planned(manifest, plan, revision, None)
    wanted = merge_patch(live, plan.body)
    metadata = wanted["metadata"] | {field: live["metadata"][field] for field in ("uid", "resourceVersion")}
    return Planned(manifest, plan, revision, wanted | {"metadata": metadata})


def send_together(
    server: Server, planned: Sequence[Planned], *, is_dry_run: bool = False
) -> list[tuple[str, list[str]]]:
    """What became of each, with warnings. Raises RefusedError."""
    bodies = [each.body for each in planned if each.body is not None]
    items = iter(server.change("POST", _PATH, {"items": bodies}, is_dry_run=is_dry_run).body["items"] if bodies else [])
    results: list[tuple[str, list[str]]] = []
    for each in planned:
        if each.body is None:
            results.append(("unchanged", []))
        else:
            item = next(items)
            results.append((item["result"], item["warnings"]))
    return results


def refusals_of(planned: Sequence[Planned], error: RefusedError) -> list[str]:
    """A line for each document that was refused, with the place of its field; or the error as a whole."""
    sent = [each.manifest for each in planned if each.body is not None]
    lines = []
    for cause, message in error.causes:
        found = _CAUSE.fullmatch(cause)
        if found and int(found["index"]) < len(sent):
            manifest = sent[int(found["index"])]
            field = found["field"] or _field_of(message)
            place = manifest.place_of(field) if field else manifest.place
            lines.append(f"{place}: {manifest.label}: {message}")
    return lines or [str(error)]


def _field_of(message: str) -> str:
    """The field that a message of the server begins with."""
    found = re.match(r"((?:spec|metadata)\.[^:\s]+): ", message)
    return found[1] if found else ""
