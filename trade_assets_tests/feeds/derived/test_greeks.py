"""Greeks of chains: what is joined as of when, every reason, and that there is one or a result."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.datasets.records import EVENT_TIME_TYPE, RECORD_SCHEMA
from trade_assets.feeds.derived.greeks import (
    GREEKS_SCHEMA,
    PASSED_ON,
    Reason,
    chain_greeks,
    greeks_figures,
)
from trade_assets.market.prices import CABINET_PRICE
from trade_assets_tests.feeds.derived import high_precision

Row = dict[str, Any]
"""A row of a frame, as polars gives it."""

AT = datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)  # a Thursday, 14:33:31 Central
EXPIRY = date(2025, 7, 21)
RISK_SCHEMA = {
    **RECORD_SCHEMA,
    "instrument_type": pl.String(),
    "bid_price": pl.Float64(),
    "ask_price": pl.Float64(),
    "average_volatility": pl.Float64(),
}
VTEXP_SCHEMA = {**RECORD_SCHEMA, "days_to_expiry": pl.Float64()}
SOLVED = (
    "implied_volatility",
    "implied_volatility_percent",
    "delta",
    "gamma",
    "vega",
    "theta",
)

OPTION = {
    "file_key": "feeds/actant/spot_risk/dt=2025-07-17/hh=19/bav_analysis_20250717_143331.csv",
    "record_key": "XCME.VY3.21JUL25.111.C",
    "event_time": AT,
    "row": 3,
    "trading_date": AT.date(),
    "instrument_id": "VY3N25-C111",
    "product": "ZN",
    "expiry": EXPIRY,
    "strike_price": 111.0,
    "put_call": "C",
    "underlying_id": "ZNU25",
    "instrument_type": "C",
    "bid_price": 0.015625,
    "ask_price": 0.03125,
}
FUTURE = {
    "event_time": AT,
    "instrument_id": "ZNU25",
    "underlying_id": "ZNU25",
    "instrument_type": "F",
    "bid_price": 110.515625,
    "ask_price": 110.53125,
}
TIME = {"event_time": AT, "product": "ZN", "expiry": EXPIRY, "days_to_expiry": 2.0}


def risk_frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RISK_SCHEMA)


def time_frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=VTEXP_SCHEMA)


def greeks(
    *options: Row, futures: Iterable[Row] = (FUTURE,), times: Iterable[Row] = (TIME,)
) -> list[Row]:
    found = chain_greeks(risk_frame(*options), risk_frame(*futures), time_frame(*times))
    assert found.schema == {
        **{name: RECORD_SCHEMA[name] for name in PASSED_ON},
        **GREEKS_SCHEMA,
    }
    return found.to_dicts()


@pytest.mark.parametrize("side", ["C", "P"])
def test_an_option_gets_the_figures_of_the_high_precision_solver(side: str) -> None:
    bid = 0.015625 + (0.484375 if side == "P" else 0)
    (row,) = greeks(
        OPTION | {"put_call": side, "instrument_type": side, "bid_price": bid, "ask_price": 0.53125}
    )
    option_price, years, right = (bid + 0.53125) / 2, 2 / 252, 1 if side == "C" else -1
    case = 110.5234375, 111.0, years
    volatility = high_precision.volatility(option_price, *case, right)
    assert volatility is not None
    exact = high_precision.greeks(*case, volatility, right)
    assert [row[name] for name in PASSED_ON] == [
        (OPTION | {"put_call": side})[name] for name in PASSED_ON
    ]
    assert (row["option_price"], row["future_price"]) == (option_price, 110.5234375)
    assert (row["days_to_expiry"], row["reason"]) == (2.0, None)
    assert row["implied_volatility"] == pytest.approx(volatility, rel=1e-8, abs=1e-8)
    assert row["implied_volatility_percent"] == pytest.approx(volatility / 1.105234375, rel=1e-12)
    for name in ("delta", "gamma", "vega"):
        assert row[name] == pytest.approx(exact[name], rel=1e-8, abs=1e-8)
    assert row["theta"] == pytest.approx(exact["theta"] / 252, rel=1e-8, abs=1e-8)
    assert row["desk_volatility_difference"] is None


IN_THE_MONEY = {"strike_price": 109.5234375}

REASONS = {
    # Strike and right are the file's own, and are there all the same.
    Reason.NO_INSTRUMENT: OPTION
    | dict.fromkeys(("instrument_id", "product", "expiry", "underlying_id")),
    Reason.EXPIRED: OPTION | {"expiry": date(2025, 7, 16)},
    Reason.NO_TIME_TO_EXPIRY: OPTION | {"expiry": date(2025, 7, 22)},
    Reason.NO_QUOTE: OPTION | {"bid_price": None, "ask_price": None},
    Reason.CROSSED: OPTION | {"bid_price": 0.03125, "ask_price": 0.015625},
    Reason.CABINET: OPTION | {"bid_price": CABINET_PRICE, "ask_price": 0.015625},
    Reason.NO_BID: OPTION | {"bid_price": None},
    Reason.NO_ASK: OPTION | {"ask_price": None},
    Reason.NO_UNDERLYING_PRICE: OPTION | {"underlying_id": "ZNZ25"},
    Reason.BELOW_INTRINSIC: OPTION | IN_THE_MONEY | {"bid_price": 0.96875, "ask_price": 1.015625},
    Reason.AT_INTRINSIC: OPTION | IN_THE_MONEY | {"bid_price": 0.984375, "ask_price": 1.015625},
    Reason.OUT_OF_RANGE: OPTION | {"bid_price": 0.01, "ask_price": 0.02, "strike_price": 1e100},
}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_occurs(reason: Reason) -> None:
    (row,) = greeks(REASONS[reason])
    assert row["reason"] == reason
    assert [row[name] for name in SOLVED] == [None] * len(SOLVED)
    assert row["desk_volatility_difference"] is None


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        ({"bid_price": None, "ask_price": CABINET_PRICE}, Reason.CABINET),
        ({"bid_price": CABINET_PRICE, "ask_price": CABINET_PRICE}, Reason.CABINET),
        ({"bid_price": 0.0, "ask_price": 0.015625}, Reason.NO_BID),
        ({"bid_price": -0.015625, "ask_price": 0.0}, Reason.NO_QUOTE),
        ({"bid_price": 0.015625, "ask_price": 0.015625}, None),
    ],
)
def test_what_is_a_quote(quote: dict[str, float | None], reason: Reason | None) -> None:
    (row,) = greeks(OPTION | quote)
    assert row["reason"] == reason


@pytest.mark.parametrize(
    "quote", [{"bid_price": None}, {"ask_price": None}, {"bid_price": -1.0, "ask_price": 1.0}]
)
def test_a_future_without_a_quote_has_no_price_though_it_once_had(
    quote: dict[str, float | None],
) -> None:
    earlier = FUTURE | {"event_time": AT - timedelta(seconds=2)}
    (row,) = greeks(OPTION, futures=(earlier, FUTURE | quote))
    assert (row["reason"], row["future_price"]) == (Reason.NO_UNDERLYING_PRICE, None)


def test_the_price_of_an_option_is_not_that_of_its_future() -> None:
    (row,) = greeks(OPTION, futures=(FUTURE, OPTION | {"event_time": AT}))
    assert row["future_price"] == 110.5234375


def test_futures_and_bare_underlyings_are_not_options() -> None:
    bare = {"event_time": AT, "record_key": "XCME.ZN", "instrument_type": "N"}
    assert [row["record_key"] for row in greeks(FUTURE, OPTION, bare)] == [OPTION["record_key"]]


def test_no_options_no_rows() -> None:
    assert greeks() == []
    assert greeks(FUTURE, futures=(), times=()) == []
    assert greeks_figures(chain_greeks(*(risk_frame(),) * 2, time_frame())) == {
        "options": 0,
        "solved": 0,
    }


def test_without_inputs_every_option_has_a_reason() -> None:
    (row,) = greeks(OPTION, futures=(), times=())
    assert row["reason"] == Reason.NO_TIME_TO_EXPIRY


def test_each_file_sees_the_newest_records_of_its_moment_and_order_stays() -> None:
    moments = [AT + timedelta(seconds=seconds) for seconds in (4, 0, 2, 0)]
    options = [OPTION | {"event_time": at, "row": row} for row, at in enumerate(moments)]
    futures = [
        FUTURE | {"event_time": AT + timedelta(seconds=at), "bid_price": bid, "ask_price": bid}
        for at, bid in ((3, 110.4), (-9, 110.1), (2, 110.3), (5, 110.9))
    ]
    others = [FUTURE | dict.fromkeys(("instrument_id", "underlying_id"), "ZNZ25")]
    times = [
        TIME | {"event_time": AT + timedelta(seconds=at), "days_to_expiry": days}
        for at, days in ((3, 1.5), (-9, 2.0), (9, 0.1))
    ]
    rows = greeks(*options, futures=(*futures, *others), times=tuple(times))
    assert [(row["event_time"], row["row"]) for row in rows] == list(
        zip(moments, range(4), strict=True)
    )
    assert [row["future_price"] for row in rows] == [110.4, 110.1, 110.3, 110.1]
    seconds = [86_400 * row["days_to_expiry"] for row in rows]
    assert seconds == pytest.approx([1.5 * 86_400 - 1, *(2 * 86_400 - n for n in (9, 11, 9))])


@pytest.mark.parametrize(
    ("measured", "quoted", "elapsed"),
    [
        ("2025-07-17 19:30", "2025-07-17 19:30", 0.0),
        ("2025-07-17 19:30", "2025-07-17 20:42", 0.05),
        ("2025-07-17 19:30", "2025-07-18 19:30", 1.0),
        # Friday 15:00 to Saturday, to Sunday 18:00, to Monday 15:00 Central.
        ("2025-07-18 20:00", "2025-07-19 17:00", 0.375),
        ("2025-07-18 20:00", "2025-07-20 23:00", 0.375),
        ("2025-07-18 20:00", "2025-07-21 20:00", 1.0),
        ("2025-07-20 18:00", "2025-07-20 23:00", 0.0),
        # Thursday 15:00 to Independence Day, a Friday, and to Monday 15:00 Central.
        ("2025-07-03 20:00", "2025-07-04 15:00", 0.375),
        ("2025-07-03 20:00", "2025-07-07 20:00", 1.0),
        # The night in which daylight saving time begins, Friday 15:00 to Monday 15:00 Central.
        ("2025-03-07 21:00", "2025-03-10 20:00", 1.0),
    ],
)
def test_time_to_expiry_runs_down_on_business_days(
    measured: str, quoted: str, elapsed: float
) -> None:
    measured_at, at = (
        datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC) for text in (measured, quoted)
    )
    expiry = {"expiry": date(2025, 8, 1)}
    (row,) = greeks(
        OPTION | expiry | {"event_time": at},
        futures=(FUTURE | {"event_time": measured_at},),
        times=(TIME | expiry | {"event_time": measured_at, "days_to_expiry": 3.25},),
    )
    assert row["days_to_expiry"] == pytest.approx(3.25 - elapsed, rel=1e-15)


def test_an_option_expires_between_two_times_to_expiry() -> None:
    early = TIME | {"event_time": AT - timedelta(minutes=15), "days_to_expiry": 10 / 1440}
    (row,) = greeks(OPTION, times=(early,))
    assert row["reason"] == Reason.EXPIRED
    assert row["days_to_expiry"] < 0


def test_the_difference_to_the_desk_is_in_percent() -> None:
    chain = [OPTION | {"average_volatility": percent} for percent in (1.0, 1628.67, None)]
    chain.append(REASONS[Reason.NO_BID] | {"average_volatility": 5.0})
    found = chain_greeks(risk_frame(*chain), risk_frame(FUTURE), time_frame(TIME))
    ours = found["implied_volatility_percent"][0]
    assert found["desk_volatility_difference"].to_list() == [ours - 1.0, ours - 1628.67, None, None]
    assert greeks_figures(found) == {
        "options": 4,
        "solved": 3,
        "no_bid": 1,
        "desk_volatility_difference_median": pytest.approx((ours - 1.0 + 1628.67 - ours) / 2),
        "desk_volatility_difference_max": 1628.67 - ours,
    }


STORABLE = st.floats(-1e124, 1e124, allow_subnormal=False) | st.sampled_from([0.0, 1e-129, 1e124])
NUMBERS = st.none() | st.floats(0.001, 2) | st.floats(100, 120) | STORABLE
OPTIONS = st.fixed_dictionaries(
    {
        "event_time": st.integers(-5, 5).map(lambda seconds: AT + timedelta(seconds=seconds)),
        "instrument_type": st.sampled_from("CPFN"),
        "instrument_id": st.sampled_from(["VY3N25-C111", None]),
        "product": st.sampled_from(["ZN", None]),
        "expiry": st.sampled_from([EXPIRY, date(1970, 1, 1), None]),
        "underlying_id": st.sampled_from(["ZNU25", None]),
        "put_call": st.sampled_from(["C", "P", None]),
        "strike_price": NUMBERS,
        "bid_price": NUMBERS,
        "ask_price": NUMBERS,
        "average_volatility": NUMBERS,
    }
)
FUTURES = st.fixed_dictionaries(
    {"bid_price": NUMBERS, "ask_price": NUMBERS, "event_time": st.just(AT)}
).map(lambda quote: FUTURE | quote)
TIMES = NUMBERS.map(lambda days: TIME | {"days_to_expiry": days})


@given(st.lists(OPTIONS, max_size=8), st.lists(FUTURES, max_size=2), st.lists(TIMES, max_size=2))
@settings(max_examples=150)
def test_an_option_has_all_figures_or_a_reason_however_absurd_the_input(
    chain: list[Row], futures: list[Row], times: list[Row]
) -> None:
    found = chain_greeks(risk_frame(*chain), risk_frame(*futures), time_frame(*times))
    assert found.height == sum(row["instrument_type"] in "CP" for row in chain)
    assert found.schema["event_time"] == EVENT_TIME_TYPE
    for row in found.iter_rows(named=True):
        missing = {row[name] is None for name in SOLVED}
        assert missing == {row["reason"] is not None}
    numbers = found.select(pl.selectors.float())
    assert numbers.select(pl.all().is_finite().all()).row(0) == (True,) * numbers.width
    figures = greeks_figures(found)
    reasons = sum(figures.get(reason.value, 0) for reason in Reason)
    assert figures["options"] == figures["solved"] + reasons
