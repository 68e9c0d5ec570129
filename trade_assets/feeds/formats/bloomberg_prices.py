"""What the two settlement files have in common: Bloomberg's price columns and its missing values.

Names, notations and the other columns are the business of the two feeds.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from trade_assets.feeds.formats.csv_rows import Rows
from trade_assets.feeds.formats.typed_columns import read_price_column

PRICES: Final[Mapping[str, str]] = {"PX_LAST": "last_price", "PX_SETTLE": "settlement_price"}
"""Columns of prices and their standard names."""

REQUIRED: Final = ("SYMBOL", *PRICES)

PRICE_SCHEMA: Final[Mapping[str, pl.DataType]] = dict.fromkeys(PRICES.values(), pl.Float64())

PRICE_COLUMNS: Final[Mapping[str, str]] = {
    "settlement_price": "settlement of the day, points, null where Bloomberg has none",
    "last_price": "last price, points, null where Bloomberg has none",
}

_MISSING: Final = r"^#N/A(?: .*)?$"
"""Bloomberg says why it has no value: `#N/A Field Not Applicable`, `#N/A N/A`."""


def settlement_prices(rows: Rows, notations: pl.Series) -> list[pl.Series]:
    """The columns of `PRICE_SCHEMA`; `notations` as for `read_price_column`."""
    columns = []
    for column, name in PRICES.items():
        texts = rows.text[column]
        texts = texts.set(texts.str.contains(_MISSING), "")
        columns.append(read_price_column(rows, texts, notations).alias(name))
    return columns
