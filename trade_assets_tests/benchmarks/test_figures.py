"""The arithmetic of the figures: what counts as seen, percentiles, and the report."""

from benchmarks.figures import Figure, Goal, Spread, Table, percentile
from benchmarks.latency.compare import summarise
from benchmarks.latency.observe import Landing, Update, match
from benchmarks.report import markdown


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(300, 0, -1)]
    assert percentile(values, 50) == 150.0
    assert percentile(values, 99) == 297.0
    assert percentile([7.0], 99) == 7.0


def test_spreads_that_have_nothing_in_common_do_not_overlap() -> None:
    low, high = Spread.of([1.0, 2.0, 3.0]), Spread.of([4.0, 5.0])
    assert not low.overlaps(high)
    assert low.overlaps(Spread.of([3.0, 4.0]))


def test_a_file_is_seen_at_the_first_update_that_is_not_older() -> None:
    landings = [Landing("a", "t1", 10.0), Landing("b", "t2", 11.0), Landing("c", "t3", 12.0)]
    updates = [Update("t2", "b", 11.5), Update("t1", "a", 13.0)]
    first, second, third = match(landings, updates)
    assert (first.latency, first.by_newer) == (1.5, False)
    assert (second.latency, second.by_newer) == (0.5, False)
    assert third.latency is None


def test_a_file_without_an_update_of_its_own_is_marked() -> None:
    (landing, _) = match(
        [Landing("a", "t1", 10.0), Landing("b", "t2", 11.0)], [Update("t2", "b", 11.5)]
    )
    assert landing.by_newer


def test_late_and_lost_files_are_listed() -> None:
    summary = summarise(
        [
            Landing("quick", "t1", 0.0, 0.1),
            Landing("late", "t2", 0.0, 31.0),
            Landing("lost", "t3", 0.0),
        ]
    )
    assert (summary.put, summary.seen) == (3, 2)
    assert summary.late == ["late", "lost"]
    assert (summary.p50, summary.worst) == (0.1, 31.0)


def test_the_markdown_holds_conditions_tables_and_missed_goals() -> None:
    figure = Figure("name", "A title", [Table(("way", "ms"), [("raw", "1.0")], "Of few")])
    figure.goals = [Goal("fast", "slow", met=False)]
    text = markdown({"CPU": "one"}, [figure])
    assert "- CPU: one" in text
    assert "\nOf few:\n\n| way | ms |\n| --- | ---: |\n| raw | 1.0 |" in text
    assert "Goal: fast: slow (MISSED)" in text
