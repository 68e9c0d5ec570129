"""CPU time of calls: the loop that all benchmarks of pure functions share. What is called, and in
which unit the figure is, is theirs.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, Generic, TypeVar

from benchmarks.scale import Scale

T = TypeVar("T")

MICRO: Final = 1e6
MILLI: Final = 1e3


@dataclass(frozen=True)
class Way(Generic[T]):
    """One way of doing something: a function, and what it gets call after call, without an end.

    Making the next input is not measured.
    """

    call: Callable[[T], object]
    inputs: Iterator[T]

    @classmethod
    def of(cls, call: Callable[[T], object], item: T) -> "Way[T]":
        """A way that gets the same again and again."""
        return cls(call, repeat(item))


def cpu_rounds(ways: Mapping[str, Way[Any]], scale: Scale) -> dict[str, list[float]]:
    """CPU seconds of one call of each way, a value a round.

    Every way is called once before. The ways take turns in every round, so that a disturbance
    meets all of them.
    """
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way.call(next(way.inputs))
    for _ in range(scale.rounds):
        for name, way in ways.items():
            rounds[name].append(cpu_seconds(way, scale.round_seconds))
    return rounds


def cpu_seconds(way: Way[Any], seconds: float) -> float:
    """CPU time of one call, of this process with all its threads: the mean of as many calls as
    take `seconds`, of one at least."""
    spent, calls = 0.0, 0
    while spent < seconds or not calls:
        item = next(way.inputs)
        begin = time.process_time()
        way.call(item)
        spent += time.process_time() - begin
        calls += 1
    return spent / calls


def how_timed(scale: Scale) -> str:
    """What the figures are, for their notes."""
    return (
        "CPU time of the process, all threads counted; median of "
        f"{scale.rounds} rounds of {scale.round_seconds:g} s each, the ways in turn."
    )
