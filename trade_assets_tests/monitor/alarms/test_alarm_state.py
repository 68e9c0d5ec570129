"""How episodes follow from what was observed, for any sequence of observations and failures."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.monitor.alarms.alarm_state import LATE, MOST_KEPT, AlarmState, from_text, to_text
from trade_assets.monitor.alarms.conditions import Condition

START = datetime(2025, 11, 21, 10, 0, tzinfo=UTC)
CHANNELS = ("log", "sns", "slack")


def at(slots: float) -> datetime:
    return START + slots * timedelta(seconds=30)


def seen(active: bool | None, detail: str = "detail") -> Condition:
    return Condition("n", "title", active, detail)


def tell(
    state: AlarmState, working: tuple[str, ...] = CHANNELS
) -> tuple[AlarmState, list[tuple[str, str]]]:
    """Tell all that is due on the working channels; the state after, and what was told."""
    told = []
    while due := next(state.due("n", working), None):
        told.append((due.channel, "began" if due.notice.ended_at is None else "ended"))
        state = state.after(due)
    return state.settled(CHANNELS), told


def test_an_episode_opens_once_and_ends_once() -> None:
    opened = AlarmState().observe(seen(True, "it failed"), at(1))
    still = opened.observe(seen(True, "it fails still"), at(2))
    ended = still.observe(seen(False, "it works"), at(3))
    began, over = ended.episodes[0].notices("n")
    assert still is opened
    assert (began.detail, began.began_at, began.ended_at) == ("it failed", at(1), None)
    assert (over.detail, over.began_at, over.ended_at) == ("it works", at(1), at(3))
    assert ended.observe(seen(False), at(4)) is ended


def test_what_is_neither_stays_as_it_was() -> None:
    calm = AlarmState()
    opened = calm.observe(seen(True), at(1))
    assert calm.observe(seen(None), at(1)) is calm
    assert opened.observe(seen(None), at(2)) is opened


def test_what_was_observed_before_the_last_change_counts_no_more() -> None:
    ended = AlarmState().observe(seen(True), at(1)).observe(seen(False), at(2))
    assert ended.observe(seen(True), at(1.5)) is ended
    assert ended.observe(seen(True), at(2)) is ended
    assert ended.observe(seen(True), at(2.1)).open


def test_a_clock_that_was_put_back_does_not_stop_the_alarms() -> None:
    ended = AlarmState().observe(seen(True), at(1)).observe(seen(False), at(2))
    assert ended.observe(seen(True), at(2) - LATE) is ended
    assert ended.observe(seen(True), at(2) - LATE - timedelta(seconds=1)).open


def test_a_new_episode_does_not_wait_for_a_channel_that_is_away() -> None:
    state, first = tell(AlarmState().observe(seen(True), at(1)), ("log",))
    state, second = tell(state.observe(seen(False), at(2)), ("log",))
    state, third = tell(state.observe(seen(True), at(3)), ("log",))
    assert [*first, *second, *third] == [("log", "began"), ("log", "ended"), ("log", "began")]
    _, late = tell(state)
    assert [end for channel, end in late if channel == "sns"] == ["began", "ended", "began"]
    assert not [end for channel, end in late if channel == "log"]


def test_what_a_dead_channel_missed_is_bounded() -> None:
    state = AlarmState()
    for slot in range(0, 10 * MOST_KEPT, 2):
        state = state.observe(seen(True), at(slot)).observe(seen(False), at(slot + 1))
        state, _ = tell(state, ("log", "sns"))
    assert len(state.episodes) == MOST_KEPT
    assert state.episodes[-1].ended_at == state.changed_at


def test_an_episode_is_forgotten_when_all_know_its_end() -> None:
    opened, _ = tell(AlarmState().observe(seen(True), at(1)))
    ended, _ = tell(opened.observe(seen(False), at(2)))
    assert opened.episodes
    assert not ended.episodes
    assert ended.changed_at == at(2)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([True, False, None]),
        st.lists(st.sampled_from(CHANNELS), unique=True).map(tuple),
    ),
    max_size=2 * MOST_KEPT,
)


@given(STEPS)
def test_each_channel_hears_each_beginning_and_end_once_in_order(
    steps: list[tuple[bool | None, tuple[str, ...]]],
) -> None:
    """Up to MOST_KEPT episodes, so that nothing is given up."""
    state, heard, opened = AlarmState(), [], 0
    for slot, (active, working) in enumerate(steps):
        before = state.open
        state = from_text(to_text(state.observe(seen(active), at(slot))))
        opened += state.open is not None and before is None
        state, told = tell(state, working)
        heard += told
    state, told = tell(state.observe(seen(False), at(len(steps))))
    heard += told
    assert not state.episodes
    for channel in CHANNELS:
        assert [end for name, end in heard if name == channel] == ["began", "ended"] * opened


@given(STEPS)
def test_a_state_survives_its_text(steps: list[tuple[bool | None, tuple[str, ...]]]) -> None:
    state = AlarmState()
    for slot, (active, working) in enumerate(steps):
        state, _ = tell(state.observe(seen(active), at(slot)), working)
        assert from_text(to_text(state)) == state


@pytest.mark.parametrize(
    "text",
    [
        "x", "null", "1", "[]", "{}", '{"episodes":[],"changed_at":"never"}',
        '{"episodes":[1],"changed_at":null}', '{"episodes":null,"changed_at":null}',
        '{"episodes":[{"began_at":null,"ended_at":null}],"changed_at":null}',
    ],
)  # fmt: skip
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        from_text(text)
