"""The simulated spot-risk file, byte for byte in Actant's manner.

Numbers have 7 decimals or none and no zero before the point; futures come first, the bare
underlying last; what has no price is `INVALID`, what has no position has empty fields.
"""

from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from trade_assets.feeds.derived.bachelier import FloatArray
from trade_assets.market.instrument import Instrument
from trade_assets.market.symbols import SymbolNotation, format_symbol
from trade_assets.simulators.desk.opening_book import Book, start_of_day_book
from trade_assets.simulators.desk.option_chain import (
    UNDERLYING,
    Chain,
    chain,
    fair_prices,
    volatilities,
)
from trade_assets.simulators.desk.simulated_market import (
    POINT_USD,
    QUOTES,
    TICK,
    central,
    future_mid,
    random_stream,
    trading_day,
)

HEADER: Final = (
    "Key,BID,ASK,STRIKE,ITYPE,ADJTHEOR,IVBID,IVASK,IVAVERAGE,POS.POSITION,POS.STARTOFDAYPOS,"
    "POS.PREMIUM,POS.PRICE,POS.MARKETVALUE,UTOTAL.PREMIUM,UTOTAL.YESTERDAYPL"
)
TYPES: Final = "Type,VAR_PRICE,VAR_PRICE,VAR_PRICE,VAR_STRING" + 4 * ",VAR_DOUBLE"
POSITION_TYPES: Final = 2 * ",VAR_INT32" + 5 * ",VAR_DOUBLE"
NARROW_HEADER: Final = ",".join(HEADER.split(",")[:9])

CABINET: Final = 0.0069999
_INVALID: Final = "INVALID"
_FEWEST_ROWS: Final = 4  # two futures, an option, a bare underlying

Quote = tuple[float | None, float]

ROWS: Final = 80
"""Data rows of a typical file, futures and bare underlying included; real ones have 80 to 400."""


def spot_risk_file(
    seed: int, at: datetime, *, rows: int = ROWS, wide: bool = True
) -> tuple[str, bytes]:
    """Name and content of the file that the desk writes in the second of `at` (aware).

    Args:
        rows: data rows, at least 4.
        wide: 16 columns, with positions; else 9, with volatilities.
    """
    head, lines = _content(seed, at, rows, wide)
    return f"{_stem(at)}.csv", "\n".join([*head, *lines, ""]).encode()


def spot_risk_chunks(
    seed: int, at: datetime, count: int, *, rows: int = ROWS, wide: bool = True
) -> list[tuple[str, bytes]]:
    """The rows of `spot_risk_file` in `count` files, each with header and type row."""
    head, lines = _content(seed, at, rows, wide)
    bounds = np.linspace(0, len(lines), count + 1).astype(int).tolist()
    return [
        (
            f"{_stem(at)}_chunk_{number:02}_of_{count:02}.csv",
            "\n".join([*head, *lines[first:last], ""]).encode(),
        )
        for number, (first, last) in enumerate(pairwise(bounds), 1)
    ]


def _stem(at: datetime) -> str:
    return f"bav_analysis_{central(at):%Y%m%d_%H%M%S}"


def _content(seed: int, at: datetime, rows: int, wide: bool) -> tuple[list[str], list[str]]:
    """Header and type row; data rows."""
    if rows < _FEWEST_ROWS:
        raise ValueError(f"a spot-risk file has at least {_FEWEST_ROWS} rows, not {rows}")
    at = at.replace(microsecond=0)
    day, future = trading_day(at), future_mid(seed, at)
    instruments = chain(seed, day, rows - 1)
    fair = fair_prices(instruments, future, at)
    bid = float(np.floor(future / TICK) * TICK)
    futures: list[Quote] = [(bid, bid + TICK)] * len(instruments.futures)
    options = _quotes(seed, at, fair)
    names = zip(_names(instruments), [*futures, *options], strict=True)
    fronts = [_front(name, quote) for name, quote in names]
    fronts.append(f"{UNDERLYING},{_INVALID},{_INVALID},{_INVALID},N")
    if wide:
        head = [HEADER, TYPES + POSITION_TYPES]
        backs = _positions(start_of_day_book(seed, day, rows - 1), [*futures, *options])
    else:
        head = [NARROW_HEADER, TYPES]
        backs = [",,,,"] * len(futures)
        backs += [*_model(fair, volatilities(instruments, future, at), options), ",,,,"]
    return head, [front + back for front, back in zip(fronts, backs, strict=True)]


@lru_cache(maxsize=8)
def _names(instruments: Chain) -> list[tuple[str, str]]:
    """Key and the part of the row behind the quote, of every instrument."""
    return [
        (format_symbol(item, SymbolNotation.ACTANT_RISK), _kind(item))
        for item in instruments.instruments
    ]


def _kind(item: Instrument) -> str:
    """Strike and type: futures have no strike."""
    if item.strike is None:
        return f"{_INVALID},F"
    return f"{number(float(item.strike))},{item.put_call}"


def _front(name: tuple[str, str], quote: Quote) -> str:
    return f"{name[0]},{_quote(quote)},{name[1]}"


def _quotes(seed: int, at: datetime, fair: FloatArray) -> list[Quote]:
    """Quotes on the ticks around fair prices; the tiny ones as the exchange's cabinet shows them.
    Strikes in the money are quoted wider."""
    noise = random_stream(seed, QUOTES, int(at.timestamp())).random(len(fair))
    ticks = np.maximum(np.floor((fair - 0.003) / TICK), 1.0)
    widths = 1 + (noise + np.minimum(fair, 0.5) > 0.9)
    quotes = zip(fair.tolist(), (ticks * TICK).tolist(), (widths * TICK).tolist(), strict=True)
    return [_option_quote(*item) for item in quotes]


def _option_quote(fair: float, bid: float, width: float) -> Quote:
    if fair < 0.003:
        return None, CABINET
    if fair < 0.006:
        return None, TICK
    if fair < 0.012:
        return CABINET, width
    return bid, bid + width


def _model(fair: FloatArray, volatility: FloatArray, quotes: list[Quote]) -> list[str]:
    """Theoretical price and volatilities of the options."""
    items = zip(fair.tolist(), volatility.tolist(), quotes, strict=True)
    return [
        f",{number(price)},{number(level * 0.98) if bid else _INVALID},"
        f"{number(level * 1.02)},{number(level)}"
        for price, level, (bid, _) in items
    ]


def _positions(book: Book, quotes: list[Quote]) -> list[str]:
    """Positions of the futures and the options, the total of all, and the bare underlying's."""
    held = zip(book.sizes, book.prices, strict=True)
    costs = [size * price * POINT_USD for size, price in held]
    totals = f"{number(sum(costs))},{number(book.yesterday_usd)}"
    flat = f",,,,,0,0,0,,,{totals}"
    backs = [flat] * (len(quotes) + 1)
    for index, (size, cost) in enumerate(zip(book.sizes, costs, strict=True)):
        if size:
            bid, ask = quotes[index]
            mark = ((CABINET if bid is None else bid) + ask) / 2
            value = number(mark * size * POINT_USD)
            backs[index] = f",,,,,{size},{size},{number(cost)},{number(mark)},{value},{totals}"
    return backs


def _quote(quote: Quote) -> str:
    bid, ask = quote
    return f"{_INVALID if bid is None else number(bid)},{number(ask)}"


def number(value: float) -> str:
    """A number in Actant's manner: `111`, `111.2500000`, `.0156250`, `-.5000000`."""
    text = f"{value:.7f}"
    if text.endswith(".0000000"):
        return text[:-8] if text != "-0.0000000" else "0"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
