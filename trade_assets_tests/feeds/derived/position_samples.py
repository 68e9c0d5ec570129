"""Records of ledgers and of start-of-day files, and a reckoning of them contract by contract."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from trade_assets.datasets.records import COMMON_SCHEMA, EVENT_TIME_TYPE

Record = dict[str, Any]
"""A row of a frame, as polars gives it."""

Entry = tuple[int, Fraction, str]
"""The sign, the price and the record key of one open contract."""

DAY = date(2025, 7, 17)
FOLDER = "feeds/tt/fills/dt=2025-07-17/hh=15/"
FILE = FOLDER + "trades_20250717.csv"
SOD_FILE = "feeds/actant/sod/dt=2025-07-17/hh=11/actant.csv"

FILLS_SCHEMA = {
    "source": pl.String(),
    "feed": pl.String(),
    "file_key": pl.String(),
    "record_key": pl.String(),
    "event_time": EVENT_TIME_TYPE,
    "row": pl.Int64(),
    **COMMON_SCHEMA,
    "instrument": pl.String(),
    "side": pl.String(),
    "quantity": pl.Float64(),
    "price": pl.Float64(),
    "kind": pl.String(),
}
SOD_SCHEMA = {
    "file_key": pl.String(),
    "record_key": pl.String(),
    **COMMON_SCHEMA,
    "account": pl.String(),
    "quantity": pl.Float64(),
    "price": pl.Float64(),
}

ZN_NAME = "XCMEFFDPSX20250919U0ZN"
PRODUCT_OF = {"ZNU5": "ZN", "ZFU5": "ZF", "ZTU5": "ZT", "RXU5": "FGBL", "WAT1": "CORN"}
NAME_OF = {"ZNU5": ZN_NAME, "ZFU5": "XCMEFFDPSX20250930U0ZF"}


def about(instrument_id: str | None, day: date | None) -> Record:
    """The common columns."""
    values: Record = dict.fromkeys(COMMON_SCHEMA)
    values |= {"trading_date": day, "instrument_id": instrument_id}
    if instrument_id:
        values |= {"product": PRODUCT_OF[instrument_id], "expiry": date(2025, 9, 19)}
    return values


def trade(
    side: str,
    quantity: float | str | Decimal,
    price: float | str | Decimal,
    *,
    instrument_id: str | None = "ZNU5",
    name: str | None = None,
    kind: str = "fill",
    day: date = DAY,
    at: float | None = None,
    file_key: str = FILE,
) -> Record:
    """A row of a ledger, without its row number; `at` is its minute of the trading day."""
    return {
        "source": "tt",
        "feed": "fills",
        "file_key": file_key,
        **about(instrument_id, day),
        "instrument": name or NAME_OF.get(str(instrument_id), instrument_id),
        "side": side,
        "quantity": float(quantity),
        "price": float(price),
        "kind": kind,
        "at": at,
    }


def ledger(*trades: Record) -> pl.DataFrame:
    """Records of tt/fills: rows from 2 on, a minute apart, trade ids t1, t2, …"""
    rows = []
    for count, item in enumerate(trades, 1):
        minute = count if item["at"] is None else item["at"]
        opens = datetime.combine(item["trading_date"], datetime.min.time(), UTC)
        values = {name: value for name, value in item.items() if name != "at"}
        values |= {"record_key": f"t{count}", "row": count + 1}
        rows.append(values | {"event_time": opens + timedelta(minutes=minute)})
    return pl.DataFrame(rows, schema=FILLS_SCHEMA)


def held(
    quantity: float | None,
    price: float | None,
    *,
    instrument_id: str | None = "ZNU5",
    day: date | None = DAY,
    key: str = "A1",
) -> Record:
    """A record of actant/sod."""
    own = {"record_key": key, "account": key[:1], "quantity": quantity, "price": price}
    return {"file_key": SOD_FILE, **about(instrument_id, day), **own}


def sod(*rows: Record) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SOD_SCHEMA)


def only(frame: pl.DataFrame) -> Record:
    """The one row of a frame."""
    assert frame.height == 1
    return frame.row(0, named=True)


def picked(row: Record, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def lots(row: Record) -> list[tuple[float, float, str]]:
    return [(quantity, price, key) for quantity, price, key in json.loads(row["lots"])]


def signed(row: Record) -> float:
    quantity: float = row["quantity"]
    return -quantity if row.get("side") == "sell" else quantity


def entries_of(row: Record, fills: pl.DataFrame, opening: pl.DataFrame) -> list[Record]:
    """What a position is made of, in order, by going through every record."""
    mine = [
        item
        for item in fills.sort("event_time", "row").to_dicts()
        if (item["file_key"], item["trading_date"], item["instrument_id"])
        == (row["file_key"], row["trading_date"], row["record_key"])
    ]
    own = [item for item in mine if item["kind"] == "start_of_day"]
    feed = [
        item
        for item in opening.sort("record_key").to_dicts()
        if (item["trading_date"], item["instrument_id"]) == (row["trading_date"], row["record_key"])
    ]
    return (own or feed) + [item for item in mine if item["kind"] != "start_of_day"]


def one_by_one(entries: Iterable[Record]) -> tuple[list[Entry], Fraction]:
    """Open (sign, price, key) contract by contract, and the points realized."""
    contracts: list[Entry] = []
    realized = Fraction(0)
    for entry in entries:
        sign = 1 if signed(entry) > 0 else -1
        for _ in range(round(abs(entry["quantity"]))):
            if contracts and contracts[0][0] != sign:
                was, opened, _ = contracts.pop(0)
                realized += was * (Fraction(entry["price"]) - opened)
            else:
                contracts.append((sign, Fraction(entry["price"]), entry["record_key"]))
    return contracts, realized
