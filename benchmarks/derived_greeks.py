"""Greeks that the stream derives while it is measured: what they need, and how many there are."""

from dataclasses import dataclass

from benchmarks.figures import BenchmarkError
from benchmarks.samples import expiry_records
from trade_assets.feeds.derived.declarations import GREEKS
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.settings import Settings


@dataclass(frozen=True)
class GreeksWritten:
    """Greeks records in history, and how many of them have a solution, not a reason."""

    records: int
    solved: int


def show_expiries(settings: Settings) -> None:
    """Make the times to expiry readable in Redis, as if their file had come before all others.

    Without them the stream would only note that no option has any, which costs less.
    """
    with IngestStores.open(settings) as stores:
        stores.latest.write(VTEXP, expiry_records())


def greeks_written(settings: Settings) -> GreeksWritten:
    """Count them.

    Raises:
        BenchmarkError: none has a solution; then the stream has not done what is told of it.
    """
    with IngestStores.open(settings) as stores:
        keys = stores.latest.record_keys(GREEKS)
        reasons = [
            record.get("reason") for key in keys for record in stores.history.read(GREEKS, key)
        ]
    written = GreeksWritten(len(reasons), reasons.count(None))
    if not written.solved:
        raise BenchmarkError(f"none of {written.records} Greeks records has a solution")
    return written
