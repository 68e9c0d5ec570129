"""The simulated account: the same for whoever looks, in step with the market, and adding up."""

from collections import defaultdict
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.market.products import PRODUCTS
from trade_assets.simulators.desk.simulated_market import DESK_CODES, day_start, future_price
from trade_assets.simulators.tt.account import Market
from trade_assets.simulators.tt.futures import CODES, Future, future_of_id, instrument_row, listed
from trade_assets.simulators.tt.order_flow import SECOND_NS
from trade_assets.simulators.tt.quotes import midpoint, mids
from trade_assets.simulators.tt.simulator_options import SimulatorOptions
from trade_assets.simulators.tt.trading_day import clock_of

DAY = date(2026, 3, 10)
CLOCK = clock_of(DAY)
NOON = CLOCK.start_ns + 19 * 3600 * SECOND_NS + 123_456_789
OPTIONS = SimulatorOptions(seed=11, orders=40, fills_per_minute=6.0, backlog_fills=50)
EVERYTHING = 10**9
Row = dict[str, Any]


def _market(**changes: Any) -> Market:
    fields = {name: getattr(OPTIONS, name) for name in SimulatorOptions.__slots__}
    return Market(SimulatorOptions(**{**fields, **changes}), clock_ns=lambda: NOON)


MARKET = _market()
FILLS = MARKET.fills(None, NOON, EVERYTHING)


def _all(market: Market, at_ns: int) -> list[list[Row]]:
    return [
        market.orders(at_ns),
        market.fills(None, at_ns, EVERYTHING),
        market.positions(at_ns),
        market.start_of_day(at_ns),
    ]


@given(st.lists(st.integers(CLOCK.start_ns, CLOCK.end_ns - 1), min_size=1, max_size=4))
@settings(max_examples=5)
def test_what_is_at_a_time_does_not_depend_on_when_one_looked_before(looks: list[int]) -> None:
    market = _market()
    for at_ns in looks:
        market.positions(at_ns)
        market.orders(at_ns)
    assert _all(market, NOON) == _all(MARKET, NOON)


def test_another_seed_is_another_account() -> None:
    assert _market(seed=12).orders(NOON) != MARKET.orders(NOON)


@pytest.mark.parametrize("count", [0, 1, 4, 5, 40, 333])
def test_exactly_so_many_orders_work_at_any_time(count: int) -> None:
    market = _market(orders=count)
    for at_ns in (CLOCK.start_ns, CLOCK.start_ns + 1, NOON, CLOCK.end_ns - 1, CLOCK.end_ns):
        orders = market.orders(at_ns)
        assert len({order["orderId"] for order in orders}) == len(orders) == count


def test_orders_come_and_go() -> None:
    before, after = (MARKET.orders(NOON + late * SECOND_NS) for late in (0, 600))
    ids = [{order["orderId"] for order in orders} for orders in (before, after)]
    assert ids[0] - ids[1]
    assert ids[0] & ids[1]


def test_a_backlog_is_exact_and_without_other_fills_all_there_is() -> None:
    market = _market(fills_per_minute=0.0, backlog_fills=777)
    fills = market.fills(None, NOON, EVERYTHING)
    assert len(fills) == 777
    assert fills[-1]["timeStamp"] < CLOCK.start_ns + 60 * SECOND_NS
    assert len({fill["uniqueExecId"] for fill in fills}) == 777
    assert all(order.get("cumulatedQuantity", 0.0) == 0.0 for order in market.orders(NOON))


@pytest.mark.parametrize(("orders", "wanted"), [(40, 6.0), (40, 60.0), (8, 120.0), (1, 3.0)])
def test_fills_are_about_as_many_as_asked_for(orders: int, wanted: float) -> None:
    market = _market(orders=orders, fills_per_minute=wanted, backlog_fills=0)
    minutes = (NOON - CLOCK.start_ns) / SECOND_NS / 60
    assert wanted / 3 < len(market.fills(None, NOON, EVERYTHING)) / minutes < wanted * 3


def test_fills_never_change_once_they_were_seen() -> None:
    later = MARKET.fills(None, NOON + 3600 * SECOND_NS, EVERYTHING)
    assert later[: len(FILLS)] == FILLS
    times = [fill["timeStamp"] for fill in later]
    assert times == sorted(times)
    assert len(set(times)) < len(times)
    assert len({fill["uniqueExecId"] for fill in later}) == len(later)


