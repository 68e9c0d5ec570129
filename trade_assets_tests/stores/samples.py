"""Small feed files and records, made to order, and what the stores hold, as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import redis

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.datasets import FEEDS
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client

SPOT = FEEDS["actant/spot_risk"]
FILLS = FEEDS["tt/fills"]

HOUR = datetime(2025, 7, 17, 19, tzinfo=UTC)
"""A landing hour: that of the first files of a test."""

SPOT_HEADER = (
    "Key,BID,ASK,STRIKE,ITYPE,ADJTHEOR,IVBID,IVASK,IVAVERAGE\n"
    "Type,VAR_PRICE,VAR_PRICE,VAR_PRICE,VAR_STRING,VAR_PRICE,VAR_FLOAT,VAR_FLOAT,VAR_FLOAT\n"
)
FILLS_HEADER = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price\n"
LEDGER_NAME = "trades_20250717.csv"


def spot_name(seconds: int) -> str:
    """Name of the spot-risk file of 14:33:00 Central (19:33 UTC) and some seconds."""
    moment = datetime(2025, 7, 17, 14, 33) + timedelta(seconds=seconds)
    return f"bav_analysis_{moment:%Y%m%d_%H%M%S}.csv"


def spot_key(seconds: int, hour: datetime = HOUR) -> str:
    """Key of the file `spot_name(seconds)`, landed in `hour`."""
    return feed_file_key(SPOT, spot_name(seconds), hour)


def spot_bytes(bids: Mapping[str, float], *broken: str) -> bytes:
    """A spot-risk file of futures with these bids, each with an ask of a 64th more.

    `broken` lines follow as they are.
    """
    rows = [f"{key},{bid},{bid + 1 / 64},INVALID,F,{bid},,," for key, bid in bids.items()]
    return (SPOT_HEADER + "\n".join([*rows, *broken]) + "\n").encode()


def ledger_key(hour: datetime = HOUR) -> str:
    """Key of the trade ledger of the day, landed in `hour`."""
    return feed_file_key(FILLS, LEDGER_NAME, hour)


def ledger_bytes(prices: Sequence[float], *broken: str) -> bytes:
    """A trade ledger: trade 1, 2, … of one second each at these prices; then broken lines."""
    rows = [
        f"{number},XCMEFFDPSX20250919U0ZN,2025-07-17 09:{number // 60:02}:{number % 60:02}.500,"
        f"B,1.0,{price}"
        for number, price in enumerate(prices, 1)
    ]
    return (FILLS_HEADER + "\n".join([*rows, *broken]) + "\n").encode()


def records(feed: Feed, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Records with the given columns, the others null; `source`, `feed`, `row` are filled in."""
    filled = [
        {"source": feed.source, "feed": feed.name, "row": number, **row}
        for number, row in enumerate(rows, 2)
    ]
    return pl.DataFrame(filled, schema=dict(feed.record_schema))


def items(settings: Settings, table: str) -> list[dict[str, Any]]:
    """All items of a table in DynamoDB-JSON, in the order of their keys."""
    pages = dynamodb_client(settings).get_paginator("scan").paginate(TableName=table)
    found: list[dict[str, Any]] = [dict(item) for page in pages for item in page["Items"]]
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def history_items(settings: Settings) -> list[dict[str, Any]]:
    """All records and marks of the history table."""
    found = items(settings, settings.history_table)
    return [item for item in found if not item["pk"]["S"].startswith("#")]


def raw_redis(settings: Settings) -> "redis.Redis":
    """A plain client of the tests' Redis, to look and to damage; the caller closes it."""
    return redis.Redis.from_url(settings.stores.redis_url.get_secret_value(), decode_responses=True)


def redis_records(settings: Settings, feed: Dataset) -> dict[str, dict[str, str]]:
    """Every `latest:` hash of a feed by its key, and the set of record keys under `keys`."""
    with raw_redis(settings) as client:
        scope = f"{feed.source}:{feed.name}"
        keys = client.scan_iter(f"latest:{scope}:*", count=1000)
        found = {key: client.hgetall(key) for key in keys}
        found["keys"] = dict.fromkeys(sorted(client.smembers(f"keys:{scope}")), "")
    return found
