"""Where the statement of an INSERT ends and its data begins: everything after `FORMAT name` or `VALUES` is data.

The only place that reads SQL by itself, since the data may be large and binary. It finds no more than that border; the
statement before it is judged by the engine's parser like any other, and what it does not recognise has no border.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_STATEMENT_LIMIT_BYTES: Final = 256 * 1024
"""Data begins within this, which is ClickHouse's own limit for the text of a statement."""

_TOKEN = re.compile(
    rb"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|\#![^\n]*|\#\ [^\n]*|/\*.*?\*/)
    | (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMAT_NAME = re.compile(rb"\s+`?([A-Za-z_][A-Za-z0-9_]*)`?")

# After these comes no data of our concern: INSERT … SELECT is an ordinary statement.
_NO_DATA: Final = frozenset({b"SELECT", b"WITH", b"FROM", b"WATCH"})


class InsertText(NamedTuple):
    """An INSERT cut in two. `statement` stops before FORMAT or VALUES; the data starts at `data_at`."""

    statement: bytes
    format: str
    data_at: int


def split_insert(text: bytes) -> InsertText | None:
    """Find the border, or None when this is no INSERT that brings data."""
    words = _outer_words(text)
    first = next(words, None)
    if first is None or first.group().upper() != b"INSERT":
        return None
    for found in words:
        word = found.group().upper()
        if word in _NO_DATA:
            return None
        if word == b"VALUES":
            return InsertText(text[: found.start()], "Values", found.end())
        if word == b"FORMAT" and (name := _FORMAT_NAME.match(text, found.end())):
            return InsertText(text[: found.start()], name[1].decode(), _after_line(text, name.end()))
    return None


def _outer_words(text: bytes) -> Iterator[re.Match[bytes]]:
    """Words outside comments, quotes and brackets; none if the text starts with anything else."""
    depth = 0
    is_first = True
    for token in _TOKEN.finditer(text, 0, _STATEMENT_LIMIT_BYTES):
        kind = token.lastgroup
        if kind in ("space", "comment"):
            continue
        if is_first and kind != "word":
            return
        is_first = False
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "word" and depth == 0:
            yield token


def _after_line(text: bytes, at: int) -> int:
    """ClickHouse skips blanks and one line break before the data; blanks alone may belong to it only without one."""
    end = at
    while end < len(text) and text[end : end + 1] in (b" ", b"\t", b"\r"):
        end += 1
    return end + 1 if text[end : end + 1] == b"\n" else end
