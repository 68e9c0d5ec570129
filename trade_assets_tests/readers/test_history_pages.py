"""Pages of a record's history: together they are the whole, in either order, whatever comes in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY
from trade_assets.errors import UnknownPlaceError
from trade_assets.readers.history_pages import HistoryReader, Range
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.history_store import HistoryStore
from trade_assets.stores.provision import provision
from trade_assets_tests.stores.samples import FILLS, HOUR, SPOT, ledger_key, records, spot_key
from trade_assets_tests.support.parts import LocalParts

START = datetime(2025, 7, 17, 14, 9, tzinfo=UTC)
unique = count()


@pytest.fixture(scope="module")
def store(
    local_parts: LocalParts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HistoryStore]:
    settings: Settings = local_parts.settings(tmp_path_factory.mktemp("pages") / "home")
    provision(settings)
    made = HistoryStore(settings)
    yield made
    made.close()


def put_quotes(store: HistoryStore, seconds: list[int]) -> str:
    """Quotes of a new key; several of one second are of several files."""
    key = f"K{next(unique)}"
    frame = records(
        SPOT,
        (
            {
                RECORD_KEY: key, EVENT_TIME: START + timedelta(seconds=second),
                FILE_KEY: spot_key(number), "bid_price": float(number),
            }
            for number, second in enumerate(seconds)
        ),
    )  # fmt: skip
    store.put(SPOT, frame)
    return key


def all_pages(reader: HistoryReader, key: str, wanted: Range, limit: int) -> list[list[float]]:
    pages, token = [], None
    while True:
        page = reader.page(SPOT, key, wanted, limit=limit, token=token)
        pages.append([float(str(record["bid_price"])) for record in page.records])
        token = page.token
        if token is None:
            return pages


@given(
    seconds=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    limit=st.integers(1, 5),
    newest_first=st.booleans(),
    bounds=st.tuples(st.integers(0, 10), st.integers(0, 10)),
)
def test_pages_are_the_whole(
    store: HistoryStore,
    seconds: list[int],
    limit: int,
    newest_first: bool,
    bounds: tuple[int, int],
) -> None:
    key = put_quotes(store, seconds)
    since, until = (START + timedelta(seconds=bound) for bound in bounds)
    wanted = Range(since, until, newest_first)
    pages = all_pages(HistoryReader(store), key, wanted, limit)
    placed = sorted((second, spot_key(at), float(at)) for at, second in enumerate(seconds))
    inside = [bid for second, _, bid in placed if bounds[0] <= second < bounds[1]]
    assert [bid for page in pages for bid in page] == inside[:: -1 if newest_first else 1]
    assert all(len(page) == limit for page in pages[:-1])


def test_what_comes_in_between_two_pages_moves_nothing(store: HistoryStore) -> None:
    key, reader = put_quotes(store, [0, 1, 2]), HistoryReader(store)
    first = reader.page(SPOT, key, limit=1)
    newer = {
        RECORD_KEY: key, EVENT_TIME: START + timedelta(seconds=5), FILE_KEY: spot_key(9),
        "bid_price": 9.0,
    }  # fmt: skip
    store.put(SPOT, records(SPOT, [newer]))
    second = reader.page(SPOT, key, limit=5, token=first.token)
    assert [record["bid_price"] for record in second.records] == [1, 0]


def test_of_a_statement_a_later_page_knows_what_is_closed(store: HistoryStore) -> None:
    key = f"T{next(unique)}"
    rows = [
        {
            RECORD_KEY: key, EVENT_TIME: START + timedelta(seconds=second), "kind": "fill",
            "price": float(second),
        }
        for second in range(3)
    ]  # fmt: skip
    for minute, said in enumerate((rows, rows[1:])):
        file_key = ledger_key(HOUR)
        frame = records(FILLS, ({**row, FILE_KEY: file_key} for row in said))
        store.write(FILLS, frame, {file_key: HOUR + timedelta(minutes=minute)})
    reader = HistoryReader(store)
    first = reader.page(FILLS, key, limit=1)
    second = reader.page(FILLS, key, limit=1, token=first.token)
    assert [page.records[0]["price"] for page in (first, second)] == [2, 1]
    assert second.token is None


@pytest.mark.parametrize(("second", "expected"), [(-1, None), (0, 0), (2, 0), (3, 1), (99, 2)])
def test_what_held_at_a_moment(store: HistoryStore, second: int, expected: int | None) -> None:
    key = put_quotes(store, [0, 3, 7])
    found = HistoryReader(store).as_of(SPOT, key, START + timedelta(seconds=second))
    assert (None if found is None else found["bid_price"]) == expected


@pytest.mark.parametrize("token", ["x", "", "bm8gdGltZQ==", "é", "////"])
def test_a_token_of_nobody_is_refused(store: HistoryStore, token: str) -> None:
    with pytest.raises(UnknownPlaceError, match="token"):
        HistoryReader(store).page(SPOT, "K", limit=1, token=token)
