"""Which resources of a list a request wants: by labels, and by name and namespace."""

from typing import Final, NamedTuple

import msgspec

from api.resources.field_selectors import RESOURCE_FIELDS, SelectsFields, read_field_selector
from fleet.decisions.stored_resource import StoredResource
from fleet.label_selectors import read_selector
from fleet.selection import Selector


class _Metadata(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Labelled(msgspec.Struct):
    metadata: _Metadata


_decode_labels = msgspec.json.Decoder(_Labelled).decode
"""Reads the labels of a packed resource and nothing else: a list over a whole fleet looks at every one."""


class Selection(NamedTuple):
    """What a list is narrowed by; None selects everything."""

    labels: Selector | None
    fields: SelectsFields | None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.labels is None and self.fields is None

    def selects(self, namespace: str, name: str, held: StoredResource) -> bool:
        """Whether a resource belongs to the list."""
        if self.fields and not self.fields({"metadata.namespace": namespace, "metadata.name": name}):
            return False
        return self.labels is None or self.labels.matches(_labels(held))


EVERYTHING: Final = Selection(None, None)


def read_selection(label_selector: str | None, field_selector: str | None) -> Selection:
    """The query's `labelSelector` and `fieldSelector`. Raises BadInputError."""
    return Selection(
        read_selector(label_selector) if label_selector else None,
        read_field_selector(field_selector, RESOURCE_FIELDS) if field_selector else None,
    )


def _labels(held: StoredResource) -> dict[str, str]:
    if isinstance(held.content, dict):
        return held.content["metadata"].get("labels") or {}
    return _decode_labels(held.json).metadata.labels or {}
