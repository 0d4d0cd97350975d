"""The operator of a simulated fleet: makes its namespace and approves its devices, as `muster approve` does."""

import asyncio
import time

import aiohttp
import orjson
from yarl import URL

from cli.author import AUTHOR_HEADER, author
from cli.resources.resource_paths import collection_path, resource_path
from cli.simulate.calls import Answer
from cli.simulate.measurements import Measurements
from cli.simulate.plan import FleetPlan
from fleet.resources import KINDS

APPROVALS_AT_A_TIME = 64
"""Each waits until the change is applied; together they fill the command log's batches."""

OPERATOR_WAITS_S = 30.0
"""Longer than the server's own deadline for an operator's change."""

_APPROVAL = orjson.dumps({"spec": {"approved": True}})
_CREATED, _CONFLICT = 201, 409


class Approver:
    """Changes resources over the same HTTP interface; every call is measured like the devices'."""

    def __init__(self, session: aiohttp.ClientSession, plan: FleetPlan, measurements: Measurements) -> None:
        self._session = session
        self._plan = plan
        self._measurements = measurements
        self._places = asyncio.Semaphore(APPROVALS_AT_A_TIME)

    async def make_namespace(self) -> Answer:
        """Create the fleet's namespace unless it is there. An answer of 409 means that it is."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._plan.namespace}}
        path = collection_path(KINDS["Namespace"], None)
        return await self._change("POST namespace", "POST", path, orjson.dumps(body), "application/json")

    async def approve(self, device_id: str) -> None:
        """Approve one pending device. What is refused is counted, and tried again when the device asks again."""
        path = resource_path(KINDS["EdgeDeviceSignedRequest"], self._plan.initial_namespace, device_id)
        async with self._places:
            await self._change("PATCH approval", "PATCH", path, _APPROVAL, "application/merge-patch+json")

    async def _change(self, call: str, method: str, path: str, body: bytes, content_type: str) -> Answer:
        operator = self._plan.operator
        url = URL(f"{operator.address}{path}", encoded=True)
        headers = {"Content-Type": content_type, "Accept": "application/json", AUTHOR_HEADER: author()}
        if operator.token:
            headers["Authorization"] = f"Bearer {operator.token}"
        began = time.monotonic()
        try:
            async with (
                asyncio.timeout(OPERATOR_WAITS_S),
                self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                answer = Answer(response.status, await response.read(), None)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self._measurements.add(call, f"no answer: {type(error).__name__}", None)
            return Answer(0, b"", None)
        self._measurements.add(call, str(answer.status), time.monotonic() - began)
        if answer.status not in (200, _CREATED, _CONFLICT):
            self._measurements.refusals[f"{call} {answer.status}"] = answer.message()
        return answer
