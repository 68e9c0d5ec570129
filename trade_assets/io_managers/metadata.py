"""Figures and rows as Dagster metadata, the same names in whatever run, and whose asset it is."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import EVENT_TIME, RECORD_KEY, RECORD_SCHEMA
from trade_assets.datasets.registry import all_datasets
from trade_assets.errors import UnknownFeedError
from trade_assets.ingest.figures import Figures
from trade_assets.market.identify import INSTRUMENT_ID

PREVIEW_ROWS = 5
PREVIEW_FIRST = [RECORD_KEY, EVENT_TIME, INSTRUMENT_ID]
PREVIEW_COLUMNS = 8

ROW_COUNT: Final = "dagster/partition_row_count"
"""Dagster's name of the rows of a partition: of the hour so far, whoever says it."""

Metadata = Mapping[str, Any]


def dataset_of_asset(asset_key: dg.AssetKey) -> Dataset:
    """The data set of an asset `<source>/<name>/<layer>`.

    Raises:
        UnknownFeedError: the key names no data set of the registry.
    """
    dataset = all_datasets().get("/".join(asset_key.path[:2]))
    if dataset is None:
        raise UnknownFeedError(f"asset {asset_key.to_user_string()} belongs to no data set")
    return dataset


def figures_metadata(figures: Figures, layer: str) -> Metadata:
    """Metadata of one asset's materialisation of one hour (or of what is new in it)."""
    metadata = figures.described(layer)
    if figures.first_event_time is not None and figures.last_event_time is not None:
        metadata["first_event_time"] = dg.MetadataValue.timestamp(figures.first_event_time)
        metadata["last_event_time"] = dg.MetadataValue.timestamp(figures.last_event_time)
    if figures.hour_rows is not None:
        metadata[ROW_COUNT] = figures.hour_rows
    if figures.sample is not None:
        metadata["preview"] = preview(figures.sample)
    return metadata


def preview(records: pl.DataFrame) -> dg.MetadataValue:
    """The first rows and columns of records, as a table for people."""
    own = [name for name in records.columns if name not in RECORD_SCHEMA]
    shown = records.head(PREVIEW_ROWS).select(PREVIEW_FIRST + own[:PREVIEW_COLUMNS])
    shown = shown.with_columns(pl.col(EVENT_TIME).dt.to_string("%Y-%m-%d %H:%M:%S"))
    return dg.MetadataValue.md(_markdown(shown))


def rows_table(rows: list[dict[str, Any]]) -> dg.MetadataValue:
    """Any few rows as a table for people."""
    return dg.MetadataValue.md(_markdown(pl.DataFrame(rows)) if rows else "")


def _markdown(frame: pl.DataFrame) -> str:
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * frame.width]
    for row in frame.iter_rows():
        cells = ("" if value is None else str(value).replace("|", "\\|") for value in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
