"""`trade-assets history`: order, bounds, limits, exactness."""

import pytest

from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.settings import Settings
from trade_assets_tests.cli.helpers import (
    FUTURE,
    RISK_HEADER,
    THERE_ARE,
    Outcome,
    Run,
    store,
)
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

PRICES = ["110.546875", "110.1", "0.30000000000000004", "110.5", "123456.78125"]
"""The bid at every full minute from 14:00 UTC."""


@pytest.fixture(scope="module")
def filled(module_settings: Settings) -> Settings:
    """Five versions of one future, a minute apart; no test adds to them."""
    with Stores(module_settings) as stores:
        for minute, price in enumerate(PRICES):
            name = f"bav_analysis_20250717_09{minute:02}00.csv"
            store(stores, SPOT_RISK, name, f"{RISK_HEADER}{FUTURE},{price},200,,F,,,,\n")
    return module_settings


@pytest.fixture
def settings(filled: Settings) -> Settings:
    """The settings under which the commands run."""
    return filled


def bids(outcome: Outcome) -> list[str]:
    assert outcome.code == 0
    return [str(record["bid_price"]) for record in outcome.json]


def test_json_is_exact_and_newest_first(run: Run) -> None:
    outcome = run("history", "spot_risk", FUTURE, "--json")
    assert bids(outcome) == PRICES[::-1]
    assert list(outcome.json[0]) == list(SPOT_RISK.record_schema)
    assert outcome.json[0]["strike_price"] is None
    assert outcome.json[0]["instrument_id"] == "ZNU25"
    assert outcome.json[0]["expiry"] == "2025-09-19"
    assert outcome.json[0]["trading_date"] == "2025-07-17"
    assert outcome.json[0]["event_time"] == "2025-07-17T14:04:00.000000Z"
    assert outcome.err == ""
    oldest = run("history", "spot_risk", FUTURE, "--json", "--oldest-first")
    assert bids(oldest) == PRICES


def test_since_is_inclusive_and_until_exclusive_in_any_zone(run: Run) -> None:
    asked = ("history", "spot_risk", FUTURE, "--json", "--oldest-first")
    between = run(*asked, "--since", "2025-07-17T14:01", "--until", "2025-07-17T09:03:00-05:00")
    assert bids(between) == PRICES[1:3]
    assert bids(run(*asked, "--since", "2025-07-17T14:04:00Z")) == PRICES[4:]
    assert bids(run(*asked, "--until", "2025-07-17")) == []


def test_limit_says_when_there_are_more(run: Run) -> None:
    limited = run("history", "spot_risk", FUTURE, "--limit", "2", "--json")
    assert bids(limited) == PRICES[:2:-1]
    assert "more than 2 records" in limited.err
    whole = run("history", "spot_risk", FUTURE, "--limit", "5", "--json")
    assert len(bids(whole)) == 5
    assert whole.err == ""


def test_table_shows_times_and_all_digits(run: Run) -> None:
    outcome = run("history", "spot_risk", FUTURE, "--oldest-first")
    assert outcome.code == 0
    assert "5 records" in outcome.out
    assert "2025-07-17 09:00:00 CDT · 14:00:00 UTC" in outcome.out
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith("09:")]
    assert [row[:2] for row in rows] == [
        [f"09:0{minute}:00", price] for minute, price in enumerate(PRICES)
    ]


def test_no_record_is_no_error(run: Run) -> None:
    outcome = run("history", "spot_risk", "XCME.NO", "--json")
    assert (outcome.code, outcome.json) == (0, [])
    assert "no record" in run("history", "spot_risk", "XCME.NO").out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--since", "yesterday"), "'yesterday' is no ISO 8601 time"),
        (("--since", "2025-07-18", "--until", "2025-07-17"), "--since has to be before"),
        (("--columns", "bid"), "has no column bid;"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_wrong_option_is_named(run: Run, options: tuple[str, ...], words: str) -> None:
    outcome = run("history", "spot_risk", FUTURE, *options)
    assert outcome.code == 2
    assert words in outcome.err


def test_missing_table_and_unknown_feed_are_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_ASSETS_NAMESPACE", "t-nothing-made")
    missing = run("history", "spot_risk", FUTURE)
    assert missing.code == 1
    assert missing.err.startswith("error: reading history of")
    unknown = run("history", "nope", FUTURE)
    assert unknown.code == 1
    assert unknown.err.splitlines() == [f"error: no feed 'nope'; {THERE_ARE}"]
