"""Judges YAML by its events, before a value is built: depth, documents, what aliases would grow to, doubled keys.

Building a value recurses and follows aliases, so a few lines could cost all memory; events cost one step each.
"""

from typing import Any

import yaml

from fleet.errors import BadInputError, TooLargeError
from fleet.names import shown
from fleet.resources.json_values import DEPTH_LIMIT

_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str"))
"""Tags of what JSON has. Any other is more often a password that begins with `!` than a tag: it is never repeated."""

ALIAS_NODES_LIMIT = 100_000
"""Nodes that all aliases of a text may stand for together; a few lines of aliases can stand for billions."""


class _Open:
    """A mapping or sequence whose end has not come: its anchor, its size so far, and a mapping's keys."""

    __slots__ = ("anchor", "is_mapping", "keys", "parts", "size")

    def __init__(self, event: Any) -> None:
        self.anchor: str | None = event.anchor
        self.is_mapping = isinstance(event, yaml.MappingStartEvent)
        self.keys: set[str] = set()
        self.parts = 0
        self.size = 1


class EventCheck:
    """Takes the events of one text in order. Raises BadInputError with the line, TooLargeError beyond a limit."""

    def __init__(self, documents_limit: int) -> None:
        self._documents_limit = documents_limit
        self._documents = 0
        self._alias_nodes = 0
        self._sizes: dict[str, int] = {}
        self._nesting: list[_Open] = []

    def take(self, event: Any) -> None:
        """The next event."""
        if getattr(event, "tag", None) not in (None, "!") and event.tag not in _TAGS:
            raise _refused(event, "no tags are possible here: quote text that begins with '!'")
        if isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._enter(event, 1)
            if event.anchor:
                self._sizes[event.anchor] = 1
        elif isinstance(event, yaml.DocumentStartEvent):
            self._begin()

    @property
    def documents(self) -> int:
        """How many have begun."""
        return self._documents

    def _begin(self) -> None:
        self._documents += 1
        self._sizes.clear()
        if self._documents > self._documents_limit:
            raise TooLargeError(f"more than {self._documents_limit} documents: split the file")

    def _open(self, event: Any) -> None:
        self._enter(event, 1)
        if len(self._nesting) >= DEPTH_LIMIT:
            raise _refused(event, f"nested deeper than {DEPTH_LIMIT} levels: flatten it")
        self._nesting.append(_Open(event))

    def _close(self) -> None:
        ended = self._nesting.pop()
        if ended.anchor:
            self._sizes[ended.anchor] = ended.size
        if self._nesting:
            # Its beginning was counted when it was entered.
            self._nesting[-1].size += ended.size - 1

    def _alias(self, event: Any) -> None:
        size = self._sizes.get(event.anchor)
        if size is None:
            raise _refused(event, "an alias must stand after what it repeats, not inside it")
        self._alias_nodes += size
        if self._alias_nodes > ALIAS_NODES_LIMIT:
            raise _refused(event, f"aliases stand for more than {ALIAS_NODES_LIMIT} values: write them out")
        self._enter(event, size)

    def _enter(self, event: Any, size: int) -> None:
        """Count a part of the innermost collection; in a mapping every other part is a key."""
        if not self._nesting:
            return
        parent = self._nesting[-1]
        parent.size += size
        parent.parts += 1
        if not parent.is_mapping or parent.parts % 2 == 0:
            return
        if not isinstance(event, yaml.ScalarEvent):
            raise _refused(event, "a key must be plain text")
        if event.value in parent.keys:
            raise _refused(event, f"the key {shown(event.value)} is there twice: remove one")
        parent.keys.add(event.value)


def _refused(event: Any, reason: str) -> BadInputError:
    return BadInputError(f"line {event.start_mark.line + 1}: {reason}")
