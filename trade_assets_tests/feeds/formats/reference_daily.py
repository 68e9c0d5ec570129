"""The plain reader of the start-of-day, time-to-expiry and settlement files: see `reference`."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from trade_assets_tests.feeds.formats.reference import CENTRAL, data_lines, fields, header

PRODUCTS = {"ZN": "TY", "ZF": "FV", "ZT": "TU", "ZB": "US", "TN": "UXY", "UB": "WN"}
KNOWN_SOD = (
    *("ACCOUNT", "UNDERLYING", "ASSET", "RUN_DATE", "PRODUCT_CODE", "LONG_SHORT", "PUT_CALL"),
    *("STRIKE_PRICE", "QUANTITY", "EXPIRE_DATE", "LOT_SIZE", "PRICE_TODAY", "IS_AMERICAN"),
)
KNOWN_FUTURES = ("SYMBOL", "PX_LAST", "PX_SETTLE")


def rows_of(data: bytes) -> dict[int, dict[str, str]]:
    """The rows of a file by line number."""
    names = header(data)
    return {at: fields(names, line) for at, line in data_lines(data, None).items()}


def optional(text: str) -> float | None:
    """A number that may be missing."""
    return float(Decimal(text)) if text else None


def thirty_seconds(text: str) -> float:
    """Points of dotted 32nds."""
    points, _, rest = text.lstrip("-").partition(".")
    whole, part = rest[:2].ljust(2, "0"), rest[2:] or "0"
    value = Decimal(points) + (Decimal(whole) + Decimal(f"0.{part}")) / 32
    return float(-value if text.startswith("-") else value)


def ticks(text: str) -> float:
    """Points of TT ticks."""
    points, _, rest = text.lstrip("-").partition("'")
    eighths = {"0": 0, "1": 1, "2": 2, "3": 3, "5": 4, "6": 5, "7": 6, "8": 7}
    value = Decimal(points) + (Decimal(rest[:2]) + Decimal(eighths[rest[2]]) / 8) / 32
    return float(-value if text.startswith("-") else value)


def cabinet(price: float | None) -> float | None:
    """A price, the cabinet price as what it means."""
    return 0.007 if price == 0.0069999 else price


def day(text: str) -> date | None:
    """A date in ISO form or as the United States write it."""
    if not text:
        return None
    if "/" in text:
        month, of_month, year = map(int, text.split("/"))
        return date(year, month, of_month)
    return date.fromisoformat(text)


def vtexp_values(row: Mapping[str, str]) -> dict[str, object]:
    """The columns of a row of times to expiry."""
    return {"record_key": row["symbol"], "days_to_expiry": float(Decimal(row["vtexp"]))}


def bloomberg(text: str) -> str:
    """A price's text; empty where Bloomberg has none."""
    return "" if text == "#N/A" or text.startswith("#N/A ") else text


def futures_values(row: Mapping[str, str]) -> dict[str, object]:
    """The columns of a row of a futures settlement file."""
    read = optional if row["SYMBOL"] == "RX" else thirty_seconds
    last, settle = bloomberg(row["PX_LAST"]), bloomberg(row["PX_SETTLE"])
    product = {root: code for code, root in PRODUCTS.items()} | {"RX": "FGBL"}
    extra = {name: text for name, text in row.items() if name not in KNOWN_FUTURES and text}
    if row["SYMBOL"] not in product:
        extra |= {name: row[name] for name in KNOWN_FUTURES[1:] if row[name]}
        last = settle = ""
    return {
        "record_key": row["SYMBOL"],
        "product": product.get(row["SYMBOL"]),
        "extra": extra,
        "last_price": read(last) if last else None,
        "settlement_price": read(settle) if settle else None,
    }


