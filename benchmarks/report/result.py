"""What a benchmark found out, as values."""

from datetime import datetime
from statistics import median

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One figure over all runs. `target` says in words what was hoped for, "" when nothing was."""

    name: str
    unit: str
    values: tuple[float, ...]
    target: str = ""

    @property
    def median(self) -> float:
        """The middle of the runs."""
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest of the runs."""
        return min(self.values), max(self.values)


class Check(msgspec.Struct, frozen=True):
    """Whether results are right, which comes before how fast they were."""

    what: str
    is_good: bool
    detail: str


class Line(msgspec.Struct, frozen=True):
    """A line of a plot."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]


class Plot(msgspec.Struct, frozen=True):
    """A plot of lines, or of points joined when `is_logarithmic` (in x)."""

    name: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    is_logarithmic: bool = False


class Result(msgspec.Struct, frozen=True):
    """A benchmark's outcome. `scale` are the parameters it ran with; `notes` what a reader must know beside figures."""

    name: str
    question: str
    began_at: datetime
    took_s: float
    machine: dict[str, str]
    versions: dict[str, str]
    seed: int
    scale: dict[str, float | str]
    settings: dict[str, str]
    checks: tuple[Check, ...]
    figures: tuple[Figure, ...]
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether every check was good."""
        return all(check.is_good for check in self.checks)

    def figure(self, name: str) -> Figure:
        """One of the figures. Raises KeyError."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)
