"""Reads the paths of the six calls, raw: what is escaped, upper-case or `..` never becomes a name.

The Edge API sends `..` as it is and a slash within an id as `%2F` (CONTRACT.md “Ids and namespaces come from the
attacker”), so paths are neither decoded nor normalised.
"""

from msgspec import Struct

from fleet.errors import NotFoundError
from fleet.names import check_device_id, check_namespace, shown

BASE_PATH = "/api/flotta-backend/v1"
_BASE = BASE_PATH.encode()
_SEGMENTS = 5  # namespaces, a namespace, devices, an id, the call


class DevicePath(Struct, frozen=True, gc=False):
    """Which call about which device, in which namespace."""

    namespace: str
    device_id: str
    call: str


def is_device_path(raw_path: bytes) -> bool:
    """Whether the path belongs to the device plane, be it one of the six or not."""
    return raw_path.startswith(_BASE) and raw_path[len(_BASE) : len(_BASE) + 1] in (b"", b"/")


def read_device_path(raw_path: bytes) -> DevicePath:
    """Take a path apart. Raises NotFoundError for another shape and BadInputError for what is no name."""
    segments = raw_path[len(_BASE) + 1 :].decode("latin-1").split("/")
    if len(segments) != _SEGMENTS or segments[0] != "namespaces" or segments[2] != "devices":
        raise NotFoundError(
            f"there is no path {shown(raw_path.decode('latin-1'))}: calls are "
            f"{BASE_PATH}/namespaces/NAMESPACE/devices/DEVICE/CALL"
        )
    _, namespace, _, device_id, call = segments
    check_namespace(namespace)
    check_device_id(device_id)
    return DevicePath(namespace, device_id, call)
