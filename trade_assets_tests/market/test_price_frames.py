"""Columns of price texts: every tick of every product there and back, and never another answer than
that for one text alone."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trade_assets.errors import PriceError
from trade_assets.market.numbers import read_number
from trade_assets.market.price_frames import format_prices, off_ticks, read_prices
from trade_assets.market.prices import (
    NOTATIONS,
    PriceNotation,
    format_price,
    on_tick,
    parse_price,
    ticks_to_price,
)
from trade_assets.market.products import PRODUCTS
from trade_assets_tests.market.price_reference import TEXTS, reading

DECIMAL, TT, DOTTED, DASHED = PriceNotation
WRITTEN = [
    (code, notation)
    for code, product in PRODUCTS.items()
    for notation in NOTATIONS[product.quoting]
]


FINEST = [item for item in WRITTEN if item[0] in ("ZT", "FGBL")]
"""Every tick of the other products is one of ZT's."""


def ticks(code: str) -> pl.Series:
    """Every tick of a product from 0 to 200 points."""
    tick = PRODUCTS[code].tick
    counts = range(0, 200 * tick.denominator + 1, tick.numerator)
    # Not by an expression: Polars multiplies by the inverse, and 35 / 100 is not 0.35 then.
    return pl.Series("p", [count / tick.denominator for count in counts])


@pytest.mark.parametrize(("code", "notation"), WRITTEN)
def test_every_tick_there_and_back(code: str, notation: PriceNotation) -> None:
    """Texts and values are the same again, below zero too."""
    values = pl.concat([ticks(code), -ticks(code)])
    texts = format_prices(values, notation)
    back, problems = read_prices(texts, notation)
    assert problems == []
    assert back.equals(values, check_names=True)
    assert format_prices(back, notation).equals(texts, check_names=True)


@pytest.mark.parametrize(("code", "notation"), FINEST)
def test_every_tick_is_the_text_that_the_plain_reader_reads(
    code: str, notation: PriceNotation
) -> None:
    texts = format_prices(ticks(code), notation).to_list()
    assert len(set(texts)) == len(texts)
    tick = PRODUCTS[code].tick
    for count, text in enumerate(texts):
        assert reading(text, notation) == count * tick


@pytest.mark.parametrize(("code", "notation"), WRITTEN)
def test_ticks_alone_there_and_back(code: str, notation: PriceNotation) -> None:
    """The last points of the 200, one text at a time."""
    last = int(200 / PRODUCTS[code].tick)
    for count in range(last - 300, last + 1):
        exact = ticks_to_price(count, PRODUCTS[code])
        text = format_price(exact, notation)
        assert parse_price(text, notation) == exact
        assert format_price(parse_price(text, notation), notation) == text


def kept(text: str, notation: PriceNotation) -> float | str:
    """What a column should say of one text: the value, or the reason."""
    try:
        value = parse_price(text, notation)
    except PriceError as error:
        return error.reason
    if notation is DECIMAL:
        return read_number(text)
    number = float(value)
    return number if Fraction(number) == value else "has more digits than can be kept"


@settings(max_examples=300)
@given(st.lists(TEXTS, min_size=1, max_size=15), st.sampled_from(PriceNotation))
@example(["110.1650000", "110.161", "110.4", "9999999999.165", "999999999.31875"], DOTTED)
@example(
    ["110.32", "110.31875", "110.32000", "110.161251", "1234567890123.16", "90071992547409931.165"],
    DOTTED,
)
@example(["110-32", "110-32+", "110-31.875", "110-16.1251", "90071992547409931-16+"], DASHED)
@example(["110-16 3/8", "-0-16+", "110-16.0625", "110-16.1", "110--16", "110-16.5.5"], DASHED)
@example(["-999999999'318", "1''075", "'1075", "99999999999999999'075", "111'320"], TT)
@example(
    ["-0", "-.0", "0.333333333333333333333", "1e2", "." + "0" * 30 + "1", "0.5" + "0" * 30], DECIMAL
)
def test_columns_are_read_as_each_text_alone(texts: list[str], notation: PriceNotation) -> None:
    values, problems = read_prices(pl.Series("p", texts), notation, missing=())
    found = dict(problems)
    assert len(found) == len(problems)
    for at, text in enumerate(texts):
        expected = kept(text, notation)
        if isinstance(expected, str):
            assert values[at] is None
            assert found[at].endswith(f" {expected} ({notation})")
        else:
            assert at not in found
            assert values[at] == expected
            assert str(values[at]) != "-0.0"


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(2**52), 2**52).map(lambda steps: steps / 256),
            st.integers(-(2**20), 2**20).map(lambda steps: steps / 256),
            st.integers(-(2**20), 2**20).map(lambda steps: steps / 1024),
            st.floats(-200, 200).map(lambda value: round(value, 4)),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(PriceNotation),
)
@example([1e-5, 123456789012345.6, 1e15, 1e16, -0.0, 0.00012345678901234567], DECIMAL)
def test_columns_are_written_as_each_price_alone(
    values: list[float | None], notation: PriceNotation
) -> None:
    exact = [
        None if value is None else Decimal(repr(value) if notation is DECIMAL else value)
        for value in values
    ]
    column = pl.Series("p", values, dtype=pl.Float64)
    try:
        expected = [None if item is None else format_price(item, notation) for item in exact]
    except PriceError:
        with pytest.raises(PriceError):
            format_prices(column, notation)
        return
    texts = format_prices(column, notation)
    assert texts.equals(pl.Series("p", expected, dtype=pl.String), check_names=True)
    assert read_prices(texts, notation)[0].to_list() == values


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 5e-324])
@pytest.mark.parametrize("notation", PriceNotation)
def test_what_no_text_holds_is_refused(value: float, notation: PriceNotation) -> None:
    with pytest.raises(PriceError):
        format_prices(pl.Series("p", [110.5, value]), notation)


