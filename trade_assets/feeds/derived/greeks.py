"""Implied volatilities and Greeks of an option chain: spot-risk records joined with the future's
price and the time to expiry of their moment. Formulas are `bachelier`'s; what is read and where
results go is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trade_assets.datasets.records import EVENT_TIME, FEED, RECORD_SCHEMA, SOURCE
from trade_assets.feeds.derived import bachelier
from trade_assets.feeds.derived.bachelier import FloatArray
from trade_assets.market.identify import INSTRUMENT_ID
from trade_assets.market.numbers import LARGEST, SMALLEST
from trade_assets.market.prices import CABINET_PRICE
from trade_assets.market.trading_days import CENTRAL, EPOCH, closed_days

TRADING_DAYS_PER_YEAR: Final = 252
"""What the desk divides `vtexp` by (FORMATS.md, time to expiry)."""

PASSED_ON: Final = tuple(name for name in RECORD_SCHEMA if name not in (SOURCE, FEED))
"""Columns that the result has from the chain; source and feed are for the caller to name."""

GREEKS_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "option_price": pl.Float64(),
    "future_price": pl.Float64(),
    "days_to_expiry": pl.Float64(),
    "implied_volatility": pl.Float64(),
    "implied_volatility_percent": pl.Float64(),
    "delta": pl.Float64(),
    "gamma": pl.Float64(),
    "vega": pl.Float64(),
    "theta": pl.Float64(),
    "desk_volatility_difference": pl.Float64(),
    "reason": pl.String(),
}

GREEKS_COLUMNS: Final[Mapping[str, str]] = {
    "option_price": "mid of the option, points",
    "implied_volatility": "normal volatility, points per square root of a year",
    "delta": "points of the option per point of the future",
    "gamma": "delta per point of the future",
    "vega": "points for one point more of volatility",
    "theta": "points a trading day",
    "reason": "why there are no Greeks, null where there are",
    "future_price": "mid of the future, points",
    "days_to_expiry": "business days left at the time of the quote",
    "implied_volatility_percent": "implied volatility in percent of the future's price, as the "
    "desk shows it",
    "desk_volatility_difference": "ours less the desk's average volatility, percent",
}

_DAY_MICROSECONDS: Final = 86_400_000_000
_PLACE: Final = "place"


class Reason(StrEnum):
    """Why an option has no Greeks: the first that applies."""

    NO_INSTRUMENT = "no_instrument"
    """its symbol cannot be translated"""
    EXPIRED = "expired"
    """no time is left"""
    NO_TIME_TO_EXPIRY = "no_time_to_expiry"
    """the desk has not said how much time is left"""
    NO_QUOTE = "no_quote"
    """neither bid nor ask, above zero"""
    CROSSED = "crossed"
    """the bid is above the ask"""
    CABINET = "cabinet"
    """bid, or ask where there is no bid, at the cabinet price or below: the least, not a price"""
    NO_BID = "no_bid"
    NO_ASK = "no_ask"
    NO_UNDERLYING_PRICE = "no_underlying_price"
    """the future's newest record has no bid or no ask"""
    BELOW_INTRINSIC = "below_intrinsic"
    AT_INTRINSIC = "at_intrinsic"
    """time value is exactly zero, which determines no volatility"""
    OUT_OF_RANGE = "out_of_range"
    """a figure is of a magnitude that the stores cannot hold"""


@dataclass(frozen=True, slots=True)
class _Quotes:
    """What the model is given, an entry an option; missing is NaN."""

    unknown: NDArray[np.bool_]
    past_expiry: NDArray[np.bool_]
    bid: FloatArray
    ask: FloatArray
    future: FloatArray
    strike: FloatArray
    right: FloatArray
    days: FloatArray

    @property
    def price(self) -> FloatArray:
        return (self.bid + self.ask) / 2


