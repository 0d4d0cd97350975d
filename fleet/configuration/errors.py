"""What can be missing when a configuration is assembled, named so that an operator finds it."""

from typing import NamedTuple

from fleet.decisions.commands import ResourceKey
from fleet.errors import UnavailableError


class Problem(NamedTuple):
    """A part that was left out of a configuration: which resource, which key of it (may be empty), and why."""

    resource: ResourceKey
    key: str
    message: str


class ConfigurationError(UnavailableError):
    """A configuration cannot be assembled: an operator must supply `resource` or its `key`.

    The device keeps what it runs, and asks again.
    """

    def __init__(self, resource: ResourceKey, key: str, reason: str) -> None:
        super().__init__(f"{resource}{f' key {key!r}' if key else ''}: {reason}")
        self.resource = resource
        self.key = key

    @property
    def problem(self) -> Problem:
        """The same as a value."""
        return Problem(self.resource, self.key, str(self))
