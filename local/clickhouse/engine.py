"""The engine on its folder, for threads: each statement gets a connection of its own, made for one role.

A connection costs 0.2 ms, so nothing a statement sets outlives it. Blocking throughout; call it from worker threads.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import chdb

from local.clickhouse.errors import ClickHouseError, from_engine
from local.clickhouse.users import Role

_RAW: Final = "TabSeparatedRaw"


class Counts(NamedTuple):
    """What a statement read, wrote and gave, for the summary header."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_bytes: int = 0


class Connection:
    """One role's connection, for one statement after its preparations."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def text(self, statement: str, parameters: Mapping[str, str]) -> bytes:
        """Run a small statement; its answer unescaped, without the last line break. Raises ClickHouseError."""
        return self.query(statement, _RAW, parameters)[0].removesuffix(b"\n")

    def query(self, statement: str, output_format: str, parameters: Mapping[str, str]) -> tuple[bytes, Counts]:
        """The whole answer. Raises ClickHouseError."""
        with _engine_errors():
            result = self._handle.query(statement, output_format, params=dict(parameters))
            body = result.bytes() if result else b""
            return body, Counts(result.storage_rows_read(), result.storage_bytes_read(), result_bytes=len(body))

    def stream(self, statement: str, output_format: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """The answer block by block; only for formats whose blocks can be put one after the other.

        Raises ClickHouseError, also in the middle. Closing the iterator cancels the query.
        """
        with _engine_errors():
            stream = self._handle.send_query(statement, output_format, params=dict(parameters))
        try:
            with _engine_errors():
                for chunk in stream:
                    yield chunk.bytes()
        finally:
            # The engine may have ended it first, and then has nothing to cancel.
            with suppress(Exception):
                stream.cancel()

    def insert(self, statement: str, input_format: str, data: bytes) -> Counts:
        """Insert data of this format; `statement` stops before FORMAT or VALUES. Raises ClickHouseError.

        All of it is handed over at once, so that it becomes one block per partition, as a client that counts on
        insert_deduplication_token expects.
        """
        with _engine_errors():
            inserter = self._handle.send_insert(statement, input_format)
        try:
            with _engine_errors():
                if data:
                    inserter.append(data)
                done = inserter.finish()
        finally:
            with suppress(Exception):
                inserter.cancel()
        return Counts(written_rows=done.rows_written, written_bytes=done.bytes_written)

    def use(self, database: str) -> None:
        """Resolve unqualified names in this database. Raises ClickHouseError 81."""
        self.query(f"USE {quoted_name(database)}", _RAW, {})

    def set(self, settings: Mapping[str, str]) -> None:
        """Settings of this connection alone. Raises ClickHouseError: 115 unknown, 164 read-only, 452 out of bounds."""
        if settings:
            assignments = ", ".join(f"{quoted_name(name)} = {quoted(value)}" for name, value in settings.items())
            self.query(f"SET {assignments}", _RAW, {})


class Engine:
    """The engine of this process; one process holds a folder, one folder a process."""

    def __init__(self, folder: Path, config: Path) -> None:
        self._path = str(folder)
        with _engine_errors():
            # The engine lives as long as one connection does.
            self._anchor = chdb.connect(f"{self._path}?config-file={config}")
        with self.connection(Role.OWNER) as connection:
            version, self.timezone, self.host = (
                connection.text("SELECT version(), timezone(), hostName()", {}).decode().split("\t")
            )
        self.version = version

    @contextmanager
    def connection(self, role: Role) -> Iterator[Connection]:
        """A fresh connection that has this role and no other."""
        with _engine_errors():
            handle = chdb.connect(self._path)
        try:
            connection = Connection(handle)
            connection.query(f"SET ROLE {role.value}", _RAW, {})
            yield connection
        finally:
            handle.close()

    def kill(self, marks: Sequence[str]) -> None:
        """Cancel running statements by the mark in their `log_comment`; those that ended are no error."""
        with self.connection(Role.OWNER) as connection, suppress(ClickHouseError):
            listed = ", ".join(quoted(mark) for mark in marks)
            connection.query(f"KILL QUERY WHERE Settings['log_comment'] IN ({listed}) ASYNC", _RAW, {})

    def close(self) -> None:
        """Let the engine go; blocks until merges under way have ended."""
        self._anchor.close()


@contextmanager
def _engine_errors() -> Iterator[None]:
    """The engine raises RuntimeError with ClickHouse's text."""
    try:
        yield
    except RuntimeError as error:
        raise from_engine(error) from None


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted_name(name: str) -> str:
    """A name, whatever it contains."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
