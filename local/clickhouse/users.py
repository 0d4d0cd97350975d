"""The two who may ask, and what each may do in the engine. The engine itself enforces it, by roles (`engine_files`).

The engine inside a process knows one user, `default`; both roles are granted to it, and every connection takes one of
them before it sees a statement (`engine`). Why so: docs/decisions/0010-analysts-have-a-role-in-the-engine.md.
"""

from enum import Enum
from typing import Final


class Role(Enum):
    """A role in the engine; the value is its name there."""

    OWNER = "owner"
    ANALYST = "analyst"


ANALYST: Final = "analyst"
"""User name of the read-only user; the owner's is a setting."""

DOCUMENTED_TABLES: Final = (
    "configuration_revisions",
    "device_configurations",
    "device_events",
    "device_status",
    "device_transitions",
    "enrolments",
    "fleet_minutes",
    "hardware",
    "heartbeats",
    "presence_transitions",
    "workload_status",
    "workload_transitions",
)
"""What an analyst reads. Views read internal tables with their definer's rights, so those need no grant."""

READABLE_SYSTEM_TABLES: Final = frozenset(
    {
        "system.columns",
        "system.completions",
        "system.data_type_families",
        "system.databases",
        "system.dictionaries",
        "system.enabled_roles",
        "system.formats",
        "system.functions",
        "system.keywords",
        "system.numbers",
        "system.numbers_mt",
        "system.one",
        "system.settings",
        "system.table_functions",
        "system.tables",
        "system.time_zones",
        "system.zeros",
        "system.zeros_mt",
    }
)
"""What clients and dashboards look up. They show an analyst only what that role may see."""

OWNER_GRANTS: Final = (
    "SHOW",
    "SELECT",
    "INSERT",
    "ALTER",
    "CREATE DATABASE",
    "CREATE TABLE",
    "CREATE VIEW",
    "CREATE DICTIONARY",
    "CREATE TEMPORARY TABLE",
    "DROP",
    "UNDROP TABLE",
    "TRUNCATE",
    "OPTIMIZE",
    "CHECK",
    "KILL QUERY",
    "dictGet",
    "SYSTEM MERGES",
    "SYSTEM TTL MERGES",
    "SYSTEM FLUSH",
    "SYSTEM DROP CACHE",
)
"""All that schema, ingest and a person's maintenance need; no reading of files, no URLs, no programs, no users."""


def grants(role: Role, database: str) -> list[str]:
    """GRANT statements for a role."""
    if role is Role.OWNER:
        return [f"GRANT {', '.join(OWNER_GRANTS)} ON *.*", "GRANT TABLE ENGINE ON *"]
    tables = [f"{database}.{name}" for name in DOCUMENTED_TABLES] + sorted(READABLE_SYSTEM_TABLES)
    return [f"GRANT SELECT ON {table}" for table in tables]
