"""The instrument cache: answers of the API about instruments, in Redis, so that each is asked for
once a day.

Keys `cache:tt:<environment>:instrument:<id>`: the answer's exact bytes and when it came. An answer
older than a day is kept for another one: for a slot in which the API does not give a new one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import redis

from trade_assets.settings import Settings
from trade_assets.stores.redis.client import redis_errors
from trade_assets.stores.serialise import iso_text

FRESH_FOR: Final = timedelta(hours=24)
"""An answer is not asked for again for so long."""
KEPT_FOR: Final = timedelta(hours=48)
"""Then it is forgotten."""
REFUSED_FOR: Final = timedelta(hours=1)
"""What the API refuses to tell is not asked for again for so long: an instrument that it does not
know would cost 2,880 calls a day."""


@dataclass(frozen=True, slots=True)
class CachedInstrument:
    """An answer about one instrument.

    Attributes:
        path: service and endpoint, as in a document's manifest.
        received_at: when the answer was complete (UTC).
        data: the exact bytes; JSON, hence UTF-8.
    """

    path: str
    received_at: datetime
    data: bytes

    def is_fresh(self, now: datetime) -> bool:
        """Whether it need not be asked for again at `now` (aware)."""
        return now - self.received_at < FRESH_FOR


class InstrumentCache:
    """Cached answers of one environment. Thread-safe."""

    def __init__(self, settings: Settings, client: "redis.Redis") -> None:
        self._redis = client
        self._prefix = f"cache:tt:{settings.tt.environment.value}"

    def get(self, ids: Iterable[str]) -> dict[str, CachedInstrument]:
        """The answers that are there, fresh or not, by id.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        wanted = list(dict.fromkeys(ids))
        found = zip(wanted, self._texts("instrument", wanted), strict=True)
        cached = ((id_, _instrument(text)) for id_, text in found if text is not None)
        return {id_: item for id_, item in cached if item is not None}

    def put(self, instruments: Mapping[str, CachedInstrument]) -> None:
        """Keep answers, by id, each for `KEPT_FOR` from now.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        self._put("instrument", {id_: _text(item) for id_, item in instruments.items()}, KEPT_FOR)

    def refused(self, ids: Iterable[str]) -> dict[str, str]:
        """Why the API refused some of these lately, by id.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        wanted = list(dict.fromkeys(ids))
        found = zip(wanted, self._texts("refused", wanted), strict=True)
        return {id_: reason for id_, reason in found if reason is not None}

    def put_refused(self, reasons: Mapping[str, str]) -> None:
        """Note that the API refuses to tell of instruments, by id, for `REFUSED_FOR` from now.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        self._put("refused", reasons, REFUSED_FOR)

    def _texts(self, what: str, ids: list[str]) -> list[str | None]:
        with redis_errors("reading the instrument cache"), self._redis.pipeline(False) as pipe:
            for id_ in ids:
                pipe.get(f"{self._prefix}:{what}:{id_}")
            texts: list[str | None] = pipe.execute()
            return texts

    def _put(self, what: str, texts: Mapping[str, str], kept_for: timedelta) -> None:
        with redis_errors("writing the instrument cache"), self._redis.pipeline(False) as pipe:
            for id_, text in texts.items():
                pipe.set(f"{self._prefix}:{what}:{id_}", text, ex=kept_for)
            pipe.execute()


def _text(item: CachedInstrument) -> str:
    return orjson.dumps(
        {"path": item.path, "received_at": iso_text(item.received_at), "data": item.data.decode()}
    ).decode()


def _instrument(text: str) -> CachedInstrument | None:
    """A cached answer; None if it is damaged, so that it is asked for again."""
    try:
        fields: dict[str, Any] = orjson.loads(text)
        received_at = datetime.fromisoformat(fields["received_at"])
        return CachedInstrument(fields["path"], received_at, fields["data"].encode())
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
