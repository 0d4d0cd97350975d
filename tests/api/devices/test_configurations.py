"""Configurations are assembled when asked for after a change, held once when equal, and told of once when they fail."""

import msgspec
import pytest

from api.desired_state.fleet_view import FleetView
from api.devices.configurations import Configurations
from fleet.decisions.commands import Change, JSONObject, Outcome, ReportConfiguration, ResourceKey
from fleet.decisions.identity_changes import identity_change
from fleet.decisions.state import FleetState
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.errors import UnavailableError
from fleet.sealing import KeyRing

KEY = bytes(32)


class Fleet:
    """A view that the test changes, and the configurations of its devices."""

    def __init__(self, limit: int = 100) -> None:
        self.view = FleetView("default", 60, lambda: 0.0)
        self.view.is_loaded = True
        self.keys = KeyRing({"k": KEY}, "k", KEY)
        self.failures = 0
        self.reports: list[ReportConfiguration] = []
        self.configurations = Configurations(
            self.view, self.keys, KEY, limit, on_failure=self._count, report=self.reports.append
        )
        self._revision = 0

    def _count(self) -> None:
        self.failures += 1

    def put(self, kind: str, name: str, body: JSONObject | None) -> None:
        """Change a resource of the namespace `default`."""
        if body is not None:
            body = {"metadata": {"namespace": "default", "name": name} | body.pop("metadata", {})} | body
        self._apply(Change(ResourceKey(kind, "default", name), body))

    def device(self, device_id: str, state: DeviceState = DeviceState.REGISTERED, problem: str = "") -> DeviceIdentity:
        """A device in a state."""
        return self.hold(DeviceIdentity(device_id, state, "default", configuration_problem=problem))

    def hold(self, identity: DeviceIdentity) -> DeviceIdentity:
        """A device as it stands."""
        self._apply(identity_change(identity))
        return self.view.state.identities[identity.device_id]

    def secret(self, name: str, value: str) -> None:
        """A sealed Secret."""
        document = {"metadata": {"namespace": "default", "name": name}, "type": "Opaque", "data": {"k": value}}
        self._apply(Change(ResourceKey("Secret", "default", name), self.keys.seal(document, bytes(12))))

    def _apply(self, change: Change) -> None:
        self._revision += 1
        self.view.apply(Outcome(self._revision, f"r{self._revision}", "ann", 0, "accepted", "", [change], []))


@pytest.fixture
def fleet() -> Fleet:
    """A fleet with nothing in it."""
    return Fleet()


def workload(*secrets: str, **metadata: object) -> JSONObject:
    """A workload of every device, with these Secrets in its environment."""
    sources = [{"secretRef": {"name": name}} for name in secrets]
    container: JSONObject = {"name": "c", "image": "i:1"} | ({"envFrom": sources} if sources else {})
    spec = {"type": "pod", "deviceSelector": {}, "pod": {"spec": {"containers": [container]}}}
    return {"metadata": metadata, "spec": spec}


def test_what_did_not_change_is_not_assembled_again(fleet: Fleet) -> None:
    """The second read is the first one's bytes, and a heartbeat before both is told the same version."""
    device = fleet.device("d1")
    version = fleet.configurations.known_version(device)
    assert fleet.configurations.settled("d1", "default") is not None
    first = fleet.configurations.response(device)
    assert fleet.configurations.response(device) == first
    assert version is not None
    assert fleet.configurations.known_version(device) == fleet.configurations.wanted_version(device) == version


def test_a_shared_change_is_seen_by_the_next_read(fleet: Fleet) -> None:
    """Of every device of the namespace: workloads, Secrets they use, sets."""
    device = fleet.device("d1")
    answers = [fleet.configurations.response(device)]
    fleet.secret("s", "MQ==")
    fleet.put("EdgeWorkload", "w", workload("s"))
    assert fleet.configurations.known_version(device) == fleet.configurations.wanted_version(device)
    answers.append(fleet.configurations.response(device))
    fleet.secret("s", "Mg==")
    answers.append(fleet.configurations.response(device))
    fleet.put("EdgeDevice", "d1", {"metadata": {"labels": {"flotta/member-of": "kiosks"}}, "spec": {}})
    fleet.put("EdgeDeviceSet", "kiosks", {"spec": {"heartbeat": {"periodSeconds": 7}}})
    answers.append(fleet.configurations.response(device))
    assert len(set(answers)) == 4
    assert b'\\"k\\":\\"Mg==\\"' in answers[2]
    assert b'"period_seconds":7' in answers[3]