def chain_greeks(
    chain: pl.DataFrame, underlyings: pl.DataFrame, times: pl.DataFrame
) -> pl.DataFrame:
    """Implied volatility and Greeks of every option of a chain, or the reason why there are none.

    Args:
        chain: spot-risk records of one or more files; rows of type C and P count.
        underlyings: spot-risk records, those of the futures among them.
        times: `vtexp` records.

    Returns:
        `PASSED_ON` and `GREEKS_SCHEMA`, one row an option, in the order of `chain`. Either
        `reason` is null, or volatility and Greeks are. The future's price and the time to expiry
        are those of the newest records at or before an option's event time.
    """
    options = _as_of(chain, underlyings, times)
    quotes = _quotes(options)
    return options.select(PASSED_ON).hstack(
        _figures(quotes, _numbers(options, "average_volatility"))
    )


def greeks_figures(frame: pl.DataFrame) -> dict[str, float | int]:
    """Figures of what `chain_greeks` returns: `options`, `solved`, how many options have each
    reason that occurs, and the median and the largest absolute difference to the desk's volatility,
    in percent, where it has any."""
    reasons = frame["reason"]
    figures: dict[str, float | int] = {"options": frame.height, "solved": reasons.null_count()}
    counts = dict(reasons.drop_nulls().value_counts().iter_rows())
    figures.update({reason.value: counts[reason] for reason in Reason if reason in counts})
    differences = frame["desk_volatility_difference"].drop_nulls().abs().to_numpy()
    if differences.size:
        figures["desk_volatility_difference_median"] = float(np.median(differences))
        figures["desk_volatility_difference_max"] = float(differences.max())
    return figures