@given(st.integers(CLOCK.start_ns, NOON), st.integers(1, 200))
def test_fills_from_a_time_are_the_oldest_that_are_not_before_it(since: int, most: int) -> None:
    expected = [fill for fill in FILLS if fill["timeStamp"] >= since][:most]
    assert MARKET.fills(since, NOON, most) == expected


def test_fills_of_the_day_before_can_be_asked_for() -> None:
    since = CLOCK.start_ns - 600 * SECOND_NS
    fills = MARKET.fills(since, CLOCK.start_ns + 600 * SECOND_NS, EVERYTHING)
    assert {fill["tradeDate"] for fill in fills} == {20260309, 20260310}
    times = [fill["timeStamp"] for fill in fills]
    assert times == sorted(times)
    assert times[0] >= since


def test_an_order_fills_where_the_market_is_and_as_a_whole_adds_up() -> None:
    left: dict[str, float] = {}
    for fill in FILLS:
        item = future_of_id(fill["instrumentId"])
        assert item
        second = CLOCK.second(fill["timeStamp"])
        market = round(mids(OPTIONS.seed, DAY, item)[second] / item.tick)
        ticks = fill["lastPx"] / item.tick
        assert ticks == int(ticks)
        # A limit fills at its price when the market is there or through it, a stop as well.
        assert abs(market - ticks) < 40
        before = left.get(fill["orderId"], fill["lastQty"] + fill["leavesQty"])
        assert before - fill["lastQty"] == fill["leavesQty"] >= 0
        left[fill["orderId"]] = fill["leavesQty"]
    assert any(left.values())  # some were filled in part


def test_a_limit_waits_on_its_side_of_the_market() -> None:
    for order in MARKET.orders(NOON):
        if "price" not in order or order["cumulatedQuantity"]:
            continue
        item = future_of_id(order["instrumentId"])
        assert item
        entered = CLOCK.second(order["dateTime"])
        mid = round(mids(OPTIONS.seed, DAY, item)[entered] / item.tick) * item.tick
        below = order["price"] < mid
        assert below is ((order["side"] == "1") is (order["orderType"] == "2"))


def test_orders_show_what_of_them_was_filled() -> None:
    filled: dict[str, float] = defaultdict(float)
    for fill in FILLS:
        filled[fill["orderId"]] += fill["lastQty"]
    partly = [
        order
        for order in MARKET.orders(NOON)
        if "price" in order and (order["cumulatedQuantity"] or filled[order["orderId"]])
    ]
    assert partly
    for order in partly:
        assert order["cumulatedQuantity"] == filled[order["orderId"]]
        assert order["leavesQuantity"] == order["orderQty"] - filled[order["orderId"]] > 0


def _exact(text: float) -> Fraction:
    return Fraction(text)


@pytest.mark.parametrize("at_ns", [CLOCK.start_ns, CLOCK.start_ns + 10**12, NOON])
def test_positions_are_what_fills_and_orders_add_up_to(at_ns: int) -> None:
    bought: dict[tuple[int, str, str], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 2)
    for fill in FILLS:
        if fill["timeStamp"] <= at_ns:
            place = fill["accountId"], fill["instrumentId"], fill["side"]
            size, price = _exact(fill["lastQty"]), _exact(fill["lastPx"])
            bought[place] = [bought[place][0] + size, bought[place][1] + size * price]
    working: dict[tuple[int, str, str], float] = defaultdict(float)
    for order in MARKET.orders(at_ns):
        if "price" in order:
            place = order["accountId"], order["instrumentId"], order["side"]
            working[place] += order["leavesQuantity"]
    rows = MARKET.positions(at_ns)
    places = {(row["accountId"], row["instrumentId"]) for row in rows}
    assert {place[:2] for place in [*bought, *working]} <= places
    for row in rows:
        buy, sell = ((row["accountId"], row["instrumentId"], side) for side in "12")
        (buys, buy_points), (sells, sell_points) = bought[buy], bought[sell]
        assert (row["buyFillQty"], row["sellFillQty"]) == (buys, sells)
        assert row["buyWorkingQty"] == working[buy]
        assert row["sellWorkingQty"] == working[sell]
        net = _exact(row["sodNetPos"]) + buys - sells
        assert row["netPosition"] == net
        assert row["avgBuy"] == pytest.approx(float(buy_points / buys) if buys else 0.0)
        assert row["avgSell"] == pytest.approx(float(sell_points / sells) if sells else 0.0)
        # Marked to the market, what came in less what went out, and the start at its settlement.
        now, start = _exact(row["pnlPrice"]), _exact(row["sodPrice"])
        made = net * now - _exact(row["sodNetPos"]) * start - buy_points + sell_points
        assert row["pnl"] == pytest.approx(float(made), abs=1e-6)
        still_open = float(net) * (row["pnlPrice"] - row["openAvgPrice"]) if net else 0.0
        assert row["realizedPnl"] + still_open == pytest.approx(row["pnl"], abs=1e-6)


