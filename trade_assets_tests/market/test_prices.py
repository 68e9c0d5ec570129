"""Price texts: what each notation means, what is refused, and that nothing is lost on the way."""

import decimal
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trade_assets.errors import PermanentError, PriceError
from trade_assets.market.prices import (
    LONGEST,
    NOTATIONS,
    PriceNotation,
    cabinet,
    cabinet_price,
    format_price,
    is_cabinet,
    on_tick,
    parse_price,
    ticks_to_price,
)
from trade_assets.market.products import PRODUCTS, Product, Quoting
from trade_assets_tests.market.price_reference import TEXTS, reading

DECIMAL, TT, DOTTED, DASHED = PriceNotation
HALF = "0.015625"  # half a 32nd


@pytest.mark.parametrize(
    ("text", "notation", "value"),
    [
        ("110.5156250", DECIMAL, "110.515625"),
        (".0156250", DECIMAL, "0.015625"),
        ("-.5", DECIMAL, "-0.5"),
        ("7.", DECIMAL, "7"),
        ("129.2656", DECIMAL, "129.2656"),
        ("0.333333333333333333333", DECIMAL, "0.333333333333333333333"),
        ("111'075", TT, "111.234375"),
        ("111'280", TT, "111.875"),
        ("110'080", TT, "110.25"),
        ("103'191", TT, "103.59765625"),
        ("103'318", TT, "103.99609375"),
        ("-0'005", TT, f"-{HALF}"),
        ("110.165", DOTTED, "110.515625"),
        ("103.19125", DOTTED, "103.59765625"),
        ("108.01", DOTTED, "108.03125"),
        ("110.1", DOTTED, "110.3125"),
        ("110.3", DOTTED, "110.9375"),
        ("112", DOTTED, "112"),
        ("-0.005", DOTTED, f"-{HALF}"),
        ("110.161", DOTTED, "110.503125"),
        ("110-16", DASHED, "110.5"),
        ("110-16.5", DASHED, "110.515625"),
        ("110-16+", DASHED, "110.515625"),
        ("110-16 1/2", DASHED, "110.515625"),
        ("110-16 4/8", DASHED, "110.515625"),
        ("110-16 3/8", DASHED, "110.51171875"),
        ("110-16 3/4", DASHED, "110.5234375"),
        ("110-16.125", DASHED, "110.50390625"),
        ("-0-16+", DASHED, "-0.515625"),
    ],
)
def test_prices(text: str, notation: PriceNotation, value: str) -> None:
    assert parse_price(text, notation) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "notation", "reason"),
    [
        ("", DECIMAL, "is not a price"),
        ("1.5E-3", DECIMAL, "is not a price"),
        ("+1", DECIMAL, "is not a price"),
        ("--1", DECIMAL, "is not a price"),
        ("110.5\n", DECIMAL, "is not a price"),
        ("\u0661", DECIMAL, "is not a price"),
        ("110'165", DECIMAL, "is not a price"),
        ("0." + "1" * 31, DECIMAL, "is longer than 32 characters"),
        ("111'07", TT, "is not a price"),
        ("111'0750", TT, "is not a price"),
        ("111.075", TT, "is not a price"),
        ("'075", TT, "is not a price"),
        ("111'320", TT, "has 32 or more 32nds"),
        ("111'074", TT, "ends in a digit that is no eighth of a 32nd"),
        ("111'079", TT, "ends in a digit that is no eighth of a 32nd"),
        ("110.32", DOTTED, "has 32 or more 32nds"),
        ("110.4", DOTTED, "has 32 or more 32nds"),
        ("110.", DOTTED, "is not a price"),
        (".165", DOTTED, "is not a price"),
        ("110-165", DASHED, "is not a price"),
        ("110-1", DASHED, "is not a price"),
        ("110", DASHED, "is not a price"),
        ("110-32", DASHED, "has 32 or more 32nds"),
        ("110-16 1/3", DASHED, "is not a price"),
        ("110-16 8/8", DASHED, "is not a price"),
        ("110-16++", DASHED, "is not a price"),
        ("110-16 ", DASHED, "is not a price"),
    ],
)
def test_no_prices(text: str, notation: PriceNotation, reason: str) -> None:
    with pytest.raises(PriceError) as raised:
        parse_price(text, notation)
    error = raised.value
    assert (error.notation, error.reason) == (notation, reason)
    assert str(error) == f"{error.text!r} {reason} ({notation})"
    assert text.startswith(error.text.removesuffix("…"))
    assert isinstance(error, PermanentError)


