"""What the feeds need on AWS: the queue in which the bucket announces their files."""

from collections.abc import Sequence
from typing import Final

from trade_assets.datasets.keys import FEEDS_PREFIX
from trade_assets.settings import Settings
from trade_assets.stores.resource_kinds import DAY_SECONDS, BucketNotification, Queue, Resource

NOTIFICATION_ID: Final = "feed-events"
RETENTION_SECONDS: Final = 4 * DAY_SECONDS
DEAD_LETTER_RETENTION_SECONDS: Final = 14 * DAY_SECONDS


def resources(settings: Settings) -> Sequence[Resource]:
    """The queues and the notification; the bucket is everybody's (`ingest.resources`)."""
    return (
        Queue(
            name=settings.dead_letter_queue_name,
            retention_seconds=DEAD_LETTER_RETENTION_SECONDS,
        ),
        Queue(
            name=settings.queue_name,
            retention_seconds=RETENTION_SECONDS,
            visibility_seconds=settings.stream.queue_visibility_seconds,
            dead_letter_queue=settings.dead_letter_queue_name,
            max_receives=settings.stream.queue_max_receives,
        ),
        BucketNotification(
            identity=NOTIFICATION_ID,
            bucket=settings.bucket,
            prefix=FEEDS_PREFIX,
            queue=settings.queue_name,
        ),
    )
