"""What the models of all kinds are made of: a base with Kubernetes' spelling, and bounded numbers.

A field that was not given is `UNSET`, which is false, and is left out when the model is written again. Defaults are
those of the resource definitions and are written into the resource, as the Kubernetes API does.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

__all__ = ["UNSET", "Count", "Int32", "Int64", "Name", "Port", "PositiveInt32", "Section", "UnsetType"]

_INT32_MAX = (1 << 31) - 1

Int32 = Annotated[int, Meta(ge=-_INT32_MAX - 1, le=_INT32_MAX)]
Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Count = Annotated[int, Meta(ge=0, le=_INT32_MAX)]
PositiveInt32 = Annotated[int, Meta(ge=1, le=_INT32_MAX)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Name = Annotated[str, Meta(min_length=1, max_length=253)]
"""The name of another resource."""


class Section(Struct, rename="camel"):
    """A part of a resource; field names are spelled in camelCase."""
