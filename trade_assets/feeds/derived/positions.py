"""Positions of a trade ledger: what is held, at which average price, and what was realized, per
instrument and trading day, first in first out.

No market price belongs here: what an open position is worth is for whoever has a price.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import Any, Final

import orjson
import polars as pl

from trade_assets.datasets.records import (
    COMMON_SCHEMA,
    EVENT_TIME,
    EVENT_TIME_TYPE,
    FILE_KEY,
    IDENTITY_SCHEMA,
    RECORD_KEY,
    ROW,
    TRADING_DATE,
)
from trade_assets.feeds.derived.lots import Book, Lot, total
from trade_assets.feeds.formats.trade_ledger import EXERCISE, FILL, SIDES, START_OF_DAY
from trade_assets.market.products import PRODUCTS
from trade_assets.market.trading_days import trading_day_starts

LEDGER: Final = "ledger"
SOD: Final = "sod"
"""Where the opening lots come from: the ledger's own start-of-day rows, or the feed actant/sod."""

POSITIONS_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "instrument": pl.String(),
    "opening_quantity": pl.Float64(),
    "opening_source": pl.String(),
    "bought_quantity": pl.Float64(),
    "sold_quantity": pl.Float64(),
    "exercised_quantity": pl.Float64(),
    "position_quantity": pl.Float64(),
    "average_price": pl.Float64(),
    "realized_points": pl.Float64(),
    "realized_value": pl.Float64(),
    "currency": pl.String(),
    "fills": pl.Int64(),
    "first_fill_time": EVENT_TIME_TYPE,
    "last_fill_time": EVENT_TIME_TYPE,
    "lots": pl.String(),
}
"""position = opening + bought - sold + exercised."""

POSITIONS_COLUMNS: Final[Mapping[str, str]] = {
    "position_quantity": "position now, contracts, below 0 when short",
    "average_price": "average price of the open lots, points; null when flat, or while a lot "
    "without a price is open",
    "realized_value": "realised result in the currency; null for a product that is not known",
    "opening_quantity": "position at the start of the trading day, contracts, below 0 when short",
    "bought_quantity": "contracts bought",
    "sold_quantity": "contracts sold, above 0",
    "instrument": "the ledger's name of the instrument",
    "currency": "of the realised result",
    "realized_points": "sum of (close - open) * signed quantity over what was closed, points times "
    "contracts; null once a lot without a price is closed",
    "exercised_quantity": "what exercises and assignments added, contracts, signed",
    "opening_source": "where the opening lots come from: ledger or sod; null where nothing was "
    "open",
    "fills": "how many fills there were",
    "last_fill_time": "time of the last fill, UTC",
    "first_fill_time": "time of the first fill, UTC",
    "lots": "open lots, oldest first: a JSON list of [signed quantity, price, trade id or record "
    "key of actant/sod]; what is left of a lot keeps its place",
}

OUTPUT_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    RECORD_KEY: IDENTITY_SCHEMA[RECORD_KEY],
    EVENT_TIME: IDENTITY_SCHEMA[EVENT_TIME],
    FILE_KEY: pl.String(),
    ROW: IDENTITY_SCHEMA[ROW],
    **COMMON_SCHEMA,
    **POSITIONS_SCHEMA,
}
"""Schema of what `positions` returns."""

NO_ROW: Final = 1
"""`row` of a position that no row of the ledger is about: the header's."""

# Two numbers of the stores' range (1e-129 to 1e125) multiply to digits from 1e-292 to 1e251: with
# this many, sums and products of any of them are exact, and only averages are rounded.
_EXACT: Final = Context(prec=600)

_Entry = Mapping[str, Any]
"""A row that changes a position. `record_key` is the position's, `lot` the row's own; `quantity` is
signed. Entries of a ledger have its row and time too."""


