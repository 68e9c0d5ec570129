"""A file's columns of texts to columns of dates, and of prices whose notation differs by row.

Read strictly. Which form or notation a column has is the feed's business, what a notation means
that of `market.prices`; times are `market.trading_days`'.
"""

from collections.abc import Iterable
from enum import Enum

import polars as pl

from trade_assets.feeds.formats.csv_rows import Rows, nulls
from trade_assets.market.price_frames import read_prices
from trade_assets.market.prices import PriceNotation
from trade_assets.market.trading_days import YEAR


class DateForm(Enum):
    """A way to write a date: the shape of its text, and its fields."""

    ISO = (f"^{YEAR}-[0-9]{{2}}-[0-9]{{2}}$", "%Y-%m-%d")
    US = (f"^[0-9]{{1,2}}/[0-9]{{1,2}}/{YEAR}$", "%m/%d/%Y")
    """Zeros in front may be left out: `9/19/2025`."""


def read_dates(texts: pl.Series, forms: Iterable[DateForm]) -> pl.Series:
    """Dates written in one of the forms, 1970 to 2099; null for every other text."""
    dates = nulls(texts.name, pl.Date(), len(texts))
    for form in forms:
        shape, fields = form.value
        # The shape is checked apart: chrono also takes spaces, signs and short fields.
        fitting = texts.set(~texts.str.contains(shape), None)
        read = fitting.str.to_date(fields, strict=False)
        dates = dates.zip_with(dates.is_not_null(), read)
    return dates


def read_price_column(rows: Rows, texts: pl.Series, notations: pl.Series) -> pl.Series:
    """Prices in points (Float64, named as `texts`); a text that is none rejects its row.

    Args:
        texts: a column of `rows.text`; empty is null.
        notations: the `PriceNotation` of each row; where it is null, so is the price.
    """
    prices = nulls(texts.name, pl.Float64(), len(texts))
    for notation in notations.drop_nulls().unique().sort():
        others = (notations != notation).fill_null(True)
        read, problems = read_prices(texts.set(others, ""), PriceNotation(notation))
        rows.reject_at(problems)
        prices = prices.zip_with(others, read)
    return prices
