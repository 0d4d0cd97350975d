"""Several resources are one change: each may rely on those before it, and one that is refused refuses all."""

from typing import Any

from fleet.decisions.commands import Outcome, PutResource, PutTogether, ResourceKey
from fleet.decisions.repeats import is_repeat
from fleet.decisions.signed_request import API_VERSION, request_key
from fleet.decisions.together import TOGETHER_LIMIT
from fleet.devices.states import DeviceState
from tests.fleet.decisions.command_log import CommandLog

NEW = ResourceKey("Namespace", "", "new")
MAP = ResourceKey("ConfigMap", "new", "c")
DEVICE = ResourceKey("EdgeDevice", "new", "dev")
WORKLOAD = ResourceKey("EdgeWorkload", "plant", "web")


def put(key: ResourceKey, mode: Any = "create", expected: int | None = None, **content: Any) -> PutResource:
    """One of the resources."""
    metadata = {"name": key.name} | ({"namespace": key.namespace} if key.namespace else {})
    body = {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata} | content
    return PutResource(key, body, mode, f"uid-{key.name}", expected)


def together(log: CommandLog, *puts: PutResource) -> Outcome:
    """Ask for all of them."""
    return log.submit(PutTogether(list(puts)))


def test_each_may_rely_on_those_before_it() -> None:
    """A namespace, what is in it, and a device approved into it."""
    log = CommandLog()
    request = put(request_key("dev", "default"), spec={"targetNamespace": "new", "approved": True})
    outcome = together(log, put(NEW), put(MAP), put(DEVICE, spec={}), request)
    assert outcome.result == "accepted", outcome.message
    assert log.state.get(MAP)
    assert log.state.device_state("dev") is DeviceState.APPROVED
    assert len({change.key for change in outcome.changes}) == len(outcome.changes)


def test_one_refused_refuses_all() -> None:
    """And every one that is refused is told, by its place."""
    log = CommandLog()
    elsewhere = ResourceKey("ConfigMap", "nowhere", "c")
    outcome = together(log, put(NEW), put(elsewhere), put(MAP), put(NEW))
    assert outcome.result == "not-found"
    told = outcome.message.splitlines()
    assert [line.partition(":")[0] for line in told] == ["items[1]", "items[3]"]
    assert "namespace nowhere does not exist" in told[0]
    assert log.state.get(MAP) is None
    assert not log.state.has_namespace("new")


def test_nothing_new_is_no_change() -> None:
    """As with a single resource."""
    log = CommandLog()
    together(log, put(NEW), put(MAP, data={"a": "1"}))
    assert together(log, put(MAP, "upsert", data={"a": "1"})).result == "unchanged"


def test_a_resource_changed_since_refuses_all() -> None:
    """What was planned from an older revision is planned anew."""
    log = CommandLog()
    revision = together(log, put(NEW), put(MAP)).revision
    assert together(log, put(MAP, "replace", revision, data={"a": "1"})).result == "accepted"
    assert together(log, put(DEVICE), put(MAP, "replace", revision, data={"a": "2"})).result == "conflict"
    assert log.state.get(DEVICE) is None


def test_a_device_is_in_one_namespace_also_within_a_change() -> None:
    """The second one is refused."""
    outcome = together(CommandLog(), put(NEW), put(DEVICE), put(ResourceKey("EdgeDevice", "plant", "dev")))
    assert outcome.message.startswith("items[2]: device dev is in namespace new already")


def test_more_than_the_limit_are_refused() -> None:
    """One change stands in one record and is decided whole."""
    puts = [put(ResourceKey("ConfigMap", "plant", f"c{number}")) for number in range(TOGETHER_LIMIT + 1)]
    assert together(CommandLog(), *puts).result == "invalid"


def test_a_workload_runs_in_its_own_namespace() -> None:
    """Naming a device that is elsewhere would run it nowhere, without a word; one that is to come is no mistake."""
    log = CommandLog()
    log.put(ResourceKey("EdgeDevice", "default", "dev"), {})
    refused = log.put(WORKLOAD, {"spec": {"device": "dev"}})
    assert refused.result == "invalid"
    assert refused.message.startswith("spec.device: device dev is in namespace default")
    assert log.put(WORKLOAD, {"spec": {"device": "to-come"}}).result == "accepted"


def test_a_repeat_is_known_by_what_it_asks() -> None:
    """Not by what the API adds by chance."""
    again = PutResource(MAP, put(MAP).body, "create", "another-uid")
    assert is_repeat(PutTogether([put(MAP)]), PutTogether([again]))
    assert not is_repeat(PutTogether([put(MAP)]), PutTogether([put(MAP), put(NEW)]))
