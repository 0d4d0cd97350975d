"""Columns of plain text, aligned as `kubectl` aligns them: for people, and for `grep` and `awk`."""

from collections.abc import Sequence

GAP = 3


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows under their headings, one line each. A cell never breaks its line; an empty one reads `<none>`."""
    lines = [headings, *([_cell(text) for text in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) + GAP for column in range(len(headings))]
    return "".join(
        "".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _cell(text: str) -> str:
    return " ".join(text.split()) or "<none>"
