"""The conditions under which figures were measured, to be printed with them."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from benchmarks.scale import Scale
from trade_assets.local.dynalite import FOLDER_NAME as DYNALITE_VERSION
from trade_assets.local.ministack_pins import VERSION as MINISTACK_VERSION
from trade_assets.local.redis_server import server_binary

PACKAGES: Final = ("dagster", "polars", "numpy", "boto3", "obstore", "redis", "orjson")


def conditions(scale: Scale) -> dict[str, str]:
    """Machine, versions, time and load, in words; taken before anything is measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "CPU": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "RAM": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Packages": packages,
        "AWS": f"ministack {MINISTACK_VERSION} (one process, on this machine)",
        "DynamoDB": f"{DYNALITE_VERSION} (LevelDB, one process, on this machine)",
        "Redis": f"{_redis_version()} (append-only file on, on this machine)",
        "Dagster storage": "SQLite",
        "Load average before (1, 5, 15 min)": load_average(),
        "Sizes": scale.name,
    }


def load_average() -> str:
    """The load averages over 1, 5 and 15 minutes."""
    return ", ".join(f"{load:.2f}" for load in os.getloadavg())


def lines(found: Mapping[str, str]) -> list[str]:
    """One line a condition."""
    return [f"{name}: {text}" for name, text in found.items()]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"


def _redis_version() -> str:
    """What the server says of itself, e.g. `Valkey server v=9.1.0`."""
    said = subprocess.run(
        [server_binary(), "--version"], capture_output=True, text=True, check=True
    )
    return said.stdout.partition(" sha=")[0].strip()
