"""Reads the protobuf bodies that kubectl sends since 1.32, whatever is offered.

It does so for `create namespace|secret|configmap`, `auth can-i` and `auth whoami`. Only what an author may say of these
kinds is read; the rest is skipped as protobuf lets readers do. Sources: Kubernetes API concepts, “Alternate
representations of resources”; generated.proto of core/v1, meta/v1, authorization/v1 and authentication/v1.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError

PROTOBUF_TYPE: Final = "application/vnd.kubernetes.protobuf"

_MAGIC: Final = b"k8s\x00"
_RAW: Final = 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}
_VARINT_LIMIT_BYTES: Final = 10

Value = bytes | int


class _Field(NamedTuple):
    """How a field is called in JSON, and how it is read; maps have an entry for each key."""

    name: str
    read: Callable[[Value], Any]
    is_map: bool = False


def read_protobuf(kind: str, body: bytes) -> JSONObject:
    """The body as a JSON object. Raises BadInputError."""
    if not body.startswith(_MAGIC):
        raise BadInputError("the body is not Kubernetes' protobuf: send JSON")
    raw = dict(_fields(body[len(_MAGIC) :])).get(_RAW, b"")
    return _read_message(_bytes(raw), _KINDS[kind])


def _read_message(data: bytes, known: Mapping[int, _Field]) -> JSONObject:
    message: JSONObject = {}
    for number, value in _fields(data):
        field = known.get(number)
        if field is None:
            continue
        if field.is_map:
            entry = dict(_fields(_bytes(value)))
            message.setdefault(field.name, {})[_text(entry.get(1, b""))] = field.read(entry.get(2, b""))
        else:
            message[field.name] = field.read(value)
    # An empty text is protobuf's way to say nothing.
    return {name: value for name, value in message.items() if value != ""}


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Numbers and values of a message's fields."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire_type = tag & 7
        if wire_type == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if wire_type == _BYTES:
            size, at = _varint(data, at)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise _broken()
        if at + size > len(data):
            raise _broken()
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[at : at + _VARINT_LIMIT_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    raise _broken()


def _broken() -> BadInputError:
    return BadInputError("the body is broken protobuf: send JSON")


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise _broken()
    return value


def _text(value: Value) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise _broken() from None


def _base64(value: Value) -> str:
    return b64encode(_bytes(value)).decode()


def _metadata(value: Value) -> JSONObject:
    return _read_message(_bytes(value), _METADATA)


_METADATA: Final = {
    1: _Field("name", _text),
    2: _Field("generateName", _text),
    3: _Field("namespace", _text),
    5: _Field("uid", _text),
    6: _Field("resourceVersion", _text),
    11: _Field("labels", _text, is_map=True),
    12: _Field("annotations", _text, is_map=True),
}
_RESOURCE_ATTRIBUTES: Final = {
    number: _Field(name, _text)
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_ACCESS_SPEC: Final = {
    1: _Field("resourceAttributes", lambda value: _read_message(_bytes(value), _RESOURCE_ATTRIBUTES)),
    2: _Field(
        "nonResourceAttributes",
        lambda value: _read_message(_bytes(value), {1: _Field("path", _text), 2: _Field("verb", _text)}),
    ),
}
_RULES_SPEC: Final = {1: _Field("namespace", _text)}
_KINDS: Final[Mapping[str, Mapping[int, _Field]]] = {
    "Namespace": {1: _Field("metadata", _metadata)},
    "Secret": {
        1: _Field("metadata", _metadata),
        2: _Field("data", _base64, is_map=True),
        3: _Field("type", _text),
        4: _Field("stringData", _text, is_map=True),
        5: _Field("immutable", bool),
    },
    "ConfigMap": {
        1: _Field("metadata", _metadata),
        2: _Field("data", _text, is_map=True),
        3: _Field("binaryData", _base64, is_map=True),
        4: _Field("immutable", bool),
    },
    "SelfSubjectReview": {},
    "SelfSubjectAccessReview": {2: _Field("spec", lambda value: _read_message(_bytes(value), _ACCESS_SPEC))},
    "SelfSubjectRulesReview": {2: _Field("spec", lambda value: _read_message(_bytes(value), _RULES_SPEC))},
}
PROTOBUF_KINDS: Final = frozenset(_KINDS)
