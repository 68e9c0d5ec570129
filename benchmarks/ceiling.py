"""The write ceiling of the local DynamoDB: BatchWriteItem with nothing else to do.

Bodies are ready-made and signed before the clock starts, so that the client costs next to nothing.
"""

import itertools
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import BenchmarkError
from trade_assets.settings import AwsService, Settings
from trade_assets.stores.aws import LOCAL_CREDENTIAL, aws_address, dynamodb_client
from trade_assets.stores.dynamodb.calls import BATCH_WRITE_ITEMS
from trade_assets.stores.dynamodb.table_provisioning import table_shape
from trade_assets.stores.resource_kinds import Table

CONCURRENCIES: Final = (2, 4, 6, 8)


@dataclass(frozen=True)
class Trial:
    """One measurement of the ceiling."""

    concurrency: int
    items: int
    seconds: float

    @property
    def items_per_second(self) -> float:
        """Items written a second."""
        return self.items / self.seconds


@dataclass(frozen=True)
class _Request:
    body: bytes
    headers: dict[str, str]


def write_ceiling(
    settings: Settings, items: Sequence[str], trial_items: int
) -> tuple[Trial, list[Trial]]:
    """The ceiling over all `items` (DynamoDB-JSON), and the trials that chose its concurrency.

    Each measurement writes into a fresh table, deleted afterwards. The trials write the first
    `trial_items`; the best concurrency then writes all.
    """
    trials = [_trial(settings, items[:trial_items], number) for number in CONCURRENCIES]
    best = max(trials, key=lambda trial: trial.items_per_second)
    return _trial(settings, items, best.concurrency), trials


def _trial(settings: Settings, items: Sequence[str], concurrency: int) -> Trial:
    client = dynamodb_client(settings)
    table = f"ceiling-{concurrency}-{len(items)}"
    client.create_table(
        TableName=table,
        **table_shape(Table(name=table)),
    )
    client.get_waiter("table_exists").wait(TableName=table)
    try:
        return Trial(concurrency, len(items), _write(settings, table, items, concurrency))
    finally:
        client.delete_table(TableName=table)


def _write(settings: Settings, table: str, items: Sequence[str], concurrency: int) -> float:
    """Seconds that writing all takes."""
    url = f"{aws_address(settings, AwsService.DYNAMODB)}/"
    requests = [
        _signed(settings, url, table, items[at : at + BATCH_WRITE_ITEMS])
        for at in range(0, len(items), BATCH_WRITE_ITEMS)
    ]
    http = urllib3.PoolManager(maxsize=concurrency, retries=False)

    def send(request: _Request) -> None:
        answer = http.request("POST", url, body=request.body, headers=request.headers)
        if answer.status != 200:
            raise BenchmarkError(f"BatchWriteItem: {answer.status}: {answer.data[:300]!r}")

    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(send, itertools.islice(requests, concurrency)))
        begin = time.perf_counter()
        list(pool.map(send, requests))
        seconds = time.perf_counter() - begin
    http.clear()
    return seconds


def _signed(settings: Settings, url: str, table: str, items: Sequence[str]) -> _Request:
    puts = ",".join('{"PutRequest":{"Item":' + item + "}}" for item in items)
    body = ('{"RequestItems":{"' + table + '":[' + puts + "]}}").encode()
    request = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
        },
    )
    credentials = Credentials(LOCAL_CREDENTIAL, LOCAL_CREDENTIAL)
    SigV4Auth(credentials, "dynamodb", settings.stores.aws_region).add_auth(request)
    return _Request(body, dict(request.headers.items()))
