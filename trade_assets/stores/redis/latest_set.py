"""A replaced set in one Redis key, so that it is swapped as a whole: `set:<source>:<name>`.

A hash: record key → JSON of the record's fields, all texts, as its `latest:` hash has them; beside
them `_file_key` and `_event_time` of the picture. Connections and errors: `latest_store`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import polars as pl

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, ROW, TRADING_DATE
from trade_assets.stores.redis.latest_reader import RESERVED, TIME_FIELD
from trade_assets.stores.serialise import redis_fields

if TYPE_CHECKING:
    import redis

# Answers with the picture that was replaced; with nil where that one is newer, and stays. One of
# another environment's files is no older or newer one, and one that is dated later than anything
# can be is none at all: they go. HSET by parts: Lua's stack is limited.
_SWAP: Final = """
local found = redis.pcall('HMGET', KEYS[1], '_file_key', '_event_time')
local stored, dated = found[1], found[2]
local before = {}
if found.err == nil and type(stored) == 'string' then
  if string.match(stored, '^.*/dt=') == string.match(ARGV[1], '^.*/dt=') and stored > ARGV[1]
     and (type(dated) ~= 'string' or dated <= ARGV[3]) then
    return nil
  end
  before = redis.call('HGETALL', KEYS[1])
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], '_file_key', ARGV[1], '_event_time', ARGV[2])
for i = 4, #ARGV, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
return before
"""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What replacing a set did.

    Attributes:
        records: records of the picture.
        changed: keys of those that were not there or had another content, sorted.
        gone: keys that were there and are no more, sorted.
        is_newest: False if Redis had a newer picture, so that nothing was done.
    """

    records: int
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    is_newest: bool = True


def record_texts(records: pl.DataFrame) -> dict[str, str]:
    """Records, each key once, as the fields of the set's hash."""
    fields = (orjson.loads(text) for text in redis_fields(records))
    # A row is names and values in turns.
    texts = (orjson.dumps(dict(zip(row[::2], row[1::2], strict=True))).decode() for row in fields)
    return dict(zip(records[RECORD_KEY].to_list(), texts, strict=True))


def swap(
    client: "redis.Redis",
    key: str,
    file_key: str,
    event_time: str,
    texts: Mapping[str, str],
    latest_time: str,
) -> dict[str, str] | None:
    """Put a picture in the place of the one that is there, which is returned; None: that one is of
    a later file and stays. One dated behind `latest_time` cannot be, and does not stay."""
    parts = [part for pair in texts.items() for part in pair]
    # Sent whole: at one call a slot its size does not matter, and no server can lack it.
    before = cast(
        "list[str] | None",
        client.eval(_SWAP, 1, key, file_key, event_time, latest_time, *parts),
    )
    return None if before is None else dict(zip(before[::2], before[1::2], strict=True))


def differences(
    before: Mapping[str, str], texts: Mapping[str, str], event_time: str
) -> tuple[list[str], list[str]]:
    """Keys whose content is new or differs, and keys that are gone; each sorted.

    File and row are no content, and no more is an event time that is but the picture's.
    """
    was, now = before.get(TIME_FIELD, ""), event_time
    changed = [
        key
        for key, text in texts.items()
        if key not in before or _content(before[key], was) != _content(text, now)
    ]
    return sorted(changed), sorted(before.keys() - texts.keys() - set(RESERVED))


def _content(text: str, picture_time: str) -> dict[str, Any] | None:
    try:
        fields: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    for name in (FILE_KEY, ROW, TRADING_DATE):
        fields.pop(name, None)
    if fields.get(EVENT_TIME) == picture_time:
        del fields[EVENT_TIME]
    return fields
