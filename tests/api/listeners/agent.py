"""A device's agent behind the Edge API: it joins and beats, and comes again where it was told to or heard nothing."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.api.fleet import certificate_request
from tests.api.go_client import RawAnswer
from tests.api.installation import until
from tests.api.listeners import captured
from tests.api.listeners.edge_api import EdgeApi

TARGET = "tns"
COME_AGAIN = 503


class Agent:
    """One device with a key of its own; `target` is the namespace it asks for, None for the initial one."""

    def __init__(self, edge: EdgeApi, target: str | None = TARGET, hardware: Any = None) -> None:
        self.edge = edge
        self.target = target
        self.hardware = hardware or {"boot": {"current_boot_mode": "bios"}, "hostname": "h"}
        self.device_id = f"agent-{uuid4().hex[:10]}"
        self.request = certificate_request(self.device_id)

    @property
    def namespace(self) -> str:
        """Where it is once it is approved."""
        return self.target or "default"

    @property
    def fingerprint(self) -> str:
        """Of the key in its request."""
        key = x509.load_pem_x509_csr(self.request.encode()).public_key()
        return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    def make_new_key(self) -> None:
        """As a device that was set up anew has it."""
        self.request = certificate_request(self.device_id)

    def path(self, call: str, namespace: str | None = None) -> str:
        """Of one of its calls, after the base path."""
        return f"/namespaces/{namespace or self.namespace}/devices/{self.device_id}/{call}"

    def enrol(self) -> RawAnswer | None:
        """`POST enrolment` to the target namespace."""
        return self.edge.call("POST", self.path("enrolment"), captured.enrolment(self.target))

    def ask(self, namespace: str = "default") -> RawAnswer | None:
        """`GET registration` in the initial namespace."""
        return self.edge.call("GET", self.path("registration", namespace))

    def register(self) -> RawAnswer | None:
        """`PUT registration`."""
        return self.edge.call("PUT", self.path("registration"), captured.registration(self.request, self.hardware))

    def join(self, approve: Callable[[str], None]) -> "Agent":
        """All of it, with nothing lost."""
        assert told(self.enrol).status == 201
        approve(self.device_id)
        assert told(self.enrol).status == 200
        assert told(self.register).status == 200
        return self


def told(call: Callable[[], RawAnswer | None]) -> RawAnswer:
    """The first answer that is not “come again”: agents repeat every 5 to 60 s, this one at once."""
    answers: list[RawAnswer | None] = []

    def is_told() -> bool:
        answers.append(call())
        return answers[-1] is not None and answers[-1].status != COME_AGAIN

    until(is_told, 30)
    assert answers[-1]
    return answers[-1]
