"""TT's limits by tier: the one place with these numbers. Nothing is enforced here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from trade_assets.remote.protection.limits import ApiLimits
from trade_assets.settings import Settings, TtTier


class TierRequests(NamedTuple):
    """How many requests one application key may make."""

    per_second: int
    per_day: int


TIERS: Final[Mapping[TtTier, TierRequests]] = MappingProxyType(
    {
        TtTier.FREE: TierRequests(3, 10_000),
        TtTier.LOW: TierRequests(5, 15_000),
        TtTier.MEDIUM: TierRequests(10, 30_000),
        TtTier.HIGH: TierRequests(25, 75_000),
    }
)


def api_limits(settings: Settings) -> ApiLimits:
    """What the protection layer keeps for the key of these settings."""
    requests = TIERS[settings.tt.tier]
    return ApiLimits(
        name=f"tt:{settings.tt.environment.value}",
        per_second=requests.per_second,
        per_day=requests.per_day,
        attempts=settings.tt.call_attempts,
        call_seconds=settings.tt.call_seconds,
        breaker_failures=settings.tt.breaker_failures,
        breaker_open_seconds=settings.tt.breaker_open_seconds,
    )
