"""JSON patch (RFC 6902): a list of operations, bounded in number and in what copying can make of a resource."""

from typing import Any, Final

import jsonpatch
import msgspec

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError, InvalidResourceError
from fleet.names import shown

OPERATIONS_LIMIT: Final = 1000

COPIES_LIMIT: Final = 20
"""Copies in a patch: each may double the resource, so it is measured after each."""

_encode = msgspec.json.Encoder().encode


def json_patch(target: JSONObject, operations: list[Any], limit_bytes: int) -> JSONObject:
    """The target with all operations applied, or none. Raises BadInputError or InvalidResourceError."""
    if len(operations) > OPERATIONS_LIMIT:
        raise BadInputError(f"the patch has {len(operations)} operations, {OPERATIONS_LIMIT} are possible")
    patched: Any = target
    copies = 0
    for index, operation in enumerate(operations):
        patched = _applied(patched, operation, index)
        if operation.get("op") == "copy":
            copies += 1
            if copies > COPIES_LIMIT or len(_encode(patched)) > limit_bytes:
                raise BadInputError(
                    f"operation {index} copies too much: a patch has at most {COPIES_LIMIT} copies and makes a "
                    f"resource of at most {limit_bytes} bytes"
                )
    if not isinstance(patched, dict):
        raise InvalidResourceError("the patch leaves no mapping: patch fields of the resource")
    return patched


def _applied(document: Any, operation: Any, index: int) -> Any:
    try:
        return jsonpatch.JsonPatch([operation]).apply(document)
    except jsonpatch.JsonPatchTestFailed:
        raise InvalidResourceError(f"operation {index}: the test failed at {_path(operation)}") from None
    except jsonpatch.InvalidJsonPatch as error:
        raise BadInputError(f"operation {index} cannot be read: {error}") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError, IndexError):
        raise InvalidResourceError(f"operation {index}: there is no place {_path(operation)} to apply it") from None


def _path(operation: Any) -> str:
    return shown(str(operation.get("path", ""))) if isinstance(operation, dict) else "''"
