"""Runs previews of changes in this process: one at a time, in turns with everything else it does, within a time."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Final, TypeVar

from api.resources.reads import ResourceReads
from api.resources.secret_values import redact_last_applied, restore
from fleet.decisions.commands import JSONObject
from fleet.decisions.verdict import Limits
from fleet.errors import UnavailableError
from fleet.preview.planning import Rules
from fleet.preview.preview import Asked, preview
from fleet.preview.result import Preview
from fleet.sealing import NONCE_BYTES, KeyRing

TURN_S: Final = 0.003
"""How long a preview goes on before others get their turn: less than a device's read waits for anyway."""

WITHIN_S: Final = 120.0
"""A preview of a million devices takes some 20 s alone; one that takes longer than this holds up the next."""

WAITING_LIMIT: Final = 4
"""Previews that wait for their turn; each holds its documents."""

Result = TypeVar("Result")


class Previews:
    """Previews on this process's state. `installation_key` makes versions what devices will report."""

    def __init__(
        self,
        reads: ResourceReads,
        keys: KeyRing,
        installation_key: bytes,
        limits: Limits,
        *,
        random_bytes: Callable[[int], bytes],
        wall_clock_ms: Callable[[], int],
    ) -> None:
        self._reads = reads
        self._keys = keys
        self._installation_key = installation_key
        self._limits = limits
        self._random_bytes = random_bytes
        self._wall_clock_ms = wall_clock_ms
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def run(self, asked: Asked, default_namespace: str) -> Preview:
        """What would become of the fleet. Raises UnavailableError when there is no time for it."""
        if self._waiting >= WAITING_LIMIT:
            raise UnavailableError(f"{WAITING_LIMIT} previews are under way: try again")
        state = self._reads.state
        rules = Rules(default_namespace, self._limits, self._wall_clock_ms(), self._keys.opened, self._sealed)
        self._waiting += 1
        try:
            async with asyncio.timeout(WITHIN_S), self._turn:
                return await _in_turns(preview(state, asked, rules, self._installation_key))
        except TimeoutError:
            raise UnavailableError(f"the preview was not done within {WITHIN_S:.0f} s: preview fewer changes") from None
        finally:
            self._waiting -= 1

    def _sealed(self, body: JSONObject, held: JSONObject | None) -> JSONObject:
        return self._keys.seal(redact_last_applied(restore(body, held)), self._random_bytes(NONCE_BYTES))


async def _in_turns(steps: Generator[None, None, Result]) -> Result:
    """Drive steps to their end, and let others go on every few milliseconds."""
    ends_s = time.monotonic() + TURN_S
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: Result = done.value
            return result
        if time.monotonic() > ends_s:
            await asyncio.sleep(0)
            ends_s = time.monotonic() + TURN_S
