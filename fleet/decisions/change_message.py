"""Why a resource was changed, in the words of who changed it: bounded text that is kept and shown, never a secret.

A caller says it beside the change, or, as users of `kubectl` know it, in an annotation that the change itself sets. An
annotation that stood there before tells why an earlier change was made, so it is not repeated for a later one.
"""

from typing import Final

from fleet.decisions.commands import PutResource, PutTogether, Request
from fleet.decisions.state import FleetState
from fleet.errors import BadInputError

LENGTH_LIMIT: Final = 1000
"""Characters: a paragraph. It is kept with each revision, and shown in one line."""

CAUSE: Final = "kubernetes.io/change-cause"
"""The annotation that `kubectl rollout history` shows."""

_SECRET: Final = "Secret"  # noqa: S105 - the kind's name


def check_message(text: str) -> str:
    """The message without space around it. Raises BadInputError."""
    message = text.strip()
    if len(message) > LENGTH_LIMIT:
        raise BadInputError(f"the message has {len(message)} characters: write at most {LENGTH_LIMIT}")
    if not all(character.isprintable() or character in "\n\t" for character in message):
        raise BadInputError("the message has characters that cannot be printed: write plain text")
    return message


def change_message(state: FleetState, request: Request) -> str:
    """What is kept beside the request's change; `state` is the one before it. A Secret's annotations are sealed."""
    if request.message:
        return request.message[:LENGTH_LIMIT]
    command = request.command
    puts = command.puts if isinstance(command, PutTogether) else [command]
    causes = {_new_cause(state, put) for put in puts if isinstance(put, PutResource)} - {""}
    # Several resources of one change may give one reason; of several reasons none is that of the change.
    return _printable(causes.pop()) if len(causes) == 1 else ""


def _new_cause(state: FleetState, put: PutResource) -> str:
    if put.subresource or put.key.kind == _SECRET:
        return ""
    cause = _cause(put.body)
    held = state.get(put.key) if cause else None
    return "" if held is not None and _cause(held.body) == cause else cause


def _cause(body: dict[str, object]) -> str:
    metadata = body.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    cause = annotations.get(CAUSE) if isinstance(annotations, dict) else None
    return cause if isinstance(cause, str) else ""


def _printable(text: str) -> str:
    """An annotation may hold anything of any length; all of it stays in the resource."""
    return "".join(each if each.isprintable() else " " for each in text[:LENGTH_LIMIT]).strip()
