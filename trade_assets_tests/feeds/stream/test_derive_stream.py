"""Deriving while the stream runs: what of a backlog is derived from, and what a failure costs."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import polars as pl
import pytest

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.derivation import DerivedFigures
from trade_assets.feeds.derived.declarations import GREEKS
from trade_assets.feeds.stream import stages as stages_module
from trade_assets.feeds.stream.owed import OwedFiles
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.retrying import Retries, retried
from trade_assets_tests.feeds.stream.derived_files import (
    CALLS,
    FUTURE,
    chain_bytes,
    chunk_key,
    keep,
    times_bytes,
    times_key,
    watched,
)
from trade_assets_tests.feeds.stream.harness import (
    Writes,
    consuming,
    drained,
    expected_state,
    kept,
    send,
    state,
    states,
    stored,
)
from trade_assets_tests.stores.samples import (
    HOUR,
    SPOT,
    history_items,
    redis_records,
    spot_key,
)
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import eventually


def derived_events(settings: Settings) -> set[tuple[str, str]]:
    """(record key, event time) of every Greek in the history table."""
    pk = f"{GREEKS.source}#{GREEKS.name}#"
    return {
        (item["record_key"]["S"], item["event_time"]["S"])
        for item in history_items(settings)
        if item["pk"]["S"].startswith(pk)
    }


def announce_together(settings: Settings, files: Iterable[str]) -> None:
    """One notification of many files: whoever takes it has them all at once."""
    landed = datetime.now(UTC).isoformat()
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "eventTime": landed,
            "s3": {"object": {"key": key, "eTag": ""}},
        }
        for key in files
    ]
    send(settings, orjson.dumps({"Records": records}).decode())


def test_of_a_backlog_the_stream_derives_the_newest_picture_only(
    stores: Stores, quick: Settings
) -> None:
    keep(stores, times_key(0), times_bytes(2.0))
    files = {spot_key(seconds): chain_bytes(109.0 + seconds / 64) for seconds in range(4)}
    for number, call in enumerate(CALLS, 1):
        files[chunk_key(4, number)] = chain_bytes(110.25 if number == 2 else None, calls=[call])
    s3_client(quick).put_bucket_notification_configuration(
        Bucket=quick.bucket, NotificationConfiguration={}
    )
    for key, data in files.items():
        stores.objects.put(key, data)
    announce_together(quick, files)
    reports = StreamReports()
    with consuming(stores, reports=reports):
        drained(stores, *files)
    assert states(quick) == stored(files)
    # Its quote never changed, that of the future did.
    assert len(list(stores.history.read(SPOT, CALLS[0]))) == 1
    newest = (HOUR.replace(minute=33, second=4)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert derived_events(quick) == {(call, newest) for call in CALLS}
    futures = {row["future_price"] for row in stores.latest.read(GREEKS, CALLS)}
    assert futures == {str(110.25 + 1 / 128)}
    (told,) = derived_figures(reports)
    assert (told.rows, told.latest_changed, told.history_puts) == (3, 3, 3)
    assert told.details["solved"] == 3
    assert told.partition == "2025-07-17-19:00"


def derived_figures(reports: StreamReports) -> list[DerivedFigures]:
    """What was reported of derived data sets."""
    return [figures for figures in reports.take() if isinstance(figures, DerivedFigures)]


def test_what_cannot_be_derived_costs_only_itself(
    stores: Stores, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_model(*_: object) -> pl.DataFrame:
        raise ArithmeticError("no model for this")

    broken = replace(GREEKS, name="broken", derive=no_model)
    monkeypatch.setattr(stages_module, "derived_from", lambda _: [broken, GREEKS])
    keep(stores, times_key(0), times_bytes(2.0))
    stores.objects.put(spot_key(1), chain_bytes())
    reports = StreamReports()
    with consuming(stores, reports=reports) as consumer:
        drained(stores, spot_key(1))
        assert consumer.healthy
    assert states(quick) == stored([spot_key(1)])
    assert stores.latest.record_keys(SPOT) == sorted([*CALLS, FUTURE])
    assert len(list(stores.history.read(SPOT, FUTURE))) == 1
    told = {figures.dataset.name: figures for figures in derived_figures(reports)}
    assert told["broken"].failures == ["ArithmeticError: no model for this"]
    assert told["broken"].rows == 0
    assert stores.latest.record_keys(broken) == []
    assert (told["greeks"].failures, told["greeks"].rows) == ([], 3)
    assert stores.latest.record_keys(GREEKS) == CALLS


class AwayForGreeks:
    """A history that is away for the first writes of Greeks, of which it has kept a part."""

    def __init__(self, stores: Stores, failures: int) -> None:
        self.left = failures
        self._stores = stores

    @property
    def retries(self) -> Retries:
        """Those of the stores."""
        return self._stores.connections.redis_retries

    @retried
    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """Writes; at first only a part of the Greeks."""
        if dataset is GREEKS and self.left:
            self.left -= 1
            kept(self._stores).write(dataset, records.head(1))
            raise StoreUnavailableError("away, as asked")
        return kept(self._stores).write(dataset, records, stated)


def test_stores_that_are_away_while_deriving_are_tried_again(
    stores: Stores, quick: Settings, reference: Settings
) -> None:
    files = {spot_key(1): chain_bytes(110.5)}
    keep(stores, times_key(0), times_bytes(2.0))
    stores.objects.put(spot_key(1), files[spot_key(1)])
    asked, away = watched(stores, failures=1), AwayForGreeks(stores, failures=2)
    reports = StreamReports()
    with consuming(stores, history=Writes(away.write), reports=reports) as consumer:
        drained(stores, spot_key(1))
        assert consumer.error is None
    assert (asked.left, away.left) == (0, 0)
    with Stores(reference) as others:
        keep(others, times_key(0), times_bytes(2.0))
    assert expected_state(reference, files) == state(quick)
    assert redis_records(quick, GREEKS) == redis_records(reference, GREEKS)
    assert derived_events(quick) == derived_events(reference)
    assert len(derived_events(quick)) == 3
    (told,) = derived_figures(reports)
    assert (told.failures, told.rows) == ([], 3)


def test_what_cannot_be_derived_for_want_of_a_store_is_owed_and_derived_later(
    stores: Stores, quick: Settings
) -> None:
    keep(stores, times_key(0), times_bytes(2.0))
    stores.objects.put(spot_key(1), chain_bytes())
    with Stores(quick.changed({"store_retry_seconds": 0.2})) as impatient:
        asked = watched(impatient, failures=1000)
        with consuming(impatient) as consumer:
            eventually(OwedFiles(stores.objects).any, what="something owed")
            assert consumer.healthy
            assert states(quick) == {}
            assert stores.latest.record_keys(GREEKS) == []
            asked.left = 0
            drained(stores, spot_key(1))
            eventually(lambda: not OwedFiles(stores.objects).any(), what="all paid")
    assert stores.latest.record_keys(GREEKS) == CALLS
