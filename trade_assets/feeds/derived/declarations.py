"""The derived data sets: what is computed from which feed, and what else it looks at.

Adding one is a function of frames beside this, and a line in `feeds.datasets`. How inputs are read
and results stored is not known here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.datasets.records import FEED, SOURCE
from trade_assets.errors import SymbolError
from trade_assets.feeds.derived.greeks import (
    GREEKS_COLUMNS,
    GREEKS_SCHEMA,
    chain_greeks,
    greeks_figures,
)
from trade_assets.feeds.derived.positions import (
    POSITIONS_COLUMNS,
    POSITIONS_SCHEMA,
    positions,
    positions_figures,
)
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS, LEDGER_STATEMENT
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.market.identify import INSTRUMENT_ID, UNDERLYING_ID
from trade_assets.market.symbols import (
    SymbolNotation,
    format_symbol,
    parse_id,
    series_of_expiry,
)
from trade_assets.market.trading_days import NEXT_DAY_SECONDS

DERIVED_SOURCE: Final = "derived"

Figures = dict[str, float | int]


@dataclass(frozen=True, slots=True)
class Input:
    """What a derived data set looks at beside its origin's records.

    `keys` names the record keys that matter for given records of the origin, as of their event
    times; None, of a feed whose files are statements: what their newest versions say of the
    records' trading dates, whenever they say it.
    """

    feed: Feed
    keys: Callable[[pl.DataFrame], list[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class Derived(Dataset):
    """A data set that is computed whenever files of its origin arrive.

    Attributes:
        origin: the feed whose records it is computed from.
        inputs: what else it looks at, by the name under which `derive` gets it.
        derive: records of the origin and the inputs to records of this data set.
        figures: what to say about such records on a materialisation.
        never_zero: the one of `figures` that is 0 only if something is wrong.
    """

    origin: Feed
    inputs: Mapping[str, Input]
    derive: Callable[[pl.DataFrame, Mapping[str, pl.DataFrame]], pl.DataFrame]
    figures: Callable[[pl.DataFrame], Figures]
    never_zero: str | None = None

    def compute(self, records: pl.DataFrame, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """The records of this data set (`record_schema`) for records of the origin."""
        named = pl.lit(self.source).alias(SOURCE), pl.lit(self.name).alias(FEED)
        return self.derive(records, inputs).with_columns(*named).select(*self.record_schema)


def _underlying_keys(chain: pl.DataFrame) -> list[str]:
    """Record keys of the futures under the options of a chain."""
    options = chain.filter(pl.col("put_call").is_not_null())
    ids = options[UNDERLYING_ID].drop_nulls().unique(maintain_order=True)
    return [_risk_name(item) for item in ids]


def _expiry_keys(chain: pl.DataFrame) -> list[str]:
    """Record keys of the times to expiry of the options of a chain."""
    options = chain.filter(pl.col("put_call").is_not_null() & pl.col(INSTRUMENT_ID).is_not_null())
    pairs = options.select("product", "expiry").unique(maintain_order=True)
    return [name for name in map(_time_name, *pairs.get_columns()) if name is not None]


@lru_cache(maxsize=1024)
def _risk_name(instrument_id: str) -> str:
    return format_symbol(parse_id(instrument_id), SymbolNotation.ACTANT_RISK)


@lru_cache(maxsize=1024)
def _time_name(product: str, expiry: date) -> str | None:
    """The desk names a time by product and day, whichever series ends on it."""
    try:
        return format_symbol(series_of_expiry(product, expiry), SymbolNotation.ACTANT_TIME)
    except SymbolError:
        return None


GREEKS: Final = Derived(
    source=DERIVED_SOURCE,
    name="greeks",
    title="Implied normal volatilities and Greeks of the option chain",
    schema=GREEKS_SCHEMA,
    columns=GREEKS_COLUMNS,
    record_key_is="the option in Actant's notation",
    event_time_is="that of the quote",
    origin=SPOT_RISK,
    inputs={
        "underlyings": Input(SPOT_RISK, _underlying_keys),
        "times": Input(VTEXP, _expiry_keys),
    },
    derive=lambda chain, inputs: chain_greeks(chain, inputs["underlyings"], inputs["times"]),
    figures=greeks_figures,
    never_zero="solved",
)

POSITIONS: Final = Derived(
    source=DERIVED_SOURCE,
    name="positions",
    title="Positions, open lots (first in, first out) and realised results of a trading date",
    schema=POSITIONS_SCHEMA,
    columns=POSITIONS_COLUMNS,
    record_key_is="the instrument",
    event_time_is="the start of the trading day, 17:00 US Central of the one before",
    rewritten=True,
    statement=LEDGER_STATEMENT,
    planned_seconds=NEXT_DAY_SECONDS,
    origin=FILLS,
    inputs={"start_of_day": Input(SOD)},
    derive=lambda fills, inputs: positions(fills, inputs["start_of_day"]),
    figures=positions_figures,
)
