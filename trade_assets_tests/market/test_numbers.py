"""Texts of numbers: what is one, what it is worth, what is refused."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trade_assets.market.numbers import read_number, read_numbers, whole_numbers

NUMBER_TEXTS = st.from_regex(
    r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
ANY_TEXTS = st.one_of(
    NUMBER_TEXTS,
    st.text(alphabet="0123456789.-+eE,_ NaINVLDinf", max_size=12),
    st.floats().map(repr),
    st.floats(-1e12, 1e12).map(lambda value: f"{value:.7f}"),
    st.integers().map(str),
    st.sampled_from(["INVALID", "", ".0069999", "nan", "Infinity", "1e125", "1e-130", "0x1"]),
)


def read(text: str, missing: tuple[str, ...] = ("", "INVALID")) -> tuple[float | None, list[str]]:
    (column,), problems = read_numbers([pl.Series("X", [text])], missing)
    return column[0], [reason for _, reason in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("110.5156250", 110.515625),
        (".0156250", 0.015625),
        ("-.5000000", -0.5),
        ("+7", 7.0),
        ("7.", 7.0),
        ("123456789.", 123456789.0),
        ("1.5E-3", 0.0015),
        ("9.765625E-4", 0.0009765625),
        ("110649437.5000000", 110649437.5),
        ("0.50000000000000000000000000", 0.5),
        ("0.10000000000000001", 0.1),
        ("72.56789012345678", 72.56789012345678),
        ("9.9e124", 9.9e124),
        ("-0.0", 0.0),
        ("0e999", 0.0),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert read(text) == (value, [])


def test_zero_has_no_sign() -> None:
    assert str(read("-0.0")[0]) == "0.0"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1e125", "is out of range"),
        ("-1e400", "is out of range"),
        ("1e-130", "is out of range"),
        ("1e-400", "is out of range"),
        ("100000000.123456789", "has more digits than can be kept"),
        ("12345678901234567", "has more digits than can be kept"),
        ("0.333333333333333333333", "has more digits than can be kept"),
        ("nan", "is not a number"),
        ("-inf", "is not a number"),
        ("1_000", "is not a number"),
        ("1,5", "is not a number"),
        ("110'165", "is not a number"),
        ("1e99999", "is not a number"),
        ("\u0663", "is not a number"),
    ],
)
def test_no_numbers(text: str, reason: str) -> None:
    assert read(text) == (None, [f"X {text!r} {reason}"])


def test_what_counts_as_missing_is_the_feeds_business() -> None:
    assert read("INVALID") == (None, [])
    assert read("INVALID", missing=()) == (None, ["X 'INVALID' is not a number"])
    assert read("", missing=()) == (None, ["X '' is missing"])


def test_long_texts_are_shown_in_part() -> None:
    assert read("9" * 5_000)[1] == [f"X '{'9' * 60}…' is out of range"]


@given(st.lists(ANY_TEXTS, min_size=1, max_size=20))
@example(["123456789.", "1234567890123456", "0.1234567890123456"])
def test_columns_are_read_as_each_text_alone(texts: list[str]) -> None:
    """The vectorised path agrees with the plain one: no text turns into a silent null."""
    columns = [pl.Series("A", texts), pl.Series("B", texts[::-1])]
    (a, b), problems = read_numbers(columns, ("", "INVALID"))
    found = dict.fromkeys(range(len(texts)))
    for position, reason in problems:
        if reason.startswith("A "):
            found[position] = reason
    for position, text in enumerate(texts):
        expected = None if text in ("", "INVALID") else read_number(text)
        if isinstance(expected, str):
            assert a[position] is None
            assert found[position] is not None
        else:
            assert a[position] == expected
            assert found[position] is None
    assert b.to_list() == a.to_list()[::-1]


@given(NUMBER_TEXTS)
def test_what_is_read_is_what_was_written(text: str) -> None:
    result = read_number(text)
    if isinstance(result, float):
        assert result == float(Decimal(text))
        digits = Decimal(text).normalize().as_tuple().digits
        if len(digits) not in (16, 17):
            assert Decimal(repr(result)) == Decimal(text)


def test_whole_numbers() -> None:
    column, problems = whole_numbers(pl.Series("Q", [1.0, None, 1.5, 1e19]))
    assert column.to_list()[:2] == [1, None]
    assert problems == [(2, "Q 1.5 is not a whole number"), (3, "Q 1e+19 is not a whole number")]
