"""A program run as a child of this process for as long as it is needed, as tests do with parts of their own."""

from abc import ABC, abstractmethod
from typing import Self

from local.child import Child, Program, start_and_wait
from local.errors import LocalError


class OwnChild(ABC):
    """Start, stop and kill one program; as a context manager it runs for the block. Used from one thread."""

    _child: Child | None = None

    @abstractmethod
    def program(self) -> Program:
        """What to run. May block and raises LocalError, for instance when a port is taken."""

    @property
    def pid(self) -> int:
        """Process id of the running child."""
        if self._child is None:
            raise LocalError("it is not running")
        return self._child.pid

    def start(self) -> None:
        """Run it and wait until it is ready. Raises LocalError with its last words."""
        self._child = start_and_wait(self.program())

    def stop(self, within_s: float = 5.0) -> None:
        """Stop it, cleanly if it does so in time."""
        if self._child is not None:
            self._child.stop(within_s)
            self._child = None

    def kill(self) -> None:
        """End it without a goodbye, as a fault."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
