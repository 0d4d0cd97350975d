"""A caller that repeats a request means the same change, whatever was added to it by chance."""

from typing import Any

import msgspec
import pytest

from fleet.decisions.commands import Command, DeleteResource, EnrolDevice, PutResource, ResourceKey
from fleet.decisions.repeats import is_repeat
from fleet.sealing import KeyRing

KEYS = KeyRing({"k": b"k" * 32}, "k", b"i" * 32)


def put(uid: str, **changes: Any) -> PutResource:
    """A set is created."""
    body = {"metadata": {"name": "kiosks", "namespace": "default"}, "spec": {}}
    command = PutResource(ResourceKey("EdgeDeviceSet", "default", "kiosks"), body, "create", uid)
    return msgspec.structs.replace(command, **changes)


def put_secret(nonce: bytes, value: str = "MQ==") -> PutResource:
    """A Secret is created."""
    body = {"metadata": {"name": "s", "namespace": "default"}, "type": "Opaque", "data": {"k": value}}
    return PutResource(ResourceKey("Secret", "default", "s"), KEYS.seal(body, nonce), "create", "u")


def enrol(uid: str, namespace: str = "default") -> EnrolDevice:
    """A device asks to join."""
    return EnrolDevice("d1", namespace, {}, is_auto_approved=False, uid=uid, device_uid=uid)


SECRET = put_secret(bytes(12))
DELETE = DeleteResource(ResourceKey("EdgeDeviceSet", "default", "kiosks"))


@pytest.mark.parametrize(
    ("first", "again"),
    [(put("a"), put("b")), (SECRET, put_secret(bytes(range(12)))), (enrol("a"), enrol("b")), (DELETE, DELETE)],
)
def test_uids_and_nonces_make_no_other_change(first: Command, again: Command) -> None:
    """They are drawn anew for each request."""
    assert is_repeat(first, again)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (put("a"), put("a", mode="replace")),
        (put("a"), put("a", body={"metadata": {"name": "kiosks", "namespace": "default"}, "spec": {"x": 1}})),
        (put("a"), put("a", expected_revision=7)),
        (SECRET, put_secret(bytes(12), "Mg==")),
        (enrol("a"), enrol("a", "shops")),
        (put("a"), DELETE),
    ],
)
def test_what_the_caller_chose_makes_another_change(first: Command, again: Command) -> None:
    """Content, preconditions, place."""
    assert not is_repeat(first, again)
