"""Files that wait in the queue when the AWS stand-in is killed are ingested all the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.datasets import FEEDS
from trade_assets.local.dynalite import start_dynalite
from trade_assets.local.ministack import start_ministack
from trade_assets.local.programs import aws_port
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.provision import provision
from trade_assets_tests.defs.feeds.test_bucket_sensor import Ticker
from trade_assets_tests.support.parts import LocalParts, dynalite_folder, ministack_python

pytestmark = pytest.mark.integration


@pytest.fixture
def on_disk(local_parts: LocalParts, tmp_path: Path) -> Iterator[Settings]:
    """Settings whose tables are on disk, and whose stand-in nobody has started yet."""
    with start_dynalite(dynalite_folder(), tmp_path / "dynamodb") as dynamodb:
        yield local_parts.settings(
            tmp_path / "home",
            aws_endpoint_url=f"http://{LOOPBACK}:{free_port()}",
            aws_endpoint_url_dynamodb=f"http://{LOOPBACK}:{dynamodb.port}",
            missed_after_seconds=0.001,
        )


def _put(ticker: Ticker, first: int, count: int) -> list[str]:
    """Spot-risk files, and a version of the day's trade ledger under its one key."""
    now = datetime.now(UTC)
    written = [now - timedelta(seconds=at) for at in range(first, first + count)]
    named = [(FEEDS["actant/spot_risk"], *spot_risk_file(3, at, rows=80)) for at in written]
    named.append((FEEDS["tt/fills"], *ledger_file(3, now, trades_per_hour=20.0 + first)))
    keys = []
    for feed, name, data in named:
        key = feed_file_key(feed, name, now)
        ticker.stores.objects.put(key, data)
        keys.append(key)
    return keys


def test_what_waits_is_owed_and_found(on_disk: Settings, tmp_path: Path) -> None:
    folder, port = tmp_path / "ministack", aws_port(on_disk)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        with start_ministack(ministack_python(), folder, port) as part:
            before = provision(on_disk)
            ticker = Ticker(on_disk, instance)
            stored = _put(ticker, 0, 2)
            ticker.execute(ticker.tick())
            waiting = _put(ticker, 2, 5)
            assert ticker.stores.queue.depth().waiting
            part.process.kill()
            part.process.wait()
        with start_ministack(ministack_python(), folder, port):
            after = provision(on_disk)
            assert after.generation == before.generation
            assert ticker.stores.queue.depth().waiting < len(waiting)  # but S3's test event
            ticker.execute(ticker.tick())
            for key in (*stored, *waiting):
                info = ticker.stores.objects.head(key)
                assert info is not None
                version = (key, info.etag)
                assert ticker.stores.ledger.known([version]) == {version: FileState.STORED}
            ticker.stores.close()
