"""The schema's statements for a cluster of replicas: the same ones, run on every replica, with replicated engines.

Migrations are written once, for one server (`storage/migrations`). A replicated table's place in Keeper is made of the
migration and the name it was created under, never of an id, so that a replica that is set up later, or again, joins the
others instead of beginning a table of its own; and a table that a later migration makes under an old name is another.
"""

import re
from typing import Final, NamedTuple

_NAME: Final = r"[\w.`{}]+"

_DEFINITIONS: Final = re.compile(
    rf"""^(?P<head>
        CREATE\ (?:OR\ REPLACE\ )?(?:TABLE|VIEW|MATERIALIZED\ VIEW|DICTIONARY)(?:\ IF\ NOT\ EXISTS)?
      | DROP\ (?:TABLE|VIEW|DICTIONARY)(?:\ IF\ EXISTS)?
      | TRUNCATE\ TABLE(?:\ IF\ EXISTS)?
      | ALTER\ TABLE
    )\ (?P<name>{_NAME})""",
    re.VERBOSE,
)
_RENAMES: Final = re.compile(r"^(?:RENAME|EXCHANGE) TABLES? ")
_ROWS: Final = re.compile(r"^INSERT INTO ")
_ENGINE: Final = re.compile(r"\bENGINE = (?P<family>\w*MergeTree)(?:\((?P<arguments>[^()]*)\))?")
_VIEW: Final = re.compile(r"^CREATE (?:OR REPLACE )?(?:MATERIALIZED )?VIEW ")
_DEFINER: Final = re.compile(r"^DEFINER = CURRENT_USER SQL SECURITY DEFINER\n", re.MULTILINE)
_AS_SELECT: Final = re.compile(r"^AS (?=SELECT|WITH)", re.MULTILINE)
_COMMENT: Final = re.compile(r"\A(?:\s*--[^\n]*\n|\s+)*")


class Replicas(NamedTuple):
    """Where replicated statements run: the servers' name of the cluster, and who owns the views on each of them."""

    cluster: str
    owner: str


def replicated(statement: str, migration: str, database: str, replicas: Replicas) -> str:
    """A migration's statement for all replicas.

    Raises ValueError for one that is not known to do the same on each: it would leave replicas that differ.
    """
    comment = _COMMENT.match(statement)
    statement = statement[comment.end() :] if comment else statement
    on_cluster = f" ON CLUSTER {quoted(replicas.cluster)}"
    if _ROWS.match(statement):
        return statement  # Rows reach the other replicas by themselves.
    if _RENAMES.match(statement):
        return statement.rstrip() + on_cluster
    definition = _DEFINITIONS.match(statement)
    if definition is None:
        raise ValueError(f"{migration}: do not know how to replicate {statement[:60]!r}")
    name, end = definition["name"], definition.end("name")
    rest = statement[end:].rstrip()
    if definition["head"].startswith("DROP") and not rest.endswith(" SYNC"):
        rest += " SYNC"  # Its place in Keeper is free at once.
    if _VIEW.match(statement):
        rest = _with_owner(rest, replicas.owner)
    place = f"/clickhouse/tables/{{shard}}/{database}/{migration}/{name.rpartition('.')[2].strip('`')}"
    return statement[:end] + on_cluster + _ENGINE.sub(lambda found: _engine(found, place), rest, count=1)


def again(create_statement: str, replicas: Replicas) -> str:
    """A server's own CREATE statement of a table or view it has, for those replicas that lack it."""
    definition = _DEFINITIONS.match(create_statement)
    if definition is None:
        raise ValueError(f"not a table or a view: {create_statement[:60]!r}")
    head = definition["head"].removesuffix(" IF NOT EXISTS").replace("CREATE OR REPLACE", "CREATE")
    rest = create_statement[definition.end("name") :]
    return f"{head} IF NOT EXISTS {definition['name']} ON CLUSTER {quoted(replicas.cluster)}{rest}"


def _engine(found: "re.Match[str]", place: str) -> str:
    arguments = ", ".join([quoted(place), "'{replica}'", *filter(None, [(found["arguments"] or "").strip()])])
    return f"ENGINE = Replicated{found['family']}({arguments})"


def _with_owner(rest: str, owner: str) -> str:
    """Another replica runs the statement as nobody, so "the current user" would be nobody there."""
    security = f"DEFINER = {quoted_name(owner)} SQL SECURITY DEFINER\n"
    if _DEFINER.search(rest):
        return _DEFINER.sub(lambda _: security, rest, count=1)
    return _AS_SELECT.sub(lambda found: security + found[0], rest, count=1)


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted_name(name: str) -> str:
    """A name, whatever it contains."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
