"""Which devices are registered, asked of the decisions: for heartbeats that the API took before it had loaded."""

from collections.abc import Collection
from typing import Final

from clickhouse_connect.driver import Client

from fleet.devices.states import ANSWERS
from fleet.heartbeats.batch import DeviceKey
from storage.namespaced_names import portions

_OK: Final = 200
_BEATING: Final = tuple(state.value for state, answers in ANSWERS.items() if answers.heartbeat == _OK)
_QUERY = f"""
    SELECT namespace, device_id
    FROM enrolments
    WHERE state IN {_BEATING!r} AND (namespace, device_id) IN {{names}}
"""  # noqa: S608 - put together from literals


def read_registered(client: Client, devices: Collection[DeviceKey]) -> set[DeviceKey]:
    """Those of the devices that may beat in the namespace given with them. Blocks. Raises clickhouse_connect's errors.

    The view goes through all decisions, so this is for the moments after a start, not for every batch.
    """
    return {(namespace, device_id) for rows in portions(client, _QUERY, devices) for namespace, device_id in rows}
