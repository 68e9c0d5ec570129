"""Texts of numbers to Float64 and Int64, strictly: a text that is not certainly a number that the
stores can hold and give back is a problem of its row, never a guess.

No file layout and no column names belong here.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

import polars as pl

LARGEST: Final = 1e125
SMALLEST: Final = 1e-129
"""Magnitudes that a DynamoDB number holds, each with a power of ten to spare (its documentation:
1E-130 to 9.99E+125, 38 digits)."""

EXACT_DIGITS: Final = 15
"""Every decimal of so many significant digits reads back from a Float64 as it was written."""

SHOWN_CHARACTERS: Final = 60

_SURE = r"[0-9]{0,8}\.[0-9]{1,7}|[0-9]{0,7}\.[0-9]{8}|[0-9]{1,15}|[0-9]{9,11}\.[0-9]{1,4}0*"
"""Numbers that need no second look: at most `EXACT_DIGITS` digits, but for zeros at the end."""

Problem = tuple[int, str]
"""Position of a row, and why it cannot be stored."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def read_numbers(
    texts: Sequence[pl.Series], missing: tuple[str, ...] = ("",)
) -> tuple[list[pl.Series], list[Problem]]:
    """Columns of text, all of one length, as Float64 columns of the same names.

    A plain decimal number (`110.5`, `.0156250`, `-7`, `1.5E-3`) becomes the nearest Float64. The
    words in `missing` become null. Anything else is a problem: other text, `nan`, `inf`, a
    magnitude that DynamoDB cannot hold, more digits than would read back.
    """
    # One pass over all columns end to end: the fixed cost of a pass is that of 300 numbers.
    height, names = len(texts[0]), [column.name for column in texts]
    flat = pl.concat(texts)
    values = flat.cast(pl.Float64, strict=False)
    sure = flat.str.contains(_sure_pattern(missing))
    problems: list[Problem] = []
    if not sure.all():
        values, wrong = _second_look(flat, values, sure)
        problems = [
            (at % height, f"{names[at // height]} {shown(flat[at])} {reason}")
            for at, reason in wrong
        ]
    values = values.set(values == 0, 0.0)  # -0.0 too: the stores know one zero
    columns = [values.slice(index * height, height).alias(name) for index, name in enumerate(names)]
    return columns, problems


def shown(text: str) -> str:
    """A field's text as a reason quotes it."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")


@lru_cache(maxsize=8)
def _sure_pattern(missing: tuple[str, ...]) -> str:
    words = (re.escape(word) for word in missing)
    return f"^(?:{'|'.join([f'-?(?:{_SURE})', *words])})$"


def _second_look(
    flat: pl.Series, values: pl.Series, sure: pl.Series
) -> tuple[pl.Series, list[Problem]]:
    positions = (~sure).arg_true().to_list()
    readings = {text: read_number(text) for text in flat.filter(~sure).unique().to_list()}
    found = [(at, readings[flat[at]]) for at in positions]
    numbers = [item if isinstance(item, float) else None for _, item in found]
    return (
        values.scatter(positions, pl.Series(numbers, dtype=pl.Float64)),
        [(at, item) for at, item in found if isinstance(item, str)],
    )


def read_number(text: str) -> float | str:
    """The number a text stands for, or the reason why it is none that can be stored."""
    if not _NUMBER.fullmatch(text):
        return "is not a number" if text else "is missing"
    value, exact = float(text), Decimal(text)
    if exact and not SMALLEST <= abs(value) < LARGEST:
        return "is out of range"
    if len(exact.as_tuple().digits) > EXACT_DIGITS and not _reads_back(value, exact):
        return "has more digits than can be kept"
    return value


def _reads_back(value: float, exact: Decimal) -> bool:
    # `%.17g` is how programs write all of a double: not its shortest form, but surely that double.
    return exact in (Decimal(repr(value)), Decimal(f"{value:.17g}"))


def whole_numbers(values: pl.Series) -> tuple[pl.Series, list[Problem]]:
    """Float64 as Int64; a value with a fraction, or beyond 64 bits, is a problem."""
    whole = values.cast(pl.Int64, strict=False)
    if whole.cast(pl.Float64).equals(values, null_equal=True):
        return whole, []
    wrong = whole.cast(pl.Float64).ne_missing(values).arg_true().to_list()
    return whole, [(at, f"{values.name} {values[at]} is not a whole number") for at in wrong]
