"""Whatever happens to a scenario file: see `test_mutations`."""

import json
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets_tests.feeds.formats import reference_scenarios as reference
from trade_assets_tests.feeds.formats import scenario_files
from trade_assets_tests.feeds.formats.reference_scenarios import Point
from trade_assets_tests.feeds.formats.scenario_files import EOD_NAME, GRID_NAME
from trade_assets_tests.feeds.formats.test_mutations import MUTATIONS, Mutation, mutated

GRIDS = [
    scenario_files.grid(1, shocks=("-10%", "-.25", "0", "0.25")),
    scenario_files.grid(2, shocks=("-1", "Note", "1")),
]
EODS = [scenario_files.eod(1), scenario_files.eod(2, indent=None)]
HEAD = b"Expiration,Value,UPrice,-0.25,0%\n"


def check(feed: Feed, parsed: ParsedFile, expected: dict[int, list[Point]]) -> None:
    """Every point is stored with its values, or rejected for a reason.

    `expected` are the points of each row; a row without any is rejected as one.
    """
    stored = Counter(parsed.frame["row"].to_list())
    rejected = Counter(item.row for item in parsed.rejected)
    sizes = {row: max(len(points), 1) for row, points in expected.items()}
    assert stored + rejected == Counter(sizes)
    assert parsed.rows_in == sum(sizes.values())
    assert dict(parsed.frame.schema) == feed.frame_schema
    assert not parsed.frame["record_key"].is_duplicated().any()
    assert parsed.frame["row"].is_sorted()
    rows = [item.row for item in parsed.rejected]
    assert rows == sorted(rows)
    assert all(item.reason for item in parsed.rejected)
    points = {(row, point.key): point for row in expected for point in expected[row]}
    for record in parsed.frame.iter_rows(named=True):
        wanted = points[record["row"], record["record_key"]].record
        assert {name: record[name] for name in wanted} == wanted
    keys = set(parsed.frame["record_key"].to_list())
    assert {point.key for point in points.values() if point.is_plain} <= keys


def check_grid(data: bytes) -> None:
    """The promise of `Parser`, checked with the plain reader."""
    try:
        parsed = PNL_GRID.parse(data, GRID_NAME)
    except UnparsableFileError:
        return
    expected = reference.grid_points(data)
    check(PNL_GRID, parsed, {line: points or [] for line, points in expected.items()})
    lines = data.decode(errors="replace").removeprefix("\ufeff").split("\n")
    assert all(lines[item.row - 1].startswith(item.text) for item in parsed.rejected)


def check_eod(data: bytes) -> None:
    """The promise of `Parser`, checked with the plain reader."""
    try:
        parsed = EOD.parse(data, EOD_NAME)
    except UnparsableFileError:
        return
    points = reference.eod_points(data)
    check(EOD, parsed, {at: [point] if point else [] for at, point in enumerate(points, 1)})


@settings(max_examples=150)
@given(st.sampled_from(GRIDS), MUTATIONS)
def test_mutated_grids(data: bytes, mutations: list[Mutation]) -> None:
    check_grid(mutated(data, mutations))


@settings(max_examples=150)
@given(st.sampled_from(EODS), MUTATIONS)
def test_mutated_eod_files(data: bytes, mutations: list[Mutation]) -> None:
    check_eod(mutated(data, mutations))


TEXTS = st.sampled_from(
    ["", "1", "-0.25", "-10%", "0", "nan", "1e400", "AUG25", "w/o first", "a:b", "a\nb", "é", "x"]
)
LEAVES: st.SearchStrategy[object] = st.one_of(
    TEXTS,
    st.sampled_from([None, True, 0, -0.5, 10**400, 1e300, float("nan"), [], {}, [{}], {"a": [1]}]),
)
NAMES = st.sampled_from(["totals", "header", "points", "values", "note", "A", "B", ""])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


def mostly(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """The strategy, and now and then anything else."""
    return st.integers(0, 9).flatmap(lambda dice: strategy if dice else ANYTHING)


def members(**strategies: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """An object of these members, of which some may be missing and others be added."""
    whole = st.fixed_dictionaries(strategies)
    part = st.fixed_dictionaries({"note": ANYTHING}, optional=strategies)
    return mostly(st.integers(0, 9).flatmap(lambda dice: whole if dice else part))


SCOPES = mostly(st.sampled_from([*scenario_files.SCOPES, "é"]))
SHOCKS = mostly(st.sampled_from([*scenario_files.EOD_SHOCKS, -0.25]))
VALUES = mostly(
    st.dictionaries(
        st.sampled_from([*scenario_files.METRICS, "a:b", "", "\x7f"]),
        mostly(st.sampled_from(["1", "-.5", "", "1.2345678901234567", "12e3"])),
        max_size=4,
    )
)
POINTS = mostly(st.lists(members(header=SHOCKS, values=VALUES), max_size=3))
DOCUMENTS = members(totals=mostly(st.lists(members(header=SCOPES, points=POINTS), max_size=3)))


@settings(max_examples=200)
@given(DOCUMENTS, st.sampled_from([None, 2]), st.booleans())
def test_documents_of_any_shape(document: object, indent: int | None, ascii_only: bool) -> None:
    check_eod(json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode())


REGULAR = st.lists(
    st.tuples(
        st.sampled_from(scenario_files.SCOPES),
        st.lists(
            st.tuples(
                st.sampled_from(scenario_files.EOD_SHOCKS),
                st.dictionaries(
                    st.sampled_from(scenario_files.METRICS),
                    st.sampled_from(["1", "", "bad", "-2.5"]),
                ),
            ),
            max_size=4,
        ),
    ),
    max_size=4,
)


@settings(max_examples=100)
@given(REGULAR)
def test_the_fast_and_the_careful_reading_come_to_the_same(
    totals: list[tuple[str, list[tuple[str, dict[str, str]]]]],
) -> None:
    data = scenario_files.eod_of(totals)
    careful = data.replace(b'{"totals"', b'{"note": null, "totals"')
    fast, slow = EOD.parse(data, EOD_NAME), EOD.parse(careful, EOD_NAME)
    assert (fast.unknown_columns, slow.unknown_columns) == ((), ("note",))
    assert fast.frame.equals(slow.frame)
    assert fast.rejected == slow.rejected


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_behind_the_header_of_a_grid(body: bytes) -> None:
    check_grid(HEAD + body)


@pytest.mark.parametrize(("feed", "name"), [(PNL_GRID, GRID_NAME), (EOD, EOD_NAME)])
@settings(max_examples=100)
@given(data=st.binary(max_size=300))
def test_any_bytes_at_all_are_no_scenario_file(feed: Feed, name: str, data: bytes) -> None:
    # Hypothesis also tries the constants of this project, a whole header among them.
    assume(b"Expiration" not in data)
    assume(b"totals" not in data)
    with pytest.raises(UnparsableFileError):
        feed.parse(data, name)
