"""The API as one ASGI application: the device plane in front, Litestar with everything else behind it."""

from collections.abc import Callable
from typing import cast

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin, YamlRenderPlugin

from api.asgi import Application
from api.devices.light_route import LightRoute
from api.devices.routes import device_routes
from api.failures import answer_failure
from api.host_check import HostCheck
from api.operation_routes import operation_routes
from api.process import ApiProcess
from api.request_count import RequestCount
from api.resources.routes import resource_routes
from settings import Settings

VERSION = "1.0.0"
"""Of the HTTP interface, not of the program."""


def create_app(settings: Settings, end: Callable[[], None]) -> Application:
    """An application of its own, which starts and stops its parts in its lifespan. Raises SettingsError.

    `end` begins to stop the server when the application must not go on.
    """
    process = ApiProcess(settings, end)
    litestar = Litestar(
        route_handlers=[
            *device_routes(process.plane),
            *resource_routes(process.reads, process.writes),
            *operation_routes(process.health, process.metrics),
        ],
        lifespan=[process.running],
        exception_handlers={Exception: answer_failure},
        request_max_body_size=settings.http.resource_limit_bytes,
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Muster",
            version=VERSION,
            path="/docs",
            render_plugins=[SwaggerRenderPlugin(), JsonRenderPlugin(), YamlRenderPlugin()],
        ),
    )
    carried = cast("Application", litestar)  # the same protocol, typed more narrowly
    names = [settings.http.host, *(name.strip() for name in settings.http.names.split(","))]
    behind = RequestCount(HostCheck(carried, names), process.metrics)
    return LightRoute(process.plane, behind, settings.http.body_limit_bytes, process.view)
