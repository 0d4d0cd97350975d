"""Answers reads as tables when a client asks for them: `kubectl get` prints what the server put into cells.

Source: Kubernetes API concepts, “Receiving resources as Tables”.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal

from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError
from fleet.names import shown
from fleet.resources.columns import Column, columns

_EMPTY: Final = "<none>"
"""As kubectl's own tables have it, so that the words of a line can be counted."""

IncludeObject = Literal["None", "Metadata", "Object"]
"""How much of each resource stands beside its cells; `kubectl` takes namespaces and labels from its metadata."""

_INCLUDES: Final[dict[str, IncludeObject]] = {"None": "None", "Metadata": "Metadata", "Object": "Object"}


def wants_table(accept: str) -> bool:
    """Whether a client reads tables rather than the resources themselves."""
    first = accept.partition(",")[0].replace(" ", "")
    return first.startswith("application/json;") and {"as=Table", "v=v1", "g=meta.k8s.io"} <= set(first.split(";"))


def read_include(text: str | None) -> IncludeObject:
    """The query's `includeObject`. Raises BadInputError."""
    if text is None:
        return "Metadata"
    if text not in _INCLUDES:
        raise BadInputError(f"includeObject is None, Metadata or Object, not {shown(text)}")
    return _INCLUDES[text]


def table(
    kind: str, bodies: Iterable[JSONObject], metadata: JSONObject, now: datetime, include: IncludeObject
) -> dict[str, Any]:
    """The resources as rows; ages as of now."""
    shown_columns = columns(kind)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in shown_columns],
        "rows": [_row(shown_columns, body, now, include) for body in bodies],
    }


def _definition(column: Column) -> JSONObject:
    return {
        "name": column.heading.title(),
        "type": "string",
        "format": "name" if column.heading == "NAME" else "",
        "description": "",
        "priority": int(column.is_wide),
    }


def _row(shown_columns: Iterable[Column], body: JSONObject, now: datetime, include: IncludeObject) -> JSONObject:
    row: JSONObject = {"cells": [column.text(body, now) or _EMPTY for column in shown_columns]}
    if include == "Object":
        row["object"] = body
    elif include == "Metadata":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": body["metadata"],
        }
    return row
