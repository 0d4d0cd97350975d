"""Deletes the resources of a namespace that a selection wants, each by a command of its own, some at a time."""

import asyncio
from typing import Final

from api.resources.preconditions import NONE_EXPECTED
from api.resources.reads import PAGE_LIMIT, ResourceReads, read_page
from api.resources.selection import Selection
from api.resources.writes import Asked, ResourceWrites
from fleet.decisions.commands import ResourceKey
from fleet.errors import NotFoundError
from fleet.resources import Kind

_AT_A_TIME: Final = 256
"""Deletions under way at once: they fill the records of the command log together."""


async def delete_collection(
    kind: Kind, namespace: str, selection: Selection, reads: ResourceReads, writes: ResourceWrites, *, asked: Asked
) -> None:
    """Delete what there is when this begins. What is gone meanwhile is no failure; the first refusal ends it."""
    names: list[str] = []
    token = None
    while True:
        page = await reads.list(kind, namespace, read_page(str(PAGE_LIMIT), token), selection)
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue")
        if not token:
            break

    async def delete(name: str) -> None:
        request_id = f"{asked.request_id}.{name}"[:128] if asked.request_id else None
        try:
            key = ResourceKey(kind.kind, namespace, name)
            await writes.delete(key, NONE_EXPECTED, asked._replace(request_id=request_id))
        except NotFoundError:
            return

    for start in range(0, len(names), _AT_A_TIME):
        async with asyncio.TaskGroup() as deletions:
            for name in names[start : start + _AT_A_TIME]:
                deletions.create_task(delete(name))
