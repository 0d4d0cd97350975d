"""Whether a server would take everything: a dry run of all resources as one change, so that each may need another.

A change has a limit, so many resources are tried in portions, each with those new namespaces that it needs.
"""

from collections.abc import Iterator, Mapping, Sequence

import orjson

from cli.http_client import RefusedError, Server
from cli.resources.apply_together import Planned, refusals_of, send_together
from fleet.decisions.together import TOGETHER_LIMIT

_PORTION_BYTES = 1_500_000
"""Well below what a server takes at once, and enough for hundreds of resources."""


def refusals(server: Server, planned: Sequence[Planned]) -> list[str]:
    """A line for each resource that would be refused. Raises CommandError when the server does not answer."""
    told: dict[str, None] = {}
    for portion in portions(planned):
        try:
            send_together(server, portion, is_dry_run=True)
        except RefusedError as error:
            told |= dict.fromkeys(refusals_of(portion, error))
    return list(told)


def portions(
    planned: Sequence[Planned], limit: int = TOGETHER_LIMIT, limit_bytes: int = _PORTION_BYTES
) -> Iterator[list[Planned]]:
    """The changes in portions within the limits, in their order, namespaces before what is in them."""
    new = {each.manifest.name: each for each in planned if not each.manifest.namespace and each.body is not None}
    portion: dict[int, Planned] = {}
    size = 0
    for each in planned:
        added = {id(part): part for part in (*_needed(each, new), each) if part.body is not None}
        added_bytes = sum(len(orjson.dumps(part.body)) for key, part in added.items() if key not in portion)
        if portion and (len(portion | added) > limit or size + added_bytes > limit_bytes):
            yield list(portion.values())
            portion, size = {}, 0
        portion |= added
        size += added_bytes
    if portion:
        yield list(portion.values())


def _needed(planned: Planned, new: Mapping[str, Planned]) -> list[Planned]:
    """Namespaces that the same run creates and without which this resource would be refused."""
    spec = planned.manifest.body.get("spec")
    target = spec.get("targetNamespace") if isinstance(spec, dict) else None
    wanted = dict.fromkeys((planned.manifest.namespace, str(target)))
    return [new[name] for name in wanted if name in new]
