"""What the Edge API never heard, and what it said again: the end state is that of a device that heard everything."""

import signal
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.api.conftest import Operator, Worker
from tests.api.fleet import MERGE_PATCH, request_path
from tests.api.installation import Api, until
from tests.api.listeners import captured
from tests.api.listeners.agent import Agent, told
from tests.api.listeners.edge_api import Loss, SocketEdgeApi
from tests.api.listeners.stored import Stored
from tests.api.listeners.whole_way import VISIBLE_WITHIN_S

LOSSES: list[Loss] = ["answer", "request"]


@pytest.fixture
def edge(api: Api) -> Iterator[SocketEdgeApi]:
    """An Edge API whose next calls may be lost."""
    edge = SocketEdgeApi(api.port)
    yield edge
    edge.close()


@pytest.fixture
def agent(edge: SocketEdgeApi) -> Agent:
    """A device nobody has heard of."""
    return Agent(edge)


@pytest.mark.parametrize("loss", LOSSES)
def test_an_enrolment_is_queued_once(
    agent: Agent, edge: SocketEdgeApi, operator: Operator, stored: Stored, loss: Loss
) -> None:
    """201 that nobody heard, then 201 again: one request that waits."""
    edge.losses = [loss, loss]
    assert agent.enrol() is None
    assert agent.enrol() is None
    assert told(agent.enrol).status == 201
    assert stored.enrolment(agent.device_id) == [("tns", "pending", "")]
    assert stored.revisions(agent.device_id) == {"EdgeDeviceSignedRequest": 1}
    operator.approve(agent.device_id)
    assert told(agent.enrol).status == 200


@pytest.mark.parametrize("loss", LOSSES)
def test_the_word_of_an_approval_may_be_lost(
    agent: Agent, edge: SocketEdgeApi, operator: Operator, stored: Stored, loss: Loss
) -> None:
    """200 to the enrolment and the answer to the question where to go: both are simply said again."""
    told(agent.enrol)
    operator.approve(agent.device_id)
    approved = stored.revisions(agent.device_id)
    edge.losses = [loss, "", loss, ""]
    assert agent.enrol() is None
    assert told(agent.enrol).status == 200
    # A GET is repeated silently by the transport.
    assert told(agent.ask).json["namespace"] == "tns"
    assert stored.enrolment(agent.device_id) == [("tns", "approved", "")]
    assert stored.revisions(agent.device_id) == approved


