"""What concerned one device at a time in the past, from `decisions`: its standing, its resource, its namespace's.

Of each resource the last revision up to then counts. Secrets come sealed, as they were stored; what a rotation of keys
has erased since cannot be opened any more.
"""

from typing import Any, Final, NamedTuple

from clickhouse_connect.driver import Client

from fleet.decisions.commands import ResourceKey
from fleet.decisions.state import SHARED_KINDS, FleetState
from fleet.devices.states import IDENTITY_KIND
from settings import ClickHouseSettings
from storage.lazy_client import LazyClient

_PLACES: Final = """
    SELECT toUnixTimestamp64Milli(minOrNull(received_at)),
        maxIf(revision, received_at <= fromUnixTimestamp64Milli({at_ms:Int64}, 'UTC')),
        toUnixTimestamp64Milli(minOrNullIf(received_at, arrayExists(
            (kind, name) -> name = {device_id:String} AND kind IN ('EdgeDevice', {identity:String}),
            `changes.kind`, `changes.name`
        )))
    FROM decisions
"""

# The row stored first counts, whatever it changed: so rows are sought by what they touch, and then judged by revision.
_LAST_OF_EACH: Final = """
    SELECT kind, namespace, name, argMax(content, revision) AS body, max(revision)
    FROM (
        SELECT revision, result, `changes.kind` AS kinds, `changes.namespace` AS namespaces, `changes.name` AS names,
            `changes.body` AS bodies
        FROM decisions
        WHERE revision <= {last:UInt64} AND revision IN (
            SELECT revision FROM decisions
            WHERE revision <= {last:UInt64} AND arrayExists(
                (kind, namespace, name) -> {wanted}, `changes.kind`, `changes.namespace`, `changes.name`
            )
        )
        ORDER BY revision, _block_number LIMIT 1 BY revision
    )
    ARRAY JOIN kinds AS kind, namespaces AS namespace, names AS name, bodies AS content
    WHERE result = 'accepted' AND {wanted}
    GROUP BY kind, namespace, name HAVING body != ''
"""
_DEVICE: Final = _LAST_OF_EACH.replace(
    "{wanted}", "name = {device_id:String} AND kind IN ('EdgeDevice', {identity:String})"
)
_SHARED: Final = _LAST_OF_EACH.replace("{wanted}", "namespace = {namespace:String} AND kind IN {kinds:Array(String)}")


class PastState(NamedTuple):
    """What was at a time. Times are Unix milliseconds, None for never.

    `state` holds the device and its namespace as of `revision`, the last one decided by then; `began_at_ms` is when
    the history begins, `device_since_ms` when the device was first heard of.
    """

    state: FleetState
    began_at_ms: int | None
    device_since_ms: int | None


def read_past_state(client: Client, device_id: str, at_ms: int, initial_namespace: str) -> PastState:
    """Blocks. Raises clickhouse_connect's errors."""
    parameters: dict[str, Any] = {"device_id": device_id, "at_ms": at_ms, "identity": IDENTITY_KIND}
    ((began_at_ms, last, device_since_ms),) = client.query(_PLACES, parameters=parameters).result_rows
    state = FleetState(initial_namespace)
    for kind, namespace, name, body, revision in client.query(
        _DEVICE, parameters={**parameters, "last": last}
    ).result_rows:
        state.load(ResourceKey(kind, namespace, name), body.encode(), revision)
    identity = state.identities.get(device_id)
    if identity is not None:
        shared = {"last": last, "namespace": identity.namespace, "kinds": sorted(SHARED_KINDS)}
        for kind, namespace, name, body, revision in client.query(_SHARED, parameters=shared).result_rows:
            state.load(ResourceKey(kind, namespace, name), body.encode(), revision)
    state.revision = last
    return PastState(state, began_at_ms, device_since_ms)


class PastStateReader:
    """Reads with a connection of its own, made when first needed; threads may share it, and it mends itself."""

    def __init__(self, settings: ClickHouseSettings, password: str, initial_namespace: str) -> None:
        self._client = LazyClient(settings, password)
        self._initial_namespace = initial_namespace

    def __call__(self, device_id: str, at_ms: int) -> PastState:
        """As `read_past_state`; connecting raises the same errors."""
        return read_past_state(self._client(), device_id, at_ms, self._initial_namespace)
