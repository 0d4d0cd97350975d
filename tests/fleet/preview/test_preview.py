"""What a preview tells of the devices that would change."""

from typing import Any

import pytest

from fleet.devices.states import DeviceState
from fleet.preview.difference import LINES_LIMIT
from fleet.preview.planning import Deletion
from fleet.preview.result import GROUPS_SHOWN, REFUSALS_SHOWN
from tests.fleet.preview.plant import NAMESPACE, SECRET_VALUE, Plant, device_set, document, secret, workload

NORTH = {"matchLabels": {"site": "north"}}


@pytest.fixture
def plant() -> Plant:
    """Two sets; six devices in the north, of which one is not registered, and two in the south."""
    plant = Plant()
    plant.store(device_set("kiosks", 60))
    plant.store(device_set("gates", 60))
    for number in range(5):
        labels = {"site": "north", "flotta/member-of": "kiosks" if number < 3 else "gates"}
        plant.device(f"north-{number}", labels, hardware={"device.hostname": f"h{number}"})
    plant.device("north-new", {"site": "north"}, state=DeviceState.APPROVED)
    plant.device("south-0", {"site": "south"})
    plant.device("south-1", {"site": "south", "flotta/member-of": "kiosks"})
    return plant


def test_devices_are_counted_by_set_and_by_label(plant: Plant) -> None:
    """Those that are not registered are told apart; nothing is stored."""
    revision = plant.state.revision
    told = plant.preview(workload("web", NORTH))
    assert (told.devices.looked_at, told.devices.changed, told.devices.not_registered) == (7, 5, 1)
    assert told.sets == {"kiosks": 3, "gates": 2}
    assert [(each.label, each.devices) for each in told.labels] == [("site", {"north": 5})]
    assert (told.resources.created, told.resources.configured) == (1, 0)
    assert plant.state.revision == revision
    assert not plant.state.resources("EdgeWorkload", NAMESPACE)


def test_equal_devices_are_one_group_with_one_example(plant: Plant) -> None:
    """Whatever their sets and names; the difference says what is new."""
    (group,) = plant.preview(workload("web", NORTH)).groups
    assert (group.devices, group.sets) == (5, {"kiosks": 3, "gates": 2})
    assert group.example.startswith("north-")
    assert "+workloads:" in group.diff
    assert "+  web:" in group.diff
    assert "image: one" in group.diff


def test_a_set_that_changes_concerns_its_members(plant: Plant) -> None:
    """Wherever they are."""
    told = plant.preview(device_set("kiosks", 10))
    assert (told.devices.changed, told.resources.configured) == (4, 1)
    assert "-    period_seconds: 60\n+    period_seconds: 10" in told.groups[0].diff


def test_deletions_are_previewed(plant: Plant) -> None:
    """Of a workload; of a set, whose members fall back to their own sections; of a device, which is stripped first."""
    plant.store(workload("web", NORTH))
    told = plant.preview(deletions=(Deletion("edgeworkload", "", "web"),))
    assert (told.resources.deleted, told.devices.changed) == (1, 5)
    assert "-workloads:" in told.groups[0].diff
    plant.store(device_set("gates", 7))
    assert plant.preview(deletions=(Deletion("EdgeDeviceSet", NAMESPACE, "gates"),)).devices.changed == 2
    assert plant.preview(deletions=(Deletion("edgedevices", "", "north-0"),)).devices.changed == 1
    gone = plant.preview(deletions=(Deletion("EdgeDevice", "", "north-new"),))
    assert (gone.devices.changed, gone.devices.not_registered) == (0, 1)


def test_what_nobody_would_notice_changes_no_device(plant: Plant) -> None:
    """The same file again, a label that nothing selects, a Secret that nothing refers to."""
    assert plant.preview(device_set("kiosks", 60)).resources.unchanged == 0  # the annotation of the apply is new
    labelled = document("EdgeDevice", "south-0", {"spec": {}}, labels={"site": "south", "floor": "2"})
    for each in (
        device_set("kiosks", 60),
        labelled,
        secret("unused"),
        document("ConfigMap", "c", {"data": {"a": "b"}}),
    ):
        told = plant.preview(each)
        assert (told.devices.changed, told.devices.failing, told.groups) == (0, 0, [])


