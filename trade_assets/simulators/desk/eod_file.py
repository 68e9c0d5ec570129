"""The simulated end-of-day scenarios, `GE_XCME.ZN_YYYYMMDD_HHMMSS.json`: some 50 metrics of the
underlying, of all but the first expiry, and of each expiry, under shocks of the future's price.

What Actant means by some of its names is not published: those figures are of the right kind and
size, and no more. Every value is a text with two decimals, and some are not there at some points.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np

from trade_assets.feeds.derived.bachelier import CALL, PUT, FloatArray
from trade_assets.feeds.derived.greeks import TRADING_DAYS_PER_YEAR
from trade_assets.feeds.formats.scenario_files import WITHOUT_FIRST
from trade_assets.simulators.desk.opening_book import FUTURE_POSITION
from trade_assets.simulators.desk.option_chain import (
    STRIKE_STEP,
    UNDERLYING,
    money_strike,
    open_expiries,
)
from trade_assets.simulators.desk.pricing import (
    day_volatilities,
    option_greeks,
    option_prices,
    smile,
)
from trade_assets.simulators.desk.scenarios import (
    POINTS_PER_BASIS_POINT,
    SHOCKS,
    scenario_file_name,
    scope,
)
from trade_assets.simulators.desk.simulated_market import (
    POINT_USD,
    SCENARIOS,
    future_mid,
    random_stream,
)

EXPIRIES: Final = 13

_PERCENTS: Final = np.arange(-10, 11)
_STRIKES: Final = np.arange(-2, 3) * STRIKE_STEP  # about the money, of each expiry
_MOST_CONTRACTS: Final = 200
_WINGS: Final[Mapping[str, float]] = {
    "Down2SDVol": -2.0,
    "Down1SDVol": -1.0,
    "DownHalfSDVol": -0.5,
    "UpHalfSDVol": 0.5,
    "Up1SDVol": 1.0,
    "Up2SDVol": 2.0,
}
"""Metrics of volatility so many standard deviations from the money."""

_SKEW: Final = -0.01  # of volatility, by standard deviation
_MODELS: Final[Mapping[str, float]] = {"ab": 1.0, "bs": 1.0004, "pa": 0.97}
"""Actant's models: by the prefix of their metrics, what becomes of a figure."""

_ABSENT_SHARE: Final = 0.1
_OFTEN_ABSENT: Final = ("Down", "Up", "bs_", "pa_")


@lru_cache(maxsize=2)
def eod_file(seed: int, close: datetime, expiries: int = EXPIRIES) -> tuple[str, bytes]:
    """Name and content of the file of a close (aware), with so many expiries (at least 2)."""
    future = future_mid(seed, close)
    coming = open_expiries(close, expiries)
    shocked = np.concatenate([future * (1 + _PERCENTS / 100), future + SHOCKS])
    days = np.array([days for _, days in coming])[:, None]
    stream = random_stream(seed, SCENARIOS, int(close.timestamp()))
    metrics = _metrics(_sums(future, shocked, days, stream), shocked, days)
    scopes = [UNDERLYING, WITHOUT_FIRST, *(scope(series) for series, _ in coming)]
    names = sorted(metrics)
    values = np.stack([metrics[name] for name in names], axis=-1)
    often_absent = np.array([name.startswith(_OFTEN_ABSENT) for name in names])
    absent = often_absent & (stream.random(values.shape) < _ABSENT_SHARE)
    totals = [
        {"header": header, "points": list(_points(names, rows.tolist(), gone.tolist()))}
        for header, rows, gone in zip(scopes, values, absent, strict=True)
    ]
    text = json.dumps({"totals": totals}, indent=4)
    return scenario_file_name(close, "json"), f"{text}\n".encode()


def _points(
    names: list[str], values: list[list[float]], absent: list[list[bool]]
) -> Iterator[dict[str, object]]:
    """The points of a scope: relative shocks, then absolute ones."""
    headers = [*(f"{percent}%" for percent in _PERCENTS), *(f"{shock:g}" for shock in SHOCKS)]
    for header, row, gone in zip(headers, values, absent, strict=True):
        cells = zip(names, row, gone, strict=True)
        yield {
            "header": header,
            "values": {name: f"{value:.2f}" for name, value, is_gone in cells if not is_gone},
        }


