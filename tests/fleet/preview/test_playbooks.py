"""A preview counts the devices that are told to run a playbook."""

from base64 import b64encode

import pytest

from fleet.decisions.commands import JSONObject
from fleet.devices.states import DeviceState
from fleet.preview.planning import Deletion
from tests.fleet.preview.plant import Plant, document


def config(text: str) -> JSONObject:
    """An EdgeConfig `tidy` with one playbook."""
    playbook = {"content": b64encode(text.encode()).decode()}
    return document("EdgeConfig", "tidy", {"spec": {"edgePlaybook": {"playbooks": [playbook]}}})


@pytest.fixture
def plant() -> Plant:
    """Two devices with the label, of which one is not registered, and one without."""
    plant = Plant()
    plant.device("d0", {"config/a": "tidy"})
    plant.device("d1", {"config/a": "tidy"}, state=DeviceState.APPROVED)
    plant.device("d2")
    return plant


def test_devices_with_its_label_are_told_to_run_a_new_playbook(plant: Plant) -> None:
    """Their configurations stay as they are."""
    told = plant.preview(config("- hosts: all"))
    assert (told.devices.playbooks, told.devices.changed) == (1, 0)


def test_another_playbook_is_run_and_the_same_one_is_not(plant: Plant) -> None:
    """As long as a device has not been told of the first."""
    plant.store(config("- hosts: all"))
    assert plant.preview(config("- hosts: all")).devices.playbooks == 0
    assert plant.preview(config("- hosts: some")).devices.playbooks == 1
    assert plant.preview(deletions=(Deletion("edgeconfig", "", "tidy"),)).devices.playbooks == 0


def test_a_device_that_gets_the_label_is_told_to_run_it(plant: Plant) -> None:
    """A change of one device."""
    plant.store(config("- hosts: all"))
    labelled = document("EdgeDevice", "d2", {"spec": {}}, labels={"config/b": "tidy"})
    assert plant.preview(labelled).devices.playbooks == 1


def test_a_finished_execution_is_run_again_when_it_is_deleted(plant: Plant) -> None:
    """And not before."""
    plant.store(config("- hosts: all"))
    status = {"conditions": [{"type": "SuccessfullyCompleted", "status": "True"}]}
    spec = {"playbook": config("- hosts: all")["spec"]["edgePlaybook"]["playbooks"][0]}
    plant.store(document("PlaybookExecution", "d0-tidy", {"spec": spec, "status": status}))
    assert plant.preview(config("- hosts: some")).devices.playbooks == 0
    assert plant.preview(deletions=(Deletion("playbookexecution", "", "d0-tidy"),)).devices.playbooks == 1