def test_equal_contents_are_held_once(fleet: Fleet) -> None:
    """Two devices with the same content have the same version and differ in their id alone."""
    first, second = fleet.device("d1"), fleet.device("d2")
    answers = [fleet.configurations.response(device) for device in (first, second)]
    assert answers[0].replace(b'"d1"', b'"d2"') == answers[1]
    assert len(fleet.configurations._bodies) == 1
    fleet.put("EdgeWorkload", "w", workload())
    fleet.configurations.response(first)
    assert len(fleet.configurations._bodies) == 2
    fleet.configurations.response(second)
    assert len(fleet.configurations._bodies) == 2


def test_what_nobody_asked_for_since_the_last_change_is_let_go(fleet: Fleet) -> None:
    """Also of devices that were never heard of again: many changes must not leave a body each."""
    silent, device = fleet.device("d1"), fleet.device("d2")
    fleet.configurations.response(silent)
    for number in range(5):
        fleet.put("EdgeWorkload", "w", workload(labels={"podman/number": str(number)}))
        fleet.configurations.response(device)
        assert len(fleet.configurations._bodies) <= 2
    assert fleet.configurations.response(silent).replace(b'"d1"', b'"d2"') == fleet.configurations.response(device)


def test_a_device_being_deleted_gets_no_workloads(fleet: Fleet) -> None:
    """A stripped configuration with a version of its own."""
    fleet.put("EdgeWorkload", "w", workload())
    full = fleet.configurations.wanted_version(fleet.device("d1"))
    deleting = fleet.device("d1", DeviceState.DELETING)
    assert fleet.configurations.wanted_version(deleting) != full
    assert b'"workloads":[]' in fleet.configurations.response(deleting)


def test_what_cannot_be_assembled_is_unavailable_and_told_once(fleet: Fleet) -> None:
    """The device keeps what it runs; the next change is tried again."""
    device = fleet.device("d1")
    fleet.put("EdgeWorkload", "w", workload("missing"))
    for _ in range(3):
        with pytest.raises(UnavailableError, match="missing"):
            fleet.configurations.response(device)
    assert fleet.configurations.known_version(device) is None
    fleet.put("EdgeDeviceSet", "other", {"spec": {}})
    with pytest.raises(UnavailableError, match="missing"):
        fleet.configurations.response(device)
    assert fleet.failures == 1
    fleet.secret("missing", "MQ==")
    assert b"missing" in fleet.configurations.response(device)


def test_a_problem_is_reported_until_it_is_what_the_operator_was_told(fleet: Fleet) -> None:
    """A report that was lost comes again with the next poll; one that is known does not, and its end is told."""
    device = fleet.device("d1")
    fleet.put("EdgeWorkload", "w", workload("missing"))
    for _ in range(2):
        with pytest.raises(UnavailableError):
            fleet.configurations.response(device)
    assert len(fleet.reports) == 2
    report = fleet.reports[-1]
    assert (report.device_id, report.is_assembled, report.revision) == ("d1", False, fleet.view.state.revision)
    assert "Secret default/missing" in report.problem
    told = fleet.device("d1", problem=report.problem)
    with pytest.raises(UnavailableError):
        fleet.configurations.response(told)
    assert len(fleet.reports) == 2
    fleet.secret("missing", "MQ==")
    fleet.configurations.response(told)
    assert fleet.reports[-1] == ReportConfiguration("d1", "default", "", True, fleet.view.state.revision)


def test_a_part_left_out_is_reported_too(fleet: Fleet) -> None:
    """The device gets the rest."""
    fleet.put("EdgeDevice", "d1", {"spec": {"storage": {"s3": {"secretName": "keys", "configMapName": "bucket"}}}})
    assert fleet.configurations.response(fleet.device("d1"))
    (report,) = fleet.reports
    assert "default/keys" in report.problem or "default/bucket" in report.problem
    assert report.is_assembled


def test_a_secret_of_a_lost_key_is_unavailable_too(fleet: Fleet) -> None:
    """An error of ours is no 500 to a device."""
    document = {"metadata": {"namespace": "default", "name": "s"}, "type": "Opaque", "data": {"k": ""}}
    other = KeyRing({"lost": bytes(range(32))}, "lost", KEY)
    fleet.put("EdgeWorkload", "w", workload("s"))
    fleet._apply(Change(ResourceKey("Secret", "default", "s"), other.seal(document, bytes(12))))
    with pytest.raises(UnavailableError, match="lost"):
        fleet.configurations.response(fleet.device("d1"))


