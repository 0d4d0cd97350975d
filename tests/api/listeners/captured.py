"""What the Edge API sends, as it was captured (CONTRACT.md “Captured”): bodies and headers as they stand there."""

import json
from typing import Any

EMPTY = b'{"events":null,"playbook-executions":null,"workloads":null}'

WITH_VERSION = b'{"events":null,"playbook-executions":null,"status":"up","version":"v","workloads":null}'

CURRENT_AGENTS = (
    b'{"events":[],"hardware":{"disks":null,"gpus":null,"host_devices":null,"interfaces":null,"mounts":null},'
    b'"playbook-executions":null,"status":"up","upgrade":{"current_commit_ID":"unknown"},"version":"7","workloads":['
    b'{"last_data_upload":"0001-01-01T00:00:00.000Z","name":"web","status":"Running"}]}'
)

CRASHED = b'"workloads":[{"last_data_upload":"2022-03-04T05:06:07.123+02:00","name":"w2","status":"crashed"},null]'

PLAYBOOK = b'"playbook-executions":[{"last_data_upload":"0001-01-01T00:00:00.000Z","name":"p","status":"Running"}]'

WITH_CRASHED = b'{"events":null,"playbook-executions":null,' + CRASHED + b"}"

WITH_PLAYBOOK = b'{"events":null,' + PLAYBOOK + b',"workloads":null}'

HEARTBEATS = (EMPTY, WITH_VERSION, CURRENT_AGENTS, WITH_CRASHED, WITH_PLAYBOOK)
"""Each ends in a newline when it is sent."""

PATHS = (
    "/namespaces/../devices/dev1/enrolment",
    "/namespaces/default/devices/%2A/registration",
    "/namespaces/default/devices/a%3Bb/registration",
)


def enrolment(target: str | None) -> bytes:
    """With a target, full hardware; without, `{}`, sent to `default`."""
    if target is None:
        return b"{}"
    hardware = {"cpu": {"architecture": "x86_64", "flags": []}, "disks": None, "hostname": "h"}
    return _encode({"features": {"hardware": hardware}, "target_namespace": target})


def registration(request: str, hardware: Any) -> bytes:
    """A CSR and full hardware."""
    return _encode({"certificate_request": request, "hardware": hardware})


def request_bytes(method: str, path: str, host: str, body: bytes | None) -> bytes:
    """A whole request: GETs have neither Content-Length nor Content-Type, a body ends in a newline."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "User-Agent: Go-http-client/1.1"]
    if body is not None:
        body += b"\n"
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Accept: application/json")
    if body is not None:
        lines.append("Content-Type: application/json")
    lines.append("Accept-Encoding: gzip")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def _encode(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
