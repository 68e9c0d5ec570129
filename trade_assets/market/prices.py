"""Prices as the desk's files write them, and back, digit for digit: no digit is invented or lost.

Source: FORMATS.md, price notations. A notation is a fact of the feed and the product, so it is
always given and never guessed from the digits. Whole columns are the business of `price_frames`.
"""

import decimal
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import polars as pl

from trade_assets.errors import PriceError
from trade_assets.market.products import Product, Quoting


class PriceNotation(StrEnum):
    """A way to write a price in points."""

    DECIMAL = "decimal"  # 110.515625, .0156250
    TT_TICKS = "TT ticks"  # 111'075: whole 32nds, then the eighths of a 32nd as one digit
    DOTTED_32NDS = "dotted 32nds"  # 110.165: whole 32nds, then a decimal fraction of one
    DASHED_32NDS = "dashed 32nds"  # 110-16, 110-16.5, 110-16+, 110-16 1/2


NOTATIONS: Final[Mapping[Quoting, tuple[PriceNotation, ...]]] = {
    Quoting.THIRTY_SECONDS: tuple(PriceNotation),
    Quoting.DECIMAL: (PriceNotation.DECIMAL,),
}
"""The notations in which prices of a product can be written at all, by how it is quoted."""

LONGEST: Final = 32
"""Characters of the longest text that is taken for a price, or written as one."""

EIGHTHS: Final = "01235678"
"""The last digit of TT ticks, by eighths of a 32nd: an eighth is .125, of which the exchange keeps
the first digit. 4 and 9 begin no eighth."""

DASHED_PARTS: Final[Mapping[str, Decimal]] = {
    "+": Decimal("0.5"),
    **{f" {n}/{d}": Decimal(n) / d for d in (2, 4, 8) for n in range(1, d)},
}
"""What may follow the whole dashed 32nds in place of decimals, in 32nds."""

CABINET_AS_WRITTEN: Final = 0.0069999
CABINET_PRICE: Final = 0.007
"""The smallest option price, 7 USD a contract. Actant writes it as `.0069999` (FORMATS.md, price
notations): it cuts the seventh decimal off where every true tick has none to lose."""

_POINTS: Final = "-?(?P<points>[0-9]+)"
_SHAPES: Final[Mapping[PriceNotation, re.Pattern[str]]] = {
    notation: re.compile(shape)
    for notation, shape in {
        PriceNotation.DECIMAL: r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)",
        PriceNotation.TT_TICKS: rf"{_POINTS}'(?P<whole>[0-9]{{2}})(?P<part>[0-9])",
        PriceNotation.DOTTED_32NDS: rf"{_POINTS}(?:\.(?P<whole>[0-9]{{1,2}})(?P<part>[0-9]*))?",
        PriceNotation.DASHED_32NDS: rf"{_POINTS}-(?P<whole>[0-9]{{2}})"
        rf"(?P<part>\.[0-9]+|{'|'.join(map(re.escape, DASHED_PARTS))})?",
    }.items()
}

_EXACT: Final = decimal.Context(
    prec=2 * LONGEST,
    Emin=-2 * LONGEST,
    Emax=2 * LONGEST,
    traps=[decimal.InvalidOperation, decimal.Inexact, decimal.Overflow, decimal.Subnormal],
)
"""Arithmetic that raises where it would round. Room for every text of `LONGEST` characters, its
fraction divided by 32, which takes five digits more."""


def parse_price(text: str, notation: PriceNotation) -> Decimal:
    """The price in points that a text stands for, exactly.

    A minus may stand in front (spreads). Dotted 32nds that come from numeric cells have lost the
    zeros at their end: `110.1` is `110.10`, 110 + 10/32.

    Raises:
        PriceError: the text is no price in this notation. So are spaces around, signs other than
            one minus, exponents, digits beyond ASCII, 32 and more 32nds, and more than `LONGEST`
            characters.
    """
    if len(text) > LONGEST:
        reason = f"is longer than {LONGEST} characters"
        raise PriceError(f"{text[:LONGEST]}…", notation, reason)
    match = _SHAPES[notation].fullmatch(text)
    if match is None:
        raise PriceError(text, notation, "is not a price")
    if notation is PriceNotation.DECIMAL:
        return _EXACT.plus(Decimal(text))
    whole = int((match["whole"] or "0").ljust(2, "0"))
    if whole >= 32:
        raise PriceError(text, notation, "has 32 or more 32nds")
    if notation is PriceNotation.TT_TICKS and match["part"] not in EIGHTHS:
        raise PriceError(text, notation, "ends in a digit that is no eighth of a 32nd")
    thirty_seconds = _EXACT.add(whole, _part_of_32nd(match["part"] or "", notation))
    value = _EXACT.add(Decimal(match["points"]), _EXACT.divide(thirty_seconds, 32))
    return _EXACT.minus(value) if text.startswith("-") else value


