"""A file's columns of prices whose notation differs from row to row.

Which row has which notation is the feed's business, and what a notation means that of
`market.prices`.
"""

import polars as pl

from trade_assets.feeds.formats.csv_rows import Rows, nulls
from trade_assets.market.price_frames import read_prices
from trade_assets.market.prices import PriceNotation


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
