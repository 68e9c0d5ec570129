"""Paging by time and by key, as properties against a model of the server."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.errors import (
    CredentialsError,
    MalformedAnswerError,
    RemoteUnavailableError,
)
from trade_assets.tt.client.answers import Answer
from trade_assets.tt.client.endpoints import FILLS, ORDERS, Endpoint
from trade_assets.tt.client.pages import pages_by_key, pages_by_time
from trade_assets.tt.formats.row_models import Fill, Order
from trade_assets_tests.tt.client.samples import START_NS, fill, order

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def answer_of(endpoint: Endpoint[Any], rows: Sequence[Any], **fields: object) -> Answer[Any]:
    payload = {endpoint.rows_name: list(rows), **fields}
    return Answer(
        endpoint.path, {}, NOW, b"", payload, endpoint.rows_name, endpoint.read_row
    )  # fmt: skip


class FillServer:
    """Gives the oldest fills at or after a time, at most so many, in any order inside an answer."""

    def __init__(
        self, times: Sequence[int], page_size: int, shuffled: st.DataObject | None = None
    ) -> None:
        self.rows: list[dict[str, Any]] = [
            fill(number, START_NS + time) for number, time in enumerate(times)
        ]
        self.page_size = page_size
        self.asked: list[int] = []
        self._shuffled = shuffled

    def __call__(self, since_ns: int) -> Answer[Fill]:
        self.asked.append(since_ns)
        found = sorted(self._since(since_ns), key=lambda row: row["timeStamp"])[: self.page_size]
        if self._shuffled is not None:
            found = self._shuffled.draw(st.permutations(found))
        return answer_of(FILLS, found)

    def ids_since(self, since_ns: int) -> set[str]:
        return {row["uniqueExecId"] for row in self._since(since_ns)}

    def _since(self, since_ns: int) -> list[Any]:
        return [row for row in self.rows if row["timeStamp"] >= since_ns]


times = st.lists(st.integers(0, 12), max_size=60)


@given(times, st.integers(1, 9), st.integers(0, 13), st.data())
def test_every_fill_comes_exactly_once_or_its_time_is_reported(
    times: list[int], page_size: int, since: int, data: st.DataObject
) -> None:
    server = FillServer(times, page_size, shuffled=data)
    got = pages_by_time(server, START_NS + since, page_size=page_size)

    ids = [row.unique_execution_id for row in got.fills]
    assert len(ids) == len(set(ids))
    missing = server.ids_since(START_NS + since) - set(ids)
    at = {row["uniqueExecId"]: row["timeStamp"] for row in server.rows}
    assert {at[item] for item in missing} <= set(got.truncated_at)
    # Only a time that fills a whole answer can be reported.
    for time in got.truncated_at:
        assert list(at.values()).count(time) >= page_size
    # Never the same question twice, and never backwards.
    assert server.asked == sorted(set(server.asked))
    assert got.stopped_by is None


@given(times, st.integers(1, 9))
def test_what_fits_into_one_answer_is_one_question(times: list[int], page_size: int) -> None:
    server = FillServer(times[: page_size - 1], page_size)
    pages_by_time(server, START_NS, page_size=page_size)
    assert len(server.asked) == 1


@given(times, st.integers(2, 9), st.integers(1, 4))
def test_a_backlog_is_caught_up_with_in_several_calls(
    times: list[int], page_size: int, most: int
) -> None:
    server = FillServer(times, page_size)
    seen: set[str] = set()
    truncated: set[int] = set()
    since = START_NS
    for _ in range(100):
        got = pages_by_time(server, since, page_size=page_size, most=most)
        seen |= {row.unique_execution_id for row in got.fills}
        truncated |= set(got.truncated_at)
        if got.stopped_by is None:
            break
        before = since
        since = max(row.time_ns for row in got.fills)
        if since == before:
            # As many fills of one time as fill the call: the next one goes on behind them.
            since += 1
    else:
        raise AssertionError("it never ends")
    at = {row["uniqueExecId"]: row["timeStamp"] for row in server.rows}
    assert {at[item] for item in server.ids_since(START_NS) - seen} <= truncated


def test_more_fills_of_one_nanosecond_than_an_answer_holds_are_reported_and_passed() -> None:
    server = FillServer([0, 5, 5, 5, 5, 7], 3)
    got = pages_by_time(server, START_NS, page_size=3)
    assert got.truncated_at == (START_NS + 5,)
    assert [row.unique_execution_id for row in got.fills][-1] == "fill-5"


def test_a_short_answer_that_is_not_the_last_is_gone_on_from() -> None:
    pages = [
        answer_of(FILLS, [fill(1)], lastPage="false"),
        answer_of(FILLS, [fill(2, START_NS + 3)], lastPage="true"),
    ]
    got = pages_by_time(lambda _: pages.pop(0), START_NS - 1)
    assert len(got.fills) == 2


@pytest.mark.parametrize("time", [None, "soon", True, 1.5, START_NS - 1, START_NS // 1000])
def test_a_full_answer_without_a_time_to_go_on_from_is_malformed(time: Any) -> None:
    rows = [{**fill(1), "timeStamp": time}]
    with pytest.raises(MalformedAnswerError):
        pages_by_time(lambda _: answer_of(FILLS, rows), START_NS, page_size=1)


def test_a_permanent_error_is_raised_on_any_page() -> None:
    def ask(since_ns: int) -> Answer[Fill]:
        if since_ns > START_NS:
            raise CredentialsError("no", 401)
        return answer_of(FILLS, [fill(1, START_NS + 1)])

    with pytest.raises(CredentialsError):
        pages_by_time(ask, START_NS, page_size=1)


def test_a_transient_error_on_the_first_page_is_raised() -> None:
    def ask(_: int) -> Answer[Fill]:
        raise RemoteUnavailableError("away")

    with pytest.raises(RemoteUnavailableError):
        pages_by_time(ask, START_NS)


@given(st.lists(st.lists(st.integers(0, 99), max_size=3), min_size=1, max_size=8))
def test_pages_by_key_are_all_there_in_order(pages: list[list[int]]) -> None:
    def ask(key: str | None) -> Answer[Order]:
        number = int(key or 0)
        rows = [order(item) for item in pages[number]]
        if number + 1 == len(pages):
            return answer_of(ORDERS, rows, lastPage=True)
        return answer_of(ORDERS, rows, lastPage="False", nextPageKey=str(number + 1))

    got = pages_by_key(ask)
    flat = [f"order-{number}" for page in pages for number in page]
    assert [row.order_id for answer in got for row in answer.rows] == flat


def test_pages_that_never_end_are_malformed() -> None:
    keys = iter(range(1000))

    def ask(_: str | None) -> Answer[Order]:
        return answer_of(ORDERS, [], lastPage="false", nextPageKey=str(next(keys)))

    with pytest.raises(MalformedAnswerError, match="more than 5 pages"):
        pages_by_key(ask, most=5)


@pytest.mark.parametrize("key", [None, "", 5])
def test_a_page_that_is_not_the_last_names_the_next(key: object) -> None:
    with pytest.raises(MalformedAnswerError, match="nextPageKey"):
        pages_by_key(lambda _: answer_of(ORDERS, [], lastPage="false", nextPageKey=key))
