"""What a device was told under a state, as it is shown."""

from fleet.decisions.commands import JSONObject
from fleet.devices.states import DeviceState
from fleet.preview.device_then import device_then
from fleet.sealing import SealingError
from tests.fleet.preview.plant import KEY, SECRET_VALUE, Plant, device_set, document, opened, secret, workload

NORTH = {"matchLabels": {"site": "north"}}


def plant() -> Plant:
    """One device in a set, with a workload and its Secret."""
    plant = Plant()
    plant.store(device_set("kiosks", 7))
    plant.store(workload("web", NORTH, secret="db"))
    plant.store(secret("db"))
    plant.device("d1", {"site": "north", "flotta/member-of": "kiosks"})
    return plant


def test_the_version_is_the_one_the_device_was_told() -> None:
    """With what it is made of, and nothing of Secrets but their keys."""
    fleet = plant()
    told = device_then(fleet.state, "d1", opened, KEY)
    assert told is not None
    assert told.version == fleet.versions()["d1"]
    assert [each.resource for each in told.sources] == [
        "EdgeDevice/d1",
        "EdgeDeviceSet/kiosks",
        "EdgeWorkload/web",
        "Secret/db",
    ]
    assert told.configuration is not None
    assert told.configuration["secrets"] == {"db": {"k": "<hidden>"}}
    assert SECRET_VALUE not in str(told)
    assert told.note == ""


def test_a_secret_that_is_erased_hides_the_version_and_nothing_else() -> None:
    """Its key is gone since, so nobody can say what the version was."""

    def erased(_: JSONObject) -> JSONObject:
        raise SealingError("no such key")

    told = device_then(plant().state, "d1", erased, KEY)
    assert told is not None
    assert told.version == ""
    assert "Secret db" in told.note
    assert "erased" in told.note
    assert told.configuration is not None
    assert "image: one" in told.configuration["workloads"]["web"]["specification"]


def test_what_could_not_be_configured_is_told_with_the_reason() -> None:
    """All that was missing; the device then kept what it ran."""
    fleet = plant()
    fleet.store(workload("other", NORTH, secret="gone"))
    told = device_then(fleet.state, "d1", opened, KEY)
    assert told is not None
    assert (told.configuration, told.version) == (None, "")
    assert "Secret plant/gone" in told.note
    assert "kept what it ran" in told.note


def test_only_registered_devices_are_told_anything() -> None:
    """One being deleted gets no workloads; one that nobody heard of is None."""
    fleet = plant()
    fleet.device("new", {"site": "north"}, state=DeviceState.APPROVED)
    fleet.device("old", {"site": "north"}, state=DeviceState.DELETING)
    new, old = (device_then(fleet.state, name, opened, KEY) for name in ("new", "old"))
    assert new is not None
    assert (new.configuration, "was approved" in new.note) == (None, True)
    assert old is not None
    assert old.configuration is not None
    assert (old.configuration["workloads"], old.configuration["secrets"]) == ({}, {})
    assert device_then(fleet.state, "nobody", opened, KEY) is None


def test_a_part_that_was_left_out_is_told() -> None:
    """And the version is known all the same."""
    fleet = plant()
    storage = {"s3": {"secretName": "keys", "configMapName": "bucket"}}
    fleet.store(document("EdgeDeviceSet", "kiosks", {"spec": {"storage": storage}}))
    told = device_then(fleet.state, "d1", opened, KEY)
    assert told is not None
    assert told.version == fleet.versions()["d1"]
    assert told.note.startswith("left out: ConfigMap plant/bucket")
