"""From documents, as `apply` takes them, and deletions to changes of the state: merged, validated and decided.

Nothing is sent or stored. Every document is looked at, so that all that would be refused is told at once.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import msgspec

from fleet.decisions.commands import Command, DeleteResource, JSONObject, PutResource, Request, ResourceKey
from fleet.decisions.decide import decide
from fleet.decisions.planned_state import PlannedState
from fleet.decisions.verdict import Limits
from fleet.errors import BadInputError, InvalidResourceError, MusterError, NotFoundError
from fleet.preview.result import REFUSALS_SHOWN, Refusal, Resources
from fleet.resources import KINDS, Kind, kind_by_any_name, kind_of, validate
from fleet.resources.change_plan import plan_change
from fleet.resources.merge_patch import merge_patch
from fleet.resources.metadata import SERVER_FIELDS

_ORDER = list(KINDS)
_UID = "planned"


class Deletion(NamedTuple):
    """A resource to delete; the kind by any of its names."""

    kind: str
    namespace: str
    name: str


class Rules(NamedTuple):
    """What documents are judged with. `opened` opens a stored Secret; `sealed` makes a stored one of a document's.

    `sealed` is given the Secret and the one that is there (opened), from which hidden values come.
    """

    default_namespace: str
    limits: Limits
    now_ms: int
    opened: Callable[[JSONObject], JSONObject]
    sealed: Callable[[JSONObject, JSONObject | None], JSONObject]


class Planned(NamedTuple):
    """What became of the documents and deletions; `refused` counts all, `refusals` are the first."""

    resources: Resources
    refusals: list[Refusal]
    refused: int


class _Document(NamedTuple):
    number: int
    kind: Kind
    key: ResourceKey
    body: JSONObject


def plan_all(
    planned: PlannedState, documents: list[Any], deletions: list[Deletion], rules: Rules
) -> Generator[None, None, Planned]:
    """Plan everything; yields after each step, so that other work can go on.

    Documents are JSON values, or JSON itself (`msgspec.Raw`).
    """
    refusals: list[tuple[int, str, MusterError]] = []
    done = Resources()
    read: list[_Document] = []
    keys: dict[ResourceKey, int] = {}
    for number, given in enumerate(documents, 1):
        document: Any = None
        try:
            document = _decoded(given)
            each = _read(number, document, rules)
            if (first := keys.setdefault(each.key, number)) != number:
                raise BadInputError(f"{each.key} is already document {first}: remove one of them")
            read.append(each)
        except MusterError as error:
            refusals.append((number, _name(document), error))
        yield
    # As `apply` sends them: kinds that others need come first.
    for each in sorted(read, key=lambda each: _ORDER.index(each.kind.kind)):
        try:
            outcome = _put(planned, each, rules)
            setattr(done, outcome, getattr(done, outcome) + 1)
        except MusterError as error:
            refusals.append((each.number, str(each.key), error))
        yield
    for number, deletion in enumerate(deletions, len(documents) + 1):
        try:
            _delete(planned, deletion, rules)
            done.deleted += 1
        except MusterError as error:
            refusals.append((number, f"{deletion.kind} {deletion.name}", error))
        yield
    shown = sorted(refusals, key=lambda each: each[0])[:REFUSALS_SHOWN]
    return Planned(
        done,
        [Refusal(number, name, getattr(error, "field", ""), str(error)) for number, name, error in shown],
        len(refusals),
    )


def _decoded(given: Any) -> Any:
    """A document, which may come as JSON that is not read yet."""
    if not isinstance(given, msgspec.Raw):
        return given
    try:
        return msgspec.json.decode(given)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"not JSON that can be read: {error}") from None


def _read(number: int, document: Any, rules: Rules) -> _Document:
    """A document as `apply` would send it: without fields that only the server writes."""
    if not isinstance(document, dict) or not isinstance(metadata := document.get("metadata"), dict):
        raise BadInputError("not a resource: write apiVersion, kind and metadata.name")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str):
            raise InvalidResourceError(f"{field} is missing: write it", field)
    kind = kind_of(document["apiVersion"], document["kind"])
    namespace = (metadata.get("namespace") or rules.default_namespace) if kind.is_namespaced else ""
    validate(kind, document, namespace=namespace or None)
    own = {field: value for field, value in metadata.items() if field not in SERVER_FIELDS}
    own |= {"namespace": namespace} if namespace else {}
    body = {field: value for field, value in document.items() if field != "status"} | {"metadata": own}
    return _Document(number, kind, ResourceKey(kind.kind, namespace, own["name"]), body)


def _put(planned: PlannedState, document: _Document, rules: Rules) -> str:
    key, held = document.key, planned.get(document.key)
    live = None if held is None else rules.opened(held.body)
    plan = plan_change(document, live)
    if plan.action == "nothing":
        return "unchanged"
    merged = plan.body if live is None else merge_patch(live, plan.body)
    validated = validate(
        document.kind, merged, namespace=key.namespace or None, name=key.name, warn_of_server_fields=False
    )
    body = rules.sealed(validated.body, live) if key.kind == "Secret" else validated.body
    result = _decide(planned, PutResource(key, body, "create" if live is None else "replace", _UID), rules)
    if result == "unchanged":
        return "unchanged"
    return "created" if live is None else "configured"


def _delete(planned: PlannedState, deletion: Deletion, rules: Rules) -> None:
    kind = kind_by_any_name(deletion.kind)
    namespace = (deletion.namespace or rules.default_namespace) if kind.is_namespaced else ""
    key = ResourceKey(kind.kind, namespace, deletion.name)
    if planned.get(key) is None:
        raise NotFoundError(f"{key} does not exist")
    _decide(planned, DeleteResource(key), rules)


def _decide(planned: PlannedState, command: Command, rules: Rules) -> str:
    request = Request("", "", rules.now_ms, command)
    outcome = decide(planned, request, planned.revision + 1, rules.limits)
    if outcome.result not in ("accepted", "unchanged"):
        raise BadInputError(outcome.message)
    planned.plan(outcome.changes)
    return outcome.result


def _name(document: Any) -> str:
    """As much of a name as can be read."""
    if not isinstance(document, dict):
        return ""
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return " ".join(str(each)[:80] for each in (document.get("kind"), name) if isinstance(each, str))
