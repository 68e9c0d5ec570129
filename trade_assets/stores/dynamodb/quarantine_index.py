"""Which files stand in quarantine, by name: an item of the ledger's table for each.

pk `#quarantine#<source>/<feed>`, sk the file's name, `file_keys` a set of the keys under which it
is set aside. A later file of the name that is whole ends them, in whatever hour it lands.
"""

from collections.abc import Iterable, Mapping

import orjson

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls


class QuarantineIndex:
    """Names of files in quarantine, in and out of the ledger's table. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls) -> None:
        self._table = settings.ledger_table
        self._calls = calls

    def note(self, file_keys: Iterable[str]) -> None:
        """Note files as set aside."""
        self._calls.map(lambda pair: self._update("ADD", *pair), list(_by_place(file_keys).items()))

    def ended_by(self, file_keys: Iterable[str]) -> list[str]:
        """Keys of the files that stand in quarantine and that these, which are whole, end: of the
        same name, landed in the same or an earlier hour."""
        sound = _by_place(file_keys)
        if not sound:
            return []
        return sorted(
            key
            for item in self._calls.get_all(self._table, list(sound))
            for key in item.get("file_keys", {}).get("SS", [])
            if key <= max(sound[item["pk"]["S"], item["sk"]["S"]])
        )

    def forget(self, file_keys: Iterable[str]) -> None:
        """Note files as out of quarantine."""
        self._calls.map(self._forget, list(_by_place(file_keys).items()))

    def _forget(self, pair: tuple[tuple[str, str], list[str]]) -> None:
        self._update("DELETE", *pair)
        body = {
            **self._place(pair[0]),
            "ConditionExpression": "attribute_not_exists(file_keys)",
        }
        try:
            self._calls.call("DeleteItem", orjson.dumps(body))
        except ConditionFailedError:
            return

    def _update(self, action: str, place: tuple[str, str], file_keys: list[str]) -> None:
        body = {
            **self._place(place),
            "UpdateExpression": f"{action} file_keys :keys",
            "ExpressionAttributeValues": {":keys": {"SS": sorted(set(file_keys))}},
        }
        self._calls.call("UpdateItem", orjson.dumps(body))

    def _place(self, place: tuple[str, str]) -> Mapping[str, object]:
        return {"TableName": self._table, "Key": {"pk": {"S": place[0]}, "sk": {"S": place[1]}}}


def _by_place(file_keys: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Keys of files by (pk, sk) of their name's item."""
    places: dict[tuple[str, str], list[str]] = {}
    for key in file_keys:
        feed = key.partition("/dt=")[0].removeprefix("feeds/")
        places.setdefault((f"#quarantine#{feed}", key.rpartition("/")[2]), []).append(key)
    return places
