"""The simulated ledger grows, and breaks only as real ones do."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.opening_book import start_of_day_book
from trade_assets.simulators.desk.simulated_market import day_start, trading_day

START = day_start(date(2025, 7, 17))
TIMES = st.integers(0, 86_399).map(lambda second: START + timedelta(seconds=second))


def test_same_seed_same_bytes() -> None:
    at = START + timedelta(hours=5)
    assert ledger_file(7, at) == ledger_file(7, at)
    assert ledger_file(7, at) != ledger_file(8, at)


@settings(max_examples=30)
@given(st.integers(0, 3), TIMES, TIMES)
def test_a_later_ledger_begins_with_the_earlier(seed: int, one: datetime, other: datetime) -> None:
    (early_name, early), (late_name, late) = (ledger_file(seed, at) for at in sorted((one, other)))
    assert early_name == late_name == "trades_20250717.csv"
    assert late.startswith(early)
    before, after = FILLS.parse(early, early_name), FILLS.parse(late, late_name)
    assert after.frame.head(before.frame.height).equals(before.frame)
    assert after.rejected[: len(before.rejected)] == before.rejected


def test_the_day_rolls_at_seventeen_central() -> None:
    names = [ledger_file(7, START + timedelta(seconds=n))[0] for n in (-1, 0)]
    assert names == ["trades_20250716.csv", "trades_20250717.csv"]


def test_no_trade_is_in_the_future_and_all_are_of_the_day() -> None:
    at = START + timedelta(hours=20)
    frame = FILLS.parse(ledger_file(7, at)[1], "trades_20250717.csv").frame
    assert (frame["event_time"] <= at).all()
    assert frame["event_time"].is_sorted()
    assert set(frame["trading_date"]) == {trading_day(at)}


@settings(max_examples=15)
@given(
    st.integers(0, 9),
    st.datetimes(datetime(2015, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC)),
)
def test_every_instrument_translates_and_every_price_is_on_a_tick(seed: int, at: datetime) -> None:
    name, data = ledger_file(seed, at, trades_per_hour=4)
    frame = FILLS.parse(data, name).frame
    assert frame["instrument_id"].null_count() == 0
    assert (frame["price"] * 64 % 1 == 0).all()


def test_the_start_of_day_position_is_the_book_s() -> None:
    name, data = ledger_file(7, START + timedelta(hours=23))
    frame = FILLS.parse(data, name).frame
    book = start_of_day_book(7, date(2025, 7, 17), 79)
    columns = ("instrument_id", "side", "quantity", "price")
    (row,) = frame.filter(frame["kind"] == "start_of_day").select(columns).rows()
    held = book.chain.futures[0].instrument_id
    assert row == (held, "buy", float(book.sizes[0]), book.prices[0])


def test_a_full_day_has_all_that_real_ledgers_have() -> None:
    name, data = ledger_file(7, START + timedelta(hours=23, minutes=59))
    parsed = FILLS.parse(data, name)
    lines = data.decode().splitlines()
    assert set(parsed.frame["kind"]) == {"fill", "start_of_day", "exercise"}
    assert {len(line.split(",")[2]) for line in lines[1:]} == {19, 23, 26}
    assert sum(line.count(",") == 6 for line in lines) > 5
    assert 0 < len(parsed.rejected) < parsed.rows_in * 0.03
    assert all(item.reason.startswith("price ") for item in parsed.rejected)


def test_trade_ids_of_two_days_differ() -> None:
    files = [ledger_file(7, START + timedelta(hours=hours)) for hours in (23, 47)]
    ids = [set(FILLS.parse(data, name).frame["record_key"]) for name, data in files]
    assert ids[0].isdisjoint(ids[1])


def test_pace_is_a_choice() -> None:
    at = datetime(2025, 7, 17, 20, tzinfo=UTC)
    sizes = [len(ledger_file(7, at, trades_per_hour=pace)[1]) for pace in (0, 3, 300)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 300 < sizes[1] < 20_000 < sizes[2]
