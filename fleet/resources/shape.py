"""From a document's values to a typed model, with the exact path of whatever does not fit.

Fields that the model does not know are left out and noted; null means absent, as the Kubernetes API reads a field that
is not nullable. Where a model says `Any` (a pod's specification) everything is kept as it stands.
"""

import re
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from fleet.decisions.commands import JSONObject
from fleet.errors import InvalidResourceError
from fleet.names import shown
from fleet.resources.notes import Notes

Model = TypeVar("Model", bound=msgspec.Struct)

_AT = re.compile(r"^(?P<reason>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>.*)`$")
_type_info = cache(inspect.type_info)


def shape(content: JSONObject, model: type[Model], notes: Notes, path: str = "") -> Model:
    """Content as the model. Raises InvalidResourceError naming the field that does not fit, `path` before it."""
    return _convert(_prune(content, _type_info(model), path, notes), model, path)


def unshape(model: msgspec.Struct) -> JSONObject:
    """The model as JSON values, fields that were not given left out."""
    return cast("JSONObject", msgspec.to_builtins(model))


def _prune(value: Any, expected: inspect.Type, path: str, notes: Notes) -> Any:
    """Value without what the type does not know. What has a wrong type is left to `_convert`, which names it."""
    if isinstance(expected, inspect.StructType) and isinstance(value, dict):
        return _prune_fields(value, expected, path, notes)
    if isinstance(expected, inspect.ListType) and isinstance(value, list):
        return [_prune(item, expected.item_type, f"{path}[{index}]", notes) for index, item in enumerate(value)]
    if isinstance(expected, inspect.DictType) and isinstance(value, dict):
        return {key: _prune_entry(item, expected.value_type, f"{path}[{key}]", notes) for key, item in value.items()}
    if isinstance(expected, inspect.LiteralType) and isinstance(value, str) and value not in expected.values:
        allowed = ", ".join(sorted(str(each) for each in expected.values))
        raise InvalidResourceError(f"{path}: {shown(value)} is not possible: write one of {allowed}", path)
    return value


def _prune_fields(value: JSONObject, expected: inspect.StructType, path: str, notes: Notes) -> JSONObject:
    known = {field.encode_name: field.type for field in expected.fields}
    kept: JSONObject = {}
    for name, item in value.items():
        field = f"{path}.{name}" if path else name
        if name not in known:
            notes.unknown(field)
        elif item is not None:
            kept[name] = _prune(item, known[name], field, notes)
    return kept


def _prune_entry(value: Any, expected: inspect.Type, path: str, notes: Notes) -> Any:
    """An entry of a map, converted here already: msgspec's message would not name its key."""
    pruned = _prune(value, expected, path, notes)
    if isinstance(expected, inspect.StructType):
        _convert(pruned, expected.cls, path)
    elif _is_text(expected) and not isinstance(value, str) and (value is not None or not _is_nullable(expected)):
        raise InvalidResourceError(f"{path}: expected text, got {_json_type(value)}: quote it", path)
    return pruned


def _parts(expected: inspect.Type) -> tuple[inspect.Type, ...]:
    return expected.types if isinstance(expected, inspect.UnionType) else (expected,)


def _is_text(expected: inspect.Type) -> bool:
    return any(isinstance(part, inspect.StrType) for part in _parts(expected))


def _is_nullable(expected: inspect.Type) -> bool:
    return any(isinstance(part, inspect.NoneType) for part in _parts(expected))


def _convert(value: Any, model: type[Model], path: str) -> Model:
    try:
        return msgspec.convert(value, model)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), path) from None


def _invalid(message: str, path: str) -> InvalidResourceError:
    match = _AT.match(message)
    reason = match["reason"] if match else message
    field = path + ((match["path"] if match else None) or "")
    field = field.removeprefix(".")
    missing = _MISSING.match(reason)
    if missing:
        field = f"{field}.{missing['name']}" if field else missing["name"]
        return InvalidResourceError(f"{field} is missing: it is required", field)
    return InvalidResourceError(f"{field or 'the document'}: {reason[:1].lower()}{reason[1:]}", field)


def _json_type(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", dict: "a mapping", list: "a list"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
