"""A bucket with a past: files of the last hours that are in the ledger, and a few that are not."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.figures import BenchmarkError
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.settings import Settings
from trade_assets.simulators.desk.simulated_market import central, trading_day
from trade_assets.stores.aws import s3_client
from trade_assets.stores.dynamodb.ledger import FileState, LedgerEntry
from trade_assets.stores.provision import provision

PUTTERS: Final = 4
BODY: Final = b"Key,BID,ASK,STRIKE,ITYPE\n"
"""A listing shows names and sizes; what is in the files does not matter to it."""
_LEDGER_BATCH: Final = 5_000


def fill_bucket(settings: Settings, stores: IngestStores, count: int, newest_at: datetime) -> None:
    """Provision, and put `count` files, one a second up to `newest_at`, noted as stored.

    The bucket announces nothing: what the sensor is for are files without a notification.

    Raises:
        BenchmarkError: the bucket does not hold as many afterwards.
    """
    provision(settings)
    s3_client(settings).put_bucket_notification_configuration(
        Bucket=settings.bucket, NotificationConfiguration={}
    )
    keys = list(dict.fromkeys(_old_keys(newest_at, count)))[:count]
    etags = _put_all(stores, keys)
    now = datetime.now(UTC)
    lines = [
        LedgerEntry(key, etag, FileState.STORED, 1, 1, 0, now, now)
        for key, etag in zip(keys, etags, strict=True)
    ]
    for at in range(0, count, _LEDGER_BATCH):
        stores.ledger.record(lines[at : at + _LEDGER_BATCH])
    held = sum(1 for _ in stores.objects.list_after("feeds/"))
    if held != count:
        raise BenchmarkError(f"the bucket holds {held} objects, not {count}")


def put_unannounced(stores: IngestStores, count: int, first_at: datetime) -> list[str]:
    """Put `count` files behind all others, which no notification and no ledger knows."""
    keys = [_spot_risk_key(first_at + timedelta(seconds=number)) for number in range(count)]
    _put_all(stores, keys)
    return keys


def _old_keys(newest_at: datetime, count: int) -> Iterator[str]:
    """A spot-risk file every second, and the trade ledger, one key an hour; newest first."""
    for ago in range(count):
        at = newest_at - timedelta(seconds=ago)
        yield feed_file_key(FILLS, f"trades_{trading_day(at):%Y%m%d}.csv", at)
        yield _spot_risk_key(at)


def _spot_risk_key(at: datetime) -> str:
    return feed_file_key(SPOT_RISK, f"bav_analysis_{central(at):%Y%m%d_%H%M%S}.csv", at)


def _put_all(stores: IngestStores, keys: Sequence[str]) -> list[str]:
    with ThreadPoolExecutor(PUTTERS) as pool:
        return list(pool.map(lambda key: stores.objects.put(key, BODY), keys))
