"""Tells whether a command says again what another said: a caller that repeats its request means the same change.

What the API adds to a request by chance (uids, the nonce of a sealed Secret) differs with each repeat and counts for
nothing; a Secret's content is compared by its MAC.
"""

import msgspec

from fleet.decisions.commands import Command, EnrolDevice, JSONObject, PreauthoriseDevice, PutResource, PutTogether


def is_repeat(first: Command, again: Command) -> bool:
    """Whether both ask for the same change."""
    return _without_chance(first) == _without_chance(again)


def _without_chance(command: Command) -> Command:
    match command:
        case PutResource():
            return _without_chance_of_put(command)
        case PutTogether():
            return PutTogether([_without_chance_of_put(put) for put in command.puts])
        case EnrolDevice() | PreauthoriseDevice():
            return msgspec.structs.replace(command, uid="", device_uid="")
        case _:
            return command


def _without_chance_of_put(put: PutResource) -> PutResource:
    return msgspec.structs.replace(put, uid="", body=_without_nonce(put.body))


def _without_nonce(body: JSONObject) -> JSONObject:
    sealed = body.get("sealed")
    return body | {"sealed": sealed.get("mac")} if isinstance(sealed, dict) else body
