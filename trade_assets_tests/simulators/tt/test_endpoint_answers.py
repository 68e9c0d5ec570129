"""Every endpoint of a running simulator answers in the shapes of TT, page by page."""

import json
import time
from typing import Any

import pytest

from trade_assets_tests.samples.made_files import SAMPLES
from trade_assets_tests.simulators.tt.caller import (
    ENVIRONMENT,
    FILLS,
    ORDERS,
    POSITION,
    Caller,
)
from trade_assets_tests.support.tt import Simulator

pytestmark = pytest.mark.integration

FILL_FIELDS = {
    "accountId": int,
    "brokerId": int,
    "currUserId": int,
    "execId": str,
    "executionType": str,
    "instrumentId": str,
    "lastPx": float,
    "lastQty": float,
    "leavesQty": float,
    "marketId": int,
    "orderId": str,
    "side": str,
    "timeStamp": int,
    "tradeDate": int,
    "uniqueExecId": str,
    "userId": str,
}


def _sample(name: str) -> Any:
    return json.loads((SAMPLES / "tt" / name).read_text())


def _shape(row: dict[str, Any]) -> list[tuple[str, type]]:
    return [(name, type(value)) for name, value in row.items()]


def _kind(order: dict[str, Any]) -> tuple[bool, str]:
    return order["marketId"] == 1001, order["orderType"]


def test_orders_have_the_shapes_of_the_sample(caller: Caller) -> None:
    samples = {_kind(order): _shape(order) for order in _sample("ttledger_orders.json")["orders"]}
    orders = caller.rows(ORDERS, "orders")
    children = [order for order in orders if "parentOrderId" in order]
    seen = {_kind(order): _shape(order) for order in orders}
    seen |= {_kind(order): _shape(order) for order in children if order["orderType"] == "2"}
    assert seen[False, "2"] == samples[False, "2"]
    assert seen[True, "2"] == samples[True, "2"]
    stop = [name for name, _ in samples[False, "4"] if name != "parentOrderId"]
    assert [name for name, _ in seen[False, "4"] if name != "parentOrderId"] == stop


def test_an_algos_parent_has_neither_price_nor_quantity_and_its_children_name_it(
    caller: Caller,
) -> None:
    orders = caller.rows(ORDERS, "orders")
    parents = {order["orderId"] for order in orders if order["marketId"] == 1001}
    children = {order["parentOrderId"] for order in orders if "parentOrderId" in order}
    assert len(parents) == 2
    assert children == parents
    for order in orders:
        assert ("price" in order) is (order["orderId"] not in parents)
        assert ("orderQty" in order) is (order["orderId"] not in parents)


def test_orders_come_in_pages_of_one_moment(caller: Caller) -> None:
    sizes, flags, ids, key = [], [], [], ""
    while True:
        body = caller.get(ORDERS, **({"nextPageKey": key} if key else {})).json()
        sizes.append(len(body["orders"]))
        flags.append(body["lastPage"])
        ids += [order["orderId"] for order in body["orders"]]
        key = body.get("nextPageKey", "")
        assert bool(key) is (body["lastPage"] == "false")
        if not key:
            break
    assert sizes == [17, 17, 6]
    assert flags == ["false", "false", "true"]
    assert len(set(ids)) == 40


@pytest.mark.parametrize(
    "key", ["", "x", "dHQtcGFnZS8xLy0x", "dHQtcGFnZS85OTk5OTk5OTk5OTk5OTk5OTk5LzA="]
)
def test_a_page_key_that_was_not_given_is_refused(caller: Caller, key: str) -> None:
    assert caller.get(ORDERS, nextPageKey=key).status == 400


def test_fills_come_oldest_first_in_bounded_pages(caller: Caller) -> None:
    first = caller.get(FILLS).json()
    assert first["lastPage"] == "true"
    assert len(first["fills"]) == 500
    assert {name: type(value) for name, value in first["fills"][0].items()} == FILL_FIELDS
    seen = {fill["uniqueExecId"]: fill for fill in first["fills"]}
    page = first["fills"]
    while len(page) == 500:
        page = caller.get(FILLS, minTimestamp=str(page[-1]["timeStamp"])).json()["fills"]
        assert page[0]["uniqueExecId"] in seen  # from the last time on, which is included
        seen |= {fill["uniqueExecId"]: fill for fill in page}
    times = [fill["timeStamp"] for fill in seen.values()]
    assert len(times) >= 1300
    assert times == sorted(times)
    assert len(set(times)) < len(times)  # some share a nanosecond
    until = times[700]
    cut = caller.get(FILLS, minTimestamp=str(until), maxTimestamp=str(until)).json()["fills"]
    assert {fill["timeStamp"] for fill in cut} == {until}


