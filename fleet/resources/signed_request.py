"""EdgeDeviceSignedRequest: a device's wish to join, and an operator's answer.

Source: the definition of edgedevicesignedrequest.
"""

from typing import Literal

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import check_name, check_namespace
from fleet.resources.hardware import Hardware
from fleet.resources.notes import Notes
from fleet.resources.shape import shape, unshape
from fleet.resources.structs import UNSET, Section, UnsetType


class Features(Section):
    """What the device says of itself."""

    hardware: Hardware | UnsetType = UNSET
    model_name: str | UnsetType = UNSET


class EdgeDeviceSignedRequestSpec(Section):
    """Where the device shall land, and who it says it is."""

    target_namespace: str
    target_set: str | UnsetType = UNSET
    approved: bool = False
    features: Features | UnsetType = UNSET


class SignedRequest(Section):
    """A device's wish to join, and an operator's answer to it."""

    spec: EdgeDeviceSignedRequestSpec


class SignedRequestCondition(Section):
    """One answer; `type` in lower case as the definition spells it."""

    type: Literal["declined", "approved", "pending"]
    status: Literal["True", "False", "Unknown"]
    last_transition_time: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class SignedRequestStatus(Section):
    """The operator's answers."""

    conditions: list[SignedRequestCondition]
    phase: str | UnsetType = UNSET


def read_signed_request(content: JSONObject, notes: Notes) -> JSONObject:
    """An EdgeDeviceSignedRequest without metadata and status. Raises InvalidResourceError."""
    request = shape(content, SignedRequest, notes)
    field = "spec.targetNamespace"
    try:
        check_namespace(request.spec.target_namespace)
        if request.spec.target_set:
            field = "spec.targetSet"
            check_name(request.spec.target_set)
    except BadInputError as error:
        raise InvalidResourceError(f"{field}: {error}", field) from None
    return unshape(request)
