"""Actant start-of-day positions: what each account holds as the trading day begins.

`actant.csv`, the same name every day, and `*SOD*.csv`. A row is a lot, so that an account may hold
the same instrument on several rows.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.datasets.statements import Scope, StatementRule
from trade_assets.errors import SymbolError
from trade_assets.feeds.cadence import DAILY_FRESHNESS_SECONDS, DAILY_GAP_SECONDS
from trade_assets.feeds.formats.csv_rows import Rows, finish, read_rows, with_leftovers
from trade_assets.feeds.formats.typed_columns import DateForm, read_dates, read_price_column
from trade_assets.market.identify import instrument_rows
from trade_assets.market.numbers import read_numbers
from trade_assets.market.prices import PriceNotation, cabinet
from trade_assets.market.products import PRODUCTS
from trade_assets.market.sessions import TRADING_DAY_SECONDS
from trade_assets.market.symbols import Instrument, instrument_of_parts
from trade_assets.market.trading_days import NEXT_DAY_SECONDS, business_days, trading_day_starts

FILE_PATTERN: Final = re.compile(
    r"(?:(?!\.)[^/\x00-\x1f\x7f]*[sS][oO][dD][^/\x00-\x1f\x7f]*|actant)\.csv"
)

REQUIRED: Final = (
    "ACCOUNT",
    "UNDERLYING",
    "ASSET",
    "RUN_DATE",
    "PRODUCT_CODE",
    "LONG_SHORT",
    "QUANTITY",
    "PRICE_TODAY",
)
OPTIONAL: Final = ("PUT_CALL", "STRIKE_PRICE", "EXPIRE_DATE", "LOT_SIZE", "IS_AMERICAN")
KNOWN: Final = frozenset({*REQUIRED, *OPTIONAL})

FUTURE: Final = "FUTURE"
OPTION: Final = "FUTR-OP"

DATE_FORMS: Final = (DateForm.US, DateForm.ISO)

CONTRADICTION: Final = "the sign of QUANTITY contradicts the side: LONG_SHORT says long"

SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "account": pl.String(),
    "asset": pl.String(),
    "product_code": pl.String(),
    "quantity": pl.Float64(),
    "price": pl.Float64(),
    "lot_size": pl.Float64(),
    "is_american": pl.Boolean(),
}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    "quantity": "contracts, below 0 when short",
    "price": "settlement of the day, points",
    "account": "account that holds the position",
    "asset": "name of the future or option series, such as ZN or WY3",
    "product_code": "the file's word for the kind of contract",
    "lot_size": "size of a contract, as the file has it",
    "is_american": "whether the option may be exercised early",
}


def parse_sod(data: bytes, file_name: str) -> ParsedFile:
    """Rows of a start-of-day file under `SCHEMA`; see `Parser` for the promise.

    `LONG_SHORT` says which way a position goes: a short one may be written with or without a minus,
    a long one that has a minus is rejected.
    Expiry, strike and right are the file's own, whether or not the instrument is known. What the
    file says of a future's strike, and an underlying that is no product of ours, are in `extra`.

    Raises:
        UnparsableFileError: the header lacks a column of `REQUIRED`.
    """
    rows = read_rows(data, file_name, required=REQUIRED)
    absent = [name for name in OPTIONAL if name not in rows.text.columns]
    rows.text = rows.text.with_columns(pl.lit("").alias(name) for name in absent)
    _check_names(rows)
    run_dates = _dates(rows, "RUN_DATE")
    rows.reject_where(rows.text["RUN_DATE"] == "", "RUN_DATE", "is missing")
    trading_dates = business_days(run_dates)
    parts = _parts(rows)
    parsed = finish(
        rows,
        record_keys=_record_keys(rows.text, parts),
        event_times=trading_day_starts(trading_dates),
        trading_dates=trading_dates,
        instruments=_instruments(rows.text, parts),
        columns=_columns(rows),
        known=KNOWN,
    )
    return with_leftovers(parsed, _leftovers(rows))


def _check_names(rows: Rows) -> None:
    for column in ("ACCOUNT", "UNDERLYING", "PRODUCT_CODE"):
        rows.reject_blank(column)
    # Other characters could make the keys of two positions one.
    strange = ~rows.text["ASSET"].str.contains("^[A-Za-z0-9]+$")
    rows.reject_where(strange, "ASSET", "is no name of an asset")


def _dates(rows: Rows, column: str) -> pl.Series:
    texts = rows.text[column]
    dates = read_dates(texts, DATE_FORMS)
    rows.reject_where(dates.is_null() & (texts != ""), column, "is not a date")
    return dates


def _parts(rows: Rows) -> pl.DataFrame:
    """Expiry, strike and right as the file states them; a future has the first alone."""
    text = rows.text
    futures = text["PRODUCT_CODE"] == FUTURE
    (strikes,), problems = read_numbers([text["STRIKE_PRICE"].set(futures, "")])
    rows.reject_at(problems)
    rows.reject_where((strikes <= 0).fill_null(False), "STRIKE_PRICE", "is not above 0")
    rights = text["PUT_CALL"]
    rows.reject_where(~rights.is_in(("C", "P", "")), "PUT_CALL", "is neither C nor P")
    rows.reject_where(futures & (rights != ""), "PUT_CALL", "stands on a future")
    return pl.DataFrame(
        {
            "expiry": _dates(rows, "EXPIRE_DATE"),
            "strike_price": strikes,
            "put_call": rights.set(rights == "", None),
        }
    )


def _instruments(text: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """What the rows' parts stand for; the parts are the file's own, translatable or not."""
    names = text.select("UNDERLYING", "ASSET", "PRODUCT_CODE").iter_rows()
    found = [_instrument(*name, *part) for name, part in zip(names, parts.iter_rows(), strict=True)]
    underlyings = text["UNDERLYING"]
    products = underlyings.set(~underlyings.is_in(PRODUCTS), None)
    return instrument_rows(found).with_columns(products.alias("product"), *parts)


@lru_cache(maxsize=4096)
def _instrument(
    underlying: str,
    asset: str,
    product_code: str,
    expiry: date | None,
    strike: float | None,
    put_call: str | None,
) -> Instrument | None:
    """The instrument; None where it cannot be told."""
    complete = product_code == FUTURE or (product_code == OPTION and strike and put_call)
    if expiry is None or not complete:
        return None
    exact = None if strike is None else Decimal(repr(strike))
    try:
        return instrument_of_parts(
            product=underlying, asset=asset, expiry=expiry, strike=exact, put_call=put_call
        )
    except SymbolError:
        return None


def _record_keys(text: pl.DataFrame, parts: pl.DataFrame) -> pl.Series:
    """Keys of the lots: what is held, how much and at what price, so that correcting one line
    renames no other. Lots that agree in that are numbered; identical rows share a key."""
    twins: defaultdict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
    keys = []
    amounts = text.select("LONG_SHORT", "QUANTITY", "PRICE_TODAY").iter_rows()
    rows = zip(text.iter_rows(), amounts, _instrument_keys(text, parts), strict=True)
    for row, (side, quantity, price), instrument in rows:
        sign = "-" if side == "S" else ""
        lot = f"{instrument}#{sign}{_amount(quantity)}@{_amount(price)}"
        number = twins[lot].setdefault(row, len(twins[lot]) + 1)
        keys.append(lot if number == 1 else f"{lot}#{number}")
    return pl.Series(keys, dtype=pl.String)


def _amount(text: str) -> str:
    """A number without sign and needless zeros; what is none, as it stands (`111'280`)."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return f"{abs(number).normalize():f}" if number.is_finite() else text


