"""Kubernetes' Status object: how the management plane says that something failed, or was deleted."""

from http import HTTPStatus
from typing import Any

from api.errors import RETRY_AFTER_S, MethodNotAllowedError, Refusal, refusal
from fleet.errors import InvalidResourceError, ManyInvalidError, OutcomeUnknownError
from fleet.resources import Kind

REQUEST_ID_HEADER = "Muster-Request-Id"


def failure(error: Exception, kind: Kind | None = None, name: str = "") -> dict[str, Any]:
    """What the caller reads; for an invalid resource also which field."""
    told = refusal(error)
    details = _details(error, told.message, kind, name)
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": told.message,
        "reason": told.reason,
        "code": told.status,
    }
    return status | ({"details": details} if details else {})


def failure_headers(error: Exception, told: Refusal) -> dict[str, str]:
    """When to try again, with which request id, or what is allowed instead."""
    headers: dict[str, str] = {}
    if told.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, OutcomeUnknownError):
        headers[REQUEST_ID_HEADER] = error.request_id
    if isinstance(error, MethodNotAllowedError) and error.allowed:
        headers["Allow"] = ", ".join(sorted(error.allowed))
    return headers


def deleted(kind: Kind, name: str, uid: str) -> dict[str, Any]:
    """A resource is gone."""
    details = _named(kind, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _details(error: Exception, message: str, kind: Kind | None, name: str) -> dict[str, Any]:
    """For an invalid resource its kind and the field, of which kubectl makes its message; else what it is about."""
    if isinstance(error, ManyInvalidError):
        return {"causes": [_cause(field, message) for field, message in error.causes]}
    if not isinstance(error, InvalidResourceError):
        return _named(kind, name)
    if not error.field:
        return {}  # with a name and no cause, kubectl would leave the message out
    named = _named(kind, name) | ({"kind": kind.kind} if kind else {})
    return named | {"causes": [_cause(error.field, message.removeprefix(f"{error.field}: "))]}


def _cause(field: str, message: str) -> dict[str, str]:
    return {"reason": "FieldValueInvalid", "message": message, "field": field}


def _named(kind: Kind | None, name: str) -> dict[str, Any]:
    if kind is None:
        return {}
    return {"name": name, "kind": kind.plural} | ({"group": kind.group} if kind.group else {})
