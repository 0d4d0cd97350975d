"""From a request to its answer, in a worker thread: prepare a connection, judge the statement, run it, hand it over."""

import json
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from threading import Lock
from typing import Final, NamedTuple

from local.clickhouse.engine import Connection, Counts, Engine
from local.clickhouse.engine_files import QueryLimits
from local.clickhouse.errors import ClickHouseError
from local.clickhouse.insert_text import InsertText, split_insert
from local.clickhouse.native_block import empty_native_block
from local.clickhouse.permissions import check_database, check_settings, check_statement
from local.clickhouse.request import Asked
from local.clickhouse.statement import Statement, read_foreign_statement, read_statement
from local.clickhouse.users import Role

_MIB: Final = 1024 * 1024
_UNKNOWN_DATABASE: Final = 81

# Formats whose blocks make one valid answer when put one after the other: nothing before, between or after them.
_STREAMABLE: Final = frozenset(
    name.lower()
    for name in (
        "CSV",
        "JSONCompactEachRow",
        "JSONCompactStringsEachRow",
        "JSONEachRow",
        "JSONLines",
        "JSONStringsEachRow",
        "NDJSON",
        "Native",
        "RowBinary",
        "TSKV",
        "TSV",
        "TSVRaw",
        "TabSeparated",
        "TabSeparatedRaw",
    )
)

_CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "csvwithnamesandtypes": "text/csv; charset=UTF-8; header=present",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsonstrings": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "jsoncompacteachrow": "application/x-ndjson; charset=UTF-8",
    "jsonlines": "application/x-ndjson; charset=UTF-8",
    "ndjson": "application/x-ndjson; charset=UTF-8",
    "native": "application/octet-stream",
    "parquet": "application/octet-stream",
    "arrow": "application/octet-stream",
    "arrowstream": "application/octet-stream",
    "rowbinary": "application/octet-stream",
    "rowbinarywithnames": "application/octet-stream",
    "rowbinarywithnamesandtypes": "application/octet-stream",
    "xml": "application/xml; charset=UTF-8",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tabseparatedwithnames": "text/tab-separated-values; charset=UTF-8",
    "tabseparatedwithnamesandtypes": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
}

_INSERT_SETTINGS: Final = {
    # Several threads share out what one does in milliseconds, with buffers of their own.
    "input_format_parallel_parsing": "0",
    "max_insert_threads": "1",
    "max_threads": "1",
    # Rows of one key are hardly ever in one insert; merges and FINAL find those that are.
    "optimize_on_insert": "0",
}
"""For inserts of data, which are many and small. A caller's own settings come after these."""

_REMEMBERED_STATEMENTS: Final = 512
_REMEMBERED_TEXT_CHARACTERS: Final = 16_384


class Answer(NamedTuple):
    """The start of an answer. `body` is all of it, or None when pieces follow."""

    format: str | None
    content_type: str
    counts: Counts
    body: bytes | None

    def summary(self) -> str:
        """X-ClickHouse-Summary."""
        counts = {name: str(value) for name, value in self.counts._asdict().items()}
        return json.dumps({**counts, "total_rows_to_read": "0"}, separators=(",", ":"))


