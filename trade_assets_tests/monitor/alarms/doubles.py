"""Channels of the tests: they note what they are told where every process can read it."""

import threading
from collections.abc import Callable
from datetime import datetime

import redis

from trade_assets.errors import StoreUnavailableError
from trade_assets.monitor.alarms.notices import Notice


class NotingChannel:
    """Notes notices in a Redis list, as `<alarm> began|ended`. Fails while `away` is set."""

    def __init__(self, client: "redis.Redis", name: str = "noting") -> None:
        self.name = name
        self.away = threading.Event()
        self.before: Callable[[], object] = lambda: None
        self._redis = client

    def tell(self, notice: Notice) -> None:
        self.before()
        if self.away.is_set():
            raise StoreUnavailableError("away")
        end = "began" if notice.ended_at is None else "ended"
        self._redis.rpush(f"noted:{self.name}", f"{notice.name} {end}")
        if end == "began":
            self._redis.rpush(f"began:{self.name}", notice.began_at.isoformat())

    def close(self) -> None:
        pass

    @property
    def began(self) -> list[datetime]:
        """When the episodes began of which it heard the beginning."""
        texts = self._redis.lrange(f"began:{self.name}", 0, -1)
        return [datetime.fromisoformat(str(text)) for text in texts]

    @property
    def noted(self) -> list[str]:
        return list(self._redis.lrange(f"noted:{self.name}", 0, -1))  # type: ignore[arg-type]