def test_every_missing_secret_and_key_is_named_with_its_devices(plant: Plant) -> None:
    """Not only the first, at which assembling stops; those devices keep what they run."""
    wanted = workload("web", NORTH, secret="db")
    env = wanted["spec"]["pod"]["spec"]["containers"][0]["env"]
    env.append({"name": "F", "valueFrom": {"secretKeyRef": {"name": "db", "key": "other"}}})
    env.append({"name": "G", "valueFrom": {"configMapKeyRef": {"name": "urls", "key": "u"}}})
    told = plant.preview(wanted)
    assert (told.devices.changed, told.devices.failing) == (0, 5)
    assert [(each.resource, each.keys, each.devices, each.is_fatal) for each in told.missing] == [
        ("ConfigMap plant/urls", ["u"], 5, True),
        ("Secret plant/db", ["k", "other"], 5, True),
    ]
    assert told.groups[0].problem
    supplied = plant.preview(wanted, secret("db"), document("ConfigMap", "urls", {"data": {"u": "v"}}))
    assert [(each.resource, each.keys) for each in supplied.missing] == [("Secret plant/db", ["other"])]


def test_a_workload_that_selects_nobody_yet_still_needs_its_secrets(plant: Plant) -> None:
    """Told with no device."""
    told = plant.preview(workload("later", {"matchLabels": {"site": "west"}}, secret="db"))
    assert [(each.resource, each.keys, each.devices) for each in told.missing] == [("Secret plant/db", ["k"], 0)]


def test_a_part_that_is_left_out_is_told_as_no_failure(plant: Plant) -> None:
    """Storage without its Secret."""
    storage = {"s3": {"secretName": "keys", "configMapName": "bucket"}}
    told = plant.preview(document("EdgeDeviceSet", "kiosks", {"spec": {"storage": storage}}))
    assert (told.devices.failing, [each.is_fatal for each in told.missing]) == (0, [False])
    assert told.missing[0].devices == 4


def test_values_of_secrets_are_in_no_preview(plant: Plant) -> None:
    """That one is another is told: in a pod's, of a registry, of storage and of a receiver."""
    web = workload("web", NORTH, secret="db")
    web["spec"]["imageRegistries"] = {"secretRef": {"name": "registry"}}
    plant.store(web)
    plant.store(secret("db", "old-" + SECRET_VALUE))
    auth = document("Secret", "registry", {"stringData": {".dockerconfigjson": f"old-{SECRET_VALUE}"}})
    ready = document("Secret", "registry", {"data": {".dockerconfigjson": "b2xk"}})
    plant.store(ready)
    s3 = document("Secret", "s3", {"stringData": {"AWS_ACCESS_KEY_ID": SECRET_VALUE, "AWS_SECRET_ACCESS_KEY": "x"}})
    ca = document("Secret", "ca", {"stringData": {"ca.crt": SECRET_VALUE}})
    bucket = {"BUCKET_NAME": "b", "BUCKET_HOST": "h", "BUCKET_PORT": "1", "BUCKET_REGION": "r"}
    sections = {
        "storage": {"s3": {"secretName": "s3", "configMapName": "bucket"}},
        "metrics": {"receiverConfiguration": {"url": "https://x", "caSecretName": "ca"}},
    }
    told = plant.preview(
        secret("db", "new-" + SECRET_VALUE),
        auth,
        s3,
        ca,
        document("ConfigMap", "bucket", {"data": bucket}),
        document("EdgeDeviceSet", "kiosks", {"spec": sections}),
    )
    assert told.refusals == []
    assert told.devices.changed == 6
    text = str(told)
    assert SECRET_VALUE not in text
    assert "<hidden, another value>" in text
    for planted in ("cGxhbnRlZC12YWx1", "bmV3LXBsYW50ZWQ", "b2xkLXBsYW50"):
        assert planted not in text
    diffs = "\n".join(group.diff for group in told.groups)
    for shown in ("caCert: <hidden>", "aws_access_key_id: <hidden>", "authFile: <hidden, another value>"):
        assert shown in diffs