def _instrument_keys(text: pl.DataFrame, parts: pl.DataFrame) -> Iterator[str]:
    names = text.select("ACCOUNT", "ASSET").iter_rows()
    for name, (expiry, strike, put_call) in zip(names, parts.iter_rows(), strict=True):
        day = expiry and expiry.isoformat()
        price = strike and f"{Decimal(repr(strike)).normalize():f}"
        yield ":".join([*name, *(part for part in (day, price, put_call) if part)])


def _columns(rows: Rows) -> list[pl.Series]:
    """The feed's own columns, `SCHEMA`."""
    text = rows.text
    (lot_sizes,), problems = read_numbers([text["LOT_SIZE"]])
    rows.reject_at(problems)
    american = text["IS_AMERICAN"]
    rows.reject_where(~american.is_in(("Y", "N", "")), "IS_AMERICAN", "is neither Y nor N")
    return [
        text["ACCOUNT"].alias("account"),
        text["ASSET"].alias("asset"),
        text["PRODUCT_CODE"].alias("product_code"),
        _quantities(rows).alias("quantity"),
        _prices(rows).alias("price"),
        lot_sizes.alias("lot_size"),
        (american == "Y").set(american == "", None).alias("is_american"),
    ]


def _quantities(rows: Rows) -> pl.Series:
    """Contracts, negative when short."""
    (quantities,), problems = read_numbers([rows.text["QUANTITY"]], missing=())
    rows.reject_at(problems)
    sides = rows.text["LONG_SHORT"]
    rows.reject_where(~sides.is_in(("L", "S")), "LONG_SHORT", "is neither L nor S")
    contradicted = (sides == "L") & (quantities < 0).fill_null(False)
    # Not with the quantity: a file is written so as a whole, and it is one thing that is wrong.
    rows.reject_at((at, CONTRADICTION) for at in contradicted.arg_true())
    short = (sides == "S") & (quantities != 0)
    return quantities.zip_with(~short.fill_null(False), -quantities.abs())


