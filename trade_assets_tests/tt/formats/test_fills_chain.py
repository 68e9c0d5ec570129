"""The chain of fills: whatever the times, pages and slots, each fill is in exactly one frame."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.errors import UnparsableFileError
from trade_assets.tt.formats.document import read_document, write_document
from trade_assets.tt.formats.fills_chain import LOOK_BACK, MOST_CARRIED, first_fills, next_fills
from trade_assets.tt.formats.fills_snapshot import TT_FILLS
from trade_assets.tt.formats.snapshot import SnapshotDocument
from trade_assets_tests.tt.formats.documents import FILL, TIME_NS, of_bodies, of_rows

Fill = tuple[int, str]
BACK = int(LOOK_BACK.total_seconds()) * 10**9
LATER_NS = 10**9 * 3600 * 24 * 365


def row(time: int, name: str) -> dict[str, object]:
    return {**FILL, "timeStamp": TIME_NS + time, "uniqueExecId": name}


def document(fills: list[Fill], since: int = 0, *seen: str) -> SnapshotDocument:
    return of_rows(
        "fills", [row(*fill) for fill in fills], since_ns=TIME_NS + since, seen=tuple(seen)
    )


def asked(found: tuple[int, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
    return found[0] - TIME_NS, found[1]


def following(before: SnapshotDocument, fills: list[Fill]) -> SnapshotDocument:
    since, seen = asked(next_fills(before))
    return document(fills, since, *seen)


def test_some_time_before_the_newest_and_all_ids_from_there_on() -> None:
    fills = [(1, "a"), (BACK + 5, "d"), (5, "b"), (BACK + 5, "c")]
    assert asked(next_fills(document(fills))) == (5, ("b", "c", "d"))


def test_never_before_what_was_asked_for() -> None:
    assert asked(next_fills(document([(8, "b")], 7, "a"))) == (7, ("a", "b"))


def test_no_fills_change_nothing() -> None:
    assert asked(next_fills(document([], 7, "b", "a"))) == (7, ("a", "b"))


def test_more_fills_of_the_same_time_join_those_known() -> None:
    assert asked(next_fills(document([(7, "a"), (7, "c")], 7, "a", "b"))) == (7, ("a", "b", "c"))


def test_ids_of_earlier_times_are_forgotten() -> None:
    found = next_fills(document([(7, "a"), (7, "b"), (BACK + 8, "c")], 7, "a", "b"))
    assert asked(found) == (8, ("c",))


def test_known_fills_that_the_answers_lack_stay_known_but_do_not_add_up() -> None:
    fills = [(7, "a"), (BACK + 8, "c")]
    absent = [f"x{number:03}" for number in range(MOST_CARRIED)]
    assert asked(next_fills(document(fills, 7, "a", *absent))) == (8, ("c", *absent))
    assert asked(next_fills(document(fills, 7, "a", "b", *absent))) == (8, ("c",))


def test_a_fill_from_the_future_comes_once_where_the_reading_stopped_before_it() -> None:
    first = document([(1, "a"), (LATER_NS, "z")])
    second = following(first, [(1, "a"), (BACK + 9, "b")])
    third = following(second, [(BACK + 9, "b"), (LATER_NS, "z")])
    frames = [TT_FILLS.read(found, {}).frame for found in (first, second, third)]
    assert [frame["record_key"].to_list() for frame in frames] == [["a", "z"], ["b"], []]


@pytest.mark.parametrize("wrong", [2**63 - 1, 4102444800 * 10**9, 0, None, "soon", 1.5e18, True])
def test_a_time_that_is_none_does_not_move_the_chain(wrong: object) -> None:
    rows = [row(1, "a"), {**row(0, "b"), "timeStamp": wrong}, None, 5]
    found = next_fills(of_rows("fills", rows, since_ns=TIME_NS))
    assert asked(found) == (0, ("a",))


def test_a_fill_from_the_future_does_not_move_the_chain_and_comes_once() -> None:
    first = document([(1, "a"), (LATER_NS, "z")])
    assert TT_FILLS.read(first, {}).frame["record_key"].to_list() == ["a", "z"]
    since, seen = asked(next_fills(first))
    assert (since, seen) == (0, ("a", "z"))
    second = document([(1, "a"), (2, "b"), (LATER_NS, "z")], since, *seen)
    assert TT_FILLS.read(second, {}).frame["record_key"].to_list() == ["b"]
    assert asked(next_fills(second)) == (0, ("a", "b", "z"))


def test_a_document_of_something_else() -> None:
    with pytest.raises(ValueError, match="no since_ns"):
        next_fills(of_rows("orders", []))
    with pytest.raises(UnparsableFileError):
        next_fills(of_bodies("fills", b'{"orders": []}', since_ns=TIME_NS))


@pytest.mark.parametrize(
    ("slot", "start"),
    [
        ("2025-05-15T21:59:30Z", "2025-05-14T22:00Z"),  # 16:59:30 Central in summer
        ("2025-05-15T22:00:00Z", "2025-05-15T22:00Z"),
        ("2025-05-18T12:00:00Z", "2025-05-16T22:00Z"),  # a Sunday: since Friday
        ("2025-01-15T12:00:00Z", "2025-01-14T23:00Z"),  # winter
    ],
)
def test_the_first_snapshot_asks_since_the_start_of_the_trading_day(slot: str, start: str) -> None:
    expected = int(datetime.fromisoformat(start).timestamp()) * 10**9
    assert first_fills(datetime.fromisoformat(slot).astimezone(UTC)) == (expected, ())


def pages(fills: list[Fill], since: int, size: int) -> Iterator[list[Fill]]:
    """Answers as TT gives them: oldest first from a time on, the next from the last one's time."""
    while True:
        page = [fill for fill in fills if fill[0] >= since][:size]
        yield page
        if len(page) < size or page[-1][0] == since:
            return
        since = page[-1][0]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=8), min_size=1, max_size=6
    ),
    st.integers(0, 20),
    st.sets(st.integers(0, 5)),
)
def test_each_fill_is_in_exactly_one_frame(
    steps: list[list[tuple[int, bool]]], extra: int, failed: set[int]
) -> None:
    """Many at one time, some shown only in the next slot, some slots fail altogether."""
    shown: list[Fill] = []
    late: list[Fill] = []
    found: list[str] = []
    since, clock, count = 0, 0, 0
    seen: tuple[str, ...] = ()
    for slot, step in enumerate([*steps, []]):
        shown, late = shown + late, []
        for wait, is_late in step:
            clock += wait // 2 * (BACK // 16)  # two slots of eight fills are within the look back
            (late if is_late else shown).append((clock, f"fill-{count}"))
            count += 1
        if slot in failed and slot < len(steps):
            continue
        shown.sort()
        most = max((sum(1 for time, _ in shown if time == at) for at, _ in shown), default=0)
        answers = [[row(*fill) for fill in page] for page in pages(shown, since, most + 1 + extra)]
        taken = of_rows("fills", *answers, since_ns=TIME_NS + since, seen=seen)
        taken = read_document(write_document(taken), "x")
        parsed = TT_FILLS.read(taken, {})
        assert all(item.duplicate for item in parsed.rejected)
        found += parsed.frame["record_key"].to_list()
        since, seen = asked(next_fills(taken))
    assert sorted(found) == sorted(name for _, name in shown)
