"""What `status` says about how long history is kept."""

import pytest

from trade_assets.cli.status_kept import kept_lines
from trade_assets.ingest.health_section import KeptSection, KeptStatus
from trade_assets.settings import load_settings


def _kept(**changes: object) -> KeptStatus:
    return KeptSection(load_settings(**changes)).status(None, {})  # type: ignore[arg-type]


def test_locally_the_hours_and_what_is_kept_longer_are_said() -> None:
    kept = _kept(local_history_hours=12)
    first, others = (line.plain for line in kept_lines(kept))
    assert first == "history and files: kept 12 h after landing (TRADE_ASSETS_LOCAL_HISTORY_HOURS)"
    assert kept.as_dict()["history_kept"]["local_hours"] == 12
    assert set(kept.longer.values()) == {96.0}
    assert {"actant/eod", "actant/sod"} <= kept.longer.keys()
    for path in kept.longer:
        assert path in others
    assert others.endswith("4 days")


@pytest.mark.parametrize("changes", [{"local_history_hours": 0}, {"profile": "aws"}])
def test_without_a_limit_it_is_for_ever(changes: dict[str, object]) -> None:
    kept = _kept(**changes)
    assert [line.plain for line in kept_lines(kept)] == ["history: kept for ever"]
    assert kept.problems == ()


def test_a_data_set_with_a_setting_of_its_own_is_named() -> None:
    kept = _kept(profile="aws", history_ttl_days={"actant/spot_risk": 400})
    assert [line.plain for line in kept_lines(kept)] == [
        "history: kept for ever",
        "  but actant/spot_risk 400 days",
    ]