def positions(fills: pl.DataFrame, start_of_day: pl.DataFrame) -> pl.DataFrame:
    """One row per ledger file, instrument and trading date, under `OUTPUT_SCHEMA`, sorted by those.

    A position's `record_key` is its `instrument_id`, or the ledger's name of an instrument that
    could not be translated; two names of one instrument are one position, under the name of its
    first row. `event_time` is the start of the trading day, so that the position is replaced as the
    ledger grows; `row` is the last row of the ledger that counts in it.

    Opening lots come first: the ledger's start-of-day rows, or, for an instrument without any on
    that date, those of `start_of_day`, ordered by record key. Opening lots of both signs close each
    other. Then fills and exercises are taken in the order of time, then of rows. An exercise is a
    trade at its price, 0. What `start_of_day` holds of an instrument that no ledger has on a date
    is a position too, of the ledger with the most rows of that date (the first by file key, of
    several); a date without a ledger has none.

    Args:
        fills: records of tt/fills, of one version of each ledger file. Each file stands for itself.
        start_of_day: records of actant/sod (its columns also when empty). Of records with one key
            on one date, from several files, that of the last file key counts. A row without an
            instrument_id is a position under its own key; one without a quantity holds nothing.
    """
    taken, overnight = _taken(fills), _overnight(start_of_day)
    on_a_ledger = {(day, key) for _, day, key in taken}
    groups = [
        (file_key, entries, overnight.get((day, key), []))
        for (file_key, day, key), entries in taken.items()
    ]
    for day, file_key in _main_ledgers(fills).items():
        groups += (
            (file_key, [], lots)
            for (held_on, key), lots in overnight.items()
            if held_on == day and (day, key) not in on_a_ledger
        )
    with localcontext(_EXACT):
        rows = [_position(*group) for group in groups]
    return _framed(rows)


def positions_figures(frame: pl.DataFrame) -> dict[str, float | int]:
    """Figures of what `positions` returns: `positions`, how many of them are `open` and how many of
    an instrument that is `untranslated`, and their `fills`."""
    return {
        "positions": frame.height,
        "open": int((frame["position_quantity"] != 0).sum()),
        "untranslated": frame["instrument_id"].null_count(),
        "fills": int(frame["fills"].sum()),
    }


def _taken(fills: pl.DataFrame) -> dict[tuple[str, date, str], list[_Entry]]:
    """Entries of the ledgers by file key, trading date and record key, as they are taken."""
    key = pl.coalesce("instrument_id", "instrument")
    sold = pl.col("side") == SIDES["S"]
    signed = pl.when(sold).then(-pl.col("quantity")).otherwise("quantity")
    entries = fills.sort(
        FILE_KEY, TRADING_DATE, key, pl.col("kind") != START_OF_DAY, EVENT_TIME, ROW
    ).select(
        FILE_KEY,
        pl.col(RECORD_KEY).alias("lot"),
        key.alias(RECORD_KEY),
        signed.alias("quantity"),
        *(ROW, EVENT_TIME, *COMMON_SCHEMA, "instrument", "kind", "price"),
    )
    return _grouped(entries, FILE_KEY, TRADING_DATE, RECORD_KEY)


def _overnight(start_of_day: pl.DataFrame) -> dict[tuple[date, str], list[_Entry]]:
    """Entries of actant/sod by trading date and instrument, as they are taken."""
    key = pl.coalesce("instrument_id", RECORD_KEY)
    entries = (
        start_of_day.sort(TRADING_DATE, key, RECORD_KEY, FILE_KEY)
        .unique([TRADING_DATE, RECORD_KEY], keep="last", maintain_order=True)
        .filter(pl.col("quantity") != 0)
        .select(
            pl.col(RECORD_KEY).alias("lot"),
            key.alias(RECORD_KEY),
            key.alias("instrument"),
            pl.lit(START_OF_DAY).alias("kind"),
            *COMMON_SCHEMA,
            "quantity",
            "price",
        )
    )
    return _grouped(entries, TRADING_DATE, RECORD_KEY)


