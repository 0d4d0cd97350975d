"""What must be supplied before a configuration can be assembled: all of it, where assembling stops at the first.

Each part that is missing is assumed to be there, and assembling goes on to the next. So the rules of assembling are
asked, and not repeated here.
"""

from base64 import b64encode
from typing import Final, NamedTuple

import msgspec

from fleet.configuration import Configuration, ConfigurationError, References
from fleet.configuration.allow_lists import KEY as ALLOW_LIST_KEY
from fleet.decisions.commands import JSONObject, ResourceKey
from fleet.errors import MusterError
from fleet.preview.side import Recipe, Side

_PARTS_LIMIT: Final = 50
"""Missing parts found for one recipe at most."""

_ASSUMED: Final = {ALLOW_LIST_KEY: "names: []", "BUCKET_PORT": "1", "Protocol": "tcp"}
"""What is assumed of keys that must hold something particular."""


class MissingPart(NamedTuple):
    """A resource that is missing as a whole, or `keys` of it that are missing or wrong."""

    resource: ResourceKey | None
    keys: list[str]
    message: str
    is_fatal: bool


class Completed(NamedTuple):
    """What is missing, and the configuration as it would be with all of that; None where even that is none."""

    parts: list[MissingPart]
    configuration: Configuration | None


def missing_parts(side: Side, recipe: Recipe) -> list[MissingPart]:
    """What must be supplied, fatal parts first; empty when nothing is missing."""
    return complete(side, recipe).parts


def complete(side: Side, recipe: Recipe) -> Completed:
    """Assemble, and assume what is missing."""
    assumed = _Assumed(side)
    found: dict[ResourceKey, MissingPart] = {}
    for _ in range(_PARTS_LIMIT):
        try:
            configuration = side.configuration(recipe, assumed.references)
        except ConfigurationError as error:
            if not assumed.assume(error.resource, error.key):
                break
            part = found.setdefault(error.resource, MissingPart(error.resource, [], str(error), is_fatal=True))
            part.keys.extend([error.key] if error.key else [])
        except (MusterError, msgspec.ValidationError) as error:
            return Completed([*found.values(), MissingPart(None, [], str(error), is_fatal=True)], None)
        else:
            left_out = (
                MissingPart(each.resource, [each.key] * bool(each.key), each.message, False)
                for each in configuration.problems
            )
            return Completed([*found.values(), *left_out], configuration)
    return Completed(list(found.values()), None)


class _Assumed:
    """A namespace's Secrets and ConfigMaps with what is assumed of them."""

    def __init__(self, side: Side) -> None:
        self._data: dict[tuple[str, str], dict[str, str]] = {}
        self._lookups = {"Secret": side.secret, "ConfigMap": side.config_map}
        self.references = References(
            side.namespace, lambda name: self._get("Secret", name), lambda name: self._get("ConfigMap", name)
        )

    def assume(self, resource: ResourceKey, key: str) -> bool:
        """Assume a resource, or a key of it. False when that was assumed before and does not help."""
        is_new = (resource.kind, resource.name) not in self._data
        data = self._data.setdefault((resource.kind, resource.name), {})
        if not key:
            return is_new
        if key in data:
            return False
        text = _ASSUMED.get(key, "x")
        data[key] = b64encode(text.encode()).decode() if resource.kind == "Secret" else text
        return True

    def _get(self, kind: str, name: str) -> JSONObject | None:
        body, data = self._lookups[kind](name), self._data.get((kind, name))
        return body if data is None else (body or {}) | {"data": {**((body or {}).get("data") or {}), **data}}
