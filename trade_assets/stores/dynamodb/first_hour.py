"""The first hour with data: an item of the ledger's table, which every process sees.

It only moves back. What follows from it (where partitions begin) is no matter of the store.
"""

from datetime import UTC, datetime
from typing import Final

import orjson

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls

FIRST_HOUR_KEY: Final = "#first_hour"
"""pk and sk of the item, which is no file's."""

_HOUR_TEXT: Final = "%Y-%m-%dT%H:00:00Z"


class FirstHour:
    """Reads and moves the mark. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls) -> None:
        self._table = settings.ledger_table
        self._calls = calls

    def read(self) -> datetime | None:
        """The first hour (UTC); None: no data were seen yet.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
            StoreRejectedError: the table is not there, or may not be read.
        """
        found = self._calls.get_all(self._table, [(FIRST_HOUR_KEY, FIRST_HOUR_KEY)])
        if not found:
            return None
        return datetime.strptime(found[0]["hour"]["S"], _HOUR_TEXT).replace(tzinfo=UTC)

    def note(self, hour: datetime) -> None:
        """Move the mark back to an hour (aware) that has data; one that has an earlier one stays.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        text = hour.astimezone(UTC).strftime(_HOUR_TEXT)
        body = {
            "TableName": self._table,
            "Item": {
                "pk": {"S": FIRST_HOUR_KEY},
                "sk": {"S": FIRST_HOUR_KEY},
                "hour": {"S": text},
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #hour > :hour",
            "ExpressionAttributeNames": {"#hour": "hour"},
            "ExpressionAttributeValues": {":hour": {"S": text}},
        }
        try:
            self._calls.call("PutItem", orjson.dumps(body))
        except ConditionFailedError:
            return
