"""Declares the six calls in Litestar, so that the OpenAPI document lists them; the device plane answers them.

In a running service `api.devices.light_route` takes these paths before Litestar sees them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post, put
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.response.base import ASGIResponse

from api.devices.light_route import Plane
from api.devices.paths import BASE_PATH
from fleet.devices.registration import Enrolment, Registration
from fleet.heartbeats.heartbeat import Heartbeat

_DEVICE: Final = f"{BASE_PATH}/namespaces/{{namespace:str}}/devices/{{device_id:str}}"
_TAG: Final = "devices"


class ErrorMessage(msgspec.Struct):
    """How every error is told."""

    message: str


class RegistrationStatus(msgspec.Struct, omit_defaults=True):
    """`namespace` comes with status `registered` alone."""

    status: str
    namespace: str = ""
    message: str = ""


class DeviceConfigurationMessage(msgspec.Struct):
    """What a device should run (`contract/swagger.yaml`, device-configuration-message)."""

    device_id: str
    version: str
    configuration: dict[str, Any]
    workloads: list[dict[str, Any]]
    secrets: list[dict[str, Any]]


class DeviceConfiguration(msgspec.Struct):
    """The answer to a configuration read."""

    device_configuration: DeviceConfigurationMessage = msgspec.field(name="device-configuration")


_MEANINGS: Final[Mapping[int, str]] = {
    201: "queued: an operator must approve the device",
    400: "the path's names or the body cannot be read; the message says where",
    403: "not approved, declined, revoked, or another key",
    404: "no such device in this namespace",
    413: "the body is larger than MUSTER_HTTP_BODY_LIMIT_BYTES",
    503: "cannot be taken now: try again",
}


def device_routes(plane: Plane) -> list[BaseRouteHandler]:
    """The six calls; their bodies are decoded for the document alone, the plane reads the bytes."""

    @post(f"{_DEVICE}/enrolment", status_code=200, responses=_errors(201, 400, 403, 404, 413, 503), tags=[_TAG])
    async def enrol_device(request: Request[Any, Any, Any], data: Enrolment) -> Response[None]:  # noqa: ARG001 - documented
        return await _answer(plane, request)

    @get(f"{_DEVICE}/registration", responses=_errors(400, 403, 404, 503), tags=[_TAG])
    async def get_registration_status(request: Request[Any, Any, Any]) -> Response[RegistrationStatus]:
        return await _answer(plane, request)

    @put(f"{_DEVICE}/registration", responses=_errors(400, 403, 404, 413, 503), tags=[_TAG])
    async def register_device(request: Request[Any, Any, Any], data: Registration) -> Response[None]:  # noqa: ARG001 - documented
        return await _answer(plane, request)

    @get(f"{_DEVICE}/configuration", responses=_errors(400, 404, 503), tags=[_TAG])
    async def get_device_configuration(request: Request[Any, Any, Any]) -> Response[DeviceConfiguration]:
        return await _answer(plane, request)

    @put(f"{_DEVICE}/heartbeat", responses=_errors(400, 404, 413, 503), tags=[_TAG])
    async def update_heart_beat(request: Request[Any, Any, Any], data: Heartbeat) -> Response[None]:  # noqa: ARG001 - documented
        return await _answer(plane, request)

    @get(f"{_DEVICE}/playbookexecutions", responses=_errors(400, 404, 503), tags=[_TAG])
    async def get_playbook_executions(request: Request[Any, Any, Any]) -> Response[list[dict[str, Any]]]:
        return await _answer(plane, request)

    return [
        enrol_device,
        get_registration_status,
        register_device,
        get_device_configuration,
        update_heart_beat,
        get_playbook_executions,
    ]


class _PlaneResponse(Response[Any]):
    """Carries the plane's answer as it is, without Litestar's own content type."""

    def __init__(self, answer: ASGIResponse) -> None:
        super().__init__(None)
        self._answer = answer

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """The answer."""
        return self._answer


async def _answer(plane: Plane, request: Request[Any, Any, Any]) -> Response[Any]:
    answer = await plane.answer(request.method, request.scope["raw_path"], await request.body())
    headers = [(name, value) for name, value in answer.headers if name not in (b"content-type", b"content-length")]
    return _PlaneResponse(
        ASGIResponse(
            body=answer.body,
            status_code=answer.status,
            encoded_headers=headers,
            media_type="application/json" if answer.body else "",
        )
    )


def _errors(*statuses: int) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(
            None if status == HTTPStatus.CREATED else ErrorMessage,
            description=_MEANINGS[status],
            generate_examples=False,
        )
        for status in statuses
    }
