"""`POST /muster/v1/changes`: several resources as one change, which Kubernetes has no path for."""

from typing import Any, Final

import msgspec
from litestar import Response, Router, post

from api.resources.impersonation import refuse_impersonation
from api.resources.reads import ResourceReads
from api.resources.requests import AnyRequest, read_asked
from api.resources.responses import ResourceResponse
from api.resources.writes import ResourceWrites
from api.resources.writes_together import write_together
from fleet.devices.json_bodies import read_object

PATH: Final = "/muster/v1/changes"


class _Documents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: list[Any]


_decoder = msgspec.json.Decoder(_Documents)


def together_routes(reads: ResourceReads, writes: ResourceWrites, body_limit_bytes: int) -> Router:
    """The route. `body_limit_bytes` is what a record of the log holds, in which the change must stand."""

    @post(
        PATH,
        operation_id="changeTogether",
        tags=["changes"],
        status_code=200,
        request_max_body_size=body_limit_bytes,
    )
    async def change(request: AnyRequest) -> Response[Any]:
        """Create and replace resources, all of them or none; what became of each."""
        documents = read_object(_decoder, await request.body(), "body").items
        results = await write_together(writes, reads, documents, read_asked(request))
        items = [
            {
                "kind": result.key.kind,
                "namespace": result.key.namespace,
                "name": result.key.name,
                "result": result.verb,
                "warnings": result.warnings,
            }
            for result in results
        ]
        return ResourceResponse({"items": items})

    return Router("/", route_handlers=[change], guards=[refuse_impersonation])
