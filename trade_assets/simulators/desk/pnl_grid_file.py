"""The simulated PnL grid, `GE_XCME.ZN_YYYYMMDD_HHMMSS.csv`: for every expiry what a straddle at the
money is worth, and how it moves, under shocks of the future's price.

Actant's words: `Path` figures let the volatility follow the smile as the price moves; `DV01` ones
are per basis point of yield.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import numpy as np

from trade_assets.feeds.derived.bachelier import CALL, PUT, FloatArray
from trade_assets.feeds.derived.greeks import TRADING_DAYS_PER_YEAR
from trade_assets.simulators.desk.option_chain import UNDERLYING, money_strike, open_expiries
from trade_assets.simulators.desk.pricing import day_volatilities, option_greeks, option_prices
from trade_assets.simulators.desk.scenarios import (
    POINTS_PER_BASIS_POINT,
    SHOCKS,
    scenario_file_name,
    scope,
)
from trade_assets.simulators.desk.simulated_market import POINT_USD, future_mid

_EXPIRIES: Final = 13
_BUMP: Final = 1 / 64  # points, for derivatives along the smile


def pnl_grid_file(seed: int, at: datetime) -> tuple[str, bytes]:
    """Name and content of the file that the desk writes in the second of `at` (aware)."""
    at = at.replace(microsecond=0)
    future = future_mid(seed, at)
    expiries = open_expiries(at, _EXPIRIES)
    header = ",".join(["Expiration", "Value", "UPrice", *(f"{shock:g}" for shock in SHOCKS)])
    lines = [header]
    # The line of the underlying is that of its nearest expiry, as in the real file.
    scopes = [(UNDERLYING, expiries[0][1]), *((scope(series), days) for series, days in expiries)]
    for name, days in scopes:
        lines += _lines(name, future, days)
    return scenario_file_name(at, "csv"), "\n".join([*lines, ""]).encode()


def _lines(scope: str, future: float, days: float) -> Iterator[str]:
    for metric, values in straddle(future, days).items():
        cells = ",".join(f"{value:.5f}" for value in values.tolist())
        yield f"{scope},{metric},{future:.3f},{cells}"


def straddle(future: float, days: float) -> dict[str, FloatArray]:
    """Metrics of a call and a put at the money under each shock; money in USD, `ab_T` in years."""
    shocked, time, strike = future + SHOCKS, np.asarray(days), np.asarray(money_strike(future))
    option = shocked, strike, time
    down, here, up = (
        option_prices(shocked + bump, strike, time, np.asarray(CALL)) for bump in (-_BUMP, 0, _BUMP)
    )
    delta, gamma = (up - down) / (2 * _BUMP), (up - 2 * here + down) / _BUMP**2
    greeks = option_greeks(*option, np.asarray(CALL))
    dv01 = POINTS_PER_BASIS_POINT * POINT_USD
    return {
        "ab_sDeltaPathCallPct": delta,
        "ab_sDeltaPathPutPct": delta - 1,
        "ab_sDeltaPathDV01Call": delta * dv01,
        "ab_sDeltaPathDV01Put": (delta - 1) * dv01,
        "ab_sGammaPathDV01": gamma * dv01 * POINTS_PER_BASIS_POINT,
        "ab_VegaDV01": greeks.vega * dv01,
        "ab_Theta": -greeks.theta / TRADING_DAYS_PER_YEAR * POINT_USD,
        "ab_F": shocked,
        "ab_K": np.full_like(shocked, strike),
        "ab_T": np.full_like(shocked, days / TRADING_DAYS_PER_YEAR),
        "ab_Vol": day_volatilities(*option) / POINTS_PER_BASIS_POINT,
        "ab_sCall": here * POINT_USD,
        "ab_sPut": option_prices(*option, np.asarray(PUT)) * POINT_USD,
    }
