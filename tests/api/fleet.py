"""Devices and operators of the tests: what each does over HTTP, and devices brought into a state."""

from collections.abc import Callable
from typing import Any, Self
from uuid import uuid4

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.api.go_client import GoClient, RawAnswer, path_of
from tests.api.installation import until

FLOTTA = "/apis/management.project-flotta.io/v1alpha1"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


class Operator:
    """Whoever manages the fleet through the API at `url`."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def create(self, collection: str, document: dict[str, Any]) -> dict[str, Any]:
        """Make a resource, which must succeed."""
        answer = self.http.post(collection, json=document)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def add_namespace(self, name: str) -> None:
        """Make a namespace."""
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})

    def approve(self, device_id: str) -> None:
        """Approve a device that has asked."""
        self._patched(request_path(device_id), {"spec": {"approved": True}})

    def decline(self, device_id: str) -> None:
        """Decline a device that has asked, or revoke it."""
        status = {"status": {"conditions": [{"type": "declined", "status": "True", "message": "not ours"}]}}
        self._patched(request_path(device_id) + "/status", status)

    def delete_device(self, device_id: str, namespace: str = "default") -> None:
        """Delete its EdgeDevice."""
        answer = self.http.delete(device_path(device_id, namespace))
        assert answer.status_code == 200, answer.text

    def _patched(self, path: str, patch: dict[str, Any]) -> None:
        answer = self.http.patch(path, json=patch, headers=MERGE_PATCH)
        assert answer.status_code == 200, answer.text


class Device:
    """One device and the Edge API between it and Muster. Told to come again (503), it does, but for plain `call`s."""

    def __init__(self, client: GoClient, operator: Operator, namespace: str = "default") -> None:
        self.client = client
        self.operator = operator
        self.namespace = namespace
        self.device_id = f"device-{uuid4().hex[:10]}"
        self.request = certificate_request(self.device_id)

    def call(self, method: str, call: str, body: Any = None, namespace: str | None = None) -> RawAnswer:
        """One of the six calls."""
        return self.client.call(method, path_of(self.device_id, call, namespace or self.namespace), body)

    def enrol(self, namespace: str | None = None) -> RawAnswer:
        """Ask to join."""
        body = {"features": {"hardware": {"hostname": "h"}}}
        return accepted(lambda: self.call("POST", "enrolment", body, namespace))

    def register(self, request: str | None = None) -> RawAnswer:
        """Show the key."""
        body = {"certificate_request": request or self.request, "hardware": {"hostname": self.device_id}}
        return accepted(lambda: self.call("PUT", "registration", body))

    def beat(self, **content: Any) -> RawAnswer:
        """Send a heartbeat."""
        nothing = {"events": None, "playbook-executions": None, "workloads": None}
        return accepted(lambda: self.call("PUT", "heartbeat", nothing | content))

    def become(self, state: str) -> "Device":
        """Bring a device nobody has heard of into a state of the table."""
        if state == "unknown":
            return self
        assert self.enrol().status == 201
        if state == "declined":
            self.operator.decline(self.device_id)
        elif state != "pending":
            self.operator.approve(self.device_id)
            if state != "approved":
                self._register_and(state)
        return self

    def _register_and(self, state: str) -> None:
        assert self.register().status == 200
        if state == "revoked":
            self.operator.decline(self.device_id)
        elif state in ("deleting", "removed"):
            self.operator.delete_device(self.device_id, self.namespace)
            if state == "removed":
                configuration = self.call("GET", "configuration").json["device-configuration"]
                assert self.beat(version=configuration["version"]).status == 200
                until(lambda: self.call("GET", "configuration").status == 404)


def accepted(call: Callable[[], RawAnswer]) -> RawAnswer:
    """The first answer that is not 503: on a busy machine a device is told to come again, and does."""
    answers: list[RawAnswer] = []
    until(lambda: answers.append(call()) or answers[-1].status != 503, 30)  # type: ignore[func-returns-value]
    return answers[-1]


def certificate_request(device_id: str) -> str:
    """A CSR as an agent makes it, with a key of its own."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def request_path(device_id: str) -> str:
    """Of a device's signed request."""
    return f"{FLOTTA}/namespaces/default/edgedevicesignedrequest/{device_id}"


def device_path(device_id: str, namespace: str = "default") -> str:
    """Of a device's resource."""
    return f"{FLOTTA}/namespaces/{namespace}/edgedevices/{device_id}"