def test_remembered_bodies_are_bounded() -> None:
    """The oldest is let go first, and made again when it is asked for."""
    fleet = Fleet(limit=2)
    devices = []
    for number in range(3):
        fleet.put("EdgeDevice", f"d{number}", {"spec": {"heartbeat": {"periodSeconds": 10 + number}}})
        devices.append(fleet.device(f"d{number}"))
    answers = [fleet.configurations.response(device) for device in devices]
    assert [fleet.configurations.known_version(device) is not None for device in devices] == [False, True, True]
    assert len(fleet.configurations._bodies) == 2
    assert [fleet.configurations.response(device) for device in devices] == answers


def test_a_change_selects_anew_only_where_other_labels_count(fleet: Fleet) -> None:
    """The devices are looked at again, and get what they are to run."""
    fleet.put("EdgeDevice", "d1", {"metadata": {"labels": {"region": "north", "tier": "1"}}, "spec": {}})
    device = fleet.device("d1")
    for name, selector in [("a", {"region": "north"}), ("b", {"tier": "2"}), ("c", {"tier": "1"})]:
        body = workload()
        body["spec"]["deviceSelector"] = {"matchLabels": selector}
        fleet.put("EdgeWorkload", name, body)
        fleet.configurations.response(device)
    answer = fleet.configurations.response(device)
    assert [f'"name":"{name}"'.encode() in answer for name in "abc"] == [True, False, True]


def test_a_workload_that_names_a_device_is_seen_by_its_next_read(fleet: Fleet) -> None:
    """And no longer once it names another; the others stay as they were."""
    first, second = fleet.device("d1"), fleet.device("d2")
    plain = [fleet.configurations.response(device) for device in (first, second)]
    for named, other, own in [("d1", second, 1), ("d2", first, 0)]:
        body = workload()
        body["spec"]["device"] = named
        fleet.put("EdgeWorkload", "w", body)
        assert fleet.configurations.response(other) == plain[own]
        device = first if named == "d1" else second
        assert b'"name":"w"' in fleet.configurations.response(device)


def test_only_of_a_settled_device_the_answer_is_all_there_is(fleet: Fleet) -> None:
    """Registered, in its namespace, its key proven, its problem known to the operator."""
    settled = fleet.configurations.settled
    assert settled("d1", "default") is None
    fleet.configurations.response(fleet.device("d1"))
    body = settled("d1", "default")
    assert body is not None
    assert settled("d1", "elsewhere") is None
    unproven = DeviceIdentity("d2", DeviceState.REGISTERED, "default", key_fingerprint="ab" * 32)
    fleet.configurations.response(fleet.hold(unproven))
    assert settled("d2", "default") is None
    fleet.configurations.response(fleet.hold(msgspec.structs.replace(unproven, is_key_proven=True)))
    assert settled("d2", "default") is body
    assert body.for_device("d2") == fleet.configurations.response(fleet.view.state.identities["d2"])
    fleet.put("EdgeWorkload", "w", workload("missing"))
    assert settled("d1", "default") is None
    fleet.device("d1", DeviceState.DELETING)
    assert settled("d1", "default") is None


def test_a_view_loaded_anew_is_assembled_anew(fleet: Fleet) -> None:
    """Another state counts its own generations, which may coincide with what they were."""
    device = fleet.device("d1")
    fleet.configurations.response(device)
    state = FleetState("default")
    state.revision = 1000
    fleet.view.replace(state)
    assert fleet.configurations.settled("d1", "default") is None
    assert fleet.configurations.response(device)


def test_a_missing_set_is_ignored(fleet: Fleet) -> None:
    """Its member keeps its own sections until there is one, and they are back when that goes."""
    spec = {"heartbeat": {"periodSeconds": 30}}
    fleet.put("EdgeDevice", "d1", {"metadata": {"labels": {"flotta/member-of": "kiosks"}}, "spec": spec})
    device = fleet.device("d1")
    assert b'"period_seconds":30' in fleet.configurations.response(device)
    fleet.put("EdgeDeviceSet", "kiosks", {"spec": {"heartbeat": {"periodSeconds": 15}}})
    assert b'"period_seconds":15' in fleet.configurations.response(device)
    fleet.put("EdgeDeviceSet", "kiosks", None)
    assert b'"period_seconds":30' in fleet.configurations.response(device)