def _as_of(chain: pl.DataFrame, underlyings: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
    """The options of a chain, each with the future's quote and the time to expiry of its moment."""
    futures = underlyings.select(
        EVENT_TIME,
        underlying_id=INSTRUMENT_ID,
        future_bid="bid_price",
        future_ask="ask_price",
    )
    clocks = times.select(
        EVENT_TIME, "product", "expiry", "days_to_expiry", measured_at=_central_time()
    )
    options = chain.filter(pl.col("instrument_type").is_in(["C", "P"])).with_row_index(_PLACE)
    # Polars cannot check that times rise within groups; they do, sorted here.
    joined = (
        _sorted(options, EVENT_TIME)
        .join_asof(
            _sorted(futures, EVENT_TIME),
            on=EVENT_TIME,
            by="underlying_id",
            check_sortedness=False,
        )
        .join_asof(
            _sorted(clocks, EVENT_TIME),
            on=EVENT_TIME,
            by=["product", "expiry"],
            check_sortedness=False,
        )
    )
    return _sorted(joined, _PLACE)


def _sorted(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    # Nearly always so already, and seen at a fiftieth of what sorting costs.
    return frame if frame[by].is_sorted() else frame.sort(by, maintain_order=True)


def _central_time() -> pl.Expr:
    return pl.col(EVENT_TIME).dt.convert_time_zone(CENTRAL.key).dt.replace_time_zone(None)


def _quotes(options: pl.DataFrame) -> _Quotes:
    side = pl.col("put_call")
    derived = options.select(
        "expiry",
        at=_central_time(),
        measured_at=pl.coalesce("measured_at", _central_time()),
        right=pl.when(side == "C").then(bachelier.CALL).when(side == "P").then(bachelier.PUT),
    )
    at, measured_at = derived["at"].to_numpy(), derived["measured_at"].to_numpy()
    elapsed = _business_microseconds(at) - _business_microseconds(measured_at)
    return _Quotes(
        unknown=options[INSTRUMENT_ID].is_null().to_numpy(),
        past_expiry=derived["expiry"].to_numpy() < at.astype("datetime64[D]"),
        bid=_prices(options, "bid_price"),
        ask=_prices(options, "ask_price"),
        future=(_prices(options, "future_bid") + _prices(options, "future_ask")) / 2,
        strike=_numbers(options, "strike_price"),
        right=_numbers(derived, "right"),
        days=_numbers(options, "days_to_expiry") - elapsed / _DAY_MICROSECONDS,
    )


def _business_microseconds(local: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Business time since the epoch, of Central times: as in `vtexp`, a business day has 24 hours,
    and time stands still on other days."""
    days = local.astype("datetime64[D]")
    calendar = _business_days()
    full_days = np.busday_count(EPOCH.date(), days, busdaycal=calendar)
    into_day = (local - days).astype(np.int64) * np.is_busday(days, busdaycal=calendar)
    return np.asarray(full_days * _DAY_MICROSECONDS + into_day, dtype=np.int64)


@lru_cache(maxsize=1)
def _business_days() -> np.busdaycalendar:
    return np.busdaycalendar(holidays=closed_days().to_numpy())


def _numbers(frame: pl.DataFrame, name: str) -> FloatArray:
    """A column with NaN for null."""
    return frame[name].to_numpy()


def _prices(frame: pl.DataFrame, name: str) -> FloatArray:
    """A column of prices: what is not above zero is none."""
    values = _numbers(frame, name)
    return np.where(values > 0, values, np.nan)


def _figures(quotes: _Quotes, desk_percent: FloatArray) -> pl.DataFrame:
    """`GREEKS_SCHEMA`, an entry an option."""
    solved = _solved(quotes)
    codes = _reason_codes(quotes, np.stack(list(solved.values())))
    figures = {
        "option_price": quotes.price,
        "future_price": quotes.future,
        "days_to_expiry": quotes.days,
        **{name: np.where(codes == 0, values, np.nan) for name, values in solved.items()},
    }
    figures["desk_volatility_difference"] = figures["implied_volatility_percent"] - desk_percent
    columns = [pl.Series(name, values, nan_to_null=True) for name, values in figures.items()]
    return pl.DataFrame([*columns, _REASONS.gather(codes)])


def _solved(quotes: _Quotes) -> dict[str, FloatArray]:
    """Volatility and Greeks by column; NaN where the model has none."""
    years = quotes.days / TRADING_DAYS_PER_YEAR
    option = quotes.future, quotes.strike, years
    volatility = bachelier.implied_volatility(quotes.price, *option, quotes.right)
    greeks = bachelier.greeks(*option, volatility, quotes.right)
    with np.errstate(all="ignore"):
        return {
            "implied_volatility": volatility,
            "implied_volatility_percent": 100 * volatility / quotes.future,
            "delta": greeks.delta,
            "gamma": greeks.gamma,
            "vega": greeks.vega,
            "theta": greeks.theta / TRADING_DAYS_PER_YEAR,
        }


def _reason_codes(quotes: _Quotes, solved: FloatArray) -> NDArray[np.int64]:
    """Position in `_REASONS` of each option's reason; `solved` has a row a figure."""
    price, future, bid, ask = quotes.price, quotes.future, quotes.bid, quotes.ask
    no_bid, no_ask = np.isnan(bid), np.isnan(ask)
    time_value = bachelier.time_value(price, future, quotes.strike, quotes.right)
    sizes = np.abs(solved)
    applies = {
        Reason.NO_INSTRUMENT: quotes.unknown | np.isnan(quotes.right * quotes.strike),
        Reason.EXPIRED: quotes.past_expiry | (quotes.days <= 0),
        Reason.NO_TIME_TO_EXPIRY: np.isnan(quotes.days),
        Reason.NO_QUOTE: no_bid & no_ask,
        Reason.CROSSED: bid > ask,
        Reason.CABINET: np.fmin(bid, ask) <= CABINET_PRICE,
        Reason.NO_BID: no_bid,
        Reason.NO_ASK: no_ask,
        Reason.NO_UNDERLYING_PRICE: np.isnan(future),
        Reason.BELOW_INTRINSIC: time_value < 0,
        Reason.AT_INTRINSIC: time_value == 0,
        Reason.OUT_OF_RANGE: ~((sizes >= SMALLEST) & (sizes < LARGEST)).all(axis=0),
    }
    codes = np.zeros(price.size, dtype=np.int64)
    for code, reason in reversed(list(enumerate(Reason, 1))):
        codes[applies[reason]] = code
    return codes


_REASONS: Final = pl.Series("reason", [None, *(reason.value for reason in Reason)], dtype=pl.String)