def _part_of_32nd(written: str, notation: PriceNotation) -> Decimal:
    if notation is PriceNotation.TT_TICKS:
        return _EXACT.divide(EIGHTHS.index(written), 8)
    return DASHED_PARTS.get(written) or Decimal(f"0.{written.removeprefix('.')}")


def format_price(value: Decimal, notation: PriceNotation) -> str:
    """A price in points as text that `parse_price` reads back as exactly this value.

    Equal values give equal texts: decimals without zeros at their end, 32nds with two digits,
    half a dashed 32nd as `+` and other parts as decimals.

    Raises:
        PriceError: the notation cannot hold the value; it is never rounded. TT ticks hold
            multiples of 1/256 of a point, the others what fits `LONGEST` characters.
    """
    if not value.is_finite():
        raise PriceError(str(value), notation, "is not a number")
    try:
        text = _written(value.normalize(_EXACT), notation)
    except decimal.DecimalException:
        text = None
    if text is None or len(text) > LONGEST:
        reason = f"needs more than {LONGEST} characters"
        raise PriceError(f"{value:.{LONGEST}g}", notation, reason)
    return text


def _written(value: Decimal, notation: PriceNotation) -> str:
    sign, magnitude = "-" if value < 0 else "", value.copy_abs()
    if notation is PriceNotation.DECIMAL:
        return f"{sign}{magnitude:f}"
    points, rest = _EXACT.divmod(_EXACT.multiply(magnitude, 32), 32)
    whole, part = _EXACT.divmod(rest, 1)
    start, decimals = f"{sign}{points:f}", f"{part.normalize(_EXACT):f}".removeprefix("0")
    if notation is PriceNotation.TT_TICKS:
        eighths, finer = _EXACT.divmod(_EXACT.multiply(part, 8), 1)
        if finer:
            raise PriceError(f"{value:f}", notation, "is not a multiple of 1/256")
        return f"{start}'{int(whole):02}{EIGHTHS[int(eighths)]}"
    if notation is PriceNotation.DOTTED_32NDS:
        return f"{start}.{int(whole):02}{decimals.removeprefix('.')}"
    return f"{start}-{int(whole):02}{'+' if decimals == '.5' else decimals}"


def on_tick(value: Decimal, product: Product, *, option: bool = False) -> bool:
    """Whether a future of this product, or an option on it, can trade at a price.

    An option that is worth less than its tick trades at a whole number of dollars a contract
    (contract specifications of CME Group: cabinet). Without a known tick, at any price.
    """
    tick = product.option_tick if option else product.tick
    if tick is None or not value.is_finite():
        return value.is_finite()
    exact = Fraction(value)
    in_cabinet = option and abs(exact) < tick and exact * Fraction(product.point_value) % 1 == 0
    return exact % tick == 0 or in_cabinet


def ticks_to_price(count: int, product: Product) -> Decimal:
    """The price in points of a number of the future's ticks, exactly."""
    return _EXACT.divide(count * product.tick.numerator, product.tick.denominator)


def is_cabinet(value: Decimal) -> bool:
    """Whether a price is the cabinet price, as it is or as Actant writes it."""
    return value in (Decimal(repr(CABINET_AS_WRITTEN)), Decimal(repr(CABINET_PRICE)))


def cabinet_price(value: Decimal) -> Decimal:
    """A price, with the cabinet price as the number it stands for."""
    return Decimal(repr(CABINET_PRICE)) if is_cabinet(value) else value


def cabinet(prices: pl.Series) -> pl.Series:
    """Prices with the cabinet price as the number it stands for; every other one is unchanged."""
    return prices.set(prices == CABINET_AS_WRITTEN, CABINET_PRICE)
