"""The simulated settlement files, `Futures_YYYYMMDD_HHMM.csv` and `Options_YYYYMMDD_HHMM.csv`: what
a spreadsheet exports of Bloomberg's prices.

Prices are numeric cells, which lose the zeros at the end of 32nds (`112.10` is `112.1`); lines end
in empty cells; a price that Bloomberg has not is a sentence.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from trade_assets.feeds.derived.bachelier import CALL, PUT, FloatArray
from trade_assets.feeds.formats.futures_settlement import NOTATIONS
from trade_assets.market.contracts import Contract
from trade_assets.market.prices import CABINET_PRICE, format_price
from trade_assets.market.products import PRODUCTS
from trade_assets.market.symbols import SymbolNotation, format_symbol
from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.option_chain import STRIKE_STEP, money_strike, next_series, option
from trade_assets.simulators.desk.pricing import EXPIRY_TIME, LEAST_DAYS, days_left, option_prices
from trade_assets.simulators.desk.simulated_market import (
    DESK_CODES,
    SETTLEMENTS,
    TICK,
    central,
    future_mid,
    future_price,
    random_stream,
)

FUTURES_HEADER: Final = "SYMBOL,PX_LAST,PX_SETTLE,"
OPTIONS_HEADER: Final = "SYMBOL,PX_LAST,PX_SETTLE,EXPIRE_DT,MONEYNESS,,"
MISSING: Final = "#N/A Field Not Applicable"

_SERIES: Final = 10
_STEPS: Final = 6
_NOT_TRADED_SHARE: Final = 0.05

_MONEY: Final = _STEPS
_DOWN: Final = range(_MONEY, -1, -1)
_UP: Final = range(_MONEY, 2 * _STEPS + 1)
_LISTED: Final = (
    ("OTM", "C", _UP[::-1]),
    ("OTM", "P", _DOWN),
    ("ITM", "C", _DOWN[::-1]),
    ("ITM", "P", _UP),
)
"""Moneyness, right, and the places of its strikes (rising) in the order of the file."""


def futures_settlement_file(seed: int, close: datetime) -> tuple[str, bytes]:
    """Name and content of the futures' settlement prices of a close (aware)."""
    lines = [FUTURES_HEADER]
    for code in DESK_CODES:
        product = PRODUCTS[code]
        price = future_price(seed, code, close)
        cell = repr(float(format_price(price, NOTATIONS[product.quoting])))
        lines.append(f"{product.bloomberg},{cell},{cell},")
    return f"Futures_{_stamp(close)}.csv", "\n".join([*lines, ""]).encode()


def options_settlement_file(seed: int, close: datetime) -> tuple[str, bytes]:
    """Name and content of the options' settlement prices of a close (aware): a series that has
    expired, and the next ones."""
    stream = random_stream(seed, SETTLEMENTS, int(close.timestamp()))
    lines = [OPTIONS_HEADER]
    for series in _series(central(close).date()):
        lines += _series_lines(seed, close, series, stream)
    return f"Options_{_stamp(close)}.csv", "\n".join([*lines, ""]).encode()


def _stamp(close: datetime) -> str:
    return f"{central(close):%Y%m%d_%H%M}"


def _series(day: date) -> list[Contract]:
    """The last series that expired before a day, and the next ones."""
    before = next_series(day - timedelta(days=7), _SERIES)
    overdue = [item for item in before if item.expiry < day][-1]
    return [overdue, *next_series(day, _SERIES)]


def _series_lines(
    seed: int, close: datetime, series: Contract, stream: np.random.Generator
) -> Iterator[str]:
    """The options of a series out of the money and in it; the strike at the money is in both."""
    expired = datetime.combine(series.expiry, EXPIRY_TIME, CENTRAL).astimezone(UTC)
    at = min(close, expired)
    future, days = future_mid(seed, at), max(days_left(at, series.expiry), LEAST_DAYS)
    strikes = money_strike(future) + STRIKE_STEP * np.arange(-_STEPS, _STEPS + 1.0)
    cells = {
        right: _cells(option_prices(np.asarray(future), strikes, np.asarray(days), sign), stream)
        for right, sign in (("C", np.asarray(CALL)), ("P", np.asarray(PUT)))
    }
    overdue = series.expiry < central(close).date()
    expiry = f"{series.expiry.month}/{series.expiry.day}/{series.expiry.year}"
    for moneyness, right, places in _LISTED:
        for place in places:
            symbol = format_symbol(
                option(series, right, float(strikes[place])), SymbolNotation.BLOOMBERG
            )
            last, settle = cells[right][place]
            if overdue:
                last = MISSING
                settle = MISSING if moneyness == "OTM" and place != _MONEY else settle
            yield f"{symbol},{last},{settle},{expiry},{moneyness},,"


def _cells(prices: FloatArray, stream: np.random.Generator) -> list[tuple[str, str]]:
    """Last and settlement price by strike."""
    settles = [_settlement(price) for price in prices.tolist()]
    traded = stream.random(len(settles)) >= _NOT_TRADED_SHARE
    return [(text if was else MISSING, text) for text, was in zip(settles, traded, strict=True)]


def _settlement(price: float) -> str:
    if price < CABINET_PRICE / 2:
        return "0.0"
    return repr(round(price / TICK) * TICK or CABINET_PRICE)
