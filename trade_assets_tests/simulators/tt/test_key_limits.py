"""The limits of a key, by a clock of the test's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.simulators.tt.http_responses import Refusal
from trade_assets.simulators.tt.key_limits import DAY_SECONDS, KeyLimits
from trade_assets.simulators.tt.request_log import Entry, Journal


class _Clock:
    now = 5 * DAY_SECONDS + 0.5

    def __call__(self) -> float:
        return self.now


def _passes(limits: KeyLimits) -> bool:
    try:
        limits.count()
    except Refusal:
        return False
    return True


@given(st.lists(st.floats(0, 0.7), max_size=60), st.integers(1, 5))
def test_no_second_holds_more_than_the_limit(pauses: list[float], per_second: int) -> None:
    clock = _Clock()
    limits = KeyLimits(per_second, 1_000, clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        in_second = sum(at > clock.now - 1.0 for at in passed)
        let_through = _passes(limits)
        assert let_through is (in_second < per_second)
        if let_through:
            passed.append(clock.now)


def test_the_day_ends_at_midnight_utc_and_says_no_time() -> None:
    clock = _Clock()
    limits = KeyLimits(100, 3, clock)
    assert [_passes(limits) for _ in range(4)] == [True, True, True, False]
    clock.now = 6 * DAY_SECONDS - 0.001
    with pytest.raises(Refusal, match="a day") as refused:
        limits.count()
    assert refused.value.status == 429
    assert refused.value.headers == {}
    assert limits.today == 3
    clock.now = 6 * DAY_SECONDS
    assert _passes(limits)
    assert limits.today == 1


def test_the_journal_knows_the_busiest_second() -> None:
    journal = Journal()
    for tenth in (0, 3, 5, 9, 10, 21):
        journal.note("a/b", Entry(tenth * 10**8, "GET", "/a/e/b", {}, [], 200))
    summary = journal.summary(last=2)
    assert (summary["busiest_second"], summary["total"]) == (4, 6)
    assert [entry["at_ns"] for entry in summary["recent"]] == [10**9, 21 * 10**8]
    assert journal.summary(last=0)["recent"] == []
