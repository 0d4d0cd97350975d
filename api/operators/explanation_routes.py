"""Why a device runs what it runs, over HTTP: `GET /muster/v1/namespaces/NS/devices/DEVICE/explanation`."""

from typing import Any, Protocol

import msgspec
from litestar import Response, Router, get

from api.desired_state.fleet_view import FleetView
from api.operators.lifecycle_routes import PREFIX
from api.resources.impersonation import refuse_impersonation
from api.resources.requests import AnyRequest
from api.resources.responses import ResourceResponse
from fleet.configuration import ConfigurationError
from fleet.configuration.explanation import ExplainedField
from fleet.devices.states import DeviceIdentity
from fleet.errors import ConflictError, NotFoundError, UnavailableError


class Explanations(Protocol):
    """What knows the configurations: `api.devices.configurations.Configurations`."""

    def explanation(self, identity: DeviceIdentity) -> list[ExplainedField]:
        """Every field of a device's configuration. Raises MusterError when it cannot be assembled."""


def explanation_routes(view: FleetView, explanations: Explanations) -> Router:
    """The route."""

    @get(
        f"{PREFIX}/namespaces/{{namespace:str}}/devices/{{device:str}}/explanation",
        operation_id="explainDevice",
        tags=["explanation"],
        sync_to_thread=False,
    )
    def explain(request: AnyRequest) -> Response[Any]:
        """For every effective field the resource and revision it comes from, and what it replaced."""
        if not view.is_loaded:
            raise UnavailableError("this process has not loaded the fleet yet: try again")
        device, namespace = request.path_params["device"], request.path_params["namespace"]
        identity = view.identity(device)
        if identity is None or identity.namespace != namespace:
            raise NotFoundError(f"device {device} is not in namespace {namespace}")
        try:
            fields = explanations.explanation(identity)
        except ConfigurationError as error:
            # Asked again it would be the same: an operator must act first.
            raise ConflictError(f"the configuration cannot be assembled: {error}") from None
        return ResourceResponse({"fields": msgspec.to_builtins(fields)})

    return Router("/", route_handlers=[explain], guards=[refuse_impersonation])
