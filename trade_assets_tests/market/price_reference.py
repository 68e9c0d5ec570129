"""A second, plain reader of price texts, written against FORMATS.md alone, that the tests compare
with; and texts to try. Fractions, one character at a time, no regular expression.
"""

from fractions import Fraction

from hypothesis import strategies as st

from trade_assets.market.prices import PriceNotation

TICK_DIGITS = {"0": 0, "1": 1, "2": 2, "3": 3, "5": 4, "6": 5, "7": 6, "8": 7}
LONGEST = 32


def whole(text: str) -> Fraction:
    """A text of ASCII digits, at least one."""
    if not text or set(text) - set("0123456789"):
        raise ValueError(text)
    return Fraction(int(text))


def plain(text: str) -> Fraction:
    """A text of digits with at most one dot and a digit on one side of it."""
    before, _, after = text.partition(".")
    return whole(before + after) / Fraction(10) ** len(after)


def two_digits(text: str) -> Fraction:
    """Whole 32nds, 00 to 31."""
    value = whole(text)
    if len(text) != 2 or value > 31:
        raise ValueError(text)
    return value


def tt_ticks(text: str) -> Fraction:
    points, mark, ticks = text.partition("'")
    if not mark or len(ticks) != 3 or ticks[2] not in TICK_DIGITS:
        raise ValueError(text)
    part = two_digits(ticks[:2]) + Fraction(TICK_DIGITS[ticks[2]], 8)
    return whole(points) + part / 32


def dotted(text: str) -> Fraction:
    points, dot, digits = text.partition(".")
    if dot and not digits:
        raise ValueError(text)
    digits = digits + "00"
    part = two_digits(digits[:2]) + plain(f".{digits[2:]}0")
    return whole(points) + part / 32


def dashed(text: str) -> Fraction:
    points, dash, ticks = text.partition("-")
    if not dash:
        raise ValueError(text)
    rest = ticks[2:]
    if rest == "+":
        part = Fraction(1, 2)
    elif rest in [f" {n}/{d}" for d in (2, 4, 8) for n in range(1, d)]:
        part = Fraction(rest[1:])
    elif rest:
        if rest[0] != ".":
            raise ValueError(text)
        part = plain(rest)
    else:
        part = Fraction(0)
    return whole(points) + (two_digits(ticks[:2]) + part) / 32


READERS = {
    PriceNotation.DECIMAL: plain,
    PriceNotation.TT_TICKS: tt_ticks,
    PriceNotation.DOTTED_32NDS: dotted,
    PriceNotation.DASHED_32NDS: dashed,
}


def reading(text: str, notation: PriceNotation) -> Fraction | None:
    """The price a text stands for; None if it is none."""
    if len(text) > LONGEST:
        return None
    try:
        value = READERS[notation](text.removeprefix("-"))
    except ValueError:
        return None
    return -value if text.startswith("-") else value


LIKELY = st.from_regex(
    r"-?[0-9]{0,4}['.\-]{0,2}[0-9]{0,6}([+.]|\.[0-9]{1,4}| [0-9]/[0-9])?", fullmatch=True
)
GOOD = st.from_regex(
    r"-?[0-9]{1,11}['.\-]([0-2][0-9]|3[0-2])"
    r"([0-9]|\.?(125|25|375|5|625|75|875)?0{0,6}|\+| [1-8]/[248])",
    fullmatch=True,
)
TEXTS = st.one_of(
    LIKELY,
    GOOD,
    st.text(alphabet="0123456789.-+'/ eE", max_size=40),
    st.text(max_size=8),
    st.decimals(allow_nan=False, allow_infinity=False, places=7).map(str),
    st.floats().map(repr),
    st.sampled_from(["", "-", "+7", "1e2", "nan", "\u0661'075", "110.5\n", " 110", "³"]),
)
