"""The files the engine reads when it starts: roles with their grants, and limits no statement can lift."""

import os
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from local.clickhouse.users import Role, grants

_MIB: Final = 1024 * 1024

_THREADS_AT_MOST: Final = 64
"""A statement may ask for its own number of threads; thousands would take the machine."""

_QUERY_TEXT_BYTES: Final = _MIB
"""Longest statement without the data of an insert; a lookup of 10,000 keys has 300 kB."""

_SPILLED_BYTES: Final = 4096 * _MIB
"""What a large sort or aggregation may write beside the data; the disk is Kafka's too."""


_PACKED_PART_BYTES: Final = 10 * _MIB
"""Smaller parts are one file instead of a dozen: an insert makes one, and a merge soon deletes it."""

_MERGE_BASE: Final = 10
"""A merge's result is so many times as large as its largest part; with the usual 5 each row is merged more often."""

_CORES_A_MERGE_THREAD: Final = 2
"""All tables get as many inserts, so their merges come due together: on half of the cores they take turns."""

_MERGES_A_THREAD: Final = 4
"""A thread goes on with the shortest of so many, so that small parts do not wait behind a large merge."""


class QueryLimits(NamedTuple):
    """What one statement may take."""

    memory_mib: int
    timeout_s: int
    result_mib: int


def write_engine_files(folder: Path, database: str, limits: QueryLimits) -> Path:
    """Write `users.xml` and `config.xml` anew and give the latter's path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users.xml"
    users.write_text(_users(database, limits))
    config = folder / "config.xml"
    config.write_text(_config(users))
    return config


def _config(users: Path) -> str:
    return f"""<clickhouse>
  <users_config>{escape(str(users))}</users_config>
  <!-- The machine is shared with Kafka and the workers; the default takes nine tenths of it. -->
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>{256 * _MIB}</mark_cache_size>
  <!-- Otherwise default_normal_view_sql_security of the profile means nothing. -->
  <ignore_empty_sql_security_in_create_view_query>0</ignore_empty_sql_security_in_create_view_query>
  <background_pool_size>{max(1, (os.cpu_count() or 1) // _CORES_A_MERGE_THREAD)}</background_pool_size>
  <background_merges_mutations_concurrency_ratio>{_MERGES_A_THREAD}</background_merges_mutations_concurrency_ratio>
  <background_merges_mutations_scheduling_policy>shortest_task_first</background_merges_mutations_scheduling_policy>
  <merge_tree>
    <min_bytes_for_full_part_storage>{_PACKED_PART_BYTES}</min_bytes_for_full_part_storage>
    <!-- Sketches of every column at every merge, for plans of queries that we do not have. -->
    <auto_statistics_types></auto_statistics_types>
    <merge_selector_base>{_MERGE_BASE}</merge_selector_base>
  </merge_tree>
</clickhouse>
"""


def _users(database: str, limits: QueryLimits) -> str:
    values: dict[str, int | str] = {
        "max_memory_usage": limits.memory_mib * _MIB,
        "max_execution_time": limits.timeout_s,
        "max_query_size": _QUERY_TEXT_BYTES,
        "max_temporary_data_on_disk_size_for_query": _SPILLED_BYTES,
        "implicit_select": 0,  # `1 + 1` is not a statement on a server
        "allow_introspection_functions": 0,
        # Views read internal tables for whoever may read the view.
        "default_normal_view_sql_security": "DEFINER",
    }
    # Zero would mean no limit.
    bounds = {
        "max_memory_usage": (1, limits.memory_mib * _MIB),
        "max_execution_time": (1, limits.timeout_s),
        "max_untracked_memory": (0, 4 * _MIB),
        "max_threads": (1, _THREADS_AT_MOST),
        "max_query_size": (1, _QUERY_TEXT_BYTES),
        "max_temporary_data_on_disk_size_for_query": (1, _SPILLED_BYTES),
    }
    # Another dialect would be read by another parser than the one that vets statements.
    fixed = ("allow_introspection_functions", "dialect", "implicit_select", "allow_settings_after_format_in_insert")
    return f"""<clickhouse>
  <profiles><default>
{_elements(values)}
    <constraints>
{"".join(f"      <{name}><min>{low}</min><max>{high}</max></{name}>{chr(10)}" for name, (low, high) in bounds.items())}
{"".join(f"      <{name}><const/></{name}>{chr(10)}" for name in fixed)}
    </constraints>
  </default></profiles>
  <roles>
{"".join(_role(role, database) for role in Role)}
  </roles>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants><query>GRANT {", ".join(role.value for role in Role)}</query></grants>
  </default></users>
  <quotas><default></default></quotas>
</clickhouse>
"""


def _elements(values: dict[str, int | str]) -> str:
    return "".join(f"    <{name}>{escape(str(value))}</{name}>\n" for name, value in values.items())


def _role(role: Role, database: str) -> str:
    queries = "".join(f"<query>{escape(grant)}</query>" for grant in grants(role, database))
    return f"    <{role.value}><grants>{queries}</grants></{role.value}>\n"
