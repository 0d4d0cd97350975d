"""Changes several resources as one: every document is checked first, and then all are stored, or none."""

import asyncio
from typing import Any, Final, Literal, NamedTuple

from api.resources.missing_sets import missing_set_warnings
from api.resources.preconditions import preconditions
from api.resources.reads import ResourceReads
from api.resources.writes import Asked, ResourceWrites
from fleet.decisions.commands import Outcome, PutResource, PutTogether, ResourceKey
from fleet.decisions.together import TOGETHER_LIMIT
from fleet.errors import BadInputError, InvalidResourceError, ManyInvalidError, MusterError, TooLargeError
from fleet.resources import kind_of, validate

_TOLD_LIMIT: Final = 50
"""Mistakes that are told; the rest is counted."""

_CHECKED_AT_ONCE: Final = 20
"""Documents checked before other work of the process, such as devices' calls, gets its turn: some milliseconds."""


class Result(NamedTuple):
    """What became of one document: `created`, `configured` or `unchanged`."""

    key: ResourceKey
    verb: str
    warnings: list[str]


class _Checked(NamedTuple):
    put: PutResource
    warnings: list[str]


async def write_together(
    writes: ResourceWrites, reads: ResourceReads, documents: list[Any], asked: Asked
) -> list[Result]:
    """Create the documents without a resourceVersion, replace the others; the results in their order.

    Raises ManyInvalidError with a cause for each document that is wrong or refused, `items[3].spec.device`.
    """
    if len(documents) > TOGETHER_LIMIT:
        raise TooLargeError(f"{len(documents)} documents: {TOGETHER_LIMIT} are applied together at most")
    checked: list[_Checked] = []
    causes: list[tuple[str, str]] = []
    for index, document in enumerate(documents):
        if index % _CHECKED_AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            checked.append(_checked(writes, reads, document, asked))
        except BadInputError as error:
            field = error.field if isinstance(error, InvalidResourceError) else ""
            causes.append((f"items[{index}]{f'.{field}' if field else ''}", str(error)))
    if causes:
        raise _many(causes, len(documents))
    try:
        outcome = await writes.decide(PutTogether([each.put for each in checked]), asked)
    except MusterError as error:
        refusals = _refusals(str(error))
        if not refusals:
            raise
        raise _many(refusals, len(documents)) from None
    return [_result(each, outcome) for each in checked]


def _checked(writes: ResourceWrites, reads: ResourceReads, document: Any, asked: Asked) -> _Checked:
    if not isinstance(document, dict):
        raise BadInputError("not a resource: write apiVersion, kind and metadata.name")
    kind = kind_of(str(document.get("apiVersion")), str(document.get("kind")))
    validated = validate(kind, document, unknown_fields=asked.unknown_fields, warn_of_server_fields=False)
    metadata = validated.body["metadata"]
    key = ResourceKey(kind.kind, metadata.get("namespace", ""), metadata["name"])
    expected = preconditions(document)
    mode: Literal["create", "replace"] = "create" if expected.revision is None else "replace"
    put = writes.command(key, validated.body, mode, expected, asked=asked)
    return _Checked(put, [*validated.warnings, *missing_set_warnings(reads.state, key, validated.body)])


def _result(checked: _Checked, outcome: Outcome) -> Result:
    key = checked.put.key
    if all(change.key != key for change in outcome.changes):
        return Result(key, "unchanged", checked.warnings)
    return Result(key, "created" if checked.put.mode == "create" else "configured", checked.warnings)


def _refusals(message: str) -> list[tuple[str, str]]:
    """The lines of a refused change: `items[3]: why`, or `items[3]: spec.device: why`."""
    lines = [line.partition(": ") for line in message.splitlines() if line.startswith("items[")]
    return [(item, reason) for item, _, reason in lines]


def _many(causes: list[tuple[str, str]], documents: int) -> ManyInvalidError:
    return ManyInvalidError(
        f"{len(causes)} of {documents} documents are refused, so none is applied: {causes[0][0]}: {causes[0][1]}",
        causes[:_TOLD_LIMIT],
    )
