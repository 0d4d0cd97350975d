"""Changes resources: validates, seals, sends the command and answers with what it made of the resource.

A dry run decides on this process's own view and changes nothing. A patch without a resourceVersion is applied to what
is there, again if that has changed meanwhile.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol

from api.desired_state.outcomes import require_accepted
from api.resources.change_messages import refuse_telling
from api.resources.missing_sets import missing_set_warnings
from api.resources.patches.reading import Patch
from api.resources.preconditions import NONE_EXPECTED, Preconditions, preconditions
from api.resources.reads import ResourceReads
from api.resources.secret_values import redact_last_applied, restore
from fleet.decisions.commands import Command, DeleteResource, JSONObject, Outcome, PutResource, Request, ResourceKey
from fleet.decisions.decide import decide
from fleet.decisions.verdict import Limits
from fleet.errors import ConflictError, NotFoundError
from fleet.resources import Kind, UnknownFields, validate
from fleet.sealing import NONCE_BYTES, KeyRing

_PATCH_TRIES: Final = 5

_SECRET: Final = "Secret"  # noqa: S105 - the kind's name


class Commands(Protocol):
    """Where changes go: `api.desired_state.command_gateway.CommandGateway`."""

    async def submit(
        self, command: Command, author: str, deadline_s: float, request_id: str | None = None, message: str = ""
    ) -> Outcome:
        """The outcome, refused or not, once this process has applied it."""


class Asked(NamedTuple):
    """Who asks for a change, how and why. `request_id` makes a repeat harmless."""

    author: str
    request_id: str | None
    unknown_fields: UnknownFields
    is_dry_run: bool
    message: str = ""


class Written(NamedTuple):
    """The resource after a change (as stored, with its revision), and what its author should know."""

    body: JSONObject
    warnings: list[str]


class ResourceWrites:
    """Writes resources. `random_bytes` makes nonces, `new_uid` uids; `wall_clock_ms` gives Unix time."""

    def __init__(
        self,
        reads: ResourceReads,
        commands: Commands,
        keys: KeyRing,
        limits: Limits,
        *,
        deadline_s: float,
        new_uid: Callable[[], str],
        random_bytes: Callable[[int], bytes],
        wall_clock_ms: Callable[[], int],
    ) -> None:
        self._reads = reads
        self._commands = commands
        self._keys = keys
        self._limits = limits
        self._deadline_s = deadline_s
        self._new_uid = new_uid
        self._random_bytes = random_bytes
        self._wall_clock_ms = wall_clock_ms

    async def create(self, kind: Kind, namespace: str, document: JSONObject, asked: Asked) -> Written:
        """Make a new resource. Raises ConflictError when it exists."""
        validated = validate(kind, document, namespace=namespace or None, unknown_fields=asked.unknown_fields)
        key = ResourceKey(kind.kind, namespace, validated.body["metadata"]["name"])
        return await self._put(
            key, validated.body, validated.warnings, mode="create", expected=NONE_EXPECTED, asked=asked
        )

    async def replace(
        self, kind: Kind, key: ResourceKey, document: JSONObject, subresource: Literal["", "status"], asked: Asked
    ) -> Written:
        """Replace a resource, or its status. A resourceVersion or uid in the document is a precondition."""
        validated = validate(
            kind,
            document,
            namespace=key.namespace or None,
            name=key.name,
            unknown_fields=asked.unknown_fields,
            subresource=subresource,
            warn_of_server_fields=False,
        )
        return await self._put(
            key,
            validated.body,
            validated.warnings,
            mode="replace",
            expected=preconditions(document),
            asked=asked,
            subresource=subresource,
        )

    async def patch(
        self, kind: Kind, key: ResourceKey, patch: Patch, subresource: Literal["", "status"], asked: Asked
    ) -> Written:
        """Apply a patch to a resource as it is shown, or to its status; hidden values stay what they are."""
        expected = patch.expected
        for _ in range(_PATCH_TRIES):
            held = self._reads.state.get(key)
            if held is None:
                raise NotFoundError(f"{key} does not exist")
            document = patch.apply(self._shown(held.body, held.revision))
            validated = validate(
                kind,
                document,
                namespace=key.namespace or None,
                name=key.name,
                unknown_fields=asked.unknown_fields,
                subresource=subresource,
                warn_of_server_fields=False,
            )
            revision = held.revision if expected.revision is None else expected.revision
            wanted = Preconditions(expected.uid, revision)
            try:
                return await self._put(
                    key,
                    validated.body,
                    validated.warnings,
                    mode="replace",
                    expected=wanted,
                    asked=asked,
                    subresource=subresource,
                )
            except ConflictError:
                now = self._reads.state.get(key)
                if expected.revision is not None or now is None or now.revision == held.revision:
                    raise
        raise ConflictError(f"{key} changes too often to be patched: try again")

    async def delete(self, key: ResourceKey, expected: Preconditions, asked: Asked) -> Written | None:
        """Delete a resource; None when it is gone at once, else the resource that is being deleted.

        Raises NotFoundError at once, but not for what may be a repeat: its resource is gone because of the first.
        """
        if asked.request_id is None and self._reads.state.get(key) is None:
            raise NotFoundError(f"{key} does not exist")
        if key.kind == _SECRET and (held := self._reads.state.get(key)):
            refuse_telling(asked.message, self._keys.opened(held.body))
        outcome = await self.decide(DeleteResource(key, expected.uid, expected.revision), asked)
        for change in outcome.changes:
            if change.key == key:
                return None if change.body is None else Written(self._shown(change.body, outcome.revision), [])
        held = self._reads.state.get(key)
        return Written(self._shown(held.body, held.revision), []) if held else None

    async def _put(
        self,
        key: ResourceKey,
        body: JSONObject,
        warnings: list[str],
        *,
        mode: Literal["create", "replace"],
        expected: Preconditions,
        asked: Asked,
        subresource: Literal["", "status"] = "",
    ) -> Written:
        if not subresource:
            warnings = [*warnings, *missing_set_warnings(self._reads.state, key, body)]
        outcome = await self.decide(
            self.command(key, body, mode, expected, asked=asked, subresource=subresource), asked
        )
        for change in outcome.changes:
            if change.key == key and change.body is not None:
                return Written(self._shown(change.body, outcome.revision), warnings)
        held = self._reads.state.get(key)
        if held is None:
            raise NotFoundError(f"{key} was deleted meanwhile")
        return Written(self._shown(held.body, held.revision), warnings)

    def command(
        self,
        key: ResourceKey,
        body: JSONObject,
        mode: Literal["create", "replace"],
        expected: Preconditions,
        *,
        asked: Asked,
        subresource: Literal["", "status"] = "",
    ) -> PutResource:
        """The command that stores a checked resource, a Secret sealed. Raises InvalidResourceError."""
        if key.kind == _SECRET:
            held = self._reads.state.get(key)
            body = restore(body, self._keys.opened(held.body) if held else None)
            refuse_telling(asked.message, body)
            body = redact_last_applied(body)
            body = self._keys.seal(body, self._random_bytes(NONCE_BYTES))
        if expected.uid is not None:
            body = body | {"metadata": body["metadata"] | {"uid": expected.uid}}
        return PutResource(key, body, mode, self._new_uid(), expected.revision, subresource)

    async def decide(self, command: Command, asked: Asked) -> Outcome:
        """What came of a command; of a dry run, what would. Raises what it is refused for."""
        if asked.is_dry_run:
            state = self._reads.state
            request = Request(asked.request_id or "", asked.author, self._wall_clock_ms(), command)
            outcome = decide(state, request, state.revision + 1, self._limits)
        else:
            outcome = await self._commands.submit(
                command, asked.author, self._deadline_s, asked.request_id, asked.message
            )
        require_accepted(outcome)
        return outcome

    def _shown(self, body: JSONObject, revision: int) -> JSONObject:
        return self._reads.shown(body, revision)
