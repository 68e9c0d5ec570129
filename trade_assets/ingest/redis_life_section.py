"""Whether Redis has what was written into it, and how far it is rebuilt: a part of the health."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from trade_assets.ingest.rebuilding import Progress, RebuildBoard
from trade_assets.ingest.redis_life import LifeState, RedisLife, compare
from trade_assets.monitor.sections import Look, StorePart
from trade_assets.settings import Settings
from trade_assets.stores.connections import Connections


@dataclass(frozen=True, slots=True)
class RedisLifeStatus:
    """One look. `state` is None where a store could not be looked at; `rebuilding` is how far a
    rebuild is, None if none is under way."""

    state: LifeState | None
    rebuilding: Progress | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """A loss, until all is back."""
        return (self.text,) if self.text else ()

    @property
    def text(self) -> str:
        """What people should know; empty if all is well."""
        if self.state not in (LifeState.LOST, LifeState.REBUILDING):
            return ""
        if self.rebuilding is None:
            return "Redis lost its data; it is rebuilt as soon as the daemon has begun"
        return f"Redis lost its data and is being rebuilt: {self.rebuilding.text}"

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"redis_life": asdict(self)}


class RedisLifeSection:
    """Compares the marks; keeps its connections."""

    def __init__(self, settings: Settings) -> None:
        self._connections = Connections(settings, patient=False)
        self.looks: Mapping[StorePart, Look] = {
            StorePart.DYNAMODB: lambda _: self._life().name(),
            StorePart.REDIS: lambda _: (
                self._life().marks(),
                RebuildBoard(self._connections.redis).read(),
            ),
        }
        self.local_parts: Mapping[str, str] = {}

    def status(self, now: datetime, found: Mapping[StorePart, Any]) -> RedisLifeStatus:
        """What was found."""
        if not found.keys() >= {StorePart.DYNAMODB, StorePart.REDIS}:
            return RedisLifeStatus(None)
        marks, rebuilding = found[StorePart.REDIS]
        return RedisLifeStatus(compare(found[StorePart.DYNAMODB], marks), rebuilding)

    def close(self) -> None:
        """Give connections back."""
        self._connections.close()

    def _life(self) -> RedisLife:
        connections = self._connections
        return RedisLife(connections.settings, connections.redis, connections.dynamodb)
