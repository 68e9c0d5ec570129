"""Positions of any ledger, and of whole files, against a reckoning contract by contract."""

import csv
import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.feeds.derived.positions import positions
from trade_assets_tests.feeds.derived.position_samples import (
    DAY,
    FILE,
    FILLS_SCHEMA,
    Record,
    entries_of,
    held,
    ledger,
    lots,
    one_by_one,
    only,
    picked,
    signed,
    sod,
    trade,
)
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.samples.made_files import SAMPLES

PRICES = st.integers(0, 200).map(lambda ticks: 110 + ticks / 64)


@st.composite
def trades(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(["fill", "fill", "fill", "start_of_day", "exercise"]))
    return trade(
        draw(st.sampled_from(["buy", "sell"])),
        draw(st.integers(1, 6)),
        0 if kind == "exercise" else draw(PRICES),
        instrument_id=draw(st.sampled_from(["ZNU5", "ZFU5"])),
        kind=kind,
        day=DAY + timedelta(days=draw(st.integers(0, 1))),
        file_key=draw(st.sampled_from([FILE, FILE.replace("17.csv", "18.csv")])),
        at=draw(st.integers(0, 15)),
    )


@st.composite
def openings(draw: st.DrawFn) -> Record:
    return held(
        float(draw(st.integers(-6, 6))),
        draw(PRICES),
        instrument_id=draw(st.sampled_from(["ZNU5", "ZFU5", "RXU5"])),
        day=DAY + timedelta(days=draw(st.integers(0, 1))),
    )


LEDGERS = st.lists(trades(), max_size=25).map(lambda rows: ledger(*rows))
SODS = st.lists(openings(), max_size=5).map(
    lambda rows: sod(*({**row, "record_key": f"A{at}"} for at, row in enumerate(rows)))
)


@settings(max_examples=150)
@given(LEDGERS, SODS)
def test_lots_are_what_remains_contract_by_contract(
    fills: pl.DataFrame, opening: pl.DataFrame
) -> None:
    for row in positions(fills, opening).to_dicts():
        contracts, realized = one_by_one(entries_of(row, fills, opening))
        expected = [
            (float(sum(sign for sign, _, _ in group)), float(price), key)
            for (price, key), group in (
                (key, list(group))
                for key, group in itertools.groupby(contracts, lambda item: item[1:])
            )
        ]
        assert lots(row) == expected
        assert row["realized_points"] == float(realized)
        assert row["average_price"] == (
            float(sum(price for _, price, _ in contracts) / len(contracts)) if contracts else None
        )


@settings(max_examples=150)
@given(LEDGERS, SODS, PRICES)
def test_quantities_and_cash_add_up(
    fills: pl.DataFrame, opening: pl.DataFrame, mark: float
) -> None:
    for row in positions(fills, opening).to_dicts():
        entries = entries_of(row, fills, opening)
        position = sum(signed(entry) for entry in entries)
        flows = picked(
            row, "opening_quantity", "bought_quantity", "sold_quantity", "exercised_quantity"
        )
        assert row["position_quantity"] == position == flows[0] + flows[1] - flows[2] + flows[3]
        assert position == sum(quantity for quantity, _, _ in lots(row))
        assert len({quantity > 0 for quantity, _, _ in lots(row)}) <= 1
        # Binary fractions of few digits: the floats below are exact.
        unrealized = sum(quantity * (mark - price) for quantity, price, _ in lots(row))
        cash = -sum(signed(entry) * entry["price"] for entry in entries)
        assert row["realized_points"] + unrealized == cash + position * mark


