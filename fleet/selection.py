"""Label selectors as Kubernetes defines them, compiled once and asked for many devices.

Null selects nothing, an empty selector everything; all requirements must hold, and `NotIn` holds for a label that is
not there. Source: the Kubernetes API reference, LabelSelector.
"""

from collections.abc import Mapping

from fleet.errors import InvalidResourceError
from fleet.resources.workload import LabelSelector, check_selector


class Selector:
    """A compiled selector."""

    __slots__ = ("_absent", "_is_null", "_outside", "_present", "_within")

    def __init__(self, selector: LabelSelector | None) -> None:
        """Raises InvalidResourceError for a selector that Kubernetes would refuse."""
        self._is_null = selector is None
        self._within: list[tuple[str, frozenset[str]]] = []
        self._outside: list[tuple[str, frozenset[str]]] = []
        self._present: list[str] = []
        self._absent: list[str] = []
        if selector is None:
            return
        check_selector(selector)
        for key, value in (selector.match_labels or {}).items():
            self._within.append((key, frozenset({value})))
        for requirement in selector.match_expressions or []:
            self._require(requirement.operator, requirement.key, frozenset(requirement.values or []))

    @property
    def keys(self) -> frozenset[str]:
        """The labels that are asked for: devices that agree in these are all selected, or none of them."""
        asked = (key for key, _ in (*self._within, *self._outside))
        return frozenset({*asked, *self._present, *self._absent})

    @property
    def wanted(self) -> tuple[str, frozenset[str]] | None:
        """A label without one of these values is enough to match nothing; None when none is known."""
        return self._within[0] if self._within else None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy every requirement."""
        if self._is_null:
            return False
        return (
            all(labels.get(key) in values for key, values in self._within)
            and all(labels.get(key) not in values for key, values in self._outside)
            and all(key in labels for key in self._present)
            and not any(key in labels for key in self._absent)
        )

    def _require(self, operator: str, key: str, values: frozenset[str]) -> None:
        if operator == "In":
            self._within.append((key, values))
        elif operator == "NotIn":
            self._outside.append((key, values))
        elif operator == "Exists":
            self._present.append(key)
        elif operator == "DoesNotExist":
            self._absent.append(key)
        else:
            raise InvalidResourceError(f"unknown operator {operator!r}")
