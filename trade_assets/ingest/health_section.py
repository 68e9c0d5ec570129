"""The history's section of the health: how long what was ingested is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from trade_assets.datasets.registry import all_datasets
from trade_assets.ingest.redis_life_section import RedisLifeSection
from trade_assets.monitor.sections import HealthSection, Look, StorePart
from trade_assets.settings import Settings
from trade_assets.stores.expiry import kept_locally

HOUR_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class KeptStatus:
    """How long history is kept, in hours.

    Attributes:
        local_hours: after their landing hour, of the local stack's records and files; None: for
            ever.
        longer: those of data sets that the local stack keeps longer, by path.
        by_event_time: what is kept by a setting of its own, by path.
    """

    local_hours: float | None
    longer: Mapping[str, float]
    by_event_time: Mapping[str, float]

    @property
    def problems(self) -> tuple[str, ...]:
        """None: it is as the settings say."""
        return ()

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "history_kept": {
                "local_hours": self.local_hours,
                "longer": dict(self.longer),
                "by_event_time": dict(self.by_event_time),
            }
        }


class KeptSection:
    """Looks nowhere: the settings say it."""

    def __init__(self, settings: Settings) -> None:
        kept = kept_locally(settings)
        hours = None if kept is None else kept.total_seconds() / HOUR_SECONDS
        self._status = KeptStatus(
            hours,
            {} if hours is None else _longer(settings, hours),
            {path: days * 24.0 for path, days in settings.stores.history_ttl_days.items()},
        )
        self.looks: Mapping[StorePart, Look] = {}
        self.local_parts: Mapping[str, str] = {}

    def status(self, _: datetime, __: Mapping[StorePart, Any]) -> KeptStatus:
        """The section of one look."""
        return self._status

    def close(self) -> None:
        """Nothing is held."""


def health_sections(settings: Settings) -> tuple[HealthSection, ...]:
    """The history's, and that of the life of Redis."""
    return KeptSection(settings), RedisLifeSection(settings)


def _longer(settings: Settings, hours: float) -> dict[str, float]:
    kept = {path: kept_locally(settings, item) for path, item in all_datasets().items()}
    found = {path: item.total_seconds() / HOUR_SECONDS for path, item in kept.items() if item}
    return {path: own for path, own in found.items() if own > hours}