def test_prices_are_on_ticks_and_move_with_the_desks_market() -> None:
    second = 50_000
    at = datetime.fromtimestamp(day_start(DAY).timestamp() + second, UTC)
    for item in listed(DAY)[::2]:
        if item.code in DESK_CODES:
            expected = float(future_price(OPTIONS.seed, item.code, at))
            found = midpoint(OPTIONS.seed, DAY, item, second)
            assert abs(found - expected) <= item.tick / 2
    for row in MARKET.positions(NOON):
        item = _future(row)
        assert (row["sodPrice"] / item.tick).is_integer()
        assert (row["pnlPrice"] / item.tick * 2).is_integer()


def _future(row: Row) -> Future:
    item = future_of_id(row["instrumentId"])
    assert item
    return item


def test_bursts_are_fills_of_now_and_count_in_positions() -> None:
    market = _market(fills_per_minute=0.0, backlog_fills=0)
    before = {_place(row): row for row in market.positions(NOON)}
    first_ns = market.burst(1_001, 400)
    assert first_ns == NOON
    fills = market.fills(NOON, NOON + SECOND_NS, EVERYTHING)
    assert [fill["timeStamp"] - NOON for fill in fills] == [0] * 400 + [1] * 400 + [2] * 201
    assert len({fill["uniqueExecId"] for fill in fills}) == 1_001
    after = {_place(row): row for row in market.positions(NOON + SECOND_NS)}
    moved = sum(
        row["buyFillQty"] + row["sellFillQty"] - before[place]["buyFillQty"]
        for place, row in after.items()
        if place in before
    )
    new = sum(
        row["buyFillQty"] + row["sellFillQty"] for at, row in after.items() if at not in before
    )
    assert moved + new == 1_001


def _place(row: Row) -> tuple[int, str]:
    return row["accountId"], row["instrumentId"]


def test_the_days_meet_and_daylight_saving_makes_them_23_and_25_hours() -> None:
    assert clock_of(date(2026, 3, 9)).end_ns == CLOCK.start_ns
    spring, autumn = clock_of(date(2026, 3, 8)), clock_of(date(2026, 11, 1))
    assert (spring.seconds, autumn.seconds) == (23 * 3600, 25 * 3600)
    for clock in (spring, autumn):
        assert len(MARKET.orders(clock.end_ns - 1)) == 40
        assert MARKET.positions(clock.end_ns - 1)


def test_instruments_say_ticks_as_the_products_do_and_roll() -> None:
    assert {item.code for item in listed(DAY)} == set(CODES)
    rows = {row["name"]: row for row in map(instrument_row, listed(date(2026, 11, 20)))}
    zn = rows["ZNZ6"]
    assert (zn["alias"], zn["tickSize"], zn["tickValue"]) == ("ZN Dec26", 0.015625, 15.625)
    assert "ZNH7" in rows
    for row in rows.values():
        product = PRODUCTS[row["productSymbol"]]
        assert row["tickSize"] == float(product.tick)
        assert row["tickValue"] == row["tickSize"] * row["pointValue"]
    ids = [row["id"] for row in rows.values()]
    assert len(set(ids)) == 12
    assert all(number.isdigit() and int(number) < 2**64 for number in ids)
    assert "ZNZ6" not in {instrument_row(item)["name"] for item in listed(date(2026, 12, 1))}
