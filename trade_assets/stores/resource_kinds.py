"""What a part of the platform may need on AWS, as data: the kinds of resources.

Which ones there are is declared by their owners, in modules named `resources`: a function of that
name takes the settings and returns them. `provision` makes them through AWS's API, and a deployment
can be written from the same list. No AWS call belongs here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trade_assets.concepts import concept_modules
from trade_assets.settings import Settings

DAY_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket of S3.

    Attributes:
        name: of the bucket.
        block_public_access: on AWS; the local stand-in has no public.
        versioned: what is overwritten stays as a former version. On AWS: the local stand-in holds
            every version of a versioned bucket in memory.
    """

    name: str
    block_public_access: bool = True
    versioned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of SQS.

    Attributes:
        name: of the queue.
        retention_seconds: how long a message is kept.
        visibility_seconds: how long a message that was received is hidden; None: SQS's default.
        dead_letter_queue: name of the queue, declared before this one, in which a message ends
            that was received `max_receives` times; None: none does.
        max_receives: see there.
    """

    name: str
    retention_seconds: int
    visibility_seconds: int | None = None
    dead_letter_queue: str | None = None
    max_receives: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketNotification:
    """A bucket announces to a queue the objects below a prefix; the queue lets it.

    Attributes:
        identity: tells it from other notifications of the bucket, which are left alone.
        bucket: its name.
        prefix: what the keys begin with.
        queue: name of a queue of the same list.
        events: S3's names of what is announced.
    """

    identity: str
    bucket: str
    prefix: str
    queue: str
    events: tuple[str, ...] = ("s3:ObjectCreated:*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of DynamoDB, on demand, whose keys are texts.

    Attributes:
        name: of the table.
        partition_key: attribute of the partition key.
        sort_key: attribute of the sort key.
        expiry_attribute: attribute with the second of the epoch after which an item goes; None:
            items stay.
        encrypted_by_kms: with the key that AWS keeps for DynamoDB.
        point_in_time_recovery: the table can be restored as it was at any second.
        generation_key: partition and sort key of an item whose attribute `generation` is a random
            text that names the life of the table: whoever finds another one knows that the table
            lost what it had. It is made once, and replaced on request. None: there is none.
    """

    name: str
    partition_key: str = "pk"
    sort_key: str = "sk"
    expiry_attribute: str | None = None
    encrypted_by_kms: bool = True
    point_in_time_recovery: bool = True
    generation_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic of SNS. `kms_key` encrypts it on AWS, unless somebody chose another one; by default
    the key that AWS keeps for SNS in every account. The stand-in has none."""

    name: str
    kms_key: str = "alias/aws/sns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret of Secrets Manager: an object of JSON with these fields.

    On AWS a person puts it there, and it is never made here. In profile `local` it is made with
    random values: nobody can mistake one for a real one.
    """

    name: str
    fields: tuple[str, ...]


Resource = Bucket | Queue | BucketNotification | Table | Topic | Secret


def declared_resources(settings: Settings) -> Sequence[Resource]:
    """All that the platform needs, by its owners in alphabetical order."""
    owners = concept_modules("resources")
    return [resource for owner in owners for resource in owner.resources(settings)]
