"""The kinds of resources operators know, their models and their rules."""

from fleet.resources.kinds import KINDS, Kind, kind_by_any_name, kind_by_plural, kind_of
from fleet.resources.validation import UnknownFields, Validated, validate

__all__ = [
    "KINDS",
    "Kind",
    "UnknownFields",
    "Validated",
    "kind_by_any_name",
    "kind_by_plural",
    "kind_of",
    "validate",
]
