"""What a reader of a resource noticed without refusing it: unknown fields, and warnings for its author."""

from fleet.errors import BadInputError

NOTES_LIMIT = 20
"""Warnings of each sort that are shown; an answer's headers are bounded, and the first ones say enough."""


class Notes:
    """Collects while one document is read."""

    def __init__(self) -> None:
        self._unknown: list[str] = []
        self._warnings: list[str] = []

    def unknown(self, field: str) -> None:
        """A field that the kind does not have; it is left out."""
        self._unknown.append(field)

    def warn(self, message: str) -> None:
        """Something the writer should know though the document is accepted."""
        self._warnings.append(message)

    def refuse_unknown(self) -> None:
        """Raise BadInputError if a field was unknown, in the words `kubectl` knows."""
        if self._unknown:
            raise BadInputError(f"strict decoding error: {', '.join(_bounded(self._unknown_messages()))}")

    def warnings(self, *, with_unknown: bool) -> list[str]:
        """Every warning in the order of reading, unknown fields first."""
        unknown = _bounded(self._unknown_messages()) if with_unknown else []
        return [*unknown, *_bounded(self._warnings)]

    def _unknown_messages(self) -> list[str]:
        return [f'unknown field "{field}"' for field in self._unknown]


def _bounded(messages: list[str]) -> list[str]:
    if len(messages) <= NOTES_LIMIT:
        return messages
    return [*messages[:NOTES_LIMIT], f"and {len(messages) - NOTES_LIMIT} more like these"]
