"""How much each benchmark does: the full sizes, and tiny ones that only show that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of one run of the benchmarks. Durations in seconds.

    Attributes:
        latency_seconds: one file a second for so long, through the raw loop and through the stream.
        window_share: length of the stream's window as a share of `latency_seconds`.
        stock_files, stock_pace_seconds: files that stock Dagster gets, and the time between two.
        stock_pipelines: modules of `latency` that define a stock pipeline.
        round_seconds: CPU time of one round of one way of doing something (see `timing`).
        ceiling_items: items of one trial of DynamoDB's write ceiling.
        bucket_sizes, new_files, ticks: of the bucket sensor.
        client_files: files of one round of the clients' CPU.
        rounds: repetitions, of which the median counts.
        slots_seconds: TT slots are watched for so long.
        snapshot_orders, snapshot_fills: of the snapshot that is timed.
        day_files: of the compressed day.
    """

    name: str
    latency_seconds: float
    window_share: float
    stock_files: int
    stock_pace_seconds: float
    stock_pipelines: tuple[str, ...]
    round_seconds: float
    backlog_files: int
    ceiling_items: int
    bucket_sizes: tuple[int, ...]
    new_files: int
    ticks: int
    client_files: int
    rounds: int
    slots_seconds: float
    snapshot_orders: int
    snapshot_fills: int
    day_files: int


FULL = Scale(
    name="full",
    latency_seconds=300.0,
    window_share=0.5,
    stock_files=30,
    stock_pace_seconds=5.0,
    stock_pipelines=("stock_eager", "stock_default"),
    round_seconds=0.4,
    backlog_files=2_000,
    ceiling_items=30_000,
    bucket_sizes=(1_000, 50_000),
    new_files=100,
    ticks=40,
    client_files=64,
    rounds=5,
    slots_seconds=600.0,
    snapshot_orders=1_000,
    snapshot_fills=5_000,
    day_files=86_400,
)

QUICK = Scale(
    name="quick (tiny sizes: shows that it runs, its figures say little)",
    latency_seconds=20.0,
    window_share=0.5,
    stock_files=2,
    stock_pace_seconds=5.0,
    stock_pipelines=("stock_eager",),
    round_seconds=0.05,
    backlog_files=30,
    ceiling_items=500,
    bucket_sizes=(50, 1_500),
    new_files=10,
    ticks=5,
    client_files=4,
    rounds=2,
    slots_seconds=60.0,
    snapshot_orders=60,
    snapshot_fills=1_100,
    day_files=200,
)
