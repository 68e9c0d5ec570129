"""Spot risk and ledgers, every value of whole files against the plain reader."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.feeds.formats.reference import (
    fill_values,
    risk_instrument,
    risk_values,
    trades_instrument,
)

RISK_FILES = reference.desk_files("actant", "bav_analysis_*.csv")
NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+")
LEDGERS = reference.desk_files("ledger", "trades_*.csv")


@pytest.mark.parametrize("path", RISK_FILES, ids=lambda path: path.name)
def test_every_value_of_a_spot_risk_file(path: Path) -> None:
    data = path.read_bytes()
    parsed = SPOT_RISK.parse(data, path.name)
    names = reference.header(data)
    stamp = path.name.removeprefix("bav_analysis_")[:15]
    local = datetime.strptime(stamp, "%Y%m%d_%H%M%S")
    of_file = {
        "event_time": local.replace(tzinfo=reference.CENTRAL).astimezone(UTC),
        "trading_date": reference.trading_date(local),
        "extra": None,
    }
    lines = reference.data_lines(data, "Type,")
    rows = {at: reference.fields(names, line) for at, line in lines.items()}
    expected = [
        {"row": at, **of_file, **risk_values(row), **risk_instrument(row["Key"])}
        for at, row in rows.items()
    ]
    assert parsed.rejected == ()
    assert parsed.frame.to_dicts() == [
        {name: row[name] for name in parsed.frame.columns} for row in expected
    ]
    assert parsed.frame.height > 0
    assert dict(parsed.frame.schema) == SPOT_RISK.frame_schema


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.name)
def test_every_value_of_a_ledger(path: Path) -> None:
    data = path.read_bytes()
    parsed = FILLS.parse(data, path.name)
    names = reference.header(data)
    lines = reference.data_lines(data, None)
    rows = {at: reference.fields(names, line) for at, line in lines.items()}
    bad = [at for at, row in rows.items() if not NUMBER.fullmatch(row["price"])]
    expected = [
        {"row": at, "extra": None, **fill_values(row), **trades_instrument(row["instrumentName"])}
        for at, row in rows.items()
        if at not in bad
    ]
    assert [row.row for row in parsed.rejected] == bad
    assert parsed.frame.to_dicts() == [
        {name: row[name] for name in parsed.frame.columns} for row in expected
    ]
    assert parsed.frame.height > 0
    assert dict(parsed.frame.schema) == FILLS.frame_schema
