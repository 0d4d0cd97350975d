"""What deciding one command comes to, before it has a revision and a request id around it."""

from typing import Literal, NamedTuple

import msgspec

from fleet.decisions.commands import Change, DeviceEvent

Result = Literal["accepted", "unchanged", "invalid", "forbidden", "not-found", "conflict"]
Refusal = Literal["invalid", "forbidden", "not-found", "conflict"]


class Verdict(NamedTuple):
    """The part of an `Outcome` that the rules decide. Only an accepted one changes anything."""

    result: Result
    message: str = ""
    changes: tuple[Change, ...] = ()
    events: tuple[DeviceEvent, ...] = ()


class Limits(msgspec.Struct, frozen=True):
    """What bounds the decisions. Differing limits make differing outcomes: all workers need the same settings."""

    pending_limit: int
    pending_expiry_ms: int


def accepted(*changes: Change, events: tuple[DeviceEvent, ...] = ()) -> Verdict:
    """The command changes these resources, all or none of them."""
    return Verdict("accepted", "", changes, events)


def unchanged(message: str = "") -> Verdict:
    """Everything is as the command wants it."""
    return Verdict("unchanged", message)


def refused(result: Refusal, message: str, *events: DeviceEvent) -> Verdict:
    """The command changes nothing; `message` says what the caller can do."""
    return Verdict(result, message, (), events)
