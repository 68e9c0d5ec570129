"""Whole columns of prices: what `prices` says of one text, for a Polars column at a time.

The common texts are read and written by expressions; whatever is not certainly one of them goes
through `prices` itself, which alone decides what is a price. No notation is defined here.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trade_assets.errors import PriceError
from trade_assets.market.numbers import Problem, read_number, read_numbers
from trade_assets.market.prices import (
    DASHED_PARTS,
    EIGHTHS,
    LONGEST,
    PriceNotation,
    format_price,
    parse_price,
)
from trade_assets.market.products import PRODUCTS, Product

_STEPS: Final = 256
"""Eighths of a 32nd in a point: the finest step of any product."""

_TEXT: Final = pl.col("text")
_VALUE: Final = pl.col("value")
_POINTS: Final = "^-?[0-9]{1,9}"


def _reading(shape: str, number: pl.Expr) -> tuple[pl.Expr, ...]:
    """Of each text: whether it is of this shape, whether a minus stands in front, its digits."""
    fits = _TEXT.str.contains(f"{_POINTS}{shape}$").alias("fits")
    minus = _TEXT.str.starts_with("-").alias("minus").cast(pl.Int64)
    return fits, minus, number.cast(pl.Int64, strict=False).alias("number")


def _tt_ticks() -> tuple[pl.Expr, ...]:
    number = _TEXT.str.replace("'", "", literal=True).cast(pl.Int64, strict=False).abs()
    return _reading(f"'[0-9]{{2}}[{EIGHTHS}]", number)


def _dotted_32nds() -> tuple[pl.Expr, ...]:
    number = _TEXT.cast(pl.Float64, strict=False).abs()
    # A Float64 has room to spare for so many digits: rounding brings back each one written.
    return _reading(r"(?:\.[0-9]{1,5})?", (number * 100_000).round())


def _dashed_32nds() -> tuple[pl.Expr, ...]:
    decimals = {part: f"{value:f}".removeprefix("0") for part, value in DASHED_PARTS.items()}
    digits = _TEXT.str.strip_prefix("-").str.replace("-", "", literal=True)
    number = digits.str.replace_many(decimals).cast(pl.Float64, strict=False)
    parts = "|".join(map(re.escape, DASHED_PARTS))
    return _reading(rf"-[0-9]{{2}}(?:\.[0-9]{{1,3}}|{parts})?", (number * 1000).round())


_READINGS: Final[Mapping[PriceNotation, tuple[pl.Expr, ...]]] = {
    PriceNotation.TT_TICKS: _tt_ticks(),
    PriceNotation.DOTTED_32NDS: _dotted_32nds(),
    PriceNotation.DASHED_32NDS: _dashed_32nds(),
}
"""32nds and more are still among the texts of a shape. The digits of TT ticks are as written, those
of the others points and thousandths of a 32nd: 11016500 is 110 and 16.5/32."""

_DECIMALS: Final = rf"^[-.0-9]{{1,{LONGEST}}}$"
"""What numbers may be and prices may not: too long, with a plus or an exponent."""


def read_prices(
    texts: pl.Series, notation: PriceNotation, missing: tuple[str, ...] = ("",)
) -> tuple[pl.Series, list[Problem]]:
    """A column of texts as prices in points: a Float64 column of the same name.

    It takes what `parse_price` takes, and comes to the same value. The words in `missing` and nulls
    become null. Anything else is a problem, and so is a price that a Float64 would not give back:
    for decimals by the rules of `read_numbers`, for 32nds if it does not hold them exactly.
    """
    for word in missing:
        texts = texts.set(texts == word, None)
    if notation is PriceNotation.DECIMAL:
        (values,), _ = read_numbers([texts.set(~texts.str.contains(_DECIMALS), None)], missing=())
    else:
        values = _read_32nds(texts, notation)
    if values.null_count() == texts.null_count():
        return values, []
    return _second_look(values, texts, notation)


def _read_32nds(texts: pl.Series, notation: PriceNotation) -> pl.Series:
    """Prices of the texts that certainly are prices, in whole steps; null for all others."""
    # Series, not one expression: that would work out `number` anew wherever it occurs.
    fits, minus, number = texts.alias("text").to_frame().select(_READINGS[notation])
    if notation is PriceNotation.TT_TICKS:
        eighth = number % 10
        # The digits of `EIGHTHS` leave out 4.
        number = number // 10 * 1000 + (eighth - (eighth > 4).cast(pl.Int64)) * 125
    thousandths = number % 100_000
    steps = number // 100_000 * _STEPS + thousandths // 125
    sure = fits & (thousandths < 32_000) & (thousandths % 125 == 0)
    return (steps * (1 - 2 * minus) / _STEPS).set(~sure, None).alias(texts.name)


def _second_look(
    values: pl.Series, texts: pl.Series, notation: PriceNotation
) -> tuple[pl.Series, list[Problem]]:
    positions = (values.is_null() & texts.is_not_null()).arg_true()
    found = texts.gather(positions).to_list()
    readings = {text: _read_alone(text, notation) for text in set(found)}
    numbers = [item if isinstance(item, float) else None for item in map(readings.get, found)]
    problems = [
        (at, f"{values.name} {item}")
        for at, item in zip(positions.to_list(), map(readings.get, found), strict=True)
        if isinstance(item, PriceError)
    ]
    return values.scatter(positions, pl.Series(numbers, dtype=pl.Float64)), problems


def _read_alone(text: str, notation: PriceNotation) -> float | PriceError:
    try:
        exact = parse_price(text, notation)
    except PriceError as error:
        return error
    if notation is PriceNotation.DECIMAL:
        number = read_number(text)
        return PriceError(text, notation, number) if isinstance(number, str) else number
    value = float(exact)
    if Decimal(value) != exact:
        return PriceError(text, notation, "has more digits than can be kept")
    return value


def off_ticks(prices: pl.DataFrame, products: pl.Series, options: pl.Series) -> pl.Series:
    """Which rows have a price at which their instrument cannot trade (`on_tick`).

    Args:
        prices: Float64 columns in points; a null is nowhere off.
        products: the codes of the rows' products; of null nothing is known.
        options: whether the rows' instruments are options.
    """
    numbers, are_options = prices.to_numpy(), options.to_numpy()
    off = np.zeros(prices.height, dtype=np.bool_)
    for code in products.drop_nulls().unique():
        of_product = (products == code).fill_null(value=False).to_numpy()
        for option in (False, True):
            rows = of_product & (are_options == option)
            if rows.any():
                on = _on_ticks(numbers[rows], PRODUCTS[code], option=option)
                off[rows] = ~on.all(axis=1)
    return pl.Series(off)


def _on_ticks(numbers: NDArray[np.float64], product: Product, *, option: bool) -> NDArray[np.bool_]:
    tick = product.option_tick if option else product.tick
    on = np.isnan(numbers)
    if tick is None:
        return np.ones_like(on)
    on |= _are_multiples(numbers, tick)
    if option:
        dollar = 1 / Fraction(product.point_value)
        on |= (np.abs(numbers) < float(tick)) & _are_multiples(numbers, dollar)
    return on


def _are_multiples(numbers: NDArray[np.float64], step: Fraction) -> NDArray[np.bool_]:
    """Whether numbers are, to the last bit, the Float64 of a whole number of steps."""
    # Not by Polars, which divides by a number as if it multiplied by one over it: 13/1000 differs.
    steps = np.rint(numbers * step.denominator / step.numerator)
    return np.asarray(steps * step.numerator / step.denominator == numbers)


def format_prices(values: pl.Series, notation: PriceNotation) -> pl.Series:
    """A column of prices in points as texts: a String column of the same name, nulls kept.

    The texts are those of `format_price`, of the shortest decimal that is the Float64 in decimals,
    of exactly the Float64 in 32nds; `read_prices` reads the same column back.

    Raises:
        PriceError: the notation cannot hold one of the values.
    """
    values = values.cast(pl.Float64)
    frame = values.set(values == 0, 0.0).alias("value").to_frame()
    texts = frame.select(_writing(notation)).to_series().alias(values.name)
    if texts.null_count() == values.null_count():
        return texts
    positions = (texts.is_null() & values.is_not_null()).arg_true()
    found = values.gather(positions).to_list()
    written = {value: _write_alone(value, notation) for value in set(found)}
    return texts.scatter(positions, pl.Series([written[value] for value in found]))


@lru_cache(maxsize=len(PriceNotation))
def _writing(notation: PriceNotation) -> pl.Expr:
    """Texts of the values that are surely written so; null for all others."""
    if notation is PriceNotation.DECIMAL:
        text = _VALUE.cast(pl.String)
        # Polars writes whole numbers as `110.0`, and very large and small ones with an exponent.
        plain = text.str.contains(r"^-?[0-9.]+$")
        return pl.when(plain).then(text.str.strip_suffix(".0"))
    steps = _VALUE.abs() * _STEPS
    sure = (steps.floor() == steps) & (steps < 2**62)  # which an Int64 holds
    number = pl.when(sure).then(steps).cast(pl.Int64)
    ends = pl.Series([format_price(Decimal(step) / _STEPS, notation)[1:] for step in range(_STEPS)])
    sign = pl.when(_VALUE < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(
        sign, (number // _STEPS).cast(pl.String), pl.lit(ends).gather(number % _STEPS)
    )


def _write_alone(value: float, notation: PriceNotation) -> str:
    decimal = notation is PriceNotation.DECIMAL
    return format_price(Decimal(repr(value)) if decimal else Decimal(value), notation)
