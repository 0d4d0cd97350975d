"""Reads resources from this process's view: single ones and lists, in pages of a bounded size."""

import asyncio
import heapq
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from api.desired_state.fleet_view import FleetView
from api.resources.secret_values import hide, redact_last_applied
from api.resources.selection import EVERYTHING, Selection
from api.resources.statuses import Completed, Statuses
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.state import FleetState
from fleet.decisions.stored_resource import StoredResource
from fleet.errors import BadInputError, NotFoundError, UnavailableError
from fleet.resources import Kind
from fleet.sealing import KeyRing, is_sealed

PAGE_LIMIT: Final = 5000
"""Resources of a page at most. A list without `limit` has one page of this size and says how to continue."""

_SCANNED_AT_ONCE: Final = 500
"""Resources looked at before other work of the process gets its turn: a selection may go over a whole fleet."""


_ORDERED_AT_ONCE: Final = 20_000
"""Names put in order before other work gets its turn: some milliseconds."""


class Page(NamedTuple):
    """What part of a list is wanted: after which (namespace, name), and how many."""

    after: tuple[str, str]
    limit: int


def read_page(limit: str | None, token: str | None) -> Page:
    """Kubernetes' `limit` and `continue`. Raises BadInputError."""
    if limit is not None and not (limit.isascii() and limit.isdigit()):
        raise BadInputError("limit is not a number")
    wanted = min(int(limit[:9]), PAGE_LIMIT) if limit else PAGE_LIMIT
    if not token:
        return Page(("", ""), wanted or PAGE_LIMIT)
    try:
        namespace, name = urlsafe_b64decode(token.encode()).decode().split("/")
    except ValueError:
        raise BadInputError("continue is not a token that Muster gave: list from the beginning") from None
    return Page((namespace, name), wanted or PAGE_LIMIT)


class ResourceReads:
    """Reads as an operator may see them; `shows_secrets` shows the values of Secrets."""

    def __init__(self, view: FleetView, keys: KeyRing, statuses: Statuses, *, shows_secrets: bool) -> None:
        self._view = view
        self._statuses = statuses
        self._keys = keys
        self._shows_secrets = shows_secrets

    @property
    def state(self) -> FleetState:
        """The state, once loaded: before, absent does not mean that there is no such resource."""
        if not self._view.is_loaded:
            raise UnavailableError("this process has not loaded the fleet yet: try again")
        return self._view.state

    def get(self, key: ResourceKey) -> JSONObject:
        """One resource as it is shown. Raises NotFoundError."""
        held = self.state.get(key)
        if held is None:
            raise NotFoundError(f"{key} does not exist")
        return self.shown(held.body, held.revision)

    async def list(
        self, kind: Kind, namespace: str | None, page: Page, selection: Selection = EVERYTHING
    ) -> dict[str, Any]:
        """A page of the resources of a namespace, or of all, ordered by namespace and name.

        Changes made meanwhile may be in it or not; whoever follows changes from its resourceVersion misses none.
        """
        state = self.state
        revision = state.revision
        namespaces = [namespace] if namespace is not None else sorted(state.namespaces_with(kind.kind))
        found: list[tuple[str, str, StoredResource]] = []
        async for each in _selected(state, kind.kind, namespaces, page, selection):
            found.append(each)
            if len(found) > page.limit:
                break
        metadata: dict[str, Any] = {"resourceVersion": str(revision)}
        if len(found) > page.limit:
            found.pop()
            metadata["continue"] = urlsafe_b64encode("/".join(found[-1][:2]).encode()).decode()
        items = [self.shown(held.body, held.revision) for _, _, held in found]
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}

    async def completed(self, bodies: Sequence[JSONObject]) -> Completed:
        """Bodies as they are shown to those who read: with what was seen of devices."""
        return await self._statuses.complete(bodies)

    def shown(self, body: JSONObject, revision: int) -> JSONObject:
        """A stored body with its revision, a Secret opened."""
        if is_sealed(body):
            body = redact_last_applied(self._keys.open(body))
            body = body if self._shows_secrets else hide(body)
        return body | {"metadata": body["metadata"] | {"resourceVersion": str(revision)}}


async def _selected(
    state: FleetState, kind: str, namespaces: Sequence[str], page: Page, selection: Selection
) -> AsyncIterator[tuple[str, str, StoredResource]]:
    """The resources after the page's place that the selection wants, in order."""
    scanned = 0
    for namespace in namespaces:
        if namespace < page.after[0]:
            continue
        resources = state.resources(kind, namespace)
        after = page.after[1] if namespace == page.after[0] else ""
        for name in await _names_after(resources, after, page.limit + 1 if selection.is_everything else None):
            held = resources.get(name)  # it may be gone since
            if held is not None and selection.selects(namespace, name, held):
                yield namespace, name, held
            scanned += 1
            if scanned % _SCANNED_AT_ONCE == 0:
                await asyncio.sleep(0)


async def _names_after(resources: Mapping[str, StoredResource], after: str, limit: int | None) -> Iterable[str]:
    """The names after a place, in order; the first `limit` of them are enough where there is one.

    A fleet's names are put in order in portions, so that other work of the process gets its turn between them.
    """
    portions: list[list[str]] = []
    # What a packed mapping iterates over stays as it is; of a dict that may change meanwhile the names are copied.
    names = iter(list(resources) if isinstance(resources, dict) else resources)
    while portion := list(islice(names, _ORDERED_AT_ONCE)):
        if after:
            portion = [name for name in portion if name > after]
        if limit is None:
            portions.append(sorted(portion))
        else:
            portions = [heapq.nsmallest(limit, chain(*portions, portion))]
        await asyncio.sleep(0)
    return heapq.merge(*portions)
