"""EdgeConfig and PlaybookExecution: Ansible playbooks for devices.

Sources: the definitions of edgeconfigs and playbookexecutions.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError
from fleet.resources.base64_text import canonical_base64
from fleet.resources.notes import Notes
from fleet.resources.shape import shape, unshape
from fleet.resources.structs import UNSET, Count, Int64, Section, UnsetType


class AnsibleOptions(Section):
    """How Ansible runs the playbook."""

    check: bool | UnsetType = UNSET


class PrivilegeEscalation(Section):
    """As whom Ansible runs the playbook."""

    become: bool | UnsetType = UNSET
    become_method: Literal["sudo", "su"] | UnsetType = UNSET
    become_user: str | UnsetType = UNSET


class PrivilegeLevel(Section):
    """Linux capabilities by number."""

    cap_add: list[Int64] | UnsetType = UNSET
    cap_drop: list[Int64] | UnsetType = UNSET


class Playbook(Section):
    """One playbook; `content` is base64."""

    content: str
    ansible_options: AnsibleOptions | UnsetType = UNSET
    execution_strategy: str | UnsetType = UNSET
    privilege_escalation_options: PrivilegeEscalation | UnsetType = UNSET
    required_privilege_level: PrivilegeLevel | UnsetType = UNSET
    timeout_seconds: Int64 | UnsetType = UNSET


class EdgePlaybook(Section):
    """Playbooks, the most urgent first."""

    playbooks: Annotated[list[Playbook], Meta(min_length=1)] | UnsetType = UNSET
    user: str | UnsetType = UNSET


class EdgeConfigSpec(Section):
    """What to run on every device whose label names this EdgeConfig."""

    edge_playbook: EdgePlaybook | UnsetType = UNSET


class PlaybookExecutionSpec(Section):
    """One playbook on one device."""

    playbook: Playbook | UnsetType = UNSET
    execution_attempt: Count | UnsetType = UNSET


class EdgeConfig(Section):
    """Ansible playbooks for the devices that a label `config/…` names it on."""

    spec: EdgeConfigSpec = field(default_factory=EdgeConfigSpec)


class PlaybookExecution(Section):
    """The playbooks of one EdgeConfig on one device."""

    spec: PlaybookExecutionSpec = field(default_factory=PlaybookExecutionSpec)


def read_edge_config(content: JSONObject, notes: Notes) -> JSONObject:
    """An EdgeConfig without metadata and status. Raises InvalidResourceError."""
    config = shape(content, EdgeConfig, notes)
    playbooks = (config.spec.edge_playbook or EdgePlaybook()).playbooks or []
    for index, playbook in enumerate(playbooks):
        _check_content(playbook, f"spec.edgePlaybook.playbooks[{index}]")
    if len(playbooks) > 1:
        notes.warn("spec.edgePlaybook.playbooks: devices run the first; write an EdgeConfig for each")
    return unshape(config)


def read_playbook_execution(content: JSONObject, notes: Notes) -> JSONObject:
    """A PlaybookExecution without metadata and status; an empty one is refused. Raises InvalidResourceError."""
    execution = shape(content, PlaybookExecution, notes)
    if execution.spec.playbook is UNSET:
        raise InvalidResourceError(
            "spec.playbook is missing: an execution without a playbook would run nothing; write spec.playbook.content "
            "with the playbook as base64",
            "spec.playbook",
        )
    _check_content(execution.spec.playbook, "spec.playbook")
    return unshape(execution)


def _check_content(playbook: Playbook, path: str) -> None:
    content = f"{path}.content"
    if not canonical_base64(playbook.content, content):
        raise InvalidResourceError(f"{content} is empty: write the playbook as base64", content)
