"""Looks into what a worker remembers of one device."""

from fleet.heartbeats.batch import DeviceKey
from fleet.heartbeats.device_memory import DeviceMemory
from fleet.heartbeats.rows import ContentRow


def content_of(memory: DeviceMemory, key: DeviceKey) -> ContentRow | None:
    """What the device said last, if that is remembered."""
    known = memory.get(*key)
    return known and memory.content(memory.number(*key), key, known)
