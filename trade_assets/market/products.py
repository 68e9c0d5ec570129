"""The products the desk trades: their names, ticks and contract rules. Facts only, no dates and no
parsing: the calendar makes dates of the rules, `prices` and `symbols` read and write the names.

Sources: FORMATS.md (names, ticks of ZN), the contract specifications of CME Group (chapters 18 to
26 of the CBOT rulebook) and Eurex. Options are listed only where the desk's notation of them is
known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Final


class Quoting(StrEnum):
    """How people quote a product's prices. A file's notation of it is the feed's business."""

    THIRTY_SECONDS = "32nds"
    DECIMAL = "decimal"


class LastTrade(Enum):
    """Rules of a future's last trading day in its contract month."""

    SEVENTH_BUSINESS_DAY_BEFORE_LAST = "the seventh business day before the month's last one"
    LAST_BUSINESS_DAY = "the month's last business day"
    TWO_DAYS_BEFORE_THE_TENTH = "two exchange days before the tenth (or the next exchange day)"


@dataclass(frozen=True, slots=True)
class WeeklyOption:
    """A weekly option series: `cme` root (VY of `VY3N5`) and Bloomberg's (VBY of `VBYN25C3`).

    Friday's have the week in front on Bloomberg: `3MN5C`, root M.
    """

    weekday: int  # Monday is 0
    cme: str
    bloomberg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product and its facts.

    Attributes:
        code: the exchange's and TT's name, and ours.
        exchange: first part of its names in Actant's files.
        bloomberg: Bloomberg's root.
        tick: smallest move of the future, in points.
        point_value: what one point of one contract is worth, in `currency`.
        month_option: CME root of the monthly and quarterly options; None: none are known.
        option_tick: smallest move of the options, in points; None: no options are known.
        weekly_options: the weekly series, Monday to Friday.
    """

    code: str
    exchange: str
    bloomberg: str
    tick: Fraction
    point_value: Decimal
    currency: str = "USD"
    quoting: Quoting = Quoting.THIRTY_SECONDS
    last_trade: LastTrade = LastTrade.SEVENTH_BUSINESS_DAY_BEFORE_LAST
    month_option: str | None = None
    option_tick: Fraction | None = None
    weekly_options: tuple[WeeklyOption, ...] = ()


_ZN_WEEKLY: Final = (
    WeeklyOption(0, "VY", "VBY"),
    WeeklyOption(1, "GY", "TJP"),
    WeeklyOption(2, "WY", "TYW"),
    WeeklyOption(3, "HY", "TJW"),
    WeeklyOption(4, "ZN", "M"),
)

PRODUCTS: Final[Mapping[str, Product]] = {
    product.code: product
    for product in (
        Product(
            code="ZT",
            exchange="XCME",
            bloomberg="TU",
            tick=Fraction(1, 256),
            point_value=Decimal(2000),
            month_option="OZT",
            option_tick=Fraction(1, 128),
            last_trade=LastTrade.LAST_BUSINESS_DAY,
        ),
        Product(
            code="ZF",
            exchange="XCME",
            bloomberg="FV",
            tick=Fraction(1, 128),
            point_value=Decimal(1000),
            month_option="OZF",
            option_tick=Fraction(1, 128),
            last_trade=LastTrade.LAST_BUSINESS_DAY,
        ),
        Product(
            code="ZN",
            exchange="XCME",
            bloomberg="TY",
            tick=Fraction(1, 64),
            point_value=Decimal(1000),
            month_option="OZN",
            option_tick=Fraction(1, 64),
            weekly_options=_ZN_WEEKLY,
        ),
        Product(
            code="TN",
            exchange="XCME",
            bloomberg="UXY",
            tick=Fraction(1, 64),
            point_value=Decimal(1000),
            month_option="OTN",
            option_tick=Fraction(1, 64),
        ),
        Product(
            code="ZB",
            exchange="XCME",
            bloomberg="US",
            tick=Fraction(1, 32),
            point_value=Decimal(1000),
            month_option="OZB",
            option_tick=Fraction(1, 64),
        ),
        Product(
            code="UB",
            exchange="XCME",
            bloomberg="WN",
            tick=Fraction(1, 32),
            point_value=Decimal(1000),
            month_option="OUB",
            option_tick=Fraction(1, 64),
        ),
        Product(
            code="FGBL",
            exchange="XEUR",
            bloomberg="RX",
            tick=Fraction(1, 100),
            point_value=Decimal(1000),
            currency="EUR",
            quoting=Quoting.DECIMAL,
            last_trade=LastTrade.TWO_DAYS_BEFORE_THE_TENTH,
        ),
    )
}
"""Every product by its code."""

BY_BLOOMBERG: Final[Mapping[str, Product]] = {
    product.bloomberg: product for product in PRODUCTS.values()
}
"""Every product by Bloomberg's root."""