@pytest.mark.parametrize(
    ("text", "notation"), [("-0", DECIMAL), ("-0'000", TT), ("-0.00", DOTTED), ("-0-00", DASHED)]
)
def test_zero_has_no_sign(text: str, notation: PriceNotation) -> None:
    assert not parse_price(text, notation).is_signed()


def test_a_dotted_price_is_never_its_decimal() -> None:
    assert parse_price("110.165", DOTTED) != parse_price("110.165", DECIMAL)


@pytest.mark.parametrize(
    ("value", "notation", "text"),
    [
        ("110.5156250", DECIMAL, "110.515625"),
        ("1E+2", DECIMAL, "100"),
        ("-0.00", DECIMAL, "0"),
        ("-0", TT, "0'000"),
        ("111.234375", TT, "111'075"),
        ("103.59765625", TT, "103'191"),
        ("-0.015625", TT, "-0'005"),
        ("110.515625", DOTTED, "110.165"),
        ("112", DOTTED, "112.00"),
        ("110.3125", DOTTED, "110.10"),
        ("110.515625", DASHED, "110-16+"),
        ("110.5", DASHED, "110-16"),
        ("110.50390625", DASHED, "110-16.125"),
        ("110.1", DASHED, "110-03.2"),
        ("-0.515625", DASHED, "-0-16+"),
    ],
)
def test_texts(value: str, notation: PriceNotation, text: str) -> None:
    assert format_price(Decimal(value), notation) == text


@pytest.mark.parametrize(
    ("value", "notation", "reason"),
    [
        ("110.1", TT, "is not a multiple of 1/256"),
        ("-0.001953125", TT, "is not a multiple of 1/256"),
        ("1E+32", TT, "needs more than 32 characters"),
        ("-1E+31", DECIMAL, "needs more than 32 characters"),
        ("1E-31", DECIMAL, "needs more than 32 characters"),
        ("1E+999999", DECIMAL, "needs more than 32 characters"),
        ("1E-999999", DOTTED, "needs more than 32 characters"),
        ("1." + "0" * 70 + "1", DECIMAL, "needs more than 32 characters"),
        ("0." + "3" * 100, DASHED, "needs more than 32 characters"),
        ("NaN", DECIMAL, "is not a number"),
        ("sNaN", DOTTED, "is not a number"),
        ("-Infinity", TT, "is not a number"),
    ],
)
def test_what_a_notation_cannot_hold(value: str, notation: PriceNotation, reason: str) -> None:
    with pytest.raises(PriceError) as raised:
        format_price(Decimal(value), notation)
    assert (raised.value.notation, raised.value.reason) == (notation, reason)


@settings(max_examples=800)
@given(TEXTS, st.sampled_from(PriceNotation))
@example("110.1650000", DOTTED)
@example("-" + "9" * 25 + "-31.9", DASHED)
@example("9" * 32, DOTTED)
@example("0." + "1" * 30, DOTTED)
def test_no_text_is_taken_for_another_price(text: str, notation: PriceNotation) -> None:
    """The same texts are prices as for the plain reader, and worth the same to the last digit."""
    expected = reading(text, notation)
    if expected is None:
        with pytest.raises(PriceError):
            parse_price(text, notation)
    else:
        assert Fraction(parse_price(text, notation)) == expected


@settings(max_examples=500)
@given(
    st.one_of(
        st.decimals(),
        st.decimals(-1000, 1000, places=4),
        st.integers(-(2**20), 2**20).map(lambda steps: Decimal(steps) / 1024),
        TEXTS.map(lambda text: reading(text, DECIMAL) or Fraction(0)).map(
            lambda value: Decimal(value.numerator) / Decimal(value.denominator)
        ),
    ),
    st.sampled_from(PriceNotation),
)
def test_what_is_written_reads_back_or_is_refused(value: Decimal, notation: PriceNotation) -> None:
    try:
        text = format_price(value, notation)
    except PriceError:
        return
    assert len(text) <= LONGEST
    assert parse_price(text, notation) == value
    assert reading(text, notation) == Fraction(value)
    assert format_price(parse_price(text, notation), notation) == text