@pytest.mark.parametrize(
    ("notation", "text", "value"),
    [
        (DECIMAL, "110.515625", 110.515625),
        (TT, "110'165", 110.515625),
        (DOTTED, "110.165", 110.515625),
        (DASHED, "110-16+", 110.515625),
    ],
)
def test_missing_words_are_null_and_no_problem(
    notation: PriceNotation, text: str, value: float
) -> None:
    texts = pl.Series("PX_LAST", [text, "", "#N/A", "junk", None])
    column, problems = read_prices(texts, notation, missing=("", "#N/A"))
    assert column.equals(
        pl.Series("PX_LAST", [value, None, None, None, None]), check_names=True, check_dtypes=True
    )
    assert problems == [(3, f"PX_LAST 'junk' is not a price ({notation})")]


def test_an_empty_text_is_missing_unless_the_feed_says_otherwise() -> None:
    for notation in PriceNotation:
        assert read_prices(pl.Series("p", [""]), notation)[1] == []
        assert len(read_prices(pl.Series("p", [""]), notation, missing=())[1]) == 1


@pytest.mark.parametrize("notation", PriceNotation)
@pytest.mark.parametrize("cells", [[], [None, None]])
def test_columns_without_a_price(cells: list[str | None], notation: PriceNotation) -> None:
    texts = pl.Series("p", cells, dtype=pl.String)
    values, problems = read_prices(texts, notation)
    assert (values.to_list(), problems) == (cells, [])
    assert values.dtype == pl.Float64
    assert format_prices(values, notation).equals(texts, check_dtypes=True)


def test_long_garbage_is_shown_in_part() -> None:
    (problem,) = read_prices(pl.Series("p", ["9" * 5_000]), DOTTED)[1]
    assert problem == (0, f"p '{'9' * 32}…' is longer than 32 characters ({DOTTED})")


PRICES = st.one_of(
    st.integers(-30_000, 300_000).map(lambda count: count / 256),
    st.integers(-20_000, 20_000).map(lambda count: count / 100),
    st.integers(-40, 40).map(lambda count: count / 2_000),
    st.floats(-1_000, 1_000),
)


@given(st.lists(st.tuples(PRICES, st.sampled_from([*PRODUCTS]), st.booleans())))
@example([(0.39, "FGBL", False), (0.007, "ZN", True), (0.007, "ZN", False)])
def test_a_column_is_off_the_ticks_where_its_prices_are(
    rows: list[tuple[float, str, bool]],
) -> None:
    table = pl.DataFrame(
        rows, {"price": pl.Float64, "product": pl.String, "option": pl.Boolean}, orient="row"
    )
    expected = [
        not on_tick(Decimal(repr(price)), PRODUCTS[code], option=option)
        for price, code, option in rows
    ]
    assert off_ticks(table.select("price"), *table.get_columns()[1:]).to_list() == expected


def test_what_is_not_known_is_not_off_the_ticks() -> None:
    prices = pl.DataFrame({"p": [None, 110.001, 110.001], "q": [110.0, 110.0, None]})
    products = pl.Series(["ZN", None, "ZN"])
    options = pl.Series([False, False, False])
    assert off_ticks(prices, products, options).to_list() == [False, False, True]
