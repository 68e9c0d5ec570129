"""A stock Dagster pipeline for the same job, in its ordinary form.

A sensor lists the bucket and requests a run for every new file; a run materialises one asset
through an IO manager into Redis. Run queue, launcher and (multiprocess) executor are Dagster's
defaults.
"""

from collections.abc import Iterator

import dagster as dg
import polars as pl
from dagster_aws.s3 import S3Resource
from dagster_aws.s3.sensor import get_objects

from benchmarks.latency.plain import read_records, write_records
from trade_assets.datasets.keys import feed_prefix
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.settings import AwsService, load_settings
from trade_assets.stores.aws import LOCAL_CREDENTIAL
from trade_assets.stores.redis.client import connect


class FileConfig(dg.Config):
    """Which file a run carries."""

    key: str


class RedisIOManager(dg.IOManager):
    """Writes the rows of a file to Redis."""

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Connect and write: every run is a process of its own."""
        client = connect(load_settings())
        write_records(client, obj)
        client.close()

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """Refuses: nothing is downstream of the asset."""
        raise dg.DagsterInvariantViolationError(f"{context.asset_key} has no reader")


@dg.asset(io_manager_key="redis_io_manager")
def latest(config: FileConfig, s3: S3Resource) -> pl.DataFrame:
    """The records of one file."""
    answer = s3.get_client().get_object(Bucket=load_settings().bucket, Key=config.key)
    return read_records(answer["Body"].read(), config.key)


def build_stock_definitions(interval_seconds: int | None) -> dg.Definitions:
    """The pipeline; `interval_seconds` of the sensor, None for Dagster's default (30)."""
    settings = load_settings()

    @dg.sensor(
        target=[latest],
        minimum_interval_seconds=interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def new_files(context: dg.SensorEvaluationContext, s3: S3Resource) -> Iterator[dg.RunRequest]:
        """A run for every object behind the last one seen."""
        found = get_objects(
            settings.bucket,
            prefix=feed_prefix(SPOT_RISK),
            since_key=context.cursor,
            client=s3.get_client(),
        )
        for item in found:
            config = dg.RunConfig(ops={"latest": FileConfig(key=item["Key"])})
            yield dg.RunRequest(run_key=item["Key"], run_config=config)
        if found:
            context.update_cursor(found[-1]["Key"])

    return dg.Definitions(
        assets=[latest],
        sensors=[new_files],
        resources={
            "redis_io_manager": RedisIOManager(),
            "s3": S3Resource(
                endpoint_url=settings.aws_endpoint_of(AwsService.S3),
                region_name=settings.stores.aws_region,
                aws_access_key_id=LOCAL_CREDENTIAL,
                aws_secret_access_key=LOCAL_CREDENTIAL,
            ),
        },
    )
