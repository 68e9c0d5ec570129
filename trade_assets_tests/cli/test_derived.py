"""`trade-assets latest` and `history` of derived data sets."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from trade_assets.feeds.derived.declarations import GREEKS, POSITIONS, Derived
from trade_assets.settings import Settings
from trade_assets_tests.cli.helpers import CALL, PUT, Run
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

NINE = datetime(2025, 7, 17, 14, tzinfo=UTC)
DAY_START = datetime(2025, 7, 16, 22, tzinfo=UTC)
LEDGER_KEY = "feeds/tt/fills/dt=2025-07-17/hh={hour:02}/trades_20250717.csv"
LOTS = '[[-5.0,110.5,"A:ZN"],[12.0,110.515625,"1001"]]'


def record(dataset: Derived, **values: Any) -> pl.DataFrame:
    """A record of a data set, the columns not given null."""
    row = {"source": dataset.source, "feed": dataset.name, "row": 2, **values}
    return pl.DataFrame([row], schema=dataset.record_schema)


def greeks_of(key: str, second: int, **values: Any) -> pl.DataFrame:
    """Greeks of an option some seconds after nine."""
    name = f"bav_analysis_20250717_0900{second:02}.csv"
    return record(
        GREEKS,
        record_key=key,
        event_time=NINE + timedelta(seconds=second),
        file_key=f"feeds/actant/spot_risk/dt=2025-07-17/hh=14/{name}",
        trading_date=date(2025, 7, 17),
        product="ZN",
        **values,
    )


def position(hour: int, quantity: float, **values: Any) -> pl.DataFrame:
    """The position in one future, of the version of the ledger that landed in an hour."""
    return record(
        POSITIONS,
        record_key="ZNU25",
        event_time=DAY_START,
        file_key=LEDGER_KEY.format(hour=hour),
        trading_date=date(2025, 7, 17),
        instrument_id="ZNU25",
        product="ZN",
        expiry=date(2025, 9, 19),
        underlying_id="ZNU25",
        instrument="XCMEFFDPSX20250919U0ZN",
        position_quantity=quantity,
        **values,
    )


@pytest.fixture(scope="module")
def filled(module_settings: Settings) -> Settings:
    """Two versions of one option's Greeks, one option without, and a position that was rewritten;
    no test adds to them."""
    solved = {
        "instrument_id": "VY3N25-C110.75",
        "expiry": date(2025, 7, 21),
        "strike_price": 110.75,
        "put_call": "C",
        "underlying_id": "ZNU25",
        "gamma": 0.7071067811865476,
    }
    with Stores(module_settings) as stores:
        for dataset, records in (
            (GREEKS, greeks_of(CALL, 0, delta=0.30000000000000004, **solved)),
            (GREEKS, greeks_of(CALL, 1, delta=0.25, **solved)),
            (GREEKS, greeks_of(PUT, 1, reason="no_bid")),
            (POSITIONS, position(14, -5.0, fills=0)),
            (POSITIONS, position(15, 7.0, fills=1, currency="USD", lots=LOTS)),
        ):
            stores.latest.write(dataset, records)
            stores.history.write(dataset, records)
    return module_settings


@pytest.fixture
def settings(filled: Settings) -> Settings:
    """The settings under which the commands run."""
    return filled


@pytest.mark.parametrize("name", ["greeks", "derived/greeks"])
def test_latest_greeks_are_exact(run: Run, name: str) -> None:
    outcome = run("latest", name, "--json")
    assert outcome.code == 0
    found = {item["record_key"]: item for item in outcome.json}
    assert list(found) == [CALL, PUT]  # of one time: by key
    assert list(found[CALL]) == list(GREEKS.record_schema)
    assert {name: str(found[CALL][name]) for name in ("delta", "gamma", "strike_price")} == {
        "delta": "0.25",
        "gamma": "0.7071067811865476",
        "strike_price": "110.75",
    }
    assert (found[CALL]["source"], found[CALL]["feed"]) == ("derived", "greeks")
    assert (found[CALL]["instrument_id"], found[CALL]["expiry"]) == ("VY3N25-C110.75", "2025-07-21")
    assert (found[CALL]["reason"], found[PUT]["reason"]) == (None, "no_bid")
    assert found[PUT]["delta"] is None


def test_latest_greeks_as_a_table(run: Run) -> None:
    outcome = run("latest", "greeks", "--columns", "delta,reason,instrument_id")
    assert outcome.code == 0
    assert "derived/greeks" in outcome.out
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith("XCME.")]
    # The last one is the age.
    assert [row[:-1] for row in rows] == [
        [CALL, "0.25", "VY3N25-C110.75", "09:00:01"],
        [PUT, "no_bid", "09:00:01"],
    ]


def test_history_of_greeks_has_every_version(run: Run) -> None:
    outcome = run("history", "greeks", CALL, "--oldest-first", "--json")
    assert outcome.code == 0
    assert [(item["event_time"], str(item["delta"])) for item in outcome.json] == [
        ("2025-07-17T14:00:00.000000Z", "0.30000000000000004"),
        ("2025-07-17T14:00:01.000000Z", "0.25"),
    ]
    assert list(outcome.json[0]) == list(GREEKS.record_schema)
    newest = run("history", "derived/greeks", CALL, "--limit", "1", "--columns", "delta", "--json")
    assert [str(item["delta"]) for item in newest.json] == ["0.25"]


@pytest.mark.parametrize("command", ["latest", "history"])
def test_a_position_that_was_rewritten_is_one_record(run: Run, command: str) -> None:
    outcome = run(command, "derived/positions", "ZNU25", "--json")
    assert outcome.code == 0
    (found,) = outcome.json
    assert list(found) == list(POSITIONS.record_schema)
    assert (found["position_quantity"], found["fills"]) == (7, 1)
    assert found["lots"] == LOTS
    assert found["event_time"] == "2025-07-16T22:00:00.000000Z"
    assert found["trading_date"] == "2025-07-17"
    assert found["file_key"] == LEDGER_KEY.format(hour=15)
    assert found["average_price"] is None


def test_positions_as_tables(run: Run) -> None:
    names = "--columns", "position_quantity,currency,expiry"
    latest = run("latest", "derived/positions", *names)
    (row,) = [line.split() for line in latest.out.splitlines() if line.startswith("ZNU25")]
    assert row[:5] == ["ZNU25", "7", "USD", "2025-09-19", "17:00:00"]
    history = run("history", "derived/positions", "ZNU25", *names)
    assert "1 record" in history.out
    assert ["17:00:00", "7", "USD", "2025-09-19"] in [
        line.split() for line in history.out.splitlines()
    ]


def test_a_column_of_the_origin_alone_is_none_of_the_derived(run: Run) -> None:
    wrong = run("latest", "greeks", "--columns", "bid_price")
    assert wrong.code == 2
    assert "derived/greeks has no column bid_price" in wrong.err
    assert "implied_volatility" in wrong.err
