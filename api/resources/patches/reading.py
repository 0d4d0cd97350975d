"""Reads a PATCH request: which sort of patch its content type names, and what it expects of the resource."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from api.errors import UnsupportedMediaTypeError
from api.resources.patches.json_patch import json_patch
from api.resources.patches.strategic_merge_patch import strategic_merge_patch
from api.resources.preconditions import NONE_EXPECTED, Preconditions, preconditions
from fleet.decisions.commands import JSONObject
from fleet.devices.json_bodies import read_object
from fleet.names import shown
from fleet.resources import Kind
from fleet.resources.merge_patch import merge_patch

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
JSON: Final = "application/json-patch+json"
APPLY: Final = "application/apply-patch+yaml"

PATCHED_LIMIT_BYTES: Final = 3_000_000
"""What copying may make of a resource before its own limits are looked at."""

_decode_object = msgspec.json.Decoder(dict[str, Any])
_decode_list = msgspec.json.Decoder(list[Any])


class Patch(NamedTuple):
    """What a patch makes of a resource's body, and what must hold for it."""

    apply: Callable[[JSONObject], JSONObject]
    expected: Preconditions


def read_patch(kind: Kind, content_type: str, body: bytes) -> Patch:
    """The patch. Raises UnsupportedMediaTypeError or BadInputError; applying it may raise BadInputError as well."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON:
        operations = read_object(_decode_list, body, "patch")
        return Patch(lambda target: json_patch(target, operations, PATCHED_LIMIT_BYTES), NONE_EXPECTED)
    if media_type == MERGE or (media_type == STRATEGIC and not kind.group):
        patch = read_object(_decode_object, body, "patch")
        merge = merge_patch if media_type == MERGE else strategic_merge_patch
        return Patch(lambda target: merge(target, patch), preconditions(patch))
    if media_type == APPLY:
        raise UnsupportedMediaTypeError("server-side apply is not supported: apply without --server-side")
    wanted = [MERGE, JSON] + [STRATEGIC] * (not kind.group)
    raise UnsupportedMediaTypeError(
        f"the content type {shown(media_type)} is not read here: send {' or '.join(wanted)} (kubectl patch --type)"
    )
