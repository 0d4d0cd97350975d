"""Holds values that many devices share, each once."""

from array import array
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)


class SharedValues(Generic[Value]):
    """Each distinct value once, counted, under a small number that is used again when nobody holds it."""

    def __init__(self) -> None:
        self._codes: dict[Value, int] = {}
        self._values: list[Value] = []
        self._holders = array("L")
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, code: int) -> Value:
        return self._values[code]

    def hold(self, value: Value) -> int:
        """The value's number, for one holder more."""
        code = self._codes.get(value)
        if code is None:
            if self._free:
                code = self._free.pop()
                self._values[code] = value
            else:
                code = len(self._values)
                self._values.append(value)
                self._holders.append(0)
            self._codes[value] = code
        self._holders[code] += 1
        return code

    def release(self, code: int) -> None:
        """One holder less."""
        self._holders[code] -= 1
        if not self._holders[code]:
            del self._codes[self._values[code]]
            self._free.append(code)
