"""What TT answered: the exact bytes, the parsed document, and its rows typed where asked for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from trade_assets.errors import RemoteUnavailableError
from trade_assets.tt.formats.row_models import Fill

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not what its kind promises.

    Attributes:
        row: its number in the answer, from 1.
        reason: what is wrong, without its values.
    """

    row: int
    reason: str


@dataclass(frozen=True)
class Answer(Generic[T]):
    """One answer of TT.

    Attributes:
        path: service and endpoint, e.g. `ttledger/orders`.
        query: parameters that mattered (no request id).
        received_at: when it was complete (UTC).
        data: the body as it came.
        payload: the body parsed: an object whose `rows_name` is a list.
        rows_name: member of the payload that holds the rows.
        read_row: one row of the payload to its type.
    """

    path: str
    query: Mapping[str, str]
    received_at: datetime
    data: bytes = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)
    rows_name: str
    read_row: Callable[[Any], T] = field(repr=False)

    @property
    def raw_rows(self) -> list[Any]:
        """The rows as TT wrote them."""
        rows: list[Any] = self.payload[self.rows_name]
        return rows

    @property
    def rows(self) -> tuple[T, ...]:
        """The rows that are what their kind promises; the others are in `bad_rows`."""
        return self._read[0]

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        """The rows that `rows` lacks, and why. They are in `data` and `payload` all the same."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[tuple[T, ...], tuple[BadRow, ...]]:
        good: list[T] = []
        bad: list[BadRow] = []
        for number, row in enumerate(self.raw_rows, start=1):
            try:
                good.append(self.read_row(row))
            except ValidationError as error:
                bad.append(BadRow(number, _reason(error)))
        return tuple(good), tuple(bad)


@dataclass(frozen=True)
class FillAnswers:
    """All fills since a time, over as many answers as they took.

    Attributes:
        answers: oldest first. Their borders overlap: a fill may be in two of them.
        truncated_at: times (epoch ns) that more fills share than one answer holds, so that some
            of them may be in no answer.
        stopped_by: what went wrong after the answers that are here; None if they are all there
            was. What is here is whole up to its last time: asking again from there loses nothing.
    """

    answers: tuple[Answer[Fill], ...]
    truncated_at: tuple[int, ...] = ()
    stopped_by: RemoteUnavailableError | None = None

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every fill once, in the order in which they came."""
        return tuple(_once(fill for answer in self.answers for fill in answer.rows))


def _once(fills: Iterable[Fill]) -> list[Fill]:
    return list({fill.unique_execution_id: fill for fill in fills}.values())


def _reason(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'row'}: {problem['msg']}"
        for problem in problems
    )
