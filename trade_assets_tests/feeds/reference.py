"""A second, plain reader of the desk's files, written against FORMATS.md alone, that the tests
compare the parsers with. One loop, one row at a time, `Decimal` for numbers, `zoneinfo` for times.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

DATA = Path(__file__).parents[3] / "shared" / "data"
CENTRAL = ZoneInfo("America/Chicago")

RISK_COLUMNS = {
    "BID": "bid_price",
    "ASK": "ask_price",
    "STRIKE": "strike_price",
    "ADJTHEOR": "theoretical_price",
    "IVBID": "bid_volatility",
    "IVASK": "ask_volatility",
    "IVAVERAGE": "average_volatility",
    "POS.POSITION": "position_quantity",
    "POS.STARTOFDAYPOS": "start_of_day_quantity",
    "POS.PREMIUM": "position_premium_usd",
    "POS.PRICE": "position_price",
    "POS.MARKETVALUE": "position_market_value_usd",
    "UTOTAL.PREMIUM": "underlying_premium_usd",
    "UTOTAL.YESTERDAYPL": "underlying_yesterday_pnl_usd",
}


def data_lines(data: bytes, type_row: str | None) -> dict[int, str]:
    """The data lines of a file by line number."""
    text = data.decode("utf-8", errors="replace")
    text = text[1:] if text.startswith("\ufeff") else text
    lines = {at: line.rstrip("\r") for at, line in enumerate(text.split("\n"), 1)}
    filled = [at for at, line in lines.items() if line.strip()]
    first = 1
    if type_row and len(filled) > 1 and lines[filled[1]].startswith(type_row):
        first = 2
    return {at: lines[at] for at in filled[first:]}


def header(data: bytes) -> list[str]:
    """Column names of a file."""
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    line = next(line for line in text.split("\n") if line.strip())
    return [name.strip() for name in line.rstrip("\r").rstrip(", ").split(",")]


def fields(names: list[str], line: str) -> dict[str, str]:
    """The fields of a line by column name."""
    return dict(zip(names, line.split(","), strict=False))


def number(text: str) -> float | None:
    """The value of a number's text; None where it is missing."""
    if text in ("", "INVALID"):
        return None
    return float(Decimal(text))


def risk_values(row: Mapping[str, str]) -> dict[str, object]:
    """The feed's columns of a spot-risk row."""
    values: dict[str, object] = {"record_key": row["Key"], "instrument_type": row["ITYPE"]}
    for name, standard_name in RISK_COLUMNS.items():
        value = number(row.get(name, ""))
        is_price = name in ("BID", "ASK", "POS.PRICE")
        values[standard_name] = 0.007 if is_price and value == 0.0069999 else value
    return values


def fill_values(row: Mapping[str, str]) -> dict[str, object]:
    """The feed's columns of a ledger row."""
    local = datetime.fromisoformat(row["marketTradeTime"])
    price = Decimal(row["price"])
    kind = "exercise" if price == 0 else "fill"
    return {
        "record_key": row["tradeId"],
        "event_time": local.replace(tzinfo=CENTRAL, fold=0).astimezone(UTC),
        "instrument": row["instrumentName"],
        "side": {"B": "buy", "S": "sell"}[row["buySell"]],
        "quantity": float(Decimal(row["quantity"])),
        "price": 0.007 if price == Decimal("0.0069999") else float(price),
        "kind": "start_of_day"
        if (local - datetime.combine(local, datetime.min.time())).total_seconds() == 0
        else kind,
        "trading_date": trading_date(local),
    }


def trading_date(local: datetime) -> date:
    """The ledger day of a Central time."""
    return local.date() + timedelta(days=local.hour >= 17)


def real_files(folder: str, pattern: str) -> Iterator[Path]:
    """Real files of the desk, where this machine has them."""
    return iter(sorted((DATA / folder).glob(pattern)))
