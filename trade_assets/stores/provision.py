"""Makes what the parts of the platform need on AWS, of whatever kind; nothing of any part is here.

Idempotent, and the same against the stand-in and AWS. Which resources there are is declared by
their owners (`resource_kinds`). Nothing is ever deleted here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import (
    as_store_error,
    dynamodb_client,
    s3_client,
    secretsmanager_client,
    sqs_client,
)
from trade_assets.stores.dynamodb.table_provisioning import (
    ensure_generation,
    ensure_table,
    settle_table,
)
from trade_assets.stores.resource_kinds import (
    Bucket,
    BucketNotification,
    Queue,
    Resource,
    Secret,
    Table,
    Topic,
    declared_resources,
)
from trade_assets.stores.s3.bucket_provisioning import ensure_bucket, ensure_notification
from trade_assets.stores.sns.topics import ensure_topic
from trade_assets.stores.sqs.queue_provisioning import (
    ProvisionedQueue,
    allow_buckets,
    ensure_queue,
)

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What `provision` did: names of what it made, of what was there, and the generation of the
    table that has one."""

    generation: str | None
    created: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    created: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def add(self, name: str, *, made: bool) -> None:
        (self.created if made else self.found).append(name)


def provision(
    settings: Settings,
    resources: Sequence[Resource] | None = None,
    *,
    new_generation: bool = False,
) -> Provisioned:
    """Make what is missing; bring the attributes of what is there to what they should be.

    Args:
        settings: where AWS is.
        resources: what to make; None: all that is declared.
        new_generation: the generation is replaced, which tells the bucket sensor that the stores
            lost what they had and are to be rebuilt from S3.

    Raises:
        StoreUnavailableError: AWS or its stand-in cannot be reached or throttles.
        StoreRejectedError: a request is refused, for example for lack of rights.
    """
    wanted = declared_resources(settings) if resources is None else resources
    tally = _Tally()
    try:
        queues = _queues(settings, wanted, tally)
        _buckets(settings, wanted, queues, tally)
        generation = _tables(settings, _of(wanted, Table), tally, new=new_generation)
        for topic in _of(wanted, Topic):
            tally.add(topic.name, made=ensure_topic(settings, topic))
        if settings.profile is Profile.LOCAL:
            for secret in _of(wanted, Secret):
                tally.add(secret.name, made=_ensure_secret(settings, secret))
    except (BotoCoreError, ClientError) as error:
        raise as_store_error(error, f"provisioning {settings.namespace}") from error
    return Provisioned(generation, tuple(tally.created), tuple(tally.found))


def _of(resources: Sequence[Resource], kind: type[Kind]) -> list[Kind]:
    return [resource for resource in resources if isinstance(resource, kind)]


def _queues(
    settings: Settings, wanted: Sequence[Resource], tally: _Tally
) -> dict[str, ProvisionedQueue]:
    """The queues by name, open to the buckets that notify them."""
    made: dict[str, ProvisionedQueue] = {}
    queues = _of(wanted, Queue)
    if not queues:
        return made
    sqs = sqs_client(settings)
    for queue in queues:
        made[queue.name] = ensure_queue(sqs, queue, made)
        tally.add(queue.name, made=made[queue.name].made)
    notifications = _of(wanted, BucketNotification)
    for name in dict.fromkeys(notification.queue for notification in notifications):
        buckets = [item.bucket for item in notifications if item.queue == name]
        allow_buckets(sqs, made[name], dict.fromkeys(buckets))
    return made


def _buckets(
    settings: Settings,
    wanted: Sequence[Resource],
    queues: dict[str, ProvisionedQueue],
    tally: _Tally,
) -> None:
    """The buckets, and then what they announce."""
    buckets, notifications = _of(wanted, Bucket), _of(wanted, BucketNotification)
    if not buckets and not notifications:
        return
    s3 = s3_client(settings)
    for bucket in buckets:
        tally.add(bucket.name, made=ensure_bucket(s3, bucket, settings))
    for notification in notifications:
        ensure_notification(s3, notification, queues[notification.queue].arn)


def _tables(settings: Settings, tables: Sequence[Table], tally: _Tally, *, new: bool) -> str | None:
    """The tables, made beside each other, and the generation."""
    if not tables:
        return None
    dynamodb = dynamodb_client(settings)
    for table in tables:
        tally.add(table.name, made=ensure_table(dynamodb, table))
    for table in tables:
        settle_table(dynamodb, table, strict=settings.profile is not Profile.LOCAL)
    generation = None
    for table in tables:
        if table.generation_key is not None:
            generation = ensure_generation(dynamodb, table, table.generation_key, new=new)
    return generation


def _ensure_secret(settings: Settings, secret: Secret) -> bool:
    """Put random values where there are none; whether it did so.

    A secret that is there is never overwritten. A stand-in that lost its own gets another: clients
    pick it up like a rotated one.
    """
    value = json.dumps({name: str(uuid4()) for name in secret.fields})
    try:
        secretsmanager_client(settings).create_secret(Name=secret.name, SecretString=value)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceExistsException":
            raise
        return False
    return True
