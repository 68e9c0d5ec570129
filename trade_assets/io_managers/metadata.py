"""Figures of files, snapshots and rows as Dagster metadata, the same names in whatever run."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import EVENT_TIME, RECORD_KEY, RECORD_SCHEMA
from trade_assets.ingest.figures import AnyFigures, DerivedFigures, Figures, HourFigures
from trade_assets.io_managers.layers import FILES, HISTORY, LATEST, RAW
from trade_assets.market.identify import INSTRUMENT_ID
from trade_assets.tt.slots.results import SnapshotFigures

PREVIEW_ROWS = 5
PREVIEW_FIRST = [RECORD_KEY, EVENT_TIME, INSTRUMENT_ID]
PREVIEW_COLUMNS = 8
MISSING_LISTED = 20

Metadata = Mapping[str, Any]


def figures_metadata(figures: AnyFigures | SnapshotFigures, layer: str) -> Metadata:
    """Metadata of one asset's materialisation of one hour (or of what is new in it)."""
    if isinstance(figures, DerivedFigures):
        rows, written = _derived_metadata(figures), _written_metadata(figures, layer)
    elif isinstance(figures, SnapshotFigures):
        rows, written = _snapshot_metadata(figures), _snapshot_layer_metadata(figures, layer)
    else:
        rows, written = _feed_metadata(figures), _layer_metadata(figures, layer)
    metadata = {**rows, **written}
    if figures.first_event_time is not None and figures.last_event_time is not None:
        metadata["first_event_time"] = dg.MetadataValue.timestamp(figures.first_event_time)
        metadata["last_event_time"] = dg.MetadataValue.timestamp(figures.last_event_time)
    if figures.sample is not None:
        metadata["preview"] = preview(figures.sample)
    return metadata


def _derived_metadata(figures: DerivedFigures) -> Metadata:
    return {
        "rows": figures.rows,
        "dagster/partition_row_count": figures.rows,
        **figures.details,
    }


def _feed_metadata(figures: HourFigures) -> Metadata:
    metadata: dict[str, Any] = {
        "files": figures.files,
        "rows": figures.rows_stored,
        "rejects": figures.rows_rejected,
        "duplicates": figures.duplicates,
        "dagster/partition_row_count": figures.rows_stored,
    }
    if figures.symbols.coverage_percent is not None:
        metadata["symbols_translated_percent"] = round(figures.symbols.coverage_percent, 3)
    if figures.unknown_columns:
        metadata["unknown_columns"] = figures.unknown_columns
    if figures.lag_p50 is not None and figures.lag_max is not None:
        metadata["lag_p50_seconds"] = round(figures.lag_p50, 4)
        metadata["lag_max_seconds"] = round(figures.lag_max, 4)
    return metadata


def _snapshot_metadata(figures: SnapshotFigures) -> Metadata:
    metadata: dict[str, Any] = {
        "snapshots": figures.documents,
        "slots_due": figures.slots_due,
        "slots_missing": len(figures.missing),
        "rows": figures.rows,
        "rejects": figures.rejected,
        "duplicates": figures.duplicates,
        "dagster/partition_row_count": figures.rows,
    }
    if figures.symbols.coverage_percent is not None:
        metadata["symbols_translated_percent"] = round(figures.symbols.coverage_percent, 3)
    if figures.unknown_columns:
        metadata["unknown_columns"] = figures.unknown_columns
    return metadata


def _snapshot_layer_metadata(figures: SnapshotFigures, layer: str) -> Metadata:
    if layer == RAW:
        return {
            "bytes": figures.size,
            "snapshots_quarantined": figures.quarantined,
            "last_file": figures.last_file,
            "missing": [f"{slot:%Y-%m-%dT%H:%M:%SZ}" for slot in figures.missing[:MISSING_LISTED]],
        }
    gone = {"records_gone": figures.gone} if figures.dataset.replaced and layer == LATEST else {}
    return {**_written_metadata(figures, layer), **gone}


def _layer_metadata(figures: HourFigures, layer: str) -> Metadata:
    if layer == FILES:
        return {
            "bytes": figures.size,
            "files_quarantined": figures.quarantined,
            "last_file": figures.last_file,
        }
    return _written_metadata(figures, layer)


def _written_metadata(figures: Figures, layer: str) -> Metadata:
    if layer == LATEST:
        return {"records_changed": figures.latest_changed}
    if layer == HISTORY:
        return {"items_put": figures.history_puts}
    return {}


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
