"""What a key of a tier may do, as the protection layer is told."""

import pytest

from trade_assets.settings import TtTier, load_settings
from trade_assets.tt.key_tiers import TIERS, api_limits

REQUESTS = {"free": (3, 10_000), "low": (5, 15_000), "medium": (10, 30_000), "high": (25, 75_000)}
"""A second and a day, as TT's documentation has them."""


@pytest.mark.parametrize("tier", list(TtTier))
def test_limits_are_those_of_the_tier_counted_by_environment(tier: TtTier) -> None:
    tt = load_settings(tt_tier=tier, tt_environment="ext_uat_cert").tt
    limits = api_limits(tt)
    assert (limits.name, limits.per_second, limits.per_day) == ("tt:ext_uat_cert", *REQUESTS[tier])


def test_every_tier_has_its_limits() -> None:
    assert set(TIERS) == set(TtTier)


def test_how_patient_a_call_is_is_a_setting() -> None:
    settings = load_settings(
        tt_call_attempts=2, tt_call_seconds=3.5, tt_breaker_failures=7, tt_breaker_open_seconds=9
    )
    limits = api_limits(settings.tt)
    assert (limits.attempts, limits.call_seconds) == (2, 3.5)
    assert (limits.breaker_failures, limits.breaker_open_seconds) == (7, 9)
