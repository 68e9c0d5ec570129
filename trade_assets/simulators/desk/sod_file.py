"""The simulated start-of-day file, `SOD_YYYYMMDD.csv`: what the account holds as its day begins.

Two programs write it by turns, as in the real files. One writes `05/20/2025`, futures with a
decimal, short positions below zero and some prices in TT ticks; the other `2025-05-23`, all
quantities above zero, and a strike that means nothing on futures.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from trade_assets.market.contracts import contract_named
from trade_assets.market.instrument import Instrument, strike_text
from trade_assets.market.prices import PriceNotation, format_price
from trade_assets.market.products import PRODUCTS
from trade_assets.simulators.desk.opening_book import start_of_day_book
from trade_assets.simulators.desk.option_chain import front_future, money_strike
from trade_assets.simulators.desk.simulated_market import day_start, future_price, trading_day

HEADER: Final = (
    "ACCOUNT,UNDERLYING,ASSET,RUN_DATE,PRODUCT_CODE,LONG_SHORT,PUT_CALL,STRIKE_PRICE,QUANTITY,"
    "EXPIRE_DATE,LOT_SIZE,PRICE_TODAY,IS_AMERICAN"
)
ACCOUNT: Final = "ACCT1"

_OTHER_FUTURES: Final = (("ZB", -200), ("ZF", -500), ("ZT", 300))
"""Positions that no other file of the desk speaks of: products and contracts."""


def start_of_day_file(seed: int, at: datetime, rows: int) -> tuple[str, bytes]:
    """Name and content of the file of the trading day of `at` (aware).

    Args:
        rows: of the day's spot-risk files, which the positions are those of.
    """
    day = trading_day(at)
    write = _us_row if day.toordinal() % 2 else _iso_row
    lines = [HEADER, *(write(day, *lot) for lot in _lots(seed, day, rows))]
    return f"SOD_{day:%Y%m%d}.csv", "\n".join([*lines, ""]).encode()


def _lots(seed: int, day: date, rows: int) -> list[tuple[Instrument, int, Decimal]]:
    """Instruments, contracts (negative when short) and prices in points."""
    book = start_of_day_book(seed, day, rows - 1)
    held = zip(book.chain.instruments, book.sizes, book.prices, strict=True)
    lots = [(item, size, Decimal(repr(price))) for item, size, price in held if size]
    start = day_start(day)
    others = [
        (front_future(day, PRODUCTS[code]), size, future_price(seed, code, start))
        for code, size in _OTHER_FUTURES
    ]
    return [lots[0], *others, *lots[1:]]


def _us_row(day: date, item: Instrument, size: int, price: Decimal) -> str:
    run, expires = (f"{when:%m/%d/%Y}" for when in (day, item.expiry or day))
    side = "S" if size < 0 else "L"
    if item.strike is None:
        notation = PriceNotation.TT_TICKS if size < 0 else PriceNotation.DECIMAL
        price_text = format_price(price, notation)
        return _row(item, run, f"FUTURE,{side},,,{size}.0,{expires},1000.0,{price_text},")
    option = f"{side},{item.put_call},{strike_text(item.strike)}"
    return _row(item, run, f"FUTR-OP,{option},{size},{expires},,{price},Y")


def _iso_row(day: date, item: Instrument, size: int, price: Decimal) -> str:
    run, expires = day.isoformat(), (item.expiry or day).isoformat()
    side = "S" if size < 0 else "L"
    if item.strike is None:
        strike = money_strike(float(price))
        return _row(item, run, f"FUTURE,{side},,{strike},{abs(size)},{expires},1000,{price},N")
    option = f"{side},{item.put_call},{strike_text(item.strike)}"
    return _row(item, run, f"FUTR-OP,{option},{abs(size)},{expires},1000,{price},Y")


def _row(item: Instrument, run: str, rest: str) -> str:
    of = contract_named(item.contract)
    return f"{ACCOUNT},{item.product},{of.root}{of.week or ''},{run},{rest}"
