"""Reads what a device sends to enrol and to register, as liberally as heartbeats are read.

The shapes are `enrolment-info` and `registration-info` of `contract/swagger.yaml`.
"""

import msgspec
from msgspec import Struct, field

from fleet.devices.hardware import Hardware
from fleet.devices.json_bodies import read_object


class Features(Struct, frozen=True, omit_defaults=True):
    """What a device tells about itself when it enrols."""

    model_name: str | None = field(default=None, name="modelName")
    hardware: Hardware | None = None


class Enrolment(Struct, frozen=True):
    """A device asks to join the namespace of the call's path, into which the Edge API has put `target_namespace`."""

    features: Features | None = None
    target_namespace: str | None = None


class Registration(Struct, frozen=True):
    """An approved device describes itself and shows its key. `certificate_request` is a CSR in PEM."""

    hardware: Hardware | None = None
    certificate_request: str | None = None


_enrolment_decoder = msgspec.json.Decoder(Enrolment)
_registration_decoder = msgspec.json.Decoder(Registration)


def read_enrolment(body: bytes) -> Enrolment:
    """Decode and thereby validate the body of an enrolment. Raises BadInputError, saying where."""
    return read_object(_enrolment_decoder, body, "enrolment")


def read_registration(body: bytes) -> Registration:
    """Decode and thereby validate the body of a registration. Raises BadInputError, saying where."""
    return read_object(_registration_decoder, body, "registration")
