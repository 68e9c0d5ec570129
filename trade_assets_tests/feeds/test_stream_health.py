"""What the health says of the number of stream runs."""

from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.feeds.health_section import FeedsSection, StreamRunStatus, too_few_or_many
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.settings import load_settings

NOW = datetime(2025, 7, 17, 15, tzinfo=UTC)


def run(name: str, *, consuming: bool = True, hands_over: bool = False) -> StreamRunStatus:
    return StreamRunStatus(name, NOW, 0, consuming, hands_over)


NONE = ["stream: no run is consuming"]


@pytest.mark.parametrize(
    ("runs", "problems"),
    [
        ([], NONE),
        ([run("a", consuming=False)], NONE),
        ([run("a")], []),
        ([run("a"), run("b", consuming=False)], []),
        ([run("a", hands_over=True), run("b")], []),
        ([run("a"), run("b")], ["stream: 2 runs are consuming, one is wanted"]),
        ([run(name) for name in "abcd"], ["stream: 4 runs are consuming, one is wanted"]),
        (
            [run("a", hands_over=True), run("b", hands_over=True), run("c")],
            ["stream: 3 runs are consuming, one is wanted"],
        ),
    ],
)
def test_one_run_is_wanted_and_its_predecessor_may_hand_over(
    runs: list[StreamRunStatus], problems: list[str]
) -> None:
    assert too_few_or_many(runs) == problems


@pytest.mark.parametrize(("left_seconds", "hands_over"), [(3000, False), (20, True), (-5, True)])
def test_a_run_hands_over_at_the_end_of_its_window(left_seconds: int, hands_over: bool) -> None:
    section = FeedsSection(load_settings(rollover_lead_seconds=25))
    ends = NOW + timedelta(seconds=left_seconds)
    status = section.run_status(StreamBeat("a", ends.timestamp(), 3), NOW)
    section.close()
    assert (status.hands_over, status.window_ends_at) == (hands_over, ends)