def options_values(row: Mapping[str, str]) -> dict[str, object]:
    """The columns of a row of an options settlement file."""
    values: dict[str, object] = {
        "record_key": row["SYMBOL"],
        "last_price": cabinet(optional(bloomberg(row["PX_LAST"]))),
        "settlement_price": cabinet(optional(bloomberg(row["PX_SETTLE"]))),
        "moneyness": row.get("MONEYNESS") or None,
    }
    if row.get("EXPIRE_DT"):
        values["expiry"] = day(row["EXPIRE_DT"])
    # `VBYN25C3 110.750 Comdty`, `3MN5C 110.750 Comdty`
    match = re.fullmatch(r"(?:VBY|TJP|TYW|TJW)[A-Z]\d\d([CP])\d (\d+\.\d{3}) Comdty", row["SYMBOL"])
    match = match or re.fullmatch(r"(?:\dM|TY)[A-Z]\d([CP]) (\d+\.\d{3}) Comdty", row["SYMBOL"])
    if match:
        values |= {"put_call": match[1], "strike_price": float(match[2])}
    return values


def sod_values(row: Mapping[str, str]) -> dict[str, object]:
    """The columns of a start-of-day row, but for its key."""
    run_date, quantity = day(row["RUN_DATE"]), float(Decimal(row["QUANTITY"]))
    assert run_date is not None
    price, future = row["PRICE_TODAY"], row["PRODUCT_CODE"] == "FUTURE"
    known = row["UNDERLYING"] in (*PRODUCTS, "FGBL")
    extra = {name: text for name, text in row.items() if name not in KNOWN_SOD and text}
    if future and row.get("STRIKE_PRICE"):
        extra["STRIKE_PRICE"] = row["STRIKE_PRICE"]
    if not known:
        extra["UNDERLYING"] = row["UNDERLYING"]
    return {
        "event_time": datetime.combine(run_date - timedelta(days=1), time(17), CENTRAL).astimezone(
            UTC
        ),
        "trading_date": run_date,
        "account": row["ACCOUNT"],
        "asset": row["ASSET"],
        "product": row["UNDERLYING"] if known else None,
        "product_code": row["PRODUCT_CODE"],
        "expiry": day(row.get("EXPIRE_DATE", "")),
        "strike_price": None if future else optional(row.get("STRIKE_PRICE", "")),
        "put_call": row.get("PUT_CALL") or None,
        "quantity": -abs(quantity) if row["LONG_SHORT"] == "S" else quantity,
        "price": cabinet(ticks(price) if "'" in price else optional(price)),
        "lot_size": optional(row.get("LOT_SIZE", "")),
        "is_american": {"Y": True, "N": False, "": None}[row.get("IS_AMERICAN", "")],
        "extra": extra,
    }


def sod_key(values: Mapping[str, object]) -> str:
    """The instrument's part of a position's key."""
    key = f"{values['account']}:{values['asset']}"
    if values["expiry"]:
        key += f":{values['expiry']}"
    if values["strike_price"]:
        key += f":{values['strike_price']:.15f}".rstrip("0").rstrip(".")
    return f"{key}:{values['put_call']}" if values["put_call"] else key


def sod_lot(row: Mapping[str, str]) -> str:
    """The lot's part of a position's key."""
    quantity, price = row["QUANTITY"], row["PRICE_TODAY"]
    sign = "-" if row["LONG_SHORT"] == "S" else ""
    shown = price if "'" in price or not price else trimmed(price)
    return f"{sign}{trimmed(quantity).lstrip('-')}@{shown}"


def trimmed(text: str) -> str:
    """A decimal number without needless zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def sod_file(data: bytes) -> list[dict[str, object]]:
    """The records of a file without faults and duplicates."""
    seen: defaultdict[str, int] = defaultdict(int)
    records = []
    for at, row in rows_of(data).items():
        values = sod_values(row)
        key = f"{sod_key(values)}#{sod_lot(row)}"
        seen[key] += 1
        number = f"#{seen[key]}" if seen[key] > 1 else ""
        records.append({"row": at, "record_key": key + number, **values})
    return records


def plain(row: Mapping[str, object]) -> dict[str, object]:
    """A record with its `extra` read."""
    extra = row["extra"]
    return {**row, "extra": json.loads(extra) if isinstance(extra, str) else {}}
