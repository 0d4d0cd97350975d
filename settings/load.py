"""From `MUSTER_*` variables to `Settings`: a wrong or unknown variable stops the start with a line that names it."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from settings.values import Settings

PREFIX = "MUSTER_"

# Slices whose variables leave the slice's name out, and fields that carry the slice's name alone.
_PLAIN_SLICES = frozenset({"local"})
_NAMED_AS_SLICE = frozenset({("kafka", "servers"), ("clickhouse", "url")})

_TYPES_SAID = {
    "Expected `bool`, got `str`": "write true or false",
    "Expected `int`, got `str`": "write a whole number",
    "Expected `float`, got `str`": "write a number",
}


class SettingsError(Exception):
    """A variable cannot be used; the message names it and says what it takes."""


class Variable(NamedTuple):
    """One setting as `muster settings` lists it."""

    name: str
    slice_name: str
    field_name: str
    type: Any
    default: Any
    description: str


def load(environ: Mapping[str, str]) -> Settings:
    """Read every `MUSTER_*` variable. Raises SettingsError naming the first that is unknown or out of bounds."""
    variables = {variable.name: variable for variable in describe()}
    values: dict[str, dict[str, Any]] = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        variable = variables.get(name)
        if variable is None:
            near = get_close_matches(name, variables, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; `muster settings` lists all"
            raise SettingsError(f"{name} is not a setting{hint}")
        try:
            value = msgspec.convert(text, variable.type, strict=False, dec_hook=_read_path)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{name}={text!r}: {_said(str(error))} ({variable.description})") from None
        values.setdefault(variable.slice_name, {})[variable.field_name] = value
    slices = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    return Settings(**{name: slices[name](**fields) for name, fields in values.items()})


def describe() -> Iterator[Variable]:
    """Every setting, in the order of `settings.values`."""
    for slice_field in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(slice_field.type):
            yield Variable(
                _variable_name(slice_field.name, field.name),
                slice_field.name,
                field.name,
                field.type,
                field.default,
                _description(field.type),
            )


def _said(error: str) -> str:
    """What to write instead, for someone who does not know Python's types."""
    return _TYPES_SAID.get(error) or error[0].lower() + error[1:].replace("`", "")


def _read_path(wanted: Any, value: Any) -> Any:
    if wanted is Path and isinstance(value, str) and value:
        return Path(value).expanduser().absolute()
    raise ValueError("expected a path")


def _variable_name(slice_name: str, field_name: str) -> str:
    if slice_name in _PLAIN_SLICES:
        return f"{PREFIX}{field_name}".upper()
    if (slice_name, field_name) in _NAMED_AS_SLICE:
        return f"{PREFIX}{slice_name}".upper()
    return f"{PREFIX}{slice_name}_{field_name}".upper()


def _description(annotated: Any) -> str:
    """The description in `Annotated[…, Meta(description=…)]`; nested metadata (a Port's bounds) comes first."""
    descriptions = [meta.description for meta in getattr(annotated, "__metadata__", ()) if meta.description]
    return descriptions[-1] if descriptions else ""