@settings(max_examples=100)
@given(LEDGERS, SODS, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(
    fills: pl.DataFrame, opening: pl.DataFrame, random: Random
) -> None:
    shuffled = [
        frame[random.sample(range(frame.height), frame.height)] if frame.height else frame
        for frame in (fills, opening)
    ]
    assert positions(shuffled[0], shuffled[1]).equals(positions(fills, opening))


@settings(max_examples=100)
@given(st.lists(trades(), max_size=25), SODS, st.integers(0, 25))
def test_a_growing_ledger_replaces_its_positions(
    rows: list[Record], opening: pl.DataFrame, length: int
) -> None:
    fills = ledger(*({**row, "file_key": FILE} for row in rows))
    keys = ["record_key", "event_time", "file_key"]
    before = positions(fills.head(length), opening).select(keys)
    after = positions(fills, opening).select(keys)
    assert before.join(after, on=keys, how="anti").is_empty()
    assert not after.is_duplicated().any()


@settings(max_examples=150)
@given(LEDGERS, SODS)
def test_every_instrument_of_every_ledger_and_every_open_one_has_its_row(
    fills: pl.DataFrame, opening: pl.DataFrame
) -> None:
    traded = set(fills.select("file_key", "trading_date", "instrument_id").rows())
    frame = positions(fills, opening)
    found = frame.select("file_key", "trading_date", "record_key").rows()
    assert traded <= set(found)
    overnight = set(found) - traded
    days = {day for _, day, _ in traded}
    on_a_ledger = {(day, key) for _, day, key in traded}
    expected = {
        (row["trading_date"], row["instrument_id"])
        for row in opening.to_dicts()
        if row["quantity"] and row["trading_date"] in days
    }
    assert {(day, key) for _, day, key in overnight} == expected - on_a_ledger
    assert len(found) == len(traded) + len(expected - on_a_ledger)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.decimals("0.0001", "99999", places=4),
            st.decimals("0.0000001", "999", places=7),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_decimal_quantities_and_prices_add_up_exactly(
    rows: list[tuple[str, Decimal, Decimal]],
) -> None:
    row = only(positions(ledger(*(trade(*item) for item in rows)), sod()))
    exact = [(-size if side == "sell" else size, price) for side, size, price in rows]
    assert row["position_quantity"] == float(sum(size for size, _ in exact))
    with localcontext(prec=100):
        # cash + what the open lots cost = realized
        open_cost = sum(Decimal(repr(size)) * Decimal(repr(price)) for size, price, _ in lots(row))
        cash = -sum(size * price for size, price in exact)
        assert row["realized_points"] == float(cash + open_cost)


BONDS = {"trades_20250721.csv": 0.0625, "trades_20250825.csv": 0.125}
"""Ledgers of futures alone, a sample and a real one; and the points that each makes in ZB: of the
sample (112.40625 - 112.375) * 2; of the real one -1 at 114.53125, bought back at 114.5, and -1 at
114.625, bought back at 114.53125."""
LEDGER_FILES = [
    path
    for name in BONDS
    for path in reference.desk_files("ledger", name)
    if path.is_relative_to(SAMPLES) is (name == "trades_20250721.csv")
]
COLUMNS = ("id", "name", "time", "side", "quantity", "price")


def plainly_read(path: Path) -> pl.DataFrame:
    """A ledger's rows by a plain reader, as records."""
    with path.open(newline="") as file:
        lines = [dict(zip(COLUMNS, line, strict=False)) for line in csv.reader(file)][1:]
    rows = []
    for number, line in enumerate(lines, 2):
        local = datetime.fromisoformat(line["time"])
        product = line["name"][-2:]
        side = {"B": "buy", "S": "sell"}[line["side"]]
        day = reference.trading_date(local)
        item = trade(side, line["quantity"], line["price"], name=line["name"], day=day)
        del item["at"]
        item |= {"record_key": line["id"], "row": number, "instrument_id": f"{product}U5"}
        utc = local.replace(tzinfo=reference.CENTRAL).astimezone(UTC)
        rows.append({**item, "product": product, "event_time": utc})
    return pl.DataFrame(rows, schema=FILLS_SCHEMA)


@pytest.mark.parametrize("path", LEDGER_FILES, ids=lambda path: path.name)
def test_a_whole_ledger_contract_by_contract(path: Path) -> None:
    fills = plainly_read(path)
    sizes: defaultdict[tuple[date, str], int] = defaultdict(int)
    for item in fills.to_dicts():
        sizes[item["trading_date"], item["instrument_id"]] += int(signed(item))
    frame = positions(fills, sod())
    found = frame.select("trading_date", "record_key", "position_quantity").rows()
    assert {(day, key): quantity for day, key, quantity in found} == sizes
    assert {key for _, key in sizes} == {"ZNU5", "ZBU5", "ZFU5"}
    for row in frame.to_dicts():
        contracts, realized = one_by_one(entries_of(row, fills, sod()))
        assert row["realized_points"] == float(realized)
        assert row["realized_value"] == float(realized) * 1000
        assert len(contracts) == abs(row["position_quantity"])
        assert [price for quantity, price, _ in lots(row) for _ in range(abs(int(quantity)))] == [
            float(price) for _, price, _ in contracts
        ]


@pytest.mark.parametrize("path", LEDGER_FILES, ids=lambda path: path.name)
def test_the_thirty_year_future_of_a_ledger(path: Path) -> None:
    row = only(positions(plainly_read(path), sod()).filter(pl.col("product") == "ZB"))
    points = BONDS[path.name]
    result = picked(row, "position_quantity", "realized_points", "realized_value")
    assert result == (0, points, points * 1000)
