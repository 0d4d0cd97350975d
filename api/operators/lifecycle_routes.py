"""Devices' lives over HTTP: approve many before they ask, let one register another key."""

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Protocol

import msgspec
from litestar import Response, Router, post

from api.desired_state.outcomes import require_accepted
from api.resources.impersonation import refuse_impersonation
from api.resources.requests import AnyRequest, read_asked
from api.resources.responses import ResourceResponse
from fleet.decisions.commands import Command, Outcome, PreauthoriseDevice, ResetKey
from fleet.devices.json_bodies import read_object
from fleet.errors import MusterError
from fleet.names import check_device_id, check_label_key, check_label_value, check_namespace

PREFIX: Final = "/muster/v1"

DEVICES_AT_ONCE: Final = 1000
"""Devices of one request: some hundred kilobytes, decided well within an operator's deadline."""


class Preauthorisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device that may join. An empty `set` is none."""

    device: str
    namespace: str
    set: str = ""
    labels: dict[str, str] = {}


class Preauthorisations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many of them."""

    devices: Annotated[list[Preauthorisation], msgspec.Meta(min_length=1, max_length=DEVICES_AT_ONCE)]


class Commands(Protocol):
    """Where changes go: `api.desired_state.command_gateway.CommandGateway`."""

    async def submit(
        self, command: Command, author: str, deadline_s: float, request_id: str | None = None, message: str = ""
    ) -> Outcome:
        """The outcome, refused or not, once this process has applied it."""

    async def submit_all(
        self,
        commands: Sequence[Command],
        author: str,
        deadline_s: float,
        request_ids: Sequence[str] = (),
        message: str = "",
    ) -> list[Outcome | MusterError]:
        """What came of each of many commands, in their order."""


_decoder = msgspec.json.Decoder(Preauthorisations)


def lifecycle_routes(
    commands: Commands, deadline_s: float, new_uid: Callable[[], str] = lambda: str(uuid.uuid4())
) -> Router:
    """`POST /muster/v1/preauthorisations` and `POST /muster/v1/namespaces/NS/devices/DEVICE/reset-key`."""

    @post(f"{PREFIX}/preauthorisations", operation_id="preauthoriseDevices", tags=["lifecycle"], status_code=200)
    async def preauthorise(request: AnyRequest) -> Response[Any]:
        """Approve up to a thousand devices; what came of each, in their order."""
        asked = read_asked(request)
        wanted = read_object(_decoder, await request.body(), "body").devices
        for each in wanted:
            _check(each)

        came_of = await commands.submit_all(
            [
                PreauthoriseDevice(each.device, each.namespace, each.set, each.labels, new_uid(), new_uid())
                for each in wanted
            ],
            asked.author,
            deadline_s,
            [f"{asked.request_id}.{number}" for number in range(len(wanted))] if asked.request_id else (),
            asked.message,
        )
        results = [_told(each.device, outcome) for each, outcome in zip(wanted, came_of, strict=True)]
        return ResourceResponse({"results": results})

    @post(
        f"{PREFIX}/namespaces/{{namespace:str}}/devices/{{device:str}}/reset-key",
        operation_id="resetDeviceKey",
        tags=["lifecycle"],
        status_code=200,
    )
    async def reset(request: AnyRequest) -> Response[Any]:
        """Let a device register another key, once."""
        asked = read_asked(request)
        device, namespace = request.path_params["device"], request.path_params["namespace"]
        command = ResetKey(device, namespace)
        outcome = await commands.submit(command, asked.author, deadline_s, asked.request_id, asked.message)
        require_accepted(outcome)
        return ResourceResponse({"device": device, "result": outcome.result, "message": outcome.message})

    return Router("/", route_handlers=[preauthorise, reset], guards=[refuse_impersonation])


def _check(wanted: Preauthorisation) -> None:
    check_device_id(wanted.device)
    check_namespace(wanted.namespace)
    for key, value in wanted.labels.items():
        check_label_key(key)
        check_label_value(value)
    check_label_value(wanted.set)


def _told(device: str, outcome: Outcome | MusterError) -> dict[str, str]:
    """What came of one device: an error of one is no error of the others."""
    if isinstance(outcome, MusterError):
        return {"device": device, "result": "unknown", "message": str(outcome)}
    return {"device": device, "result": outcome.result, "message": outcome.message}
