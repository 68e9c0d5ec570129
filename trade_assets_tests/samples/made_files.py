"""All samples: what the simulators write at a fixed time with a fixed seed, and what is by hand."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.eod_file import eod_file
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.pnl_grid_file import pnl_grid_file
from trade_assets.simulators.desk.settlement_files import (
    futures_settlement_file,
    options_settlement_file,
)
from trade_assets.simulators.desk.sod_file import start_of_day_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.simulators.desk.vtexp_file import vtexp_file
from trade_assets.simulators.tt.account import Market
from trade_assets.simulators.tt.simulator_options import SimulatorOptions
from trade_assets_tests.samples.hand_made import hand_made

SAMPLES: Final = Path(__file__).parent
SEED: Final = 11
AT: Final = datetime(2025, 7, 17, 10, 15, 2, tzinfo=CENTRAL)
CLOSE: Final = datetime(2025, 7, 17, 16, tzinfo=CENTRAL)
TRADES_PER_HOUR: Final = 4.0
POINTS_KEPT: Final = 6
"""Every so many points of a simulated end-of-day file are in its sample: a whole one is 200 KB."""


def made_files() -> dict[str, bytes]:
    """Every sample by its path below `SAMPLES`."""
    return {
        **_in("actant", *_actant()),
        **_in("ledger", ledger_file(SEED, AT, TRADES_PER_HOUR)),
        **_in("settlement", *(write(SEED, CLOSE) for write in _SETTLEMENTS)),
        **_in("tt", *_tt()),
        **hand_made(),
    }


_SETTLEMENTS: Final = (futures_settlement_file, options_settlement_file)


def _actant() -> list[tuple[str, bytes]]:
    narrow = AT.replace(second=9)
    return [
        spot_risk_file(SEED, AT, rows=80),
        spot_risk_file(SEED, narrow, rows=80, wide=False),
        vtexp_file(AT),
        start_of_day_file(SEED, AT, 80),
        pnl_grid_file(SEED, AT),
        _thinned(*eod_file(SEED, CLOSE, expiries=2)),
    ]


def _thinned(name: str, data: bytes) -> tuple[str, bytes]:
    """An end-of-day file with a part of its points."""
    totals = json.loads(data)["totals"]
    for total in totals:
        total["points"] = total["points"][::POINTS_KEPT]
    return name, json.dumps({"totals": totals}, indent=4).encode() + b"\n"


def _tt() -> list[tuple[str, bytes]]:
    """Answers of the simulated account, a page each."""
    at_ns = int(AT.timestamp()) * 1_000_000_000
    market = Market(SimulatorOptions(seed=SEED, orders=8), lambda: at_ns)
    rows: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "simulated_orders.json": ("orders", market.orders(at_ns)),
        "simulated_fills.json": ("fills", market.fills(None, at_ns, 20)),
        "simulated_position.json": ("positions", market.positions(at_ns)),
    }
    return [
        (file_name, json.dumps({"lastPage": "true", name: found, "status": "Ok"}).encode() + b"\n")
        for file_name, (name, found) in rows.items()
    ]


def _in(folder: str, *files: tuple[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": data for name, data in files}
