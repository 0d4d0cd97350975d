"""`muster device …`: lets a device register another key, or takes the use of its certificate away."""

import os
import sys
from urllib.parse import quote

from cli.http_client import MERGE_PATCH
from cli.options import NamespaceOption, ServerOption
from cli.resources.resource_paths import resource_path
from cli.server_address import open_server
from fleet.resources import KINDS
from settings import load


def reset_key(device: str, /, *, namespace: NamespaceOption = None, server: ServerOption = None) -> int:
    """Let a registered device register another key, once: after a repair, say. Until then its key stays good.

    Parameters
    ----------
    device
        Id of the device.
    namespace
        Where the device is; the initial namespace unless given.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    where = namespace or settings.devices.initial_namespace
    with open_server(server, settings) as connection:
        path = f"/muster/v1/namespaces/{quote(where, safe='')}/devices/{quote(device, safe='')}/reset-key"
        connection.change("POST", path)
    sys.stdout.write(f"edgedevice/{device} may register another key once\n")
    return 0


def revoke(device: str, /, *, message: str = "", server: ServerOption = None) -> int:
    """Take a device out of service for good: it is told to disconnect, and its certificate is good for nothing here.

    Parameters
    ----------
    device
        Id of the device.
    message
        Why; it is kept with its signed request.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    condition = {"type": "declined", "status": "True"} | ({"message": message} if message else {})
    with open_server(server, settings, message) as connection:
        path = resource_path(
            KINDS["EdgeDeviceSignedRequest"], settings.devices.initial_namespace, device, subresource="status"
        )
        connection.change("PATCH", path, {"status": {"conditions": [condition]}}, content_type=MERGE_PATCH)
    sys.stdout.write(f"edgedevice/{device} revoked\n")
    return 0
