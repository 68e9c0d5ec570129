"""How long what is stored is kept: the second of the epoch after which it may go.

On AWS what a setting names per data set goes, by its event time, and nothing else ever does. The
local stack lies on somebody's laptop: there everything goes some hours after it landed, whatever
its event time (a replay of an old day is as new as any file).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Dataset, ParsedDataset
from trade_assets.datasets.pictures import COPY_SECONDS
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY
from trade_assets.settings import Profile, Settings

EXPIRES_AT: Final = "expires_at"
"""Attribute of an item: the second of the epoch after which DynamoDB drops it."""

_LANDED_IN: Final = r"/dt=(\d{4}-\d{2}-\d{2}/hh=\d{2})/"


def kept_locally(settings: Settings, dataset: Dataset | None = None) -> timedelta | None:
    """How long the local stack keeps records and files after the hour of their landing; None: for
    ever, as where the stores are AWS's. What comes once a day is kept until it would be stale.
    """
    hours = settings.local.history_hours
    if settings.profile is not Profile.LOCAL or not hours:
        return None
    kept = timedelta(hours=hours)
    if isinstance(dataset, ParsedDataset):
        return max(kept, timedelta(seconds=dataset.freshness_seconds))
    return kept


def record_expiry(settings: Settings, dataset: Dataset) -> pl.Expr | None:
    """`EXPIRES_AT` of records (`dataset.record_schema`), null where they stay; None if all do."""
    days = settings.stores.history_ttl_days.get(dataset.path)
    if days is not None:
        beyond = COPY_SECONDS if dataset.pictures else 0
        return pl.col(EVENT_TIME).dt.epoch("s") + days * 86_400 + beyond
    kept = kept_locally(settings, dataset)
    if kept is None:
        return None
    # Without minutes it would be no time to the parser.
    hour = pl.concat_str([pl.col(FILE_KEY).str.extract(_LANDED_IN), pl.lit(":00")])
    return hour.str.to_datetime("%Y-%m-%d/hh=%H:%M").dt.epoch("s") + _seconds_after_landing(kept)


def mark_expiry(settings: Settings, dataset: Dataset, stated_at: datetime) -> int | None:
    """`EXPIRES_AT` of what says that a statement written then (aware) closes records: they, which
    landed before, go first."""
    days = settings.stores.history_ttl_days.get(dataset.path)
    if days is not None:
        return int((stated_at + timedelta(days=days)).timestamp())
    kept = kept_locally(settings, dataset)
    if kept is None:
        return None
    return int(stated_at.timestamp()) + _seconds_after_landing(kept)


def expires(settings: Settings, dataset: Dataset) -> bool:
    """Whether records of the data set go: what is still true must be said again before."""
    return record_expiry(settings, dataset) is not None


def line_expiry(settings: Settings, landed_at: datetime) -> int | None:
    """`EXPIRES_AT` of a line about a file that landed then (aware): it outlives the file."""
    kept = kept_locally(settings)
    if kept is None:
        return None
    longest = max(kept, _LONGEST)
    return int(landed_at.astimezone(UTC).timestamp()) + _seconds_after_landing(longest)


_LONGEST: Final = timedelta(days=7)
"""Lines are small, and a file without one would be read again: longer than any file is kept."""


def _seconds_after_landing(kept: timedelta) -> int:
    """From the begin of an hour that is kept for so long after its end."""
    return int((kept + timedelta(hours=1)).total_seconds())