class Answers:
    """Answers requests from the engine. Safe for use by many threads."""

    def __init__(self, engine: Engine, database: str, limits: QueryLimits) -> None:
        self._engine = engine
        self._database = database
        self._limits = limits
        self._running: set[str] = set()
        self._known: OrderedDict[tuple[Role, str], Statement] = OrderedDict()
        self._lock = Lock()

    def perform(self, asked: Asked, role: Role, mark: str) -> Generator[Answer | bytes, None, None]:
        """Yield an Answer, then its pieces if it has no body of its own. `mark` is what `Engine.kill` knows it by.

        Raises ClickHouseError before the first piece, or among them. Close the iterator to cancel.
        """
        check_settings(asked.settings)
        self._running.add(mark)
        try:
            yield from self._perform(asked, role, mark)
        finally:
            self._running.discard(mark)

    def cancel_all(self) -> None:
        """Cancel every statement that runs. Blocks for some milliseconds."""
        if marks := self._running.copy():
            self._engine.kill(sorted(marks))

    def _perform(self, asked: Asked, role: Role, mark: str) -> Iterator[Answer | bytes]:
        insert = split_insert(asked.text)
        with self._engine.connection(role) as connection:
            # readonly 2: reading, and settings within the profile's bounds.
            is_read_only = role is Role.ANALYST or asked.is_read_only
            own = _INSERT_SETTINGS if insert else {}
            connection.set({"log_comment": mark, **own, **({"readonly": "2"} if is_read_only else {})})
            if insert is not None:
                yield self._insert(connection, role, asked, insert)
                return
            statement = self._read(connection, role, asked.text, asked.parameters)
            check_statement(statement, role)
            self._prepare(connection, role, asked)
            yield from self._select(connection, role, asked, statement)

    def _prepare(self, connection: Connection, role: Role, asked: Asked) -> None:
        database = asked.database or (self._database if role is Role.ANALYST else "default")
        check_database(database, role, self._database)
        try:
            connection.use(database)
        except ClickHouseError as error:
            # An analyst's own database is there only after set-up.
            if asked.database or error.code != _UNKNOWN_DATABASE:
                raise
        connection.set(asked.settings)

    def _read(
        self, connection: Connection, role: Role, statement_text: bytes, parameters: Mapping[str, str]
    ) -> Statement:
        """Read the statement with the engine's parser, or remember it: clients say the same again and again."""
        try:
            text = statement_text.decode()
        except UnicodeDecodeError:
            raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error: the statement is not UTF-8") from None
        with self._lock:
            if known := self._known.get((role, text)):
                self._known.move_to_end((role, text))
                return known
        read = read_foreign_statement if role is Role.ANALYST else read_statement
        statement = read(text, parameters, connection.text)
        # A name in a parameter is part of the tree, so such a statement is another one each time.
        if len(text) <= _REMEMBERED_TEXT_CHARACTERS and "Identifier}" not in statement.canonical:
            with self._lock:
                self._known[role, text] = statement
                if len(self._known) > _REMEMBERED_STATEMENTS:
                    self._known.popitem(last=False)
        return statement

    def _insert(self, connection: Connection, role: Role, asked: Asked, insert: InsertText) -> Answer:
        if role is Role.ANALYST:
            raise ClickHouseError(164, "READONLY", "Cannot execute query in readonly mode. Analysts only read", 403)
        head = insert.statement.decode(errors="replace")
        check_statement(self._read(connection, role, f"{head} FORMAT {insert.format}".encode(), {}), role)
        self._prepare(connection, role, asked)
        # Values may name parameters, and an insert takes them from its connection.
        connection.set({f"param_{name}": value for name, value in asked.parameters.items()})
        counts = connection.insert(head, insert.format, asked.text[insert.data_at :])
        return Answer(None, "text/plain; charset=UTF-8", counts, b"")

    def _select(
        self, connection: Connection, role: Role, asked: Asked, statement: Statement
    ) -> Iterator[Answer | bytes]:
        # What was judged is what runs; the owner keeps own words, so that an error's position is where it was made.
        text = statement.canonical if role is Role.ANALYST else statement.text
        name = (statement.format or asked.default_format) if statement.has_rows else None
        content_type = _CONTENT_TYPES.get((name or "").lower(), "text/plain; charset=UTF-8")
        if statement.is_select and name and name.lower() in _STREAMABLE and not asked.waits_for_end:
            pieces = connection.stream(text, name, asked.parameters)
            first = next(pieces, b"") or self._no_rows(connection, statement, name, asked.parameters)
            yield Answer(name, content_type, Counts(), None)
            yield first
            yield from pieces
            return
        if statement.is_select:
            connection.set({"max_result_bytes": str(self._limits.result_mib * _MIB)})
        body, counts = connection.query(text, name or asked.default_format, asked.parameters)
        if not body and name:
            body = self._no_rows(connection, statement, name, asked.parameters)
        yield Answer(name, content_type, counts, body)

    def _no_rows(self, connection: Connection, statement: Statement, name: str, parameters: Mapping[str, str]) -> bytes:
        """A server sends one block without rows, by which clients know the columns; the embedded engine sends none."""
        if name.lower() != "native" or not statement.is_select:
            return b""
        described = connection.text(f"DESCRIBE TABLE ({statement.without_format})", parameters).decode()
        columns = [line.split("\t")[:2] for line in described.splitlines()]
        return empty_native_block([(column, type_name) for column, type_name in columns])
