"""A second, plain reader of the desk's files, written against FORMATS.md alone, that the tests
compare the parsers with. One loop, one row at a time, `Decimal` for numbers, `zoneinfo` for times.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from trade_assets.market.calendar import is_business_day
from trade_assets_tests.samples.made_files import SAMPLES

DATA = Path(__file__).parents[4] / "shared" / "data"
"""A desk's real files, which are on some machines."""
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

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
LETTERS = "FGHJKMNQUVXZ"
LAST_DAYS = {"ZNU25": date(2025, 9, 19)}
"""Of futures that a symbol names by their month alone: the day in the ledger's names of them."""
INSTRUMENT_COLUMNS = (
    *("instrument_id", "product", "expiry", "strike_price", "put_call", "underlying_id"),
)


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


def risk_instrument(key: str) -> dict[str, object]:
    """What the key of a spot-risk row stands for: of ZN in the summer of 2025 (September's future
    is the nearest one), without any contract that a holiday moves or that is named by its month."""
    _, root, *rest = key.split(".")
    if not rest:
        return instrument(root, None, None)
    if len(rest) == 1:
        code = f"{root}{LETTERS[MONTHS.index(rest[0][:3])]}{rest[0][3:]}"
        return instrument(code, LAST_DAYS[code], None)
    token, strike, put_call = rest
    day = date(2000 + int(token[5:]), MONTHS.index(token[2:5]) + 1, int(token[:2]))
    return instrument(series(root, day), day, (put_call, strike.replace(":", ".")))


def trades_instrument(name: str) -> dict[str, object]:
    """What the ledger's name of a trade's instrument stands for, under the same limits."""
    match = re.fullmatch(
        r"XCME(?:FFDPSX|O([CP])ADPS)(\d{8})([A-Z])0([A-Z]+)(\d?)(?:/([0-9.]+))?", name
    )
    assert match
    put_call, ymd, letter, root, week, strike = match.groups()
    day = datetime.strptime(ymd, "%Y%m%d").date()
    if put_call is None:
        return instrument(f"{root}{letter}{day:%y}", day, None)
    return instrument(series(root + week, day), day, (put_call, strike))


def series(root: str, day: date) -> str:
    """The series of weekly options of a day."""
    return f"{root}{LETTERS[day.month - 1]}{day:%y}"


def instrument(code: str, expiry: date | None, right: tuple[str, str] | None) -> dict[str, object]:
    """The common columns of an instrument; an option has a right: put or call, and a strike."""
    products = {"VY": "ZN", "GY": "ZN", "WY": "ZN", "HY": "ZN"}
    strike = Decimal(right[1]) if right else None
    values = (
        f"{code}-{right[0]}{strike.normalize():f}" if right and strike else code,
        products.get(code[:2], code[:2]),
        expiry,
        float(strike) if strike else None,
        right[0] if right else None,
        "ZNU25" if right else code,
    )
    return dict(zip(INSTRUMENT_COLUMNS, values, strict=True))


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
    """The trading day of a Central time."""
    day = local.date() + timedelta(days=local.hour >= 17)
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def desk_files(folder: str, pattern: str) -> list[Path]:
    """Files as a desk has them: the samples, and real ones where this machine has them."""
    return sorted((SAMPLES / folder).glob(pattern)) + sorted((DATA / folder).glob(pattern))
