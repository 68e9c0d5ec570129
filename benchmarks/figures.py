"""What a benchmark hands back, and the arithmetic they share. No measuring and no printing."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Row = tuple[str, ...]


class BenchmarkError(Exception):
    """A benchmark could not be carried out as it says; there is no figure then."""


@dataclass(frozen=True)
class Table:
    """Figures for people; every cell is text, the first column names the row."""

    columns: Row
    rows: list[Row]
    title: str = ""


@dataclass(frozen=True)
class Goal:
    """A goal, what was measured against it, and whether it was reached."""

    text: str
    measured: str
    met: bool

    def __str__(self) -> str:
        return f"{self.text}: {self.measured} ({'reached' if self.met else 'MISSED'})"


@dataclass
class Figure:
    """One figure: its tables, goals, the conditions special to it, and the numbers for programs."""

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank: the smallest value that at least `percent` % of all do not exceed.

    No interpolation, so every percentile is a value that was measured.
    """
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one thing: the middle, and where 8 of 10 lie."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        low, high = percentile(values, 10), percentile(values, 90)
        return cls(statistics.median(values), low, high, len(values))

    def overlaps(self, other: "Spread") -> bool:
        """Whether the two cannot be told apart: their 10 to 90 % ranges have values in common."""
        return self.low <= other.high and other.low <= self.high
