"""What the engine's grants do not cover, judged over the statement's tree: what is not known to be harmless is refused.

The engine enforces which tables a role reads and writes, and which sources it may open (docs/decisions/0010). Left
are statements about the connection itself, functions that need no grant, and system tables that show the queries of
others.
"""

from collections.abc import Mapping
from typing import Final

from local.clickhouse.errors import ClickHouseError, access_denied
from local.clickhouse.statement import Statement
from local.clickhouse.users import READABLE_SYSTEM_TABLES, Role

_INTO_OUTFILE_NOT_ALLOWED: Final = 358

_ANALYST_STATEMENTS: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "Explain",
        "DescribeQuery",
        "ShowTables",
        "ShowColumns",
        "ShowFunctions",
        "ShowIndexes",
        "ShowSetting",
        "ShowCreateTableQuery",
        "ShowCreateViewQuery",
        "ShowCreateDatabaseQuery",
        "ExistsTableQuery",
        "ExistsViewQuery",
        "ExistsDatabaseQuery",
    }
)

_ANALYST_TABLE_FUNCTIONS: Final = frozenset(
    {
        "generate_series",
        "generateSeries",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "values",
        "view",
        "zeros",
        "zeros_mt",
    }
)

# They read this machine's files, its memory or the net, and the engine asks for no grant.
_REFUSED_FUNCTIONS: Final = frozenset(
    {
        "catboostevaluate",
        "file",
        "getmacro",
        "getserversetting",
        "hascolumnintable",  # takes a host, a user and a password
        "python",
        "showcertificate",
    }
)
_REFUSED_PREFIX: Final = "ai"  # aiGenerate and its kin call services
_REFUSED_PREFIXES_OF_ANALYSTS: Final = ("dictget", "dicthas", "dictis", "joinget", "filesystem", "zookeeper")

_READABLE_DATABASES_OF_ALL: Final = ("information_schema", "INFORMATION_SCHEMA")


def check_statement(statement: Statement, role: Role) -> None:
    """Raises ClickHouseError when this role may not say this."""
    if statement.writes_or_reads_files:
        raise ClickHouseError(
            _INTO_OUTFILE_NOT_ALLOWED, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE and FROM INFILE are not allowed", 403
        )
    for function in statement.functions:
        if _is_refused(function, role):
            raise access_denied(f"Not enough privileges. Function {function} is not available here")
    if role is Role.ANALYST:
        _check_analyst(statement)


def check_database(name: str, role: Role, documented: str) -> None:
    """An analyst's unqualified names must not reach into `system`. Raises ClickHouseError."""
    if role is Role.ANALYST and name not in (documented, "default", *_READABLE_DATABASES_OF_ALL):
        raise access_denied(f"Not enough privileges. Database {name} is not open to analysts: use {documented}")


def check_settings(settings: Mapping[str, str]) -> None:
    """`profile` and `role` choose limits and rights; they are not for the client to choose. Raises ClickHouseError."""
    for name in ("profile", "role"):
        if name in settings:
            raise access_denied(f"Not enough privileges. {name} cannot be chosen")


def _is_refused(function: str, role: Role) -> bool:
    lowered = function.lower()
    if lowered in _REFUSED_FUNCTIONS or lowered.startswith(_REFUSED_PREFIX):
        return True
    return role is Role.ANALYST and lowered.startswith(_REFUSED_PREFIXES_OF_ANALYSTS)


def _check_analyst(statement: Statement) -> None:
    if statement.kind not in _ANALYST_STATEMENTS:
        kind = statement.kind.removesuffix("Query") or "This statement"
        raise ClickHouseError(
            164, "READONLY", f"Cannot execute query in readonly mode. Analysts only read: {kind}", 403
        )
    for function in statement.table_functions - _ANALYST_TABLE_FUNCTIONS:
        raise access_denied(f"Not enough privileges. Table function {function} is not open to analysts")
    if statement.canonical.startswith("EXPLAIN TABLE OVERRIDE"):
        raise access_denied("Not enough privileges. EXPLAIN TABLE OVERRIDE is not open to analysts")
    for name in statement.names:
        # `Identifier system` alone can be half of a compound name.
        if name == "system" or (name.startswith("system.") and not _is_readable(name)):
            raise access_denied(
                f"Not enough privileges. To execute this query, it's necessary to have SELECT ON {name}"
            )


def _is_readable(name: str) -> bool:
    """A table, or a column written with database and table before it."""
    return ".".join(name.split(".")[:2]) in READABLE_SYSTEM_TABLES