@given(st.integers(-(10**9), 10**9).map(lambda steps: Decimal(steps) / 256))
def test_every_notation_holds_every_step(value: Decimal) -> None:
    """Nothing that a product can trade at is refused."""
    for notation in PriceNotation:
        assert parse_price(format_price(value, notation), notation) == value


def test_the_callers_decimal_context_does_not_matter() -> None:
    with decimal.localcontext(prec=1):
        dotted, ticks = parse_price("103.19125", DOTTED), parse_price("103'191", TT)
        assert format_price(dotted, TT) == "103'191"
        assert format_price(ticks, DASHED) == "103-19.125"
    assert dotted == ticks == Decimal("103.59765625")


def test_products_of_32nds_are_written_in_all_notations_and_others_in_decimals() -> None:
    assert set(NOTATIONS) == set(Quoting)
    for code, product in PRODUCTS.items():
        expected = (DECIMAL,) if code == "FGBL" else (DECIMAL, TT, DOTTED, DASHED)
        assert NOTATIONS[product.quoting] == expected


@pytest.mark.parametrize(
    ("code", "tick", "between"),
    [
        ("ZT", "0.00390625", "0.001953125"),
        ("ZF", "0.0078125", "0.00390625"),
        ("ZN", "0.015625", "0.0078125"),
        ("TN", "0.015625", "0.0078125"),
        ("ZB", "0.03125", "0.015625"),
        ("UB", "0.03125", "0.015625"),
        ("FGBL", "0.01", "0.005"),
    ],
)
def test_ticks_of_each_product(code: str, tick: str, between: str) -> None:
    product = PRODUCTS[code]
    assert ticks_to_price(1, product) == Decimal(tick)
    assert ticks_to_price(-3, product) == -3 * Decimal(tick)
    assert on_tick(110 + Decimal(tick), product)
    assert on_tick(-Decimal(tick), product)
    assert not on_tick(110 + Decimal(between), product)


@pytest.mark.parametrize(
    ("code", "price", "expected"),
    [
        ("ZN", "0.015625", True),
        ("ZN", "0.0078125", False),
        ("ZF", "0.0078125", True),
        ("ZB", "0.046875", True),  # a future's tick is twice as wide
        ("ZN", "0.039", False),
        ("ZN", "0.007", True),
        ("ZN", "0.0075", False),
        ("ZN", "0.016", False),
        ("ZT", "0.0005", True),  # a point is 2,000 dollars
        ("ZN", "0", True),
        ("FGBL", "0.0123", True),  # no options are known
    ],
)
def test_options_have_ticks_of_their_own_and_a_cabinet(
    code: str, price: str, expected: bool
) -> None:
    assert on_tick(Decimal(price), PRODUCTS[code], option=True) is expected
    assert not on_tick(Decimal("NaN"), PRODUCTS[code], option=True)


def test_ticks_are_exact_and_nothing_else_is_on_one() -> None:
    zn = PRODUCTS["ZN"]
    assert [str(ticks_to_price(count, zn)) for count in (0, 64, 7073)] == ["0", "1", "110.515625"]
    assert not on_tick(Decimal("NaN"), zn)
    assert not on_tick(Decimal("-Infinity"), zn)
    assert not on_tick(Decimal("110.51562500000000000000000000000001"), zn)


@given(st.integers(-(10**6), 10**6), st.sampled_from(list(PRODUCTS.values())))
def test_a_number_of_ticks_is_on_a_tick(count: int, product: Product) -> None:
    price = ticks_to_price(count, product)
    assert Fraction(price) == count * product.tick
    assert on_tick(price, product)


@pytest.mark.parametrize("text", [".0069999", "0.007", ".0070000"])
def test_the_cabinet_price_is_seven_thousandths(text: str) -> None:
    price = parse_price(text, DECIMAL)
    assert is_cabinet(price)
    assert cabinet_price(price) == Decimal("0.007")


@pytest.mark.parametrize("text", [".0069998", ".00699990001", ".0071", "0", "-.0069999"])
def test_no_other_price_is_the_cabinet_price(text: str) -> None:
    price = parse_price(text, DECIMAL)
    assert not is_cabinet(price)
    assert cabinet_price(price) == price


def test_cabinet_changes_nothing_else_in_a_column() -> None:
    prices = pl.Series("p", [0.0069999, 0.007, 0.0069998, None, 1628.67])
    assert cabinet(prices).to_list() == [0.007, 0.007, 0.0069998, None, 1628.67]
