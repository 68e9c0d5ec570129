"""The simulated times to expiry, `vtexp_YYYYMMDD_HHMMSS.csv`: business days, in whole minutes."""

import math
from datetime import datetime
from typing import Final

from trade_assets.market.instrument import contract_instrument
from trade_assets.market.symbols import SymbolNotation, format_symbol
from trade_assets.simulators.desk.option_chain import open_expiries
from trade_assets.simulators.desk.simulated_market import central

HEADER: Final = "symbol,vtexp"

_EXPIRIES: Final = 10
_MINUTES: Final = 24 * 60


def vtexp_file(at: datetime) -> tuple[str, bytes]:
    """Name and content of the file that the desk writes in the second of `at` (aware)."""
    at = at.replace(microsecond=0)
    rows = [
        f"{format_symbol(contract_instrument(series), SymbolNotation.ACTANT_TIME)},{_minutes(days)}"
        for series, days in open_expiries(at, _EXPIRIES)
    ]
    return f"vtexp_{central(at):%Y%m%d_%H%M%S}.csv", "\n".join([HEADER, *rows, ""]).encode()


def _minutes(days: float) -> str:
    return f"{math.floor(days * _MINUTES) / _MINUTES:.6f}"