def test_fills_from_now_on_are_those_that_happen(caller: Caller, simulator: Simulator) -> None:
    first_ns = simulator.fills(7, same_ns=3)
    eventually_seen = caller.get(FILLS, minTimestamp=str(first_ns)).json()["fills"]
    mine = [fill for fill in eventually_seen if fill["timeStamp"] < first_ns + 3]
    assert [fill["timeStamp"] - first_ns for fill in mine] == [0, 0, 0, 1, 1, 1, 2]
    assert caller.get(FILLS, minTimestamp=str(time.time_ns() + 10**10)).json()["fills"] == []


@pytest.mark.parametrize("wrong", ["", "-1", "yesterday", "1e9", "9" * 20])
def test_a_time_that_is_no_number_is_refused(caller: Caller, wrong: str) -> None:
    assert caller.get(FILLS, minTimestamp=wrong).status == 400


def test_positions_have_the_shape_of_the_sample_and_follow_from_the_fills(caller: Caller) -> None:
    (sample,) = _sample("ttmonitor_position.json")["positions"]
    positions = caller.rows(POSITION, "positions")
    assert positions
    for row in positions:
        assert _shape(row) == _shape(sample)
        net = row["sodNetPos"] + row["buyFillQty"] - row["sellFillQty"]
        assert row["netPosition"] == net
        assert (row["pnlPriceType"], row["sodPriceType"]) == ("MIDPOINT", "SETTLE")
    starts = caller.rows(f"ttmonitor/{ENVIRONMENT}/sod", "sods")
    held = {
        (row["accountId"], row["instrumentId"]): row["sodNetPos"]
        for row in positions
        if row["sodNetPos"]
    }
    assert {(row["accountId"], row["instrumentId"]): row["sodNetPos"] for row in starts} == held


def test_an_instrument_has_the_shape_of_the_sample(caller: Caller) -> None:
    sample = _sample("ttpds_instrument.json")
    answer = caller.get(f"ttpds/{ENVIRONMENT}/instrument/4877721789746411490").json()
    assert [*answer] == [*sample]
    (row,), (shape,) = answer["instrument"], sample["instrument"]
    assert _shape(row) == _shape(shape)
    assert (row["id"], row["name"], row["alias"]) == ("4877721789746411490", "ZNM5", "ZN Jun25")
    assert (row["lastTradeDate"], row["tickSize"], row["pointValue"]) == (20250618, 1 / 64, 1000.0)


def test_markets_products_and_instruments_lead_to_all_that_is_traded(caller: Caller) -> None:
    markets = caller.rows(f"ttpds/{ENVIRONMENT}/markets", "markets")
    assert 7 in {market["id"] for market in markets}
    products = caller.rows(f"ttpds/{ENVIRONMENT}/products", "products", marketId="7")
    assert {product["symbol"] for product in products} == {"ZN", "ZB", "ZF", "ZT", "UB", "TN"}
    assert all(int(product["id"]) > 2**63 for product in products)
    listed = {
        row["id"]: row
        for product in products
        for row in caller.rows(
            f"ttpds/{ENVIRONMENT}/instruments", "instruments", productId=product["id"]
        )
    }
    assert len(listed) == 12
    traded = {order["instrumentId"] for order in caller.rows(ORDERS, "orders")}
    assert traded <= listed.keys()
    one = next(iter(traded))
    (alone,) = caller.get(f"ttpds/{ENVIRONMENT}/instrument/{one}").json()["instrument"]
    assert alone == listed[one]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"ttpds/{ENVIRONMENT}/instrument/12", 404),
        (f"ttpds/{ENVIRONMENT}/instrument", 404),
        (f"ttpds/{ENVIRONMENT}/instruments", 404),
        (f"ttpds/{ENVIRONMENT}/products", 400),
        (f"ttledger/{ENVIRONMENT}/orders/1", 404),
        (f"ttprices/{ENVIRONMENT}/quotes", 404),
        ("nothing", 403),
    ],
)
def test_what_is_not_there_is_refused_in_words(caller: Caller, path: str, status: int) -> None:
    answer = caller.get(path)
    assert answer.status == status
    body = answer.json()
    assert (body["status"], body["statusCode"]) == ("Error", status)
    assert body["status_message"]
