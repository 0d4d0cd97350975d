"""Protobuf bodies of core kinds, and bytes that only look like them."""

import contextlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.resources.protobuf_bodies import PROTOBUF_KINDS, read_protobuf
from fleet.errors import BadInputError


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, shorter than 128."""
    return bytes([number << 3 | 2, len(content)]) + content


def body(content: bytes) -> bytes:
    """In the envelope, after the type it names."""
    return b"k8s\0" + field(1, field(1, b"v1")) + field(2, content)


def test_a_secret_is_read() -> None:
    """Bytes become base64, maps have an entry for each key, fields of the server's are skipped."""
    metadata = field(1, b"s") + field(2, b"") + field(8, b"") + field(11, field(1, b"l") + field(2, b"1"))
    data = field(2, field(1, b"k") + field(2, b"\xff\0")) + field(2, field(1, b"empty"))
    message = field(1, metadata) + data + field(3, b"Opaque") + bytes([5 << 3, 1])
    assert read_protobuf("Secret", body(message)) == {
        "metadata": {"name": "s", "labels": {"l": "1"}},
        "data": {"k": b64encode(b"\xff\0").decode(), "empty": ""},
        "type": "Opaque",
        "immutable": True,
    }


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"k8s\0\x12\x7f",
        b"k8s\0" + b"\xff" * 11,
        b"k8s\0\x13",
        body(field(1, field(1, b"\xff"))),
        body(b"\x08\x01"),
    ],
)
def test_broken_bytes_are_refused(broken: bytes) -> None:
    """With what to send instead."""
    with pytest.raises(BadInputError, match="send JSON"):
        read_protobuf("Secret", broken)


@given(kind=st.sampled_from(sorted(PROTOBUF_KINDS)), content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: str, content: bytes) -> None:
    """Nothing else leaves the reader."""
    with contextlib.suppress(BadInputError):
        assert isinstance(read_protobuf(kind, b"k8s\0" + content), dict)
