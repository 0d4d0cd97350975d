"""The API as ASGI applications, one for each address: the device plane in front, Litestar with everything else behind.

With one address for both planes there is one application. With two, each plane answers at its own alone: the device
plane to the Edge API's certificate, the management plane to the admin token.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, cast

from litestar import Litestar

from api.asgi import Application
from api.devices.light_calls import LightCalls
from api.devices.light_route import LightRoute, Plane
from api.devices.routes import device_routes
from api.documents import document_routes, openapi_config
from api.failures import answer_failure
from api.host_check import HostCheck
from api.listeners.admin_token import AdminToken
from api.listeners.callers import Callers
from api.listeners.certificates import Certificates
from api.listeners.edge_api_check import EdgeApiCheck
from api.listeners.elsewhere import DevicePlaneElsewhere, management_elsewhere
from api.operation_routes import operation_routes
from api.operators.explanation_routes import explanation_routes
from api.operators.history_routes import history_routes
from api.operators.lifecycle_routes import lifecycle_routes
from api.operators.past_routes import Pasts, past_routes
from api.operators.preview_routes import preview_routes
from api.process import ApiProcess
from api.request_count import RequestCount
from api.resources.routes import resource_routes
from api.resources.together_routes import together_routes
from settings import Settings
from settings.keys import read_password
from storage.past_states import PastStateReader
from storage.revisions import RevisionReader


class Served(NamedTuple):
    """What answers at an address; `light` answers the hot calls before `app`, which answers them alike."""

    app: Application
    light: LightCalls | None


class Applications(NamedTuple):
    """`management` has the lifespan; `device` is None where it shares that one's address."""

    management: Served
    device: Served | None
    certificates: Certificates
    end_watches: Callable[[], None]


def create_app(settings: Settings, end: Callable[[], None]) -> Applications:
    """Applications of a process of its own, whose parts start and stop in the lifespan. Raises SettingsError.

    `end` begins to stop the server when they must not go on.
    """
    process = ApiProcess(settings, end)
    is_apart = bool(settings.device.port)
    plane: Plane = DevicePlaneElsewhere() if is_apart else process.plane
    management = RequestCount(_guarded(_litestar(settings, process, plane), settings), process.metrics)
    limit_bytes = settings.http.body_limit_bytes
    light = None if is_apart else LightCalls(process.plane, process.view, limit_bytes)
    return Applications(
        Served(LightRoute(plane, management, limit_bytes, process.view), light),
        _device_plane_apart(settings, process) if is_apart else None,
        process.certificates,
        process.watches.stop,
    )


def _litestar(settings: Settings, process: ApiProcess, plane: Plane) -> Application:
    litestar = Litestar(
        route_handlers=[
            *device_routes(plane),
            *resource_routes(process.reads, process.watches, process.writes, process.events),
            together_routes(process.reads, process.writes, settings.kafka.record_limit_bytes),
            *document_routes(),
            *operation_routes(process.health, process.metrics),
            lifecycle_routes(process.gateway, settings.api.operator_deadline_ms / 1000),
            explanation_routes(process.view, process.configurations),
            preview_routes(process.previews, settings.devices.initial_namespace),
            past_routes(_pasts(settings, process)),
            history_routes(
                RevisionReader(settings.clickhouse, read_password(settings.clickhouse_password_file)),
                settings.api.operator_deadline_ms / 1000,
            ),
        ],
        lifespan=[process.running],
        exception_handlers={Exception: answer_failure},
        request_max_body_size=settings.http.resource_limit_bytes,
        logging_config=None,
        openapi_config=openapi_config(),
    )
    return cast("Application", litestar)  # the same protocol, typed more narrowly


def _pasts(settings: Settings, process: ApiProcess) -> Pasts:
    password = read_password(settings.clickhouse_password_file)
    return Pasts(
        PastStateReader(settings.clickhouse, password, settings.devices.initial_namespace),
        process.keys,
        process.installation_key,
        lambda: time.time_ns() // 1_000_000,
        settings.api.operator_deadline_ms / 1000,
    )


def _guarded(management: Application, settings: Settings) -> Application:
    """By the token, which no web page knows; without one, by what gives a web page away."""
    http = settings.http
    if http.token_file:
        return AdminToken(management, http.token_file)
    return HostCheck(management, [http.host, *(name.strip() for name in http.names.split(","))])


def _device_plane_apart(settings: Settings, process: ApiProcess) -> Served:
    limit_bytes = settings.http.body_limit_bytes
    device: Application = LightRoute(process.plane, management_elsewhere, limit_bytes, process.view)
    if process.certificates.device is None and not settings.device.proxy_header:
        return Served(device, LightCalls(process.plane, process.view, limit_bytes))
    callers = Callers(settings.device, process.certificates.client_was_let_in)
    light = LightCalls(process.plane, process.view, limit_bytes, callers)
    return Served(EdgeApiCheck(device, callers, process.metrics), light)
