"""Decides several resources as one change: each is judged as if those before it were stored, and all are, or none."""

from typing import Final

from fleet.decisions.commands import Change, PutTogether, ResourceKey
from fleet.decisions.planned_state import PlannedState
from fleet.decisions.resource import put_resource
from fleet.decisions.state import FleetState
from fleet.decisions.verdict import Refusal, Verdict, accepted, refused, unchanged

TOGETHER_LIMIT: Final = 1000
"""Resources of one change: it stands in one record of the log, so that it is decided whole, and others wait for it.

A thousand resources of the usual 1 to 3 kB fill the record of `MUSTER_KAFKA_RECORD_LIMIT_BYTES`' default, 4 MB.
"""

_TOLD_LIMIT: Final = 50
"""Refusals that are told; the rest is counted."""


def put_together(state: FleetState, command: PutTogether, at_ms: int) -> Verdict:
    """All of the resources. A refusal's message has a line for each that is refused: `items[3]: why`."""
    if len(command.puts) > TOGETHER_LIMIT:
        return refused("invalid", f"{len(command.puts)} resources: {TOGETHER_LIMIT} are changed together at most")
    ahead = PlannedState(state)
    changes: dict[ResourceKey, Change] = {}
    told: list[str] = []
    result: Refusal = "invalid"
    for index, put in enumerate(command.puts):
        verdict = put_resource(ahead, put, at_ms)
        if verdict.result == "accepted" or verdict.result == "unchanged":  # noqa: PLR1714 - by which types are told
            ahead.plan(verdict.changes)
            changes |= {change.key: change for change in verdict.changes}
            continue
        result = result if told else verdict.result
        told.append(f"items[{index}]: {verdict.message}")
    if told:
        more = [f"and {len(told) - _TOLD_LIMIT} more"] if len(told) > _TOLD_LIMIT else []
        return refused(result, "\n".join([*told[:_TOLD_LIMIT], *more]))
    return accepted(*changes.values()) if changes else unchanged()
