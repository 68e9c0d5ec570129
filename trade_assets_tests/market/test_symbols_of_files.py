"""Every symbol of whole files, in every notation."""

import csv
from datetime import date, datetime

import pytest

from trade_assets.market.symbols import SymbolNotation, format_symbol, parse_symbol
from trade_assets_tests.feeds.formats import reference

FILES = [
    ("actant", "bav_analysis_*.csv", "Key", SymbolNotation.ACTANT_RISK),
    ("actant", "vtexp_*.csv", "symbol", SymbolNotation.ACTANT_TIME),
    ("ledger", "trades_*.csv", "instrumentName", SymbolNotation.ACTANT_TRADES),
    ("settlement", "Options_*.csv", "SYMBOL", SymbolNotation.BLOOMBERG),
    ("settlement", "Futures_*.csv", "SYMBOL", SymbolNotation.BLOOMBERG),
]


@pytest.mark.parametrize(("folder", "pattern", "column", "notation"), FILES)
def test_every_symbol_translates_both_ways(
    folder: str, pattern: str, column: str, notation: SymbolNotation
) -> None:
    count = 0
    for path in reference.desk_files(folder, pattern):
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.DictReader(file) if row[column].strip() not in ("", "Type")]
        for row in rows:
            instrument = parse_symbol(row[column], notation, date(2025, 7, 17))
            assert format_symbol(instrument, notation) == row[column]
            if row.get("STRIKE", "INVALID") != "INVALID":
                assert instrument.strike is not None
                assert float(instrument.strike) == float(row["STRIKE"])
                assert instrument.put_call == row["ITYPE"]
            if "EXPIRE_DT" in row:
                expiry = datetime.strptime(row["EXPIRE_DT"], "%m/%d/%Y")
                assert instrument.expiry == expiry.date()
        count += len(rows)
    assert count > 0
