"""The checks of files arriving: which feeds have them, and what `gaps` and `freshness` say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import FILES
from trade_assets.defs.feeds.arrival_checks import arrival_checks, arrival_outcomes, gaps_outcome
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import FEED_STORES, FRESHNESS_CHECK, GAPS_CHECK
from trade_assets.feeds.datasets import FEEDS
from trade_assets.market.calendar import business_days_before
from trade_assets.market.trading_days import CENTRAL
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.derived_files import VTEXP
from trade_assets_tests.stores.samples import FILLS, SPOT, spot_key
from trade_assets_tests.support.stores import Stores

STEP = timedelta(minutes=10)
FRESH_SECONDS = 86_400.0
HEADER = ["| from | to | files_expected |", "|---|---|---|"]


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    """Stores of which only Redis is there."""
    # What has just come is so at the next look, however long that takes.
    with Stores(settings.changed({"freshness_seconds": {SPOT.path: FRESH_SECONDS}})) as made:
        yield made


def open_noon() -> datetime:
    """Noon US Central of the last business day that is over: hours of open market around it."""
    now = datetime.now(CENTRAL)
    day = business_days_before(now.date(), 1)
    return now.replace(
        year=day.year, month=day.month, day=day.day, hour=12, minute=0, second=0, microsecond=0
    ).astimezone(UTC)


def cover(stores: Stores, first: datetime, *missing: datetime) -> None:
    """Note a file of spot risk every ten minutes from `first` to now, all but some of them."""
    now = datetime.now(UTC)
    times = [first + number * STEP for number in range((now - first) // STEP + 1)]
    times = [moment for moment in times if moment not in missing]
    stores.coverage.add(SPOT, [*times, now], STEP.total_seconds())


def listed(outcome: CheckOutcome) -> list[str]:
    """Lines of the table of the newest gaps."""
    text: str = outcome.metadata["newest_gaps"].value
    return text.splitlines()


def line(start: datetime, end: datetime | str, files_expected: int) -> str:
    """A line of the table."""
    to = end if isinstance(end, str) else end.isoformat()
    return f"| {start.isoformat()} | {to} | {files_expected} |"


def test_a_feed_that_came_without_a_hole_passes(stores: Stores) -> None:
    cover(stores, open_noon())
    outcome = gaps_outcome(stores, SPOT)
    assert outcome.passed
    assert listed(outcome) == []
    assert outcome.metadata["gaps"] == outcome.metadata["files_expected"] == 0
    assert (outcome.asset_key, outcome.name) == (layer_key(SPOT, FILES), "gaps")


def test_a_hole_is_a_warning_that_says_from_when_to_when_and_how_many_files(
    stores: Stores,
) -> None:
    noon = open_noon()
    cover(stores, noon - 2 * STEP, noon)
    outcome = gaps_outcome(stores, SPOT)
    assert not outcome.passed
    assert outcome.severity is dg.AssetCheckSeverity.WARN
    assert outcome.metadata["gaps"] == 1
    assert outcome.metadata["files_expected"] == 1199
    assert listed(outcome) == [*HEADER, line(noon - STEP, noon + STEP, 1199)]


def test_a_hole_that_a_late_file_filled_is_none(stores: Stores) -> None:
    noon = open_noon()
    cover(stores, noon - 2 * STEP, noon)
    stores.coverage.add(SPOT, [noon], STEP.total_seconds())
    assert gaps_outcome(stores, SPOT).passed


def test_the_newest_gaps_are_listed_and_all_are_counted(stores: Stores) -> None:
    noon = open_noon()
    minutes = [noon + timedelta(minutes=number) for number in range(26)]
    stores.coverage.add(SPOT, minutes, 15.0)
    outcome = gaps_outcome(stores, SPOT)
    assert outcome.metadata["gaps"] == 25 + 1
    rows = listed(outcome)[2:]
    assert len(rows) == 20
    assert rows[0].startswith(f"| {minutes[-1].isoformat()} | still open | ")
    assert rows[1] == line(minutes[-2], minutes[-1], 59)
    expected = int(rows[0].split("|")[3])
    assert outcome.metadata["files_expected"] == 25 * 59 + expected


def test_a_gap_that_was_over_long_ago_is_not_looked_at(stores: Stores) -> None:
    long_ago = open_noon() - timedelta(days=stores.settings.arrival.gap_days + 7)
    cover(stores, long_ago - 2 * STEP, long_ago)
    assert stores.coverage.intervals(SPOT)[0][1] == long_ago - STEP
    outcome = gaps_outcome(stores, SPOT)
    assert outcome.passed
    assert outcome.metadata["days_looked_at"] == stores.settings.arrival.gap_days


def test_a_feed_that_never_came_has_no_gaps_and_is_not_fresh(stores: Stores) -> None:
    outcomes = {outcome.name: outcome for outcome in arrival_outcomes(stores, SPOT)}
    assert outcomes[GAPS_CHECK].passed
    assert not outcomes[FRESHNESS_CHECK].passed
    assert "age_seconds" not in outcomes[FRESHNESS_CHECK].metadata


@pytest.mark.parametrize("feed", FEEDS.values(), ids=lambda feed: feed.name)
def test_only_feeds_with_a_cadence_have_a_gaps_check(stores: Stores, feed: Feed) -> None:
    names = [FRESHNESS_CHECK] if feed is FILLS else [FRESHNESS_CHECK, GAPS_CHECK]
    specs = [spec for check in arrival_checks(feed) for spec in check.check_specs]
    assert [spec.name for spec in specs] == names
    assert {spec.asset_key for spec in specs} == {layer_key(feed, FILES)}
    assert [outcome.name for outcome in arrival_outcomes(stores, feed)] == names


def test_the_checks_can_be_run_by_hand(stores: Stores) -> None:
    noon = open_noon()
    cover(stores, noon - 2 * STEP, noon)
    stores.latest.write_status(SPOT, spot_key(1), noon, datetime.now(UTC), 0.25)
    checks = [*arrival_checks(SPOT), *arrival_checks(VTEXP)]
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [*checks, *(dg.AssetSpec(layer_key(feed, FILES)) for feed in (SPOT, VTEXP))],
            instance=instance,
            resources={FEED_STORES: stores},
            selection=dg.AssetSelection.checks(*checks),
        )
    found = {
        (check.asset_key.path[1], check.check_name): check
        for check in result.get_asset_check_evaluations()
    }
    assert {key: check.passed for key, check in found.items()} == {
        ("spot_risk", "freshness"): True,
        ("spot_risk", "gaps"): False,
        ("vtexp", "freshness"): False,
        ("vtexp", "gaps"): True,
    }
    fresh = found["spot_risk", "freshness"].metadata
    assert fresh["last_file"].value == spot_key(1)
    assert fresh["limit_seconds"].value == FRESH_SECONDS
