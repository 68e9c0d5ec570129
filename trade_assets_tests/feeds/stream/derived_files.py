"""Files that data sets are derived from, made to order: option chains, times to expiry, starts of
day; and who looks at the inputs. Ledgers are in `stores.samples`."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed, to_records
from trade_assets.datasets.keys import feed_file_key, parse_feed_key
from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.stores.retrying import Retries, retried
from trade_assets_tests.stores.samples import HOUR, SPOT, SPOT_HEADER, spot_name
from trade_assets_tests.support.stores import Stores

VTEXP = FEEDS["actant/vtexp"]
SOD = FEEDS["actant/sod"]

FUTURE = "XCME.ZN.SEP25"
CALLS = [f"XCME.VY3.21JUL25.{strike}.C" for strike in ("110:5", "111", "111:5")]
SERIES = "XCME.ZN.N.G.21JUL25"
"""What the desk's times to expiry call the series of `CALLS`."""

SEPTEMBER = {"ZN": "2025-09-19", "ZF": "2025-09-30"}
"""When the September futures of some products expire."""

SOD_HEADER = (
    "ACCOUNT,UNDERLYING,ASSET,RUN_DATE,PRODUCT_CODE,LONG_SHORT,PUT_CALL,STRIKE_PRICE,QUANTITY,"
    "EXPIRE_DATE,LOT_SIZE,PRICE_TODAY,IS_AMERICAN\n"
)


def chain_bytes(
    future: float | None = 110.5, bid: float = 0.25, calls: list[str] | None = None
) -> bytes:
    """A spot-risk file of calls, all of one bid and an ask of a 64th more, behind their future
    (None: it is not in this file)."""
    rows = [] if future is None else [f"{FUTURE},{future},{future + 1 / 64},INVALID,F,{future},,,"]
    for call in CALLS if calls is None else calls:
        strike = call.split(".")[3].replace(":5", ".5")
        rows.append(f"{call},{bid},{bid + 1 / 64},{strike},C,{bid},,,")
    return (SPOT_HEADER + "\n".join(rows) + "\n").encode()


def chunk_key(seconds: int, number: int) -> str:
    """Key of a piece of the spot-risk file of `spot_name(seconds)`."""
    name = spot_name(seconds).replace(".csv", f"_chunk_{number:02}_of_16.csv")
    return feed_file_key(SPOT, name, HOUR)


def times_key(minutes: int, hour: datetime = HOUR) -> str:
    """Key of the times to expiry of 14:33 Central (as `spot_key(0)`) and some minutes."""
    moment = datetime(2025, 7, 17, 14, 33) + timedelta(minutes=minutes)
    return feed_file_key(VTEXP, f"vtexp_{moment:%Y%m%d_%H%M%S}.csv", hour)


def times_bytes(days: float) -> bytes:
    """A file that gives the series of `CALLS` so many business days."""
    return f"symbol,vtexp\n{SERIES},{days}\n".encode()


def sod_key(hour: datetime = HOUR) -> str:
    """Key of the start-of-day file."""
    return feed_file_key(SOD, "actant.csv", hour)


def sod_bytes(quantity: int, price: float, day: str = "2025-07-17", product: str = "ZN") -> bytes:
    """A start-of-day file of one long position in a September future."""
    expiry = SEPTEMBER[product]
    row = f"ACCT1,{product},{product},{day},FUTURE,L,,,{quantity},{expiry},1000,{price},\n"
    return (SOD_HEADER + row).encode()


def records_of(key: str, data: bytes) -> pl.DataFrame:
    """The records of a file under its key; no row of it is rejected."""
    feed_key = parse_feed_key(key)
    parsed = feed_key.feed.parse(data, feed_key.file_name)
    assert parsed.rejected == ()
    return to_records(feed_key.feed, parsed, key)


def keep(stores: Stores, key: str, data: bytes) -> pl.DataFrame:
    """Write a file's records into both stores, as if it had been ingested; returns them."""
    feed: Feed = parse_feed_key(key).feed
    records = records_of(key, data)
    stated = {key: parse_feed_key(key).hour}
    stores.latest.write(feed, records, stated)
    stores.history.write(feed, records, stated)
    return records


class Asked:
    """Records as of a time, with a note of who was asked for; away for the first calls."""

    def __init__(self, stores: Stores, failures: int = 0) -> None:
        self.keys: dict[str, list[str]] = {}
        self.left = failures
        self._as_of = stores.as_of
        self._retries = stores.connections.redis_retries

    @property
    def retries(self) -> Retries:
        """Those of the stores."""
        return self._retries

    @retried
    def records(
        self, dataset: Dataset, record_keys: Iterable[str], first: datetime, last: datetime
    ) -> pl.DataFrame:
        """What is there, once the failures are over."""
        if self.left:
            self.left -= 1
            raise StoreUnavailableError("away, as asked")
        asked = list(record_keys)
        self.keys.setdefault(dataset.path, []).extend(asked)
        return self._as_of.records(dataset, asked, first, last)


def watched(stores: Stores, failures: int = 0) -> Asked:
    """Put an `Asked` before the stores' own look into the past."""
    asked = Asked(stores, failures)
    stores.as_of = asked  # type: ignore[assignment]
    return asked
