"""Enrolment and registration bodies are read as liberally as heartbeats."""

import pytest

from fleet.devices.hardware import Cpu, Hardware
from fleet.devices.registration import Enrolment, Features, Registration, read_enrolment, read_registration
from fleet.errors import BadInputError


def test_captured_enrolment_is_read() -> None:
    """As a device sends it, with a target; and without one, `{}`."""
    body = (
        b'{"features":{"hardware":{"cpu":{"architecture":"x86_64","flags":[]},"disks":null,"hostname":"h"}},'
        b'"target_namespace":"tns"}\n'
    )
    hardware = Hardware(hostname="h", cpu=Cpu(architecture="x86_64", flags=[]))
    assert read_enrolment(body) == Enrolment(Features(hardware=hardware), "tns")
    assert read_enrolment(b"{}") == Enrolment()
    assert read_enrolment(b'{"features":null,"target_namespace":null}') == Enrolment()


def test_registration_is_read_with_unknown_fields() -> None:
    """Older agents send `os_image_id` and no certificate request."""
    assert read_registration(b'{"hardware":{"boot":null},"os_image_id":"unknown"}') == Registration(Hardware())
    assert read_registration(b'{"certificate_request":"PEM"}') == Registration(certificate_request="PEM")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"hardware":[]}', b'{"x":' * 100_000])
def test_unreadable_registrations_are_refused(body: bytes) -> None:
    """BadInputError and nothing else."""
    with pytest.raises(BadInputError, match="registration"):
        read_registration(body)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"features":{"modelName":1}}', b'{"x":' * 100_000])
def test_unreadable_enrolments_are_refused(body: bytes) -> None:
    """BadInputError and nothing else."""
    with pytest.raises(BadInputError, match="enrolment"):
        read_enrolment(body)
