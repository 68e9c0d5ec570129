"""Calendar dates in a file's columns, read strictly; times are the business of `times`.

Which of the forms a column has is the feed's business.
"""

from collections.abc import Iterable
from enum import Enum

import polars as pl

from trade_assets.market.trading_days import YEAR


class DateForm(Enum):
    """A way to write a date: the shape of its text, and its fields."""

    ISO = (f"^{YEAR}-[0-9]{{2}}-[0-9]{{2}}$", "%Y-%m-%d")
    US = (f"^[0-9]{{2}}/[0-9]{{2}}/{YEAR}$", "%m/%d/%Y")
    US_SHORT = (f"^[0-9]{{1,2}}/[0-9]{{1,2}}/{YEAR}$", "%m/%d/%Y")
    """As `US`, whose zeros in front may be left out."""


def read_dates(texts: pl.Series, forms: Iterable[DateForm]) -> pl.Series:
    """Dates written in one of the forms, 1970 to 2099; null for every other text."""
    dates = pl.Series(texts.name, [None], dtype=pl.Date).new_from_index(0, len(texts))
    for form in forms:
        shape, fields = form.value
        # The shape is checked apart: chrono also takes spaces, signs and short fields.
        fitting = texts.set(~texts.str.contains(shape), None)
        read = fitting.str.to_date(fields, strict=False)
        dates = dates.zip_with(dates.is_not_null(), read)
    return dates
