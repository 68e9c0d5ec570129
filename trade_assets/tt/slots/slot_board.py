"""The slot board: the newest slot that was asked for and how it went, in Redis.

One hash, `slots:tt:<environment>`. It never moves back; writing a slot again says it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

import orjson
import redis

from trade_assets.settings import Settings
from trade_assets.stores.redis.client import redis_errors
from trade_assets.stores.serialise import iso_text

# `failures_before` is the count without this slot, so that a second try of it counts once.
_WRITE: Final = """
local stored = redis.pcall('HMGET', KEYS[1], 'slot', 'failures', 'failures_before',
                          'last_whole', 'last_kept')
local before, last_whole, last_kept = 0, '', ''
if stored.err == nil and type(stored[1]) == 'string' then
  if stored[1] > ARGV[1] then return 0 end
  last_whole, last_kept = stored[4] or '', stored[5] or ''
  before = tonumber(stored[stored[1] == ARGV[1] and 3 or 2] or 0) or 0
end
local failures = before + 1
if ARGV[2] == '1' then failures, last_whole = 0, ARGV[1] end
if ARGV[3] == '1' then last_kept = ARGV[1] end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'failures', failures, 'failures_before', before,
           'last_whole', last_whole, 'last_kept', last_kept, unpack(ARGV, 4))
return 1
"""


@dataclass(frozen=True, slots=True)
class SlotSummary:
    """The newest slot that was asked for.

    Attributes:
        slot: which one (UTC).
        whole: every kind is in the bucket and in both stores.
        seconds: what it took, from the first look to the last write.
        offset_seconds: from the slot to the first call of the API; None where nothing was asked.
        reason: why it is not whole; empty if it is.
        kinds: the state of every kind (`KindState` of `tt.slots.results`).
        run_id: the Dagster run that took it.
        failures: slots in a row, up to this one, that were asked for and are not whole.
        last_whole: the newest slot that is whole; None if there has been none.
        last_kept: the newest slot of which any kind is in the bucket; None if there has been none.
        kept: whether this one is such a slot.
    """

    slot: datetime
    whole: bool
    seconds: float
    offset_seconds: float | None = None
    reason: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    failures: int = 0
    last_whole: datetime | None = None
    last_kept: datetime | None = None
    kept: bool = True


class SlotBoard:
    """The board of an environment. Thread-safe."""

    def __init__(self, settings: Settings, client: "redis.Redis") -> None:
        self._redis = client
        self._key = f"slots:tt:{settings.tt.environment.value}"

    def write_taken(self, taken: SlotSummary) -> bool:
        """Put a slot on the board unless a newer one is there; whether it was put.

        `failures`, `last_whole` and `last_kept` of `taken` are not looked at: the board knows them.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        slot = iso_text(taken.slot)
        fields = {
            "slot": slot,
            "whole": "1" if taken.whole else "0",
            "seconds": f"{taken.seconds:.3f}",
            "offset_seconds": "" if taken.offset_seconds is None else f"{taken.offset_seconds:.3f}",
            "reason": taken.reason,
            "kinds": orjson.dumps(dict(taken.kinds)).decode(),
            "run_id": taken.run_id,
            "kept": "1" if taken.kept else "0",
        }
        flat = [part for pair in fields.items() for part in pair]
        with redis_errors("writing the slot board"):
            written = self._redis.eval(
                _WRITE, 1, self._key, slot, fields["whole"], fields["kept"], *flat
            )
        return bool(written)

    def read(self) -> SlotSummary | None:
        """What is on the board; None before the first slot, or if it is damaged.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("reading the slot board"):
            fields = cast("dict[str, Any]", self._redis.hgetall(self._key))
        try:
            return _summary(fields)
        except (KeyError, ValueError):
            return None


def _summary(fields: Mapping[str, str]) -> SlotSummary:
    return SlotSummary(
        slot=datetime.fromisoformat(fields["slot"]),
        whole=fields["whole"] == "1",
        seconds=float(fields["seconds"]),
        offset_seconds=float(fields["offset_seconds"]) if fields["offset_seconds"] else None,
        reason=fields["reason"],
        kinds=orjson.loads(fields["kinds"]),
        run_id=fields["run_id"],
        failures=int(fields["failures"]),
        last_whole=_moment(fields["last_whole"]),
        last_kept=_moment(fields["last_kept"]),
        kept=fields["kept"] == "1",
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
