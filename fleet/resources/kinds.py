"""The kinds of resources operators know: how each is called in YAML, in paths and on a command line."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

from fleet.errors import BadInputError, NotFoundError
from fleet.names import shown

FLOTTA_GROUP = "management.project-flotta.io"


class Kind(NamedTuple):
    """One kind. `plural` is what paths say; it equals `singular` where Flotta's definition has it so."""

    kind: str
    group: str
    version: str
    plural: str
    singular: str
    is_namespaced: bool
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """What a document's `apiVersion` says: the core group is left out."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def has_status(self) -> bool:
        """Whether paths of this kind end in a `status` subresource. Secrets and ConfigMaps have no status."""
        return bool(self.group)


def _core(kind: str, plural: str, *, is_namespaced: bool = True, short_names: tuple[str, ...] = ()) -> Kind:
    return Kind(kind, "", "v1", plural, kind.lower(), is_namespaced, short_names)


def _flotta(kind: str, plural: str, *, short_names: tuple[str, ...] = ()) -> Kind:
    return Kind(kind, FLOTTA_GROUP, "v1alpha1", plural, kind.lower(), is_namespaced=True, short_names=short_names)


_ALL = (
    _core("Namespace", "namespaces", is_namespaced=False, short_names=("ns",)),
    _core("Secret", "secrets"),
    _core("ConfigMap", "configmaps", short_names=("cm",)),
    _flotta("EdgeDevice", "edgedevices"),
    _flotta("EdgeDeviceSet", "edgedevicesets"),
    _flotta("EdgeWorkload", "edgeworkloads"),
    _flotta("EdgeDeviceSignedRequest", "edgedevicesignedrequest", short_names=("edsr",)),
    _flotta("EdgeConfig", "edgeconfigs"),
    _flotta("PlaybookExecution", "playbookexecutions"),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.kind: kind for kind in _ALL})
"""Every kind by its name in YAML, in the order a file of all of them can be applied."""

_BY_PLURAL = {(kind.group, kind.version, kind.plural): kind for kind in _ALL}
_BY_ANY_NAME = {name: kind for kind in _ALL for name in (kind.singular, kind.plural, *kind.short_names)}


def kind_of(api_version: str, kind: str) -> Kind:
    """The kind a document names. Raises BadInputError that says what is known instead."""
    found = KINDS.get(kind)
    if found is None:
        close = get_close_matches(kind, KINDS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"write one of {', '.join(KINDS)}"
        raise BadInputError(f"unknown kind {shown(kind)}: {hint}")
    if api_version != found.api_version:
        raise BadInputError(f"{kind} has no apiVersion {shown(api_version)}: write apiVersion: {found.api_version}")
    return found


def kind_by_plural(group: str, version: str, plural: str) -> Kind:
    """The kind a path names. Raises NotFoundError."""
    found = _BY_PLURAL.get((group, version, plural))
    if found is None:
        raise NotFoundError(
            f"there is no resource {shown(plural)} in {shown(f'{group}/{version}' if group else version)}"
        )
    return found


def kind_by_any_name(name: str) -> Kind:
    """The kind a person names: kind, singular, plural or short name, in any case. Raises BadInputError."""
    found = _BY_ANY_NAME.get(name.lower())
    if found is None:
        close = get_close_matches(name.lower(), _BY_ANY_NAME, n=1)
        known = ", ".join(kind.plural for kind in _ALL)
        raise BadInputError(
            f"unknown kind {shown(name)}: " + (f"did you mean {close[0]}?" if close else f"write one of {known}")
        )
    return found
