"""`muster pki init`: a CA with server, host and device certificates, as files and as the Kubernetes secrets of Flotta.

Everything is made anew and together, so a folder that holds such files already is refused rather than mixed.
"""

import base64
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from cyclopts import Parameter
from cyclopts.validators import Number

from cli.errors import CommandError
from cli.pki.authority import LOOPBACK, Authority, Issued

SECRETS_FILE = "secrets.yaml"


def init(
    folder: Annotated[Path, Parameter(help="where to put the files; made if missing")],
    *,
    name: Annotated[
        list[str] | None, Parameter(help="name or address by which the Edge API reaches Muster; may be repeated")
    ] = None,
    domain: Annotated[str, Parameter(help="domain of the Edge API")] = "project-flotta.io",
    device: Annotated[list[str] | None, Parameter(help="NAMESPACE/ID of a device; may be repeated")] = None,
    namespace: Annotated[str, Parameter(help="Kubernetes namespace of the secrets")] = "flotta",
    days: Annotated[int, Parameter(help="days the certificates last", validator=Number(gte=1, lte=3650))] = 365,
) -> int:
    """Make a CA, Muster's and the Edge API's certificates and devices', to try mutual TLS with."""
    authority = Authority(datetime.now(UTC), days)
    made = {
        "ca": authority.issued,
        "server": authority.server([*(name or []), "localhost", *LOOPBACK]),
        "host": authority.host(domain),
    }
    for each in device or ["default/device-1"]:
        device_namespace, _, device_id = each.partition("/")
        if not device_id or "/" in device_id:
            raise CommandError(f"--device {each!r}: write it as NAMESPACE/ID", 2)
        made[f"device-{device_id}"] = authority.device(device_id, device_namespace)
    secrets = [
        _secret("flotta-ca", namespace, "ca", made["ca"]),
        _secret("flotta-host-certificate", namespace, "server", made["host"]),
    ]
    try:
        _write(folder, made, yaml.safe_dump_all(secrets, sort_keys=False).encode())
    except FileExistsError as error:
        raise CommandError(
            f"{error.filename} exists: certificates of two CAs do not mix, name another folder"
        ) from None
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror}") from error
    _say(folder, made)
    return 0


def _write(folder: Path, made: dict[str, Issued], secrets: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, issued in made.items():
        _write_new(folder / f"{name}.key", issued.key, 0o600)
        _write_new(folder / f"{name}.crt", issued.certificate, 0o644)
    _write_new(folder / SECRETS_FILE, secrets, 0o600)


def _write_new(file: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)


def _secret(name: str, namespace: str, prefix: str, issued: Issued) -> dict[str, Any]:
    """As Flotta's operator stores it."""
    data = {f"{prefix}.crt": issued.certificate, f"{prefix}.key": issued.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _say(folder: Path, made: dict[str, Issued]) -> None:
    lines = [f"made {', '.join(made)} (.crt, .key) and {SECRETS_FILE} in {folder}", "", "for Muster:"]
    lines += [
        f"  export MUSTER_DEVICE_CERTIFICATE={folder.absolute()}/server.crt",
        f"  export MUSTER_DEVICE_KEY={folder.absolute()}/server.key",
        f"  export MUSTER_DEVICE_CLIENT_CA={folder.absolute()}/ca.crt",
        "  export MUSTER_DEVICE_PORT=8443",
    ]
    print("\n".join(lines))  # noqa: T201 - what the command answers