def test_reads_and_bytes_are_those_of_the_new_configurations(plant: Plant) -> None:
    """Each changed device reads its new one once; processes evaluate every device's selection anew."""
    told = plant.preview(workload("web", NORTH))
    assert (told.reads.reads, told.reads.contents, told.reads.reselected) == (5, 1, 7)
    assert told.reads.bytes > told.reads.bytes_before > 5 * 100
    own = plant.preview(document("EdgeDevice", "south-0", {"spec": {"heartbeat": {"periodSeconds": 9}}}))
    assert (own.devices.changed, own.reads.reads, own.reads.reselected) == (1, 1, 0)


def test_what_would_be_refused_is_told_of_all_documents_and_nothing_else(plant: Plant) -> None:
    """With number, field and rule; of ten thousand only the first are named, and all are counted."""
    documents: list[Any] = [workload(f"w{number}", NORTH) for number in range(100)]
    documents[69] = workload("bad", {"matchExpressions": [{"key": "a", "operator": "Near"}]})
    documents[70] = workload("w3", NORTH)
    documents[71] = "not a mapping"
    documents[72] = document("EdgeDeviceSet", "x", {"spec": {}}) | {"metadata": {"name": "x", "namespace": "nowhere"}}
    told = plant.preview(*documents, deletions=(Deletion("edgeworkload", "", "absent"), Deletion("kiosk", "", "x")))
    assert told.refused == 6
    assert [each.number for each in told.refusals] == [70, 71, 72, 73, 101, 102]
    assert told.refusals[0].field.startswith("spec.deviceSelector.matchExpressions[0]")
    messages = [each.message for each in told.refusals]
    assert "already document 4" in messages[1]
    assert "not a resource" in messages[2]
    assert "namespace nowhere does not exist" in messages[3]
    assert "does not exist" in messages[4]
    assert "unknown kind" in messages[5]
    assert (told.devices.changed, told.groups) == (0, [])
    many = plant.preview(*(document("EdgeWorkload", f"w{number}") for number in range(100)))
    assert (many.refused, len(many.refusals)) == (100, REFUSALS_SHOWN)


def test_documents_in_a_namespace_that_the_same_file_makes_are_judged_there(plant: Plant) -> None:
    """In whatever order they stand."""
    inside = workload("web", NORTH)
    inside["metadata"]["namespace"] = "new"
    told = plant.preview(inside, document("Namespace", "new"))
    assert (told.refused, told.resources.created) == (0, 2)


def test_a_namespace_is_deleted_with_all_that_is_in_it(plant: Plant) -> None:
    """And not while something is."""
    plant.store(document("Namespace", "small"))
    inside = document("ConfigMap", "c") | {"metadata": {"name": "c", "namespace": "small"}}
    plant.store(inside)
    assert plant.preview(deletions=(Deletion("ns", "", "small"),)).refused == 1
    both = (Deletion("configmap", "small", "c"), Deletion("ns", "", "small"))
    assert plant.preview(deletions=both).resources.deleted == 2


def test_groups_and_differences_are_bounded(plant: Plant) -> None:
    """A fleet whose devices all differ, and a configuration of thousands of lines."""
    for number in range(GROUPS_SHOWN + 5):
        plant.device(f"own-{number}", {"site": "east"}, spec={"heartbeat": {"periodSeconds": 10 + number}})
    wide = workload("wide", {"matchLabels": {"site": "east"}})
    wide["spec"]["pod"]["spec"]["containers"][0]["args"] = [f"argument-{number}" for number in range(3000)]
    told = plant.preview(wide)
    assert (len(told.groups), told.further_groups) == (GROUPS_SHOWN, 5)
    assert told.devices.changed == GROUPS_SHOWN + 5
    lines = told.groups[0].diff.splitlines()
    assert len(lines) == LINES_LIMIT + 1
    assert "lines more" in lines[-1]


def test_a_label_with_too_many_values_is_not_counted_by_value(plant: Plant) -> None:
    """A serial number tells devices apart, and groups none."""
    for number in range(1200):
        plant.device(f"many-{number}", {"site": "west"}, hardware={"device.system-serial": f"s{number}"})
    told = plant.preview(workload("web", {"matchLabels": {"site": "west"}}))
    assert told.devices.changed == 1200
    assert [each.label for each in told.labels] == ["site"]
