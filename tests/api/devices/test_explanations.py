"""Every field of a configuration is told with its resource, and with what it replaced."""

from typing import Any

import pytest

from api.desired_state.fleet_view import FleetView
from api.devices.configurations import Configurations
from fleet.configuration.explanation import HIDDEN, ExplainedField
from fleet.decisions.commands import Change, Outcome, ResourceKey
from fleet.decisions.identity_changes import identity_change
from fleet.devices.states import DeviceIdentity, DeviceState
from fleet.sealing import KeyRing

KEY = bytes(32)


class Fleet:
    """One device `d1` of the hardware `x86_64`."""

    def __init__(self) -> None:
        self.view = FleetView("default", 60, lambda: 0.0)
        self.revision = 0
        identity = DeviceIdentity("d1", DeviceState.REGISTERED, "default", hardware_labels={"device.arch": "x86_64"})
        self._apply(identity_change(identity))

    def put(self, kind: str, name: str, content: dict[str, Any]) -> str:
        """Its revision."""
        metadata = {"namespace": "default", "name": name, **content.pop("metadata", {})}
        self._apply(Change(ResourceKey(kind, "default", name), {"kind": kind, "metadata": metadata, **content}))
        return str(self.revision)

    def explained(self) -> dict[str, ExplainedField]:
        """The fields by name."""
        keys = KeyRing({"k": KEY}, "k", KEY)
        made = Configurations(self.view, keys, KEY, 10, on_failure=lambda: None, report=lambda _: None)
        return {each.field: each for each in made.explanation(self.view.state.identities["d1"])}

    def _apply(self, change: Change) -> None:
        self.revision += 1
        self.view.apply(Outcome(self.revision, f"r{self.revision}", "ann", 0, "accepted", "", [change], []))


@pytest.fixture
def fleet() -> Fleet:
    """Nothing but the device."""
    return Fleet()


def test_what_nobody_gives_is_a_default(fleet: Fleet) -> None:
    """Also of a device without any section."""
    fields = fleet.explained()
    assert fields["heartbeat.period_seconds"].value == 60
    assert {each.origin.resource for each in fields.values()} == {""}


def test_a_devices_own_section_is_told_with_its_revision(fleet: Fleet) -> None:
    """Beside it the defaults go on."""
    revision = fleet.put("EdgeDevice", "d1", {"spec": {"heartbeat": {"periodSeconds": 60}}})
    period = fleet.explained()["heartbeat.period_seconds"]
    assert (period.origin.resource, period.origin.revision) == ("EdgeDevice/d1", revision)
    assert fleet.explained()["metrics.receiver.timeout_seconds"].origin.resource == ""


def test_a_set_replaces_the_devices_own_even_where_it_is_empty(fleet: Fleet) -> None:
    """With the value that does not count, and why the set counts."""
    labels = {"flotta/member-of": "kiosks"}
    spec = {"heartbeat": {"periodSeconds": 10}, "osInformation": {"commitID": "c1"}}
    fleet.put("EdgeDevice", "d1", {"metadata": {"labels": labels}, "spec": spec})
    fleet.put("EdgeDeviceSet", "kiosks", {"spec": {"heartbeat": {"periodSeconds": 20}}})
    fields = fleet.explained()
    period = fields["heartbeat.period_seconds"]
    assert (period.value, period.replaced) == (20, 10)
    assert period.origin.resource == "EdgeDeviceSet/kiosks"
    assert period.origin.because == "label flotta/member-of=kiosks of EdgeDevice/d1"
    assert period.replaced_origin is not None
    assert period.replaced_origin.resource == "EdgeDevice/d1"
    commit = fields["os.commit_id"]
    assert (commit.value, commit.replaced, commit.origin.resource) == (None, "c1", "EdgeDeviceSet/kiosks")


def test_workloads_are_told_with_the_labels_that_select_them(fleet: Fleet) -> None:
    """Whoever gave the label; of a secret only its name."""
    container = {"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": "s"}}]}
    selector = {
        "matchLabels": {"device.arch": "x86_64"},
        "matchExpressions": [{"key": "old", "operator": "DoesNotExist"}],
    }
    spec = {"deviceSelector": selector, "type": "pod", "pod": {"spec": {"containers": [container]}}}
    fleet.put("Secret", "s", {"data": {"k": "dGVsbC1ub2JvZHk="}})
    revision = fleet.put("EdgeWorkload", "web", {"spec": spec})
    fields = fleet.explained()
    origin = fields["workloads.web.name"].origin
    assert (origin.resource, origin.revision) == ("EdgeWorkload/web", revision)
    assert origin.because == "spec.deviceSelector matches device.arch=x86_64 of the hardware, no old"
    assert (fields["secrets.s"].value, fields["secrets.s"].origin.resource) == (HIDDEN, "Secret/s")
    assert "dGVsbC1ub2JvZHk" not in str(fields)


def test_values_taken_from_other_resources_name_them(fleet: Fleet) -> None:
    """A bucket's parts come from a ConfigMap and a Secret, and the latter's are hidden."""
    names = {"BUCKET_NAME": "b", "BUCKET_HOST": "h", "BUCKET_PORT": "443", "BUCKET_REGION": "r"}
    keys = {"AWS_ACCESS_KEY_ID": "aWQ=", "AWS_SECRET_ACCESS_KEY": "a2V5"}
    fleet.put("ConfigMap", "bucket", {"data": names})
    fleet.put("Secret", "keys", {"data": keys})
    fleet.put("EdgeDevice", "d1", {"spec": {"storage": {"s3": {"configMapName": "bucket", "secretName": "keys"}}}})
    fields = fleet.explained()
    assert fields["storage.s3.bucket_name"].origin.resource == "ConfigMap/bucket"
    assert fields["storage.s3.bucket_name"].origin.because == "named by EdgeDevice/d1"
    secret = fields["storage.s3.aws_secret_access_key"]
    assert (secret.value, secret.origin.resource) == (HIDDEN, "Secret/keys")
