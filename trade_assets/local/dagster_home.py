"""Dagster's instance of the local stack: `dagster.yaml` and the workspace its processes share."""

import json
from pathlib import Path
from typing import Any, Final

from trade_assets.defs.shared.names import RUN_KIND_TAG
from trade_assets.ports import LOOPBACK

LOCATION_NAME: Final = "trade_assets"

INSTANCE: Final[dict[str, Any]] = {
    # One tick must not wait for another: the snapshot sensor waits for its slot inside its tick.
    "sensors": {"use_threads": True, "num_workers": 4},
    "schedules": {"use_threads": True, "num_workers": 4},
    # The stream run and its successor hold two of the eight, a snapshot one; hours, backfills and
    # housekeeping get no more than the rest, or a backfill would hold up a rollover or a slot.
    "run_queue": {
        "max_concurrent_runs": 8,
        "tag_concurrency_limits": [
            {"key": RUN_KIND_TAG, "value": "hours", "limit": 2},
            {"key": RUN_KIND_TAG, "value": "maintenance", "limit": 1},
            {"key": RUN_KIND_TAG, "value": "rebuild", "limit": 1},
            {"key": "dagster/backfill", "limit": 2},
        ],
        "dequeue_interval_seconds": 1,
        "dequeue_use_threads": True,
        "dequeue_num_workers": 4,
    },
    # A tick every few seconds: without pruning the storage would grow for ever.
    "retention": {
        "schedule": {"purge_after_days": {"skipped": 1, "failure": 7, "success": 3, "started": 3}},
        "sensor": {"purge_after_days": {"skipped": 1, "failure": 7, "success": 3, "started": 3}},
    },
    # It would ask for a run's process every two minutes; the bucket sensor watches a heartbeat.
    "run_monitoring": {"enabled": False},
    "freshness": {"enabled": True},
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
}
"""`dagster.yaml`. Storage is Dagster's default, SQLite files in the same folder."""

_HEADER: Final = "# Written by `trade-assets up` at every start: changes here are lost.\n"


def _text(content: dict[str, Any]) -> str:
    """As YAML, of which JSON is a part."""
    return f"{_HEADER}{json.dumps(content, indent=2)}\n"


def write_instance(home: Path) -> Path:
    """Write `dagster.yaml` into Dagster's home, made if missing; returns that home."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(_text(INSTANCE))
    return folder


def write_workspace(run_folder: Path, code_server_port: int) -> Path:
    """Write the workspace whose one location is the code server, so that all share its process."""
    workspace = {
        "load_from": [
            {
                "grpc_server": {
                    "host": LOOPBACK,
                    "port": code_server_port,
                    "location_name": LOCATION_NAME,
                }
            }
        ]
    }
    path = run_folder / "workspace.yaml"
    path.write_text(_text(workspace))
    return path
