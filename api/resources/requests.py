"""Reads what a request for a change says beside its path: body, author, request id, options."""

import re
from typing import Any, Final

import msgspec
from litestar import Request

from api.errors import UnsupportedMediaTypeError
from api.listeners.admin_token import has_shown_token
from api.listeners.local_user import local_user
from api.resources.change_messages import MESSAGE_HEADER, read_message
from api.resources.preconditions import NONE_EXPECTED, Preconditions, read_preconditions
from api.resources.protobuf_bodies import PROTOBUF_KINDS, PROTOBUF_TYPE, read_protobuf
from api.resources.status_object import REQUEST_ID_HEADER
from api.resources.writes import Asked
from fleet.decisions.commands import JSONObject
from fleet.devices.json_bodies import read_object
from fleet.errors import BadInputError
from fleet.names import shown
from fleet.resources import Kind, UnknownFields

AUTHOR_HEADER: Final = "Muster-Author"
ANONYMOUS: Final = "anonymous"
BEARER: Final = "admin token"

_JSON_TYPES: Final = frozenset({"application/json", ""})
"""Python's typed client sends no content type with POST and PUT."""

_AUTHOR_LIMIT: Final = 128
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{8,128}")

_UNKNOWN_FIELDS: Final[dict[str, UnknownFields]] = {"Strict": "strict", "Warn": "warn", "Ignore": "ignore"}

_decoder = msgspec.json.Decoder(dict[str, Any])

AnyRequest = Request[Any, Any, Any]


async def read_document(request: AnyRequest, kind: Kind) -> JSONObject:
    """The body as a JSON object. Raises UnsupportedMediaTypeError or BadInputError."""
    return await read_body(request, kind.kind)


async def read_body(request: AnyRequest, kind: str) -> JSONObject:
    """The same for whatever has a kind."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given in _JSON_TYPES:
        return read_object(_decoder, await request.body(), "body")
    if given == PROTOBUF_TYPE and kind in PROTOBUF_KINDS:
        return read_protobuf(kind, await request.body())
    raise UnsupportedMediaTypeError(f"the content type {shown(given)} is not read here: send application/json")


def note_name(request: AnyRequest, document: JSONObject) -> None:
    """Keep the name of what is to be made, which the path does not say, for the answer if it is refused."""
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    request.state.resource_name = name if isinstance(name, str) else ""


def read_asked(request: AnyRequest) -> Asked:
    """Who asks, and how the change shall be made. Raises BadInputError."""
    query = request.query_params
    validation = query.get("fieldValidation", "Warn")
    if validation not in _UNKNOWN_FIELDS:
        raise BadInputError(f"fieldValidation is Strict, Warn or Ignore, not {validation[:60]!a}")
    return Asked(
        author_of(request),
        _request_id(request),
        _UNKNOWN_FIELDS[validation],
        _is_dry_run(query.getall("dryRun", [])),
        read_message(request.headers.get(MESSAGE_HEADER, "")),
    )


async def read_delete_options(request: AnyRequest) -> tuple[Preconditions, bool]:
    """Preconditions and a dry run, as a DELETE's body or query says them. Raises BadInputError."""
    body = await request.body()
    options = read_object(_decoder, body, "body") if body.strip() else {}
    expected = options.get("preconditions") or {}
    if not isinstance(expected, dict):
        raise BadInputError("preconditions is not an object")
    asked = options.get("dryRun") or []
    if not isinstance(asked, list):
        raise BadInputError("dryRun is not a list")
    preconditions = read_preconditions(expected.get("uid"), expected.get("resourceVersion")) if expected else None
    return preconditions or NONE_EXPECTED, _is_dry_run(asked)


def _is_dry_run(given: list[Any]) -> bool:
    if any(value != "All" for value in given):
        raise BadInputError("dryRun is All or absent")
    return bool(given)


def author_of(request: AnyRequest) -> str:
    """As the caller says; else the local user whose program called, else what the caller could show."""
    author = request.headers.get(AUTHOR_HEADER, "").strip()
    if not author:
        return local_user(request.scope) or (BEARER if has_shown_token(request.scope) else ANONYMOUS)
    if len(author) > _AUTHOR_LIMIT or not author.isprintable():
        raise BadInputError(f"{AUTHOR_HEADER} is at most {_AUTHOR_LIMIT} printable characters")
    return author


def _request_id(request: AnyRequest) -> str | None:
    request_id: str | None = request.headers.get(REQUEST_ID_HEADER)
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        raise BadInputError(f"{REQUEST_ID_HEADER} is 8 to 128 letters, digits, '-', '_', '.' or ':'")
    return request_id
