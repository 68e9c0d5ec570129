"""The expiration calendar as a table: every listed future and option series, and what each system
calls it. Generated from the rules of `listed_contracts`; no rule belongs here.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

import polars as pl

from trade_assets.errors import SymbolError
from trade_assets.market.contracts import product_named
from trade_assets.market.instrument import contract_instrument
from trade_assets.market.listed_contracts import listed_contracts
from trade_assets.market.symbols import Instrument, SymbolNotation, format_symbol

EXPIRATIONS_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "series_id": pl.String(),
    "product": pl.String(),
    "kind": pl.String(),
    "expiry": pl.Date(),
    "underlying_id": pl.String(),
    **{notation.value: pl.String() for notation in SymbolNotation},
}
"""One row a future or option series."""

EXPIRATIONS_COLUMNS: Final[Mapping[str, str]] = {
    "series_id": "our id of the future or the option series",
    "product": "our code of the product",
    "kind": "future or series",
    "expiry": "last trading day",
    "underlying_id": "our id of the future that options are on, of a future its own",
    **{
        notation.value: f"symbol in the notation {notation.value}, null where it has none"
        for notation in SymbolNotation
    },
}
"""What these columns are, for people."""


def expirations(products: Iterable[str], first: date, last: date) -> pl.DataFrame:
    """`EXPIRATIONS_SCHEMA` of all that is listed on products (codes) and ends from `first` to
    `last`, both included; sorted by expiry, then id.

    Raises:
        SymbolError: no such product.
    """
    rows = [
        _row(contract_instrument(found))
        for code in products
        for found in listed_contracts(product_named(code), first, last)
    ]
    frame = pl.DataFrame(rows, schema=dict(EXPIRATIONS_SCHEMA), orient="row")
    return frame.sort("expiry", "series_id")


def _row(item: Instrument) -> tuple[object, ...]:
    symbols = (_symbol(item, notation) for notation in SymbolNotation)
    return item.contract, item.product, item.kind.value, item.expiry, item.underlying_id, *symbols


def _symbol(item: Instrument, notation: SymbolNotation) -> str | None:
    try:
        return format_symbol(item, notation)
    except SymbolError:
        return None
