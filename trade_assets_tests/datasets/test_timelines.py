"""Timelines: the same versions in any order end the same, and marks close just what is dropped."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, TRADING_DATE
from trade_assets.datasets.statements import (
    Scope,
    Statement,
    StatementRule,
    Version,
    moment_of,
    said_by,
    statements_of,
)
from trade_assets.datasets.timelines import Mark, Marks, Timeline, packed, unpacked

SCOPE = Scope("2025-07-17", "trades")
FOLDER = "feeds/tt/fills/dt=2025-07-17"


@dataclass(frozen=True)
class Stated:
    """A version of a ledger: its landing hour, its minute, and the trades that it lists."""

    hour: int
    minute: int
    said: Mapping[str, int]

    @property
    def version(self) -> Version:
        at = (self.hour * 60 + self.minute) * 60_000_000
        key = f"{FOLDER}/hh={self.hour:02}/trades.csv"
        return Version("", f"dt=2025-07-17/hh={self.hour:02}", at, key)

    @property
    def statement(self) -> Statement:
        said = {key: (time,) for key, time in self.said.items()}
        return Statement(SCOPE, self.version, said, pl.DataFrame())


TRADES = st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), max_size=3)
VERSIONS = st.lists(
    st.builds(Stated, st.integers(10, 12), st.integers(0, 9), TRADES),
    min_size=1,
    max_size=6,
    unique_by=lambda stated: (stated.hour, stated.minute),
)


def timeline_of(versions: Sequence[Stated]) -> Timeline:
    timeline = Timeline()
    for stated in versions:
        timeline.state(stated.statement)
    return timeline


def in_order(versions: Sequence[Stated]) -> list[Stated]:
    return sorted(versions, key=lambda stated: (stated.hour, stated.minute))


@given(VERSIONS, st.randoms(use_true_random=False), st.integers(0, 5))
def test_versions_in_any_order_and_again_make_one_timeline(
    versions: list[Stated], random: object, again: int
) -> None:
    shuffled = [*versions, *versions[:again]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert timeline_of(shuffled) == timeline_of(in_order(versions))


@given(VERSIONS)
def test_packing_keeps_everything(versions: list[Stated]) -> None:
    timeline = timeline_of(versions)
    assert unpacked(packed(timeline)) == timeline


@given(VERSIONS, st.randoms(use_true_random=False))
def test_the_marks_that_are_told_of_are_those_that_change(
    versions: list[Stated], random: object
) -> None:
    random.shuffle(versions)  # type: ignore[attr-defined]
    timeline = Timeline()
    kept: Marks = {}
    for stated in versions:
        had = timeline.state(stated.statement)
        assert had == {key: kept.get(key, {}) for key in had}
        kept |= timeline.marks(had)
    assert {key: marks for key, marks in kept.items() if marks} == {
        key: marks for key, marks in timeline.marks("abc").items() if marks
    }


def standing(marks: Sequence[Mark], times: set[int], until: int) -> set[int]:
    """What a reader of the key finds who knows what was written before `until`."""
    known = sorted((mark for mark in marks if mark.at < until), key=lambda mark: mark.at)
    seen = {time for time in times if time < until}
    if not known:
        return seen
    return {time for time in seen if time > known[-1].at or time in known[-1].stand}


@given(VERSIONS, st.integers(0, 13 * 60))
def test_reading_as_of_a_moment_finds_what_the_version_of_then_says(
    versions: list[Stated], minute: int
) -> None:
    until = minute * 60_000_000 + 30_000_000
    timeline = timeline_of(versions)
    told = [stated for stated in in_order(versions) if stated.version.stated_at < until]
    for key in "abc":
        ever = {stated.said[key] for stated in versions if key in stated.said}
        marks = list(timeline.marks([key])[key].values())
        found = standing(marks, ever, until)
        said = {told[-1].said[key]} if told and key in told[-1].said else set()
        if _was_dropped(told, key):
            assert found == said
        else:
            # By its own time a row may be read before the version that says it.
            assert found == ever


def _was_dropped(told: Sequence[Stated], key: str) -> bool:
    return any(
        key in before.said and after.said.get(key) != before.said[key]
        for before, after in itertools.pairwise(told)
    )


def test_who_drops_and_says_again() -> None:
    first, second, third = (Stated(10, 1, {"a": 5}), Stated(10, 2, {}), Stated(11, 3, {"a": 5}))
    timeline = timeline_of([first, third])
    assert timeline.marks(["a"]) == {"a": {}}
    timeline.state(second.statement)
    marks = sorted(timeline.marks(["a"])["a"].values(), key=lambda mark: mark.at)
    assert [(mark.at, mark.stand) for mark in marks] == [
        (second.version.stated_at, ()),
        (third.version.stated_at, (5,)),
    ]
    assert timeline.dropped_by(second.version) == []
    timeline.state(Stated(11, 4, {}).statement)
    assert timeline.dropped_by(Stated(11, 4, {}).version) == ["a"]
    assert timeline.holds() == {}


@given(TRADES, st.lists(TRADES, min_size=1, max_size=4), st.booleans())
def test_of_versions_of_one_second_the_last_word_holds_and_closes_the_others(
    before: dict[str, int], words: list[dict[str, int]], followed: bool
) -> None:
    first, after = Stated(10, 1, before), Stated(10, 3, words[-1])
    versions = [first, *(Stated(10, 2, said) for said in words), *([after] if followed else [])]
    timeline = timeline_of(versions)
    assert timeline.holds() == {key: (time,) for key, time in words[-1].items()}
    again = timeline_of([*versions, versions[len(words)]])
    assert again.marks("abc") == timeline.marks("abc")
    second = Stated(10, 2, {}).version.stated_at
    for key in "abc":
        ever = {stated.said[key] for stated in versions if key in stated.said}
        found = standing(list(timeline.marks([key])[key].values()), ever, second + 1)
        assert found == {words[-1][key]} if key in words[-1] else found == set()


def test_a_mark_is_behind_what_it_closes_where_a_clock_was_ahead() -> None:
    ahead = Stated(10, 2, {}).version.stated_at + 7
    timeline = timeline_of([Stated(10, 1, {"a": ahead}), Stated(10, 2, {})])
    (mark,) = timeline.marks(["a"])["a"].values()
    assert mark.at == ahead + 1


def test_a_later_edition_makes_the_earlier_one_the_past_and_no_mistake() -> None:
    def edition(name: str, at: int, said: dict[str, int]) -> Statement:
        times = {key: (time,) for key, time in said.items()}
        version = Version(name, "dt=2025-07-17/hh=21", at, f"{FOLDER}/hh=21/F_{name}.csv")
        return Statement(SCOPE, version, times, pl.DataFrame())

    timeline = Timeline()
    timeline.state(edition("1400", 100, {"FV": 14, "TY": 14}))
    timeline.state(edition("1600", 200, {"TY": 16}))
    assert timeline.marks(["TY"]) == {"TY": {}}
    (mark,) = timeline.marks(["FV"])["FV"].values()
    assert (mark.at, mark.file_name, mark.stand) == (200, "F_1600.csv", ())


def rows(key: str, days: list[int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            FILE_KEY: [key] * len(days),
            RECORD_KEY: [f"r{number}" for number in range(len(days))],
            EVENT_TIME: [moment_of(number) for number in range(len(days))],
            TRADING_DATE: [day and moment_of(day * 86_400_000_000).date() for day in days],
        },
        schema_overrides={EVENT_TIME: pl.Datetime("us", "UTC"), TRADING_DATE: pl.Date},
    )  # fmt: skip


def test_a_file_states_each_scope_of_its_rows_and_without_any_that_of_its_name() -> None:
    by_day = StatementRule(lambda name, day: Scope(day.isoformat(), name) if day else None)
    key = f"{FOLDER}/hh=10/actant.csv"
    found = list(statements_of(by_day, rows(key, [1, 2, 1]), {key: moment_of(5)}))
    assert [(item.scope.day, sorted(item.said)) for item in found] == [
        ("1970-01-02", ["r0", "r2"]),
        ("1970-01-03", ["r1"]),
    ]
    assert list(statements_of(by_day, rows(key, []), {key: moment_of(5)})) == []
    by_name = StatementRule(lambda name, _: Scope("1970-01-02", name))
    (nothing,) = statements_of(by_name, rows(key, []), {key: moment_of(5)})
    assert (nothing.said, nothing.version.stated_at) == ({}, 5)


def test_a_key_may_be_said_at_several_times() -> None:
    frame = rows("k", [1, 1]).with_columns(pl.lit("same").alias(RECORD_KEY))
    assert said_by(frame) == {"same": (0, 1)}
