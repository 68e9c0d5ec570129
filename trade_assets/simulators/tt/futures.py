"""The futures that the simulator knows, and how TT describes them (TT_API.md, the sample of
`ttpds`). No prices belong here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from trade_assets.market.calendar import QUARTERLY_MONTHS
from trade_assets.market.contracts import MONTH_NAMES, Contract, contract
from trade_assets.market.products import Product
from trade_assets.simulators.desk.option_chain import front_month
from trade_assets.simulators.tt.ids import big_number, short_number

CODES: Final = ("ZN", "ZB", "ZF", "ZT", "UB", "TN")
"""Products with futures here."""

CME: Final = 7
MARKETS: Final[Mapping[int, str]] = {CME: "CME", 183: "CME_Delayed"}
FUTURE_TYPE: Final = 34

_KNOWN_YEARS: Final = range(2020, 2045)

# Ids of the vendor's own, from the sample.
_SAMPLE_PRODUCTS: Final = {"ZN": "16143309052651006928"}
_SAMPLE_FAMILIES: Final = {"ZN": "11555651545526830408"}
_SAMPLE_INSTRUMENTS: Final = {"ZNM25": "4877721789746411490"}
_SAMPLE_SECURITIES: Final = {"ZNM25": "42002725"}


@dataclass(frozen=True, slots=True)
class Future:
    """One future.

    Attributes:
        id: TT's number for it, which may overflow int64.
        tick: smallest move, in points.
    """

    contract: Contract
    id: str
    tick: float

    @property
    def product(self) -> Product:
        """What it is a future of."""
        return self.contract.product

    @property
    def code(self) -> str:
        """The product's code."""
        return self.contract.product.code


@lru_cache(maxsize=2048)
def future(code: str, year: int, month: int) -> Future:
    """The future of a product and a quarterly month.

    Raises:
        SymbolError: there is none.
    """
    found = contract(code, None, year, month)
    number = _SAMPLE_INSTRUMENTS.get(found.code) or big_number("instrument", found.code)
    return Future(found, number, float(found.product.tick))


@lru_cache(maxsize=64)
def listed(day: date) -> tuple[Future, ...]:
    """Front and next future of every product on a trading day."""
    year, month = front_month(day)
    following = (year, month + 3) if month < 12 else (year + 1, 3)
    return tuple(future(code, *when) for code in CODES for when in ((year, month), following))


@lru_cache(maxsize=1)
def _by_id() -> Mapping[str, Future]:
    known = (
        future(code, year, month)
        for code in CODES
        for year in _KNOWN_YEARS
        for month in QUARTERLY_MONTHS
    )
    return {item.id: item for item in known}


def future_of_id(number: str) -> Future | None:
    """The future with TT's number; None if there is none."""
    return _by_id().get(number)


def product_id(code: str) -> str:
    """TT's number for a product; it overflows int64."""
    return _SAMPLE_PRODUCTS.get(code) or big_number("product", code, overflows=True)


def family_id(code: str) -> str:
    """TT's number for a product's family."""
    return _SAMPLE_FAMILIES.get(code) or big_number("family", code, overflows=True)


def product_rows(market_id: int) -> list[dict[str, Any]]:
    """The products of a market, as `ttpds/products` lists them."""
    if market_id != CME:
        return []
    return [
        {
            "id": product_id(code),
            "marketId": CME,
            "name": code,
            "productFamilyId": family_id(code),
            "productTypeId": FUTURE_TYPE,
            "symbol": code,
        }
        for code in CODES
    ]


def code_of_product_id(number: str) -> str | None:
    """The product with TT's number; None if there is none."""
    return next((code for code in CODES if product_id(code) == number), None)


def instrument_row(item: Future) -> dict[str, Any]:
    """An instrument as `ttpds/instrument` describes it."""
    found, code = item.contract, item.code
    year = found.year % 100
    term = f"{MONTH_NAMES[found.month - 1].title()}{year:02}"
    last_trade = int(f"{found.expiry:%Y%m%d}")
    return {
        "alias": f"{code} {term}",
        "displayFactor": 1.0,
        "displayType": 17,
        "expirationDate": last_trade * 1_000_000 + 235_959,
        "id": item.id,
        "lastTradeDate": last_trade,
        "marketDepth": 10,
        "marketId": CME,
        "metadata": f'{{"cdd":"{found.year}{found.month:02}0000000"}}',
        "name": f"{code}{found.letter}{year % 10}",
        "pointValue": float(found.product.point_value),
        "productFamilyId": family_id(code),
        "productId": product_id(code),
        "productSymbol": code,
        "productTypeId": FUTURE_TYPE,
        "ricCode": f"{found.product.bloomberg}{found.letter}{year:02}",
        "roundLotQty": 1,
        "securityExchange": 1,
        "securityId": _SAMPLE_SECURITIES.get(found.code) or short_number("security", found.code),
        "seriesTermId": 4,
        "term": term,
        "tickSize": item.tick,
        "tickValue": float(found.product.tick * int(found.product.point_value)),
    }
