"""Decides what comes of a request: a function of the state before it, the request and the limits, and of nothing else.

So the same log has the same outcomes, whichever worker decides it, how often, and however it was cut into batches.
The rules are those of CONTRACT.md “Who may register”; each family of commands has a module of its own.
"""

from fleet.decisions.commands import (
    DeleteResource,
    EnrolDevice,
    FinishDeletion,
    Outcome,
    PreauthoriseDevice,
    ProveKey,
    PutResource,
    PutTogether,
    RegisterDevice,
    ReportConfiguration,
    ReportPlaybook,
    Request,
    ResealSecret,
    ResetKey,
    SetHardwareLabels,
)
from fleet.decisions.configuration_report import report_configuration
from fleet.decisions.deletion import delete_resource, finish_deletion
from fleet.decisions.enrolment import enrol_device, preauthorise_device
from fleet.decisions.playbooks import report_playbook
from fleet.decisions.registration import prove_key, register_device, reset_key, set_hardware_labels
from fleet.decisions.resealing import reseal_secret
from fleet.decisions.resource import put_resource
from fleet.decisions.state import FleetState
from fleet.decisions.together import put_together
from fleet.decisions.verdict import Limits, Verdict


def decide(state: FleetState, request: Request, revision: int, limits: Limits) -> Outcome:
    """The outcome of a request at a revision. Changes nothing: `state.apply_outcome` does."""
    verdict = _judge(state, request, limits)
    return Outcome(
        revision=revision,
        request_id=request.request_id,
        author=request.author,
        issued_at_ms=request.issued_at_ms,
        result=verdict.result,
        message=verdict.message,
        changes=list(verdict.changes),
        events=list(verdict.events),
    )


def _judge(state: FleetState, request: Request, limits: Limits) -> Verdict:  # noqa: C901, PLR0911, PLR0912 - a table
    at_ms = request.issued_at_ms
    match request.command:
        case PutResource() as command:
            return put_resource(state, command, at_ms)
        case PutTogether() as command:
            return put_together(state, command, at_ms)
        case ResealSecret() as command:
            return reseal_secret(state, command)
        case DeleteResource() as command:
            return delete_resource(state, command, at_ms)
        case EnrolDevice() as command:
            return enrol_device(state, command, at_ms, limits)
        case RegisterDevice() as command:
            return register_device(state, command, at_ms)
        case ProveKey() as command:
            return prove_key(state, command)
        case SetHardwareLabels() as command:
            return set_hardware_labels(state, command)
        case FinishDeletion() as command:
            return finish_deletion(state, command)
        case ReportConfiguration() as command:
            return report_configuration(state, command)
        case ReportPlaybook() as command:
            return report_playbook(state, command, at_ms)
        case ResetKey() as command:
            return reset_key(state, command)
        case PreauthoriseDevice() as command:
            return preauthorise_device(state, command, at_ms)
