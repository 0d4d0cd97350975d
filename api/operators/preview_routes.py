"""What would change, over HTTP and without storing anything: `POST /muster/v1/preview`."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, post

from api.operators.lifecycle_routes import PREFIX
from api.operators.previews import Previews
from api.resources.impersonation import refuse_impersonation
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from fleet.devices.json_bodies import read_object
from fleet.errors import BadInputError
from fleet.names import check_namespace
from fleet.preview.planning import Deletion
from fleet.preview.preview import Asked

BODY_LIMIT_BYTES: Final = 16_000_000
"""Of a whole file of resources: 10,000 documents of an ordinary size."""

DOCUMENTS_LIMIT: Final = 10_000
"""Documents and deletions of one preview, each."""


class WantedDeletion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resource to delete, its kind by any name. Without a namespace the preview's is meant."""

    kind: str
    name: str
    namespace: str = ""


class WantedPreview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What would be applied, and deleted after that. `namespace` is that of resources that name none."""

    namespace: str = ""
    documents: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=DOCUMENTS_LIMIT)] = []
    delete: Annotated[list[WantedDeletion], msgspec.Meta(max_length=DOCUMENTS_LIMIT)] = []


_decoder = msgspec.json.Decoder(WantedPreview)


def preview_routes(previews: Previews, initial_namespace: str) -> Router:
    """The route."""

    @post(
        f"{PREFIX}/preview",
        operation_id="previewChanges",
        tags=["preview"],
        status_code=200,
        request_max_body_size=BODY_LIMIT_BYTES,
    )
    async def preview(request: AnyRequest) -> Response[Any]:
        """Which devices would change and how, what is missing, and what it would cost. Nothing is stored."""
        wanted = read_object(_decoder, await request.body(), "body")
        if not (wanted.documents or wanted.delete):
            raise BadInputError("documents and delete are empty: send what would be applied or deleted")
        if wanted.namespace:
            check_namespace(wanted.namespace)
        asked = Asked(wanted.documents, [Deletion(each.kind, each.namespace, each.name) for each in wanted.delete])
        told = await previews.run(asked, wanted.namespace or initial_namespace)
        return ResourceResponse(msgspec.to_builtins(told))

    return Router("/", route_handlers=[preview], guards=[refuse_impersonation])