def _grouped(entries: pl.DataFrame, *by: str) -> dict[Any, list[_Entry]]:
    def key(entry: _Entry) -> tuple[Any, ...]:
        return tuple(entry[name] for name in by)

    grouped = itertools.groupby(entries.rows(named=True), key)
    return {names: list(group) for names, group in grouped}


def _main_ledgers(fills: pl.DataFrame) -> dict[date, str]:
    """Of each trading date the ledger that overnight positions go to."""
    sizes = fills.group_by(TRADING_DATE, FILE_KEY).len("rows")
    best_last = sizes.sort("rows", FILE_KEY, descending=[False, True])
    return dict(best_last.select(TRADING_DATE, FILE_KEY).iter_rows())


def _position(file_key: str, taken: list[_Entry], overnight: list[_Entry]) -> dict[str, object]:
    """A row of the output, but for its event time."""
    in_ledger = any(entry["kind"] == START_OF_DAY for entry in taken)
    entries = taken if in_ledger else overnight + taken
    first = taken[0] if taken else overnight[0]
    return {
        FILE_KEY: file_key,
        RECORD_KEY: first[RECORD_KEY],
        ROW: max((entry[ROW] for entry in taken), default=NO_ROW),
        **{name: first[name] for name in (*COMMON_SCHEMA, "instrument")},
        "opening_source": LEDGER if in_ledger else SOD if overnight else None,
        **_flows(entries),
        **_holding(entries, first["product"]),
    }


def _flows(entries: Sequence[_Entry]) -> dict[str, object]:
    quantities: dict[str, list[Decimal]] = {START_OF_DAY: [], FILL: [], EXERCISE: []}
    for entry in entries:
        quantities[entry["kind"]].append(_decimal(entry["quantity"]))
    filled = quantities[FILL]
    times = [entry[EVENT_TIME] for entry in entries if entry["kind"] == FILL]
    return {
        "opening_quantity": _float(total(quantities[START_OF_DAY])),
        "bought_quantity": _float(total(quantity for quantity in filled if quantity > 0)),
        "sold_quantity": _float(-total(quantity for quantity in filled if quantity < 0)),
        "exercised_quantity": _float(total(quantities[EXERCISE])),
        "fills": len(filled),
        "first_fill_time": min(times, default=None),
        "last_fill_time": max(times, default=None),
    }


def _holding(entries: Sequence[_Entry], product_code: str | None) -> dict[str, object]:
    book = Book()
    for entry in entries:
        price = entry["price"]
        known = None if price is None else _decimal(price)
        book.take(Lot(_decimal(entry["quantity"]), known, entry["lot"]))
    product = PRODUCTS.get(product_code) if product_code else None
    worth = book.realized * product.point_value if product and book.realized is not None else None
    lots = [(_float(lot.quantity), _float(lot.price), lot.key) for lot in book.lots]
    return {
        "position_quantity": _float(book.quantity),
        "average_price": _float(book.average_price),
        "realized_points": _float(book.realized),
        "realized_value": _float(worth),
        "currency": product.currency if product else None,
        "lots": orjson.dumps(lots).decode(),
    }


def _framed(rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in OUTPUT_SCHEMA.items() if name != EVENT_TIME}
    frame = pl.DataFrame(rows, schema=schema).sort(FILE_KEY, TRADING_DATE, RECORD_KEY)
    opens = trading_day_starts(frame[TRADING_DATE]).alias(EVENT_TIME)
    return frame.with_columns(opens).select(*OUTPUT_SCHEMA)


def _decimal(value: float) -> Decimal:
    """The decimal that a float stands for: its shortest text, without the dust of its binary."""
    return Decimal(repr(value))


def _float(value: Decimal | None) -> float | None:
    # The stores know one zero: -0.0 + 0.0 is 0.0.
    return None if value is None else float(value) + 0.0
