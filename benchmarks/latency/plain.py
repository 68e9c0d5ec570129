"""What anybody would write without this platform: rows of a spot-risk file, plainly into Redis.

The raw loop and the stock pipeline share it: no guard, no set of keys, one marker for the reader.
"""

import orjson
import polars as pl
import redis

from benchmarks.latency.observe import UPDATES_KEY
from trade_assets.datasets.dataset import to_records
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.stores.serialise import iso_text


def read_records(data: bytes, key: str) -> pl.DataFrame:
    """Parse a file with the platform's own parser: parsers are compared elsewhere."""
    return to_records(SPOT_RISK, SPOT_RISK.parse(data, key.rsplit("/", 1)[-1]), key)


def write_records(client: "redis.Redis", records: pl.DataFrame) -> None:
    """One SET a row and an entry in the update stream, in one round trip."""
    with client.pipeline(transaction=False) as pipe:
        for row in records.iter_rows(named=True):
            pipe.set(f"latest:{SPOT_RISK.path}:{row[RECORD_KEY]}", orjson.dumps(row))
        event_time, file_key = records.select(EVENT_TIME, FILE_KEY).row(-1)
        pipe.xadd(UPDATES_KEY, {"event_time": iso_text(event_time), "file_key": file_key})
        pipe.execute()
