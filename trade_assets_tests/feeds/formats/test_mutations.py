"""Whatever happens to a file, it is quarantined as a whole or every row is accounted for, and what
is stored is what the text says."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Feed
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets_tests.feeds.formats import reference

AT = datetime(2025, 7, 17, 3, 33, 31, tzinfo=UTC)
RISK_FILES = [
    spot_risk_file(1, AT, rows=12)[1],
    spot_risk_file(2, AT, rows=9, wide=False)[1],
    spot_risk_file(3, AT, rows=40)[1].replace(b"ADJTHEOR", b"DELTA"),
]
LEDGERS = [ledger_file(seed, AT, trades_per_hour=3)[1] for seed in (1, 2)]
RISK_NAME, LEDGER_NAME = "bav_analysis_20250717_143331.csv", "trades_20250717.csv"

TOKENS = st.sampled_from(
    [
        *(b",", b'"', b"\n", b"\r\n", b"\r", b"\x00", b"\xff", b"\xef\xbb\xbf", b"-", b".", b" "),
        *(
            b"INVALID",
            b"nan",
            b"1e400",
            b"0.1234567890123456789",
            b".0069999",
            b"Type,",
            b"\xc3\xa9",
        ),
    ]
)
PLACE = st.floats(0, 1)

Mutation = Callable[[bytes], bytes]
"""One change of a file."""


def flip(data: bytes, place: float, byte: int) -> bytes:
    at = int(place * (len(data) - 1)) if data else 0
    return data[:at] + bytes([byte]) + data[at + 1 :]


def delete(data: bytes, place: float, length: int) -> bytes:
    at = int(place * len(data))
    return data[:at] + data[at + length :]


def insert(data: bytes, place: float, token: bytes) -> bytes:
    at = int(place * len(data))
    return data[:at] + token + data[at:]


def shuffle(data: bytes, seed: int) -> bytes:
    head, *lines = data.split(b"\n")
    random.Random(seed).shuffle(lines)
    return b"\n".join([head, *lines])


def double(data: bytes, place: float) -> bytes:
    lines = data.split(b"\n")
    at = int(place * (len(lines) - 1))
    return b"\n".join([*lines, lines[at]])


def mutation(
    function: Callable[..., bytes], *arguments: st.SearchStrategy[object]
) -> st.SearchStrategy[Mutation]:
    return st.tuples(*arguments).map(lambda values: lambda data: function(data, *values))


MUTATIONS = st.lists(
    st.one_of(
        mutation(flip, PLACE, st.integers(0, 255)),
        mutation(delete, PLACE, st.integers(1, 30)),
        mutation(delete, PLACE, st.just(100_000)),
        mutation(insert, PLACE, TOKENS),
        mutation(insert, PLACE, st.binary(max_size=5)),
        mutation(shuffle, st.integers(0, 9)),
        mutation(double, PLACE),
    ),
    max_size=6,
)


def check_accounted(feed: Feed, data: bytes, file_name: str, type_row: str | None) -> None:
    """The promise of `Parser`, checked with the plain reader."""
    try:
        parsed = feed.parse(data, file_name)
    except UnparsableFileError:
        return
    lines = reference.data_lines(data, type_row)
    stored, rejected = parsed.frame["row"].to_list(), [item.row for item in parsed.rejected]
    assert sorted(stored + rejected) == list(lines)
    assert (stored, rejected) == (sorted(stored), sorted(rejected))
    assert parsed.rows_in == len(lines)
    assert all(item.reason and lines[item.row].startswith(item.text) for item in parsed.rejected)
    assert dict(parsed.frame.schema) == feed.frame_schema
    assert not parsed.frame.select("record_key", "event_time").is_duplicated().any()
    names = reference.header(data)
    read = reference.risk_values if feed is SPOT_RISK else reference.fill_values
    for row in parsed.frame.iter_rows(named=True):
        expected = read(reference.fields(names, lines[row["row"]]))
        assert {name: row[name] for name in expected} == expected


def mutated(data: bytes, mutations: list[Mutation]) -> bytes:
    for change in mutations:
        data = change(data)
    return data


@settings(max_examples=250)
@given(st.sampled_from(RISK_FILES), MUTATIONS)
def test_mutated_spot_risk_files(data: bytes, mutations: list[Mutation]) -> None:
    check_accounted(SPOT_RISK, mutated(data, mutations), RISK_NAME, "Type,")


@settings(max_examples=250)
@given(st.sampled_from(LEDGERS), MUTATIONS)
def test_mutated_ledgers(data: bytes, mutations: list[Mutation]) -> None:
    check_accounted(FILLS, mutated(data, mutations), LEDGER_NAME, None)


@given(st.binary(max_size=300))
def test_any_bytes_behind_a_header(body: bytes) -> None:
    check_accounted(SPOT_RISK, b"Key,BID,ASK,STRIKE,ITYPE\n" + body, RISK_NAME, "Type,")


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_no_spot_risk_file(data: bytes) -> None:
    # Hypothesis also tries the constants of this project, a whole header among them.
    assume(b"Key" not in data)
    with pytest.raises(UnparsableFileError):
        SPOT_RISK.parse(data, RISK_NAME)
