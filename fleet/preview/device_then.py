"""What one device is told under a state, as it may be shown: for states of the past, whose Secrets may be erased."""

from collections.abc import Callable
from typing import Any

import msgspec

from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.decisions.state import FleetState
from fleet.devices.labels import device_set_name
from fleet.preview.device_facts import facts_of
from fleet.preview.difference import redacted
from fleet.preview.missing import MissingPart, complete
from fleet.preview.side import Recipe, Side
from fleet.sealing import SealingError


class Source(msgspec.Struct, frozen=True, rename="camel"):
    """A resource that the configuration is made of, and its revision then."""

    resource: str
    revision: str


class DeviceThen(msgspec.Struct, frozen=True, rename="camel"):
    """What a device was to run. `configuration` has the values of Secrets hidden; None where there is none.

    `note` says why there is no configuration, or no `version`: that depends on values of Secrets, which may be erased.
    """

    device: str
    namespace: str
    state: str
    labels: dict[str, str]
    sources: list[Source]
    version: str
    note: str
    configuration: JSONObject | None


def device_then(
    state: FleetState, device_id: str, opened: Callable[[JSONObject], JSONObject], installation_key: bytes
) -> DeviceThen | None:
    """The device under a state that holds it and its namespace; None where it is unknown."""
    identity = state.identities.get(device_id)
    if identity is None:
        return None
    namespace = identity.namespace
    unreadable: set[str] = set()

    def opened_if_possible(body: JSONObject) -> JSONObject:
        try:
            return opened(body)
        except SealingError:
            unreadable.add(body["metadata"]["name"])
            return body

    side = Side(state, namespace, opened_if_possible, installation_key)
    for _ in side.compile():
        pass
    facts = facts_of(state, namespace, device_id)
    if facts.identity is None:
        note = f"the device was {identity.state}: only registered ones are told what to run"
        return DeviceThen(device_id, namespace, identity.state, facts.labels, [], "", note, None)
    recipe = side.recipe(facts.identity, facts.labels, facts.spec)
    completed = complete(side, recipe)
    lacking = [part for part in completed.parts if not _is_erased(part, unreadable)]
    fatal = [part.message for part in lacking if part.is_fatal]
    configuration = completed.configuration
    told: dict[str, Any] | None = redacted(configuration.content) if configuration and not fatal else None
    if fatal:
        note = f"it could not be configured, and kept what it ran: {'; '.join(fatal)}"
    elif unreadable:
        note = f"what Secret {', '.join(sorted(unreadable))} held is erased since, and the version with it"
    else:
        note = "; ".join(f"left out: {part.message}" for part in lacking)
    version = configuration.version if configuration and not (fatal or unreadable) else ""
    sources = _sources(side, device_id, recipe, device_set_name(facts.labels), told)
    return DeviceThen(device_id, namespace, identity.state, facts.labels, sources, version, note, told)


def _is_erased(part: MissingPart, unreadable: set[str]) -> bool:
    return part.resource is not None and part.resource.kind == "Secret" and part.resource.name in unreadable


def _sources(side: Side, device_id: str, recipe: Recipe, set_name: str | None, told: JSONObject | None) -> list[Source]:
    """The device, its set, its workloads and their Secrets, as far as they were there."""
    keys = [
        ResourceKey("EdgeDevice", side.namespace, device_id),
        *([ResourceKey("EdgeDeviceSet", side.namespace, set_name)] if set_name else []),
        *(ResourceKey("EdgeWorkload", side.namespace, workload.name) for workload in recipe.selected),
        *(ResourceKey("Secret", side.namespace, name) for name in (told or {}).get("secrets", ())),
    ]
    found = ((key, side.state.get(key)) for key in keys)
    return [Source(f"{key.kind}/{key.name}", str(held.revision)) for key, held in found if held is not None]
