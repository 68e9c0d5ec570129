"""What is found in records whatever their data set."""

from trade_assets.datasets.dataset import to_records
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.ingest.quality import SAMPLE_ROWS, TickFindings, find_off_ticks

LEDGER = "trades_20250717.csv"
HEADER = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price\n"


def ledger(*trades: tuple[str, str]) -> TickFindings:
    """What is found in a ledger of names and prices."""
    lines = (
        f"{number},{name},2025-07-16 13:43:47,B,1,{price}\n"
        for number, (name, price) in enumerate(trades)
    )
    parsed = FILLS.parse((HEADER + "".join(lines)).encode(), LEDGER)
    return find_off_ticks(FILLS, to_records(FILLS, parsed, LEDGER))


FUTURE, OPTION = "XCMEFFDPSX20250919U0ZN", "XCMEOCADPS20250721N0VY3/110.75"


def test_rows_off_the_ticks_are_told_with_where_they_stand() -> None:
    found = ledger(
        *((FUTURE, "110.515625"), (FUTURE, "110.52"), (OPTION, "0.039"), (OPTION, ".0069999")),
        ("ESU5", "1.001"),
    )
    assert found.off == 2
    assert [(row["row"], row["record_key"], row["price"]) for row in found.sample] == [
        (3, "1", 110.52),
        (4, "2", 0.039),
    ]
    assert {row["file_key"] for row in found.sample} == {LEDGER}


def test_a_sample_is_a_sample() -> None:
    found = ledger(*[(FUTURE, "110.52")] * 30)
    assert (found.off, len(found.sample)) == (30, SAMPLE_ROWS)
    found.add(ledger((FUTURE, "110.52")))
    assert (found.off, len(found.sample)) == (31, SAMPLE_ROWS)


def test_each_priced_column_counts_and_a_row_once() -> None:
    name = "Futures_20250717_1600.csv"
    data = b"SYMBOL,PX_LAST,PX_SETTLE\nRX,129.2656,129.2656\nTY,110.165,110.16125\nTU,103.19125,\n"
    parsed = FUTURES_SETTLEMENT.parse(data, name)
    found = find_off_ticks(FUTURES_SETTLEMENT, to_records(FUTURES_SETTLEMENT, parsed, name))
    assert [row["record_key"] for row in found.sample] == ["RX", "TY"]


def test_nothing_is_looked_for_where_no_prices_are() -> None:
    parsed = VTEXP.parse(
        b"symbol,vtexp\nXCME.ZN.N.G.22JUL25,0.961111\n", "vtexp_20250721_145812.csv"
    )
    assert find_off_ticks(VTEXP, to_records(VTEXP, parsed, "k")) == TickFindings()
