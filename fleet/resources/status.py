"""What may be written to a `status` subresource. Most statuses are Muster's to say; conditions are checked.

Sources: the definitions in the contract.
"""

from typing import Any, Literal

import msgspec

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError
from fleet.resources.kinds import Kind
from fleet.resources.notes import Notes
from fleet.resources.shape import shape, unshape
from fleet.resources.signed_request import SignedRequestStatus
from fleet.resources.structs import UNSET, Section, UnsetType


class Condition(Section):
    """One condition as Kubernetes spells them."""

    type: str
    status: Literal["True", "False", "Unknown"]
    last_transition_time: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class ConditionStatus(Section):
    """Conditions alone."""

    conditions: list[Condition] | UnsetType = UNSET


class PlaybookStatus(Section):
    """The conditions of an EdgeConfig's playbook."""

    edge_playbook_status: ConditionStatus | UnsetType = UNSET


class AnyStatus(Section):
    """A status that is shown as it was written."""


_MODELS: dict[str, type[msgspec.Struct]] = {
    "EdgeDeviceSignedRequest": SignedRequestStatus,
    "PlaybookExecution": ConditionStatus,
    "EdgeConfig": PlaybookStatus,
}


def read_status(kind: Kind, document: JSONObject, notes: Notes) -> JSONObject:
    """The checked status. Raises InvalidResourceError."""
    if not kind.has_status:
        raise InvalidResourceError(f"a {kind.kind} has no status to write", "status")
    status: Any = document.get("status")
    if not isinstance(status, dict):
        raise InvalidResourceError("status is missing: write a mapping", "status")
    model = _MODELS.get(kind.kind)
    if model is None:
        return status
    return unshape(shape(_lower_condition_types(kind, status), model, notes, path="status"))


def _lower_condition_types(kind: Kind, status: JSONObject) -> JSONObject:
    """Flotta spells the answers in lower case; operators may write `Declined`, as conditions usually are."""
    conditions = status.get("conditions")
    if kind.kind != "EdgeDeviceSignedRequest" or not isinstance(conditions, list):
        return status
    return {**status, "conditions": [_lower_type(condition) for condition in conditions]}


def _lower_type(condition: Any) -> Any:
    if isinstance(condition, dict) and isinstance(condition.get("type"), str):
        return {**condition, "type": condition["type"].lower()}
    return condition
