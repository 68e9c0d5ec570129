"""Requests of the day's budget as DynamoDB keeps them, so that an emptied Redis forgets none.

Redis counts, request by request; after each slot what was sent is added to the hour's item here. A
slot that finds no count in Redis puts back what the hours say before it asks anything: each hour's
requests at its end, which frees them an hour late at most.

pk `requests#<name of the API>`, sk the UTC hour; beside the ledger's lines.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from trade_assets.logs import get_logger
from trade_assets.remote.protection.protection import day_window
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.redis.client import redis_errors
from trade_assets.tt.key_tiers import api_limits

if TYPE_CHECKING:
    import redis

log = get_logger(__name__)

HOUR: Final = timedelta(hours=1)
COUNTED_HOURS: Final = 25
"""Hours that may reach into the last 24."""
KEPT: Final = 48 * HOUR

_HOUR_TEXT: Final = "%Y-%m-%dT%H"


class SpentRequests:
    """The hours of one API's key. Thread-safe."""

    def __init__(self, settings: Settings, redis_client: "redis.Redis", calls: DynamoCalls) -> None:
        self._limits = api_limits(settings.tt)
        self._redis = redis_client
        self._calls = calls
        self._table = settings.ledger_table
        self._pk = f"requests#{self._limits.name}"

    def add(self, requests: int, now: datetime) -> None:
        """Count requests that were sent in the hour of `now`. Twice counts twice: rather too many.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        if requests <= 0:
            return
        body = {
            "TableName": self._table,
            "Key": self._key(now),
            "UpdateExpression": "ADD requests :requests",
            "ExpressionAttributeValues": {":requests": {"N": str(requests)}},
            "ReturnValues": "UPDATED_NEW",
        }
        answer = orjson.loads(self._calls.call("UpdateItem", orjson.dumps(body)))
        if int(answer["Attributes"]["requests"]["N"]) == requests:
            # An hour has begun: an old one goes, so that they never add up.
            old = {"TableName": self._table, "Key": self._key(now - KEPT)}
            self._calls.call("DeleteItem", orjson.dumps(old))

    def put_back(self, now: datetime) -> int:
        """Tell Redis, if it has no count, what was sent in the last 24 hours; how many that were.

        Raises:
            StoreUnavailableError: a store cannot be reached; nobody knows what is left, so nothing
                may be asked.
        """
        window = day_window(self._limits, self._redis, now.timestamp)
        if window is None:
            return 0
        with redis_errors("looking at the day's budget"):
            if not window.forgotten():
                return 0
        entries = list(self._entries(now))
        with redis_errors("putting back the day's budget"):
            if not window.put_back(entries):
                return 0
        log.warning("day's budget put back", api=self._limits.name, requests=len(entries))
        return len(entries)

    def _entries(self, now: datetime) -> Iterator[float]:
        first = now - COUNTED_HOURS * HOUR
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk >= :first",
            "ExpressionAttributeValues": {
                ":pk": {"S": self._pk},
                ":first": {"S": first.astimezone(UTC).strftime(_HOUR_TEXT)},
            },
            "ConsistentRead": True,
        }
        for item in self._calls.query(query, "reading the requests of the day"):
            hour = datetime.strptime(item["sk"]["S"], _HOUR_TEXT).replace(tzinfo=UTC)
            at = min(hour + HOUR, now).timestamp()
            yield from [at] * int(item["requests"]["N"])

    def _key(self, moment: datetime) -> dict[str, dict[str, str]]:
        hour = moment.astimezone(UTC).strftime(_HOUR_TEXT)
        return {"pk": {"S": self._pk}, "sk": {"S": hour}}
