"""Following pages: by key (orders and all that lists), and by time (fills).

Knows no HTTP: `ask` gives one answer. The rules are TT's (see TT_API.md): a key until
`lastPage` is `"true"`; fills oldest first, at most so many an answer, the next asked from the last
time *inclusive*, because two fills can share a nanosecond.
"""

from collections.abc import Callable
from typing import Any, Final

from pydantic_core import PydanticCustomError

from trade_assets.errors import MalformedAnswerError, RemoteUnavailableError
from trade_assets.tt.client.answers import Answer, FillAnswers, T
from trade_assets.tt.formats.json_values import as_time_ns
from trade_assets.tt.formats.row_models import Fill

FILLS_PER_ANSWER: Final = 500
MOST_PAGES: Final = 200
"""Of one call. At the highest tier a deadline of 20 s allows 500 requests, but a set that needs
more than these is not TT's any more: the busiest desk has some thousand working orders."""


def last_page(payload: Any) -> bool | None:
    """What an answer says of being the last: a string at TT, a boolean would do; None: nothing."""
    said = payload.get("lastPage")
    if isinstance(said, bool):
        return said
    return {"true": True, "false": False}.get(said.strip().lower()) if _is_text(said) else None


def pages_by_key(
    ask: Callable[[str | None], Answer[T]], most: int = MOST_PAGES
) -> tuple[Answer[T], ...]:
    """All pages; `ask(None)` gives the first one, `ask(key)` that of a key.

    Raises:
        MalformedAnswerError: it says that there is more but not where, names a page twice, or
            does not end within `most` pages.
    """
    answers: list[Answer[T]] = []
    asked: set[str] = set()
    key: str | None = None
    while len(answers) < most:
        answer = ask(key)
        answers.append(answer)
        if last_page(answer.payload) is not False:
            return tuple(answers)
        key = _next_key(answer, asked)
        asked.add(key)
    raise MalformedAnswerError(f"{answers[0].path}: more than {most} pages", answers[-1].data)


def _next_key(answer: Answer[Any], asked: set[str]) -> str:
    key = answer.payload.get("nextPageKey")
    if not _is_text(key) or not key:
        raise MalformedAnswerError(
            f"{answer.path}: this is not the last page, but it has no nextPageKey", answer.data
        )
    if key in asked:
        raise MalformedAnswerError(f"{answer.path}: the pages go in a circle", answer.data)
    return str(key)


def pages_by_time(
    ask: Callable[[int], Answer[Fill]],
    since_ns: int,
    *,
    page_size: int = FILLS_PER_ANSWER,
    most: int = MOST_PAGES,
) -> FillAnswers:
    """All fills at or after `since_ns` (epoch ns); `ask(ns)` gives the first ones at or after ns.

    An answer with less than `page_size` fills ends it. Where more fills share a time than an
    answer holds, no question reaches all of them: the time is reported in `truncated_at`, and the
    rest is asked from the next nanosecond.

    What fails transiently after the first answer ends it too, with the answers so far: a long
    backlog that does not fit into one deadline is caught up with in several.

    Raises:
        Whatever the first `ask` raises, and every permanent error.
    """
    answers: list[Answer[Fill]] = []
    truncated: list[int] = []
    start: int | None = since_ns
    stopped_by: RemoteUnavailableError | None = None
    while start is not None:
        try:
            if len(answers) == most:
                raise RemoteUnavailableError(f"{answers[0].path}: more than {most} pages")
            answer = ask(start)
            following = _next_start(answer, start, page_size)
        except RemoteUnavailableError as error:
            if not answers:
                raise
            stopped_by = error
            break
        answers.append(answer)
        if following == start:
            truncated.append(start)
            following = start + 1
        start = following
    return FillAnswers(tuple(answers), tuple(truncated), stopped_by)


def _next_start(answer: Answer[Fill], asked: int, page_size: int) -> int | None:
    """The greatest time of a full answer, whatever its order; None after the last answer."""
    rows = answer.raw_rows
    if len(rows) < page_size and last_page(answer.payload) is not False:
        return None
    latest = max((time for row in rows if (time := _time(row)) is not None), default=None)
    if latest is None or latest < asked:
        raise MalformedAnswerError(
            f"{answer.path}: there is more, but no fill at or after {asked} to go on from",
            answer.data,
        )
    return latest


def _time(row: Any) -> int | None:
    """A row's time; None where the row cannot be stored either, so that nothing hangs on it."""
    try:
        return as_time_ns(row.get("timeStamp")) if isinstance(row, dict) else None
    except PydanticCustomError:
        return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
