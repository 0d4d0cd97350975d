"""One device from an unknown id to rows that an analyst finds, call by call as the Edge API makes them."""

from tests.api.fleet import Operator, device_path
from tests.api.go_client import RawAnswer
from tests.api.installation import until
from tests.api.listeners.agent import Agent, told
from tests.api.listeners.captured import CURRENT_AGENTS, EMPTY, WITH_CRASHED, WITH_PLAYBOOK, WITH_VERSION
from tests.api.listeners.stored import Stored

VISIBLE_WITHIN_S = 30
"""Generous: other tests may share the machine."""


def go_the_whole_way(agent: Agent, operator: Operator, stored: Stored) -> None:
    """Each call, its answer, and what is there in the end."""
    positions = _join_and_beat(agent, operator)
    device, namespace = agent.device_id, agent.namespace
    until(lambda: {beat.position for beat in stored.beats(device)} >= set(positions), VISIBLE_WITHIN_S)
    beats = stored.beats(device)
    assert [beat.position for beat in beats if beat.position in positions] == positions
    # A heartbeat that came again after a 503 may have been stored all the same; it is marked as a repeat then.
    assert [beat.version for beat in beats if not beat.is_repeat] == ["", "v", "7", "", ""]
    assert stored.enrolment(device) == [(namespace, "registered", agent.fingerprint)]
    until(lambda: stored.hardware(device) == [agent.hardware["hostname"]])
    # The last heartbeat told of none any more.
    until(lambda: stored.workloads(device) == [("w2", "removed"), ("web", "removed")])
    assert stored.events(device) == []
    found = operator.http.get(device_path(device, namespace)).json()
    assert (found["metadata"]["namespace"], found["metadata"]["name"]) == (namespace, device)


def _join_and_beat(agent: Agent, operator: Operator) -> list[str]:
    """From the first enrolment to the last heartbeat; the positions of the heartbeats."""
    assert told(agent.ask).status == 404
    assert told(agent.enrol).status == 201
    assert is_empty(told(agent.enrol), 201)
    assert told(agent.ask).status == 403
    assert told(agent.register).status == 403
    operator.approve(agent.device_id)
    # The process that answers the Edge API may hear of it a moment later; agents repeat until 200.
    until(lambda: is_empty(told(agent.enrol), 200))
    answer = told(agent.ask)
    assert (answer.status, answer.json) == (
        200,
        {"status": "registered", "namespace": agent.namespace, "message": ""},
    )
    assert is_empty(told(agent.register), 200)
    assert told(lambda: agent.ask(agent.namespace)).json["status"] == "registered"
    configuration = told(lambda: agent.edge.call("GET", agent.path("configuration")))
    assert configuration.json["device-configuration"]["configuration"]["heartbeat"]["period_seconds"] == 60
    assert told(lambda: agent.edge.call("GET", agent.path("playbookexecutions"))).body == b"[]"
    positions = []
    for body in (EMPTY, WITH_VERSION, CURRENT_AGENTS, WITH_CRASHED, WITH_PLAYBOOK):
        answer = told(lambda body=body: agent.edge.call("PUT", agent.path("heartbeat"), body))  # type: ignore[misc]
        assert is_empty(answer, 200)
        positions.append(answer.header("muster-position") or "")
    return positions


def is_empty(answer: RawAnswer, status: int) -> bool:
    """Whether an accepted post is answered as the client needs it: any body would cost it the connection."""
    lengths = (answer.header("content-length"), answer.header("transfer-encoding"))
    return (answer.status, answer.body, *lengths) == (status, b"", "0", None)