def test_an_approval_sent_twice_is_applied_once(agent: Agent, operator: Operator, stored: Stored, api: Api) -> None:
    """The operator's own answer was lost: the same request id again gives the same revision."""
    told(agent.enrol)
    headers = MERGE_PATCH | {"Muster-Request-Id": f"approve-{agent.device_id}"}
    path, body = request_path(agent.device_id), {"spec": {"approved": True}}
    with pytest.raises(httpx.TransportError):
        httpx.patch(api.url + path, json=body, headers=headers, timeout=httpx.Timeout(5, read=0.0005))
    first = operator.http.patch(path, json=body, headers=headers)
    again = operator.http.patch(path, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["metadata"]["resourceVersion"] == again.json()["metadata"]["resourceVersion"]
    assert stored.revisions(agent.device_id)["EdgeDeviceSignedRequest"] == 2
    assert stored.enrolment(agent.device_id) == [("tns", "approved", "")]


@pytest.fixture
def approved(agent: Agent, operator: Operator) -> Agent:
    """A device that may register now."""
    told(agent.enrol)
    operator.approve(agent.device_id)
    return agent


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("key", ["same", "new"])
def test_a_registration_that_was_not_heard_of_is_made_again(
    approved: Agent, edge: SocketEdgeApi, stored: Stored, loss: Loss, key: str
) -> None:
    """With the same key or, until one is proven, with a new one, which is an event if the first was stored."""
    agent = approved
    edge.losses = [loss]
    assert agent.register() is None
    if key == "new":
        agent.make_new_key()
    assert told(agent.register).status == 200
    assert stored.enrolment(agent.device_id) == [("tns", "registered", agent.fingerprint)]
    unheard = [said.answer.status for said in edge.said if not said.is_heard]
    if key == "same" or not unheard:
        assert stored.events(agent.device_id) == []
    elif unheard == [200]:
        assert stored.events(agent.device_id) == ["KeyChanged"]
    assert told(lambda: edge.call("GET", agent.path("configuration"))).status == 200


@pytest.mark.parametrize("losses", [["answer"], ["request", "answer"], ["answer", "answer", "answer"], ["answer"] * 4])
def test_a_heartbeat_whose_answer_is_lost_counts_once(
    agent: Agent, edge: SocketEdgeApi, operator: Operator, stored: Stored, losses: list[Loss]
) -> None:
    """Each accepted try is a row at its own position; all but the first are marked as repeats."""
    agent.join(operator.approve)
    edge.losses, edge.said = list(losses), []
    answer = edge.beat(agent.path("heartbeat"), captured.WITH_VERSION)
    assert (answer is None) is (len(losses) == 4)
    tries = [said.answer.header("muster-position") for said in edge.said if said.answer.status == 200]
    assert len(tries) >= 1
    edge.losses = []
    assert told(lambda: edge.call("PUT", agent.path("heartbeat"), captured.CURRENT_AGENTS)).status == 200
    last = edge.said[-1].answer.header("muster-position")
    until(lambda: last in [beat.position for beat in stored.beats(agent.device_id)], VISIBLE_WITHIN_S)
    beats = [beat for beat in stored.beats(agent.device_id) if beat.version == "v"]
    stored_at = [beat.position for beat in beats]
    assert [position for position in stored_at if position in tries] == tries
    # On a busy machine a try may have been stored whose answer came after the device's second.
    assert len(set(stored_at)) == len(stored_at) <= 4
    assert [beat.is_repeat for beat in beats] == [False] + [True] * (len(beats) - 1)


def test_a_device_that_was_set_up_anew_needs_an_operators_leave(
    agent: Agent, edge: SocketEdgeApi, operator: Operator, stored: Stored
) -> None:
    """Its new key is refused once the old one is proven, and let in once when told so; heartbeats go on meanwhile."""
    agent.join(operator.approve)
    proven = agent.fingerprint
    assert told(lambda: edge.call("PUT", agent.path("heartbeat"), captured.EMPTY)).status == 200
    until(lambda: stored.is_key_proven(agent.device_id))
    agent.make_new_key()
    assert told(agent.register).status == 403
    assert stored.enrolment(agent.device_id) == [("tns", "registered", proven)]
    assert told(lambda: edge.call("PUT", agent.path("heartbeat"), captured.WITH_VERSION)).status == 200
    leave = operator.http.post(f"/muster/v1/namespaces/tns/devices/{agent.device_id}/reset-key")
    assert leave.status_code == 200
    assert told(agent.register).status == 200
    assert stored.enrolment(agent.device_id) == [("tns", "registered", agent.fingerprint)]
    assert "KeyRefused" in stored.events(agent.device_id)


def test_who_is_not_answered_in_time_comes_again(
    agent: Agent, edge: SocketEdgeApi, operator: Operator, stored: Stored, api: Api
) -> None:
    """A process that stands still for longer than a device waits: no call ends twice in what is stored."""
    process = psutil.Process(api.process.pid)
    process.suspend()
    try:
        assert agent.enrol() is None
    finally:
        process.resume()
    assert told(agent.enrol).status == 201
    operator.approve(agent.device_id)
    assert told(agent.register).status == 200
    process.suspend()
    try:
        assert edge.beat(agent.path("heartbeat"), captured.WITH_VERSION) is None
    finally:
        process.resume()
    assert told(lambda: edge.call("PUT", agent.path("heartbeat"), captured.CURRENT_AGENTS)).status == 200
    last = edge.said[-1].answer.header("muster-position")
    until(lambda: last in [beat.position for beat in stored.beats(agent.device_id)], VISIBLE_WITHIN_S)
    counted = [beat.version for beat in stored.beats(agent.device_id) if not beat.is_repeat]
    assert counted in (["7"], ["v", "7"])
    assert stored.enrolment(agent.device_id) == [("tns", "registered", agent.fingerprint)]
    assert stored.revisions(agent.device_id)["EdgeDevice"] >= 1


def test_what_is_decided_late_is_decided_once(
    agent: Agent, operator: Operator, stored: Stored, deciding: Worker
) -> None:
    """Without the deciding worker: 503 within the device's second, to whoever repeats; then one request, one device."""
    worker = psutil.Process(deciding.pid)
    worker.send_signal(signal.SIGSTOP)
    try:
        late = [agent.enrol() for _ in range(2)]
    finally:
        worker.send_signal(signal.SIGCONT)
    assert {answer.status for answer in late if answer} == {503}
    assert told(agent.enrol).status == 201
    assert stored.revisions(agent.device_id) == {"EdgeDeviceSignedRequest": 1}
    operator.approve(agent.device_id)
    worker.send_signal(signal.SIGSTOP)
    try:
        registered = agent.register()
    finally:
        worker.send_signal(signal.SIGCONT)
    assert registered is None or registered.status == 503
    assert told(agent.register).status == 200
    assert stored.enrolment(agent.device_id) == [("tns", "registered", agent.fingerprint)]
    assert stored.events(agent.device_id) == []
