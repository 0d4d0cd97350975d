"""What a statement is, as the engine's own parser reads it: nothing here guesses at SQL.

`formatQuery` reads exactly one statement (a second one is a syntax error) and writes it canonically; `EXPLAIN AST` of
that text gives its tree, from which kind, names and functions are taken.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from local.clickhouse.errors import ClickHouseError, access_denied

Run = Callable[[str, Mapping[str, str]], bytes]
"""Runs a statement with parameters and gives its answer as raw text. Raises ClickHouseError."""

_NODE = re.compile(r"^( *)([A-Za-z]+)(?: ([^\n]*?))?(?: \(alias .*)?(?: \(children \d+\))?$")
_FORMAT_CLAUSE = re.compile(r"^FORMAT `?(\w+)`?$", re.MULTILINE)
# In canonical text a line break stands only between clauses: inside literals and names it is written as \n.
_OUTFILE_CLAUSE = re.compile(r"^ *INTO OUTFILE ", re.MULTILINE)
_INFILE_CLAUSE = re.compile(r"^INSERT INTO .* FROM INFILE ''", re.MULTILINE)
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'")

_WITHOUT_ROWS: Final = ("Alter", "Create", "Drop", "Insert", "Optimize", "Rename", "Set", "System", "Truncate", "Use")


class Statement(NamedTuple):
    """One statement.

    `kind` is its root in the tree, such as `SelectWithUnionQuery`. `names` are tables, columns and databases as
    written; `functions` those called anywhere, `table_functions` those in a FROM.
    """

    text: str
    canonical: str
    kind: str
    format: str | None
    writes_or_reads_files: bool
    names: frozenset[str]
    functions: frozenset[str]
    table_functions: frozenset[str]

    @property
    def is_select(self) -> bool:
        """Whether its answer can be described and streamed."""
        return self.kind == "SelectWithUnionQuery"

    @property
    def has_rows(self) -> bool:
        """Whether it answers with rows, be they none."""
        return not self.kind.startswith(_WITHOUT_ROWS)

    @property
    def without_format(self) -> str:
        """Canonical, its FORMAT clause left out."""
        return _FORMAT_CLAUSE.sub("", self.canonical)


def read_statement(text: str, parameters: Mapping[str, str], run: Run) -> Statement:
    """Read one statement. Raises ClickHouseError 62 for what does not parse or is more than one.

    The owner's: what runs is `text`.
    """
    return _read(text, _canonical(text, run), parameters, run)


def read_foreign_statement(text: str, parameters: Mapping[str, str], run: Run) -> Statement:
    """As `read_statement`, for a statement of which the canonical text is to run.

    That text must read back as itself: whatever the engine's writer of statements got wrong cannot become a second
    statement, or another one than was judged.
    """
    canonical = _canonical(text, run)
    if _canonical(canonical, run) != canonical:
        raise access_denied("Not enough privileges. This statement does not read back as itself: write it differently")
    return _read(text, canonical, parameters, run)


def _read(text: str, canonical: str, parameters: Mapping[str, str], run: Run) -> Statement:
    files = bool(_OUTFILE_CLAUSE.search(canonical) or _INFILE_CLAUSE.search(_LITERAL.sub("''", canonical)))
    # EXPLAIN would carry out an INTO OUTFILE.
    tree = "" if files else run(f"EXPLAIN AST {canonical}", parameters).decode()
    nodes = list(_nodes(tree))
    formats = _FORMAT_CLAUSE.findall(canonical)
    return Statement(
        text,
        canonical,
        nodes[0].kind if nodes else "",
        formats[-1] if formats else None,
        files,
        frozenset(node.name for node in nodes if node.kind in ("TableIdentifier", "Identifier")),
        frozenset(node.name for node in nodes if node.kind == "Function"),
        frozenset(node.name for node in nodes if node.kind == "Function" and node.parent == "TableExpression"),
    )


def _canonical(text: str, run: Run) -> str:
    try:
        return run("SELECT formatQuery({statement:String})", {"statement": _escaped(text)}).decode()
    except ClickHouseError as error:
        # The statement is wrong, not the one around it.
        raise ClickHouseError(
            error.code, error.name, error.reason.partition(": In scope SELECT formatQuery(")[0]
        ) from None


class _Node(NamedTuple):
    kind: str
    name: str
    parent: str


def _nodes(tree: str) -> list[_Node]:
    """Every line. A name with a line break in it makes lines that only look like nodes: more of them, never fewer."""
    nodes: list[_Node] = []
    path: list[tuple[int, str]] = []
    for line in tree.splitlines():
        found = _NODE.match(line)
        if found is None:
            continue
        depth, kind, name = len(found[1]), found[2], found[3] or ""
        while path and path[-1][0] >= depth:
            path.pop()
        nodes.append(_Node(kind, name, path[-1][1] if path else ""))
        path.append((depth, kind))
    return nodes


def _escaped(text: str) -> str:
    """A query parameter's value is read as in a tab-separated line."""
    if "\0" in text:
        raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error: a statement cannot contain the character NUL")
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
