"""`muster approve` and `muster decline`: an operator's answer to devices that ask to join."""

import os
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cli.devices.preauthorise import preauthorise
from cli.errors import CommandError
from cli.http_client import MERGE_PATCH, RefusedError, Server
from cli.options import NamespaceOption, ServerOption
from cli.resources.resource_paths import resource_path
from cli.server_address import USAGE_STATUS, open_server
from fleet.resources import KINDS
from settings import Settings, load

_KIND = KINDS["EdgeDeviceSignedRequest"]


def approve(
    *devices: str,
    file: Annotated[Path | None, Parameter(name=("--file", "-f"))] = None,
    namespace: NamespaceOption = None,
    set: str | None = None,  # noqa: A002 - the option's name
    server: ServerOption = None,
) -> int:
    """Approve devices that asked to join, so that they may register.

    Parameters
    ----------
    devices
        Ids of devices.
    file
        CSV file of devices that need not have asked yet: column device, optionally namespace and set, and a column for
        each label.
    namespace
        Where the devices shall be, instead of where they asked to be.
    set
        The device set that they become members of.
    server
        URL of the API; this machine's unless given.
    """
    if bool(devices) == (file is not None) or (file and (namespace or set)):
        raise CommandError("name devices, or a file with -f that says all about them", USAGE_STATUS)
    if file is not None:
        settings = load(os.environ)
        with open_server(server, settings) as connection:
            return preauthorise(connection, file, settings.devices.initial_namespace)
    wishes = {"targetNamespace": namespace, "targetSet": set}
    spec = {"approved": True} | {field: value for field, value in wishes.items() if value is not None}

    def answer(connection: Server, path: str) -> str:
        connection.change("PATCH", path, {"spec": spec}, content_type=MERGE_PATCH)
        return "approved"

    return _answer_each(devices, answer, server, load(os.environ))


def decline(device: str, /, *devices: str, message: str = "", server: ServerOption = None) -> int:
    """Decline devices: they may not register. A registered device's certificate is no longer good for anything here.

    Parameters
    ----------
    device
        Id of a device.
    devices
        Ids of more devices.
    message
        Why; it is kept with the request.
    server
        URL of the API; this machine's unless given.
    """
    condition = {"type": "declined", "status": "True"} | ({"message": message} if message else {})

    def answer(connection: Server, path: str) -> str:
        connection.change("PATCH", f"{path}/status", {"status": {"conditions": [condition]}}, content_type=MERGE_PATCH)
        return "declined"

    return _answer_each((device, *devices), answer, server, load(os.environ), message)


def _answer_each(
    devices: tuple[str, ...],
    answer: Callable[[Server, str], str],
    server: str | None,
    settings: Settings,
    message: str = "",
) -> int:
    """Answer each device's signed request; the exit status."""
    status = 0
    namespace = settings.devices.initial_namespace
    with open_server(server, settings, message) as connection:
        for device in devices:
            try:
                outcome = answer(connection, resource_path(_KIND, namespace, device))
            except RefusedError as error:
                sys.stderr.write(f"muster: {device}: {_explained(error, device)}\n")
                status = 1
            else:
                sys.stdout.write(f"{_KIND.singular}/{device} {outcome}\n")
    return status


def _explained(error: RefusedError, device: str) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND and device in str(error):
        return (
            f"it has not asked to join: `muster get {_KIND.short_names[0]}` lists who has; "
            "to approve devices beforehand, name them in a CSV file: `muster approve -f FILE.csv`"
        )
    return str(error)
