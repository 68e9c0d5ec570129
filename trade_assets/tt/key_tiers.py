"""TT's limits by the tier of an application key: the one place with these numbers.

Nothing is enforced here: the client's protection keeps to them, the simulator answers by them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from trade_assets.remote.protection.limits import ApiLimits
from trade_assets.settings import TtSettings, TtTier


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


def api_limits(tt: TtSettings) -> ApiLimits:
    """What the protection layer keeps for the key of these settings."""
    requests = TIERS[tt.tier]
    return ApiLimits(
        name=f"tt:{tt.environment.value}",
        per_second=requests.per_second,
        per_day=requests.per_day,
        attempts=tt.call_attempts,
        call_seconds=tt.call_seconds,
        breaker_failures=tt.breaker_failures,
        breaker_open_seconds=tt.breaker_open_seconds,
    )
