"""The desk's real files, against the plain reader. Skipped where the files are not there."""

import pytest

from trade_assets.feeds.fills import FILLS
from trade_assets.feeds.spot_risk import SPOT_RISK
from trade_assets_tests.feeds import reference

pytestmark = pytest.mark.skipif(not reference.DATA.is_dir(), reason="no real files here")

RISK_FILES = list(reference.real_files("actant", "bav_analysis_*.csv"))
LEDGERS = list(reference.real_files("ledger", "trades_*.csv"))


@pytest.mark.parametrize("path", RISK_FILES, ids=lambda path: path.name)
def test_every_value_of_a_real_spot_risk_file(path):
    data = path.read_bytes()
    parsed = SPOT_RISK.parse(data, path.name)
    names = reference.header(data)
    expected = [
        {"row": at, **reference.risk_values(reference.fields(names, line))}
        for at, line in reference.data_lines(data, "Type,").items()
    ]
    assert parsed.rejected == ()
    assert parsed.frame.drop("event_time", "extra").to_dicts() == [
        {name: row[name] for name in parsed.frame.columns if name in row} for row in expected
    ]
    assert parsed.frame["extra"].null_count() == parsed.frame.height > 0
    assert dict(parsed.frame.schema) == SPOT_RISK.frame_schema


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.name)
def test_every_value_of_a_real_ledger(path):
    data = path.read_bytes()
    parsed = FILLS.parse(data, path.name)
    names = reference.header(data)
    expected = [
        {"row": at, **reference.fill_values(reference.fields(names, line))}
        for at, line in reference.data_lines(data, None).items()
    ]
    assert parsed.rejected == ()
    assert parsed.frame.drop("extra").to_dicts() == [
        {name: row[name] for name in parsed.frame.columns if name in row} for row in expected
    ]
    assert parsed.frame.height > 0
    assert dict(parsed.frame.schema) == FILLS.frame_schema