def _prices(rows: Rows) -> pl.Series:
    """Prices in points: an apostrophe is TT's mark of its ticks, all others are decimal."""
    texts = rows.text["PRICE_TODAY"]
    ticks = texts.str.contains("'", literal=True)
    notations = pl.Series([PriceNotation.DECIMAL], dtype=pl.String).new_from_index(0, len(texts))
    return cabinet(read_price_column(rows, texts, notations.set(ticks, PriceNotation.TT_TICKS)))


def _leftovers(rows: Rows) -> dict[int, dict[str, str]]:
    """What no column holds, by row: see `parse_sod`."""
    stated = rows.text.select("PRODUCT_CODE", "STRIKE_PRICE", "UNDERLYING").iter_rows()
    found = {}
    for number, (code, strike, underlying) in zip(rows.numbers, stated, strict=True):
        texts = {"STRIKE_PRICE": strike} if strike and code == FUTURE else {}
        if underlying not in PRODUCTS:
            texts["UNDERLYING"] = underlying
        if texts:
            found[number] = texts
    return found


def _scope(file_name: str, trading_date: date | None) -> Scope | None:
    """Day, and the name that a set of accounts has every day: the file's without its digits."""
    if trading_date is None:
        return None
    return Scope(trading_date.isoformat(), re.sub("[0-9]", "", file_name))


SOD: Final = Feed(
    source="actant",
    name="sod",
    title="Actant start of day: the positions of each account",
    file_pattern=FILE_PATTERN,
    parse=parse_sod,
    schema=SCHEMA,
    columns=COLUMN_TEXTS,
    record_key_is="the account, the instrument and the lot (#quantity@price, as the file has them)",
    event_time_is="the start of the trading day RUN_DATE, 17:00 US Central of the one before",
    cadence_seconds=TRADING_DAY_SECONDS,
    gap_seconds=DAILY_GAP_SECONDS,
    freshness_seconds=DAILY_FRESHNESS_SECONDS,
    rewritten=True,
    traded_columns=("price",),
    statement=StatementRule(_scope, succeeds=True),
    planned_seconds=NEXT_DAY_SECONDS,
)
