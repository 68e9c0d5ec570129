"""Program: the raw loop without Dagster. Long poll, get, parse, Redis, delete; boto3."""

from urllib.parse import unquote_plus

import orjson

from benchmarks.latency.plain import read_records, write_records
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.aws import s3_client, sqs_client
from trade_assets.stores.redis.client import connect


def follow(settings: Settings) -> None:
    """Carry files until the process is ended."""
    sqs, s3, redis = sqs_client(settings), s3_client(settings), connect(settings)
    url = sqs.get_queue_url(QueueName=settings.queue_name)["QueueUrl"]
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            for record in orjson.loads(message["Body"]).get("Records", []):
                key = unquote_plus(record["s3"]["object"]["key"])
                data = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
                write_records(redis, read_records(data, key))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    follow(load_settings())
