"""The paths of reviews of the caller's own access, which store nothing."""

from collections.abc import Callable
from typing import Any

from litestar import Response, post
from litestar.handlers import BaseRouteHandler

from api.resources.access_reviews import AUTHENTICATION, AUTHORIZATION, may_i, what_may_i, who_am_i
from api.resources.requests import AnyRequest, author_of, read_body
from api.resources.responses import ResourceResponse
from fleet.decisions.commands import JSONObject

_TAGS = ["access"]


def access_review_routes() -> list[BaseRouteHandler]:
    """Their handlers."""

    @post(f"/apis/{AUTHENTICATION}/selfsubjectreviews", operation_id="reviewSelf", tags=_TAGS)
    async def review_self(request: AnyRequest) -> Response[Any]:
        """Who the caller is, as changes name their author."""
        return ResourceResponse(who_am_i(author_of(request)), 201)

    return [
        review_self,
        _review("selfsubjectaccessreviews", "SelfSubjectAccessReview", may_i),
        _review("selfsubjectrulesreviews", "SelfSubjectRulesReview", what_may_i),
    ]


def _review(plural: str, kind: str, answer: Callable[[JSONObject], JSONObject]) -> BaseRouteHandler:
    @post(f"/apis/{AUTHORIZATION}/{plural}", operation_id=f"create{kind}", tags=_TAGS)
    async def review(request: AnyRequest) -> Response[Any]:
        """What the caller may do."""
        return ResourceResponse(answer(await read_body(request, kind)), 201)

    return review
