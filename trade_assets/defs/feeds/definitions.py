"""Definitions of the feeds and of what is derived from them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import dagster as dg

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import LAYERS, STORED_LAYERS, feed_prefix
from trade_assets.defs.feeds.arrival_checks import arrival_checks
from trade_assets.defs.feeds.assets import feed_assets
from trade_assets.defs.feeds.bucket_sensor import bucket_sensor
from trade_assets.defs.feeds.derived_assets import derived_assets
from trade_assets.defs.feeds.hour_job import hour_job
from trade_assets.defs.feeds.stream_run import feed_stream
from trade_assets.defs.shared.concept import Concept, HourAssets, Platform
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import FEED_STORES, QUICK_FEED_STORES, STREAM_STORES
from trade_assets.feeds.datasets import DERIVED, FEEDS, derived_from
from trade_assets.feeds.derivation import DerivedHour
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.ingest.hour_records import HourOpener
from trade_assets.market.sessions import open_seconds


def build(platform: Platform) -> Concept:
    """The concept `feeds`."""
    settings, stores = platform.settings, FeedStores(platform.patient)
    partitions = platform.hours.partitions
    job = hour_job()
    definitions = dg.Definitions(
        assets=[
            *(feed_assets(feed, partitions) for feed in FEEDS.values()),
            *(derived_assets(dataset, partitions) for dataset in DERIVED.values()),
        ],
        asset_checks=[check for feed in FEEDS.values() for check in arrival_checks(feed)],
        jobs=[feed_stream, job],
        sensors=[bucket_sensor(settings, job, platform.hours.first)],
        resources={
            FEED_STORES: stores,
            STREAM_STORES: FeedStores(platform.owing),
            QUICK_FEED_STORES: FeedStores(platform.quick),
        },
    )
    prefixes = {feed_prefix(feed): _assets_of(feed) for feed in FEEDS.values()}
    return Concept(definitions, _hours(stores), prefixes)


def _assets_of(feed: Feed) -> HourAssets:
    """The assets that come of a feed's files."""
    derived = [layer_key(item, layer) for item in derived_from(feed) for layer in STORED_LAYERS]
    keys = [*(layer_key(feed, layer) for layer in LAYERS), *derived]

    def due(hour: datetime) -> bool:
        silence = open_seconds(hour, hour + timedelta(hours=1))
        return feed.gap_seconds is not None and silence > feed.gap_seconds

    return HourAssets(keys, due)


def _hours(stores: FeedStores) -> dict[str, HourOpener]:
    files: dict[str, HourOpener] = {path: _files(stores, feed) for path, feed in FEEDS.items()}
    return files | {path: _derived(stores, item) for path, item in DERIVED.items()}


def _files(stores: FeedStores, feed: Feed) -> HourOpener:
    def files(partitions: Sequence[str]) -> HourFiles:
        return HourFiles(stores, feed, partitions)

    return files


def _derived(stores: FeedStores, dataset: Derived) -> HourOpener:
    def derived(partitions: Sequence[str]) -> DerivedHour:
        return DerivedHour(stores, dataset, HourFiles(stores, dataset.origin, partitions))

    return derived
