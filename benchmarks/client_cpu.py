"""Client CPU: what writing 1,000 rows costs the process that writes them, beside boto3 and SETs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import boto3
import orjson
import polars as pl
import redis
from pydantic import SecretStr

from benchmarks.figures import Figure, Spread, Table
from benchmarks.parts import Bench, running_stores
from benchmarks.samples import sample_records, samples, sizes
from trade_assets.datasets.records import RECORD_KEY
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.settings import AwsService, Settings
from trade_assets.stores.aws import aws_session
from trade_assets.stores.provision import provision
from trade_assets.stores.redis.client import connect
from trade_assets.stores.serialise import iso_text, with_keys

Write = Callable[[pl.DataFrame], object]
Round = list[pl.DataFrame]

DYNAMODB: Final = "DynamoDB"
REDIS: Final = "Redis"


def batch_writer(table: Any) -> Write:
    """boto3's `Table.batch_writer`: plain dicts, floats as Decimal, nulls left out."""

    def write(records: pl.DataFrame) -> None:
        with table.batch_writer() as batch:
            for row in with_keys(records).iter_rows(named=True):
                batch.put_item(Item={n: _attribute(v) for n, v in row.items() if v is not None})

    return write


def _attribute(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, datetime):
        return iso_text(value)
    return value.isoformat() if isinstance(value, date) else value


def pipelined_sets(client: "redis.Redis") -> Write:
    """Plain SETs of orjson, a pipeline a file: no guard, no set of keys, nothing announced."""

    def write(records: pl.DataFrame) -> None:
        with client.pipeline(transaction=False) as pipe:
            for row in records.iter_rows(named=True):
                pipe.set(f"latest:{SPOT_RISK.path}:{row[RECORD_KEY]}", orjson.dumps(row))
            pipe.execute()

    return write


def measure(bench: Bench) -> Figure:
    """CPU of this process, threads included, in milliseconds per 1,000 rows."""
    bench.say("client CPU")
    files = samples(bench.scale.client_files * bench.scale.rounds)
    records = [sample_records(item) for item in files]
    with running_stores(bench, "client-cpu") as settings:
        costs = _all_costs(settings, _rounds(records, bench.scale.client_files))
    figure = Figure("client_cpu", "Client CPU per 1,000 rows written")
    figure.tables = [Table(("store and writer", "CPU ms", "10 to 90 %", "costs"), _rows(costs))]
    figure.data = {f"{store}/{name}": asdict(cost) for (store, name), cost in costs.items()}
    figure.notes = [
        f"{sizes(files)}; {bench.scale.rounds} rounds of {bench.scale.client_files} files, median.",
        "All writers begin with the same typed frame and write the same rows; parsing is not "
        f"included, nor is deriving Greeks. Records of {len(records[0].columns)} columns, of which "
        "nulls are left out (but in the plain SETs). Event times rise from file to file, so every "
        "file replaces the one before.",
        "trade_assets in Redis also guards against going back, keeps the set of keys and announces "
        "what changed; with many files a write it writes only the newest record of every key.",
    ]
    return figure


def _rounds(records: Sequence[pl.DataFrame], size: int) -> list[Round]:
    return [list(records[at : at + size]) for at in range(0, len(records), size)]


def _all_costs(settings: Settings, rounds: list[Round]) -> dict[tuple[str, str], Spread]:
    """Every writer over all rounds, each in tables and a Redis database of its own."""
    costs = {}
    together = [[pl.concat(files)] for files in rounds]
    many = f"trade_assets, {len(rounds[0])} files a write"
    plans = [("trade_assets, a file a write", rounds), (many, together)]
    for number, (name, plan) in enumerate(plans):
        with _stores(settings, number) as stores:
            costs[DYNAMODB, name] = _cost(
                lambda frame: stores.history.write(SPOT_RISK, frame), plan
            )
            costs[REDIS, name] = _cost(lambda frame: stores.latest.write(SPOT_RISK, frame), plan)
    with _stores(settings, len(plans)) as stores:
        endpoint = settings.aws_endpoint_of(AwsService.DYNAMODB)
        resource = aws_session(settings).resource("dynamodb", endpoint_url=endpoint)
        table = resource.Table(stores.settings.history_table)
        costs[DYNAMODB, f"boto3 {boto3.__version__} batch_writer"] = _cost(
            batch_writer(table), rounds
        )
        client = connect(stores.settings)
        costs[REDIS, "redis-py pipelined SETs"] = _cost(pipelined_sets(client), rounds)
        client.close()
    return costs


def _stores(settings: Settings, number: int) -> IngestStores:
    url, _, _ = settings.stores.redis_url.get_secret_value().rpartition("/")
    own = {"namespace": f"bench-{number}", "redis_url": SecretStr(f"{url}/{number}")}
    separate = settings.changed(own)
    provision(separate)
    return IngestStores.open(separate)


def _cost(write: Write, rounds: list[Round]) -> Spread:
    """Milliseconds of CPU per 1,000 rows. The first file of all is written once before."""
    write(rounds[0][0])
    costs = []
    for files in rounds:
        begin = time.process_time()
        for records in files:
            write(records)
        spent = time.process_time() - begin
        costs.append(spent * 1e6 / sum(records.height for records in files))
    return Spread.of(costs)


def _rows(costs: dict[tuple[str, str], Spread]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for store in (DYNAMODB, REDIS):
        ours = next(cost.median for (kind, _), cost in costs.items() if kind == store)
        for (kind, name), cost in costs.items():
            if kind == store:
                span = f"{cost.low:.1f} to {cost.high:.1f}"
                ratio = f"{cost.median / ours:.2f}x"
                rows.append((f"{store}: {name}", f"{cost.median:.1f}", span, ratio))
    return rows