def _sums(
    future: float, shocked: FloatArray, days: FloatArray, stream: np.random.Generator
) -> dict[str, FloatArray]:
    """Figures of the positions, in USD and contracts, by scope (rows) and shock (columns)."""
    strikes = money_strike(future) + np.concatenate([_STRIKES, _STRIKES])[:, None, None]
    rights = np.repeat([CALL, PUT], len(_STRIKES))[:, None, None]
    held = stream.integers(-_MOST_CONTRACTS, _MOST_CONTRACTS, (len(strikes), len(days), 1))
    option = shocked, strikes, days, rights
    prices, greeks = option_prices(*option), option_greeks(*option)
    vega = greeks.vega * POINTS_PER_BASIS_POINT
    per_contract = {
        "value": prices * POINT_USD,
        "time_value": (prices - np.maximum(rights * (shocked - strikes), 0)) * POINT_USD,
        "option_delta": greeks.delta,
        "gamma": greeks.gamma,
        "theta": greeks.theta / TRADING_DAYS_PER_YEAR * POINT_USD,
        "vega": vega * POINT_USD,
        "weighted_vega": vega / np.sqrt(days) * POINT_USD,
        "contracts": np.ones_like(prices),
    }
    by_expiry = {name: (held * figure).sum(axis=0) for name, figure in per_contract.items()}
    sums = {name: _with_totals(figure) for name, figure in by_expiry.items()}
    futures = np.zeros((len(days) + 2, 1))
    futures[:2] = FUTURE_POSITION
    sums["delta"] = sums["option_delta"] + futures
    sums["value"] += futures * shocked * POINT_USD
    return sums


def _with_totals(by_expiry: FloatArray) -> FloatArray:
    """Figures by expiry below those of all, and of all but the first."""
    total = by_expiry.sum(axis=0)
    return np.vstack([total, total - by_expiry[0], by_expiry])


def _metrics(
    sums: Mapping[str, FloatArray], shocked: FloatArray, days: FloatArray
) -> dict[str, FloatArray]:
    """Actant's metrics by name; arrays as in `sums`."""
    volatility = day_volatilities(shocked, shocked, days) / POINTS_PER_BASIS_POINT
    # A total shows the volatility of its first expiry.
    volatility = np.vstack([volatility[0], volatility[1], volatility])
    no_shock = len(_PERCENTS) + len(SHOCKS) // 2
    position = {
        "Delta": sums["delta"],
        "Epsilon": sums["option_delta"],
        "Gamma": sums["gamma"],
        "Th PnL": sums["value"] - sums["value"][:, [no_shock]],
        "Theta": sums["theta"],
        "Vega": sums["vega"],
    }
    dv01 = POINTS_PER_BASIS_POINT * POINT_USD
    scaled = {
        "sDelta": sums["delta"] * dv01,
        "sGamma": sums["gamma"] * dv01 * POINTS_PER_BASIS_POINT,
        "sOEV": sums["time_value"] / dv01,
    }
    by_model = {
        **position,
        "sDeltaPath": scaled["sDelta"],
        "sGammaPath": scaled["sGamma"],
        "sOEV": scaled["sOEV"],
    }
    return {
        **position,
        **scaled,
        "sTheta": sums["theta"] / dv01,
        "sVega": sums["vega"] / dv01,
        "ATMVol": volatility,
        **{
            name: volatility * smile(np.asarray(away)) * (1 + _SKEW * away)
            for name, away in _WINGS.items()
        },
        "Notional": sums["contracts"] * shocked * POINT_USD,
        "OEV": sums["time_value"],
        "SimUPrice": np.broadcast_to(shocked, volatility.shape),
        "WVega": sums["weighted_vega"],
        "Zeta": sums["vega"] * volatility,
        **{
            f"{model}_{name}": figure * factor
            for model, factor in _MODELS.items()
            for name, figure in by_model.items()
        },
    }
