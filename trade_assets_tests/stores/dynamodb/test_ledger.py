"""The ingest ledger in a real table: its equation, and lines that never unsay what is stored."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.ledger import ERROR_TEXT_LIMIT, FileState, Ledger, LedgerEntry
from trade_assets.stores.provision import provision
from trade_assets_tests.stores.samples import items

NOW = datetime(2025, 7, 17, 19, 33, 31, 250_000, tzinfo=UTC)
STORED = LedgerEntry("feeds/f.csv", "e1", FileState.STORED, 10, 8, 2, NOW, NOW, NOW, NOW)
LESS = (FileState.SUPERSEDED, FileState.MISSING, FileState.FAILED)


@pytest.fixture(scope="module")
def ledger(module_settings: Settings) -> Iterator[Ledger]:
    made = Ledger(module_settings)
    yield made
    made.close()


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 20))
def test_no_line_breaks_the_equation(stored: int, rejected: int, rows_in: int) -> None:
    def line() -> LedgerEntry:
        return replace(STORED, rows_in=rows_in, rows_stored=stored, rows_rejected=rejected)

    if rows_in == stored + rejected:
        assert line().rows_in == rows_in
    else:
        with pytest.raises(ValueError, match="rows in"):
            line()


def test_a_line_reads_back(ledger: Ledger) -> None:
    error = 'price "x" is not a number ' * 200
    entry = replace(STORED, file_key="feeds/whole.csv", error=error, run_id="run")
    ledger.record([entry])
    time = "2025-07-17T19:33:31.250000Z"
    assert ledger.entries("feeds/whole.csv") == [
        {
            "pk": "feeds/whole.csv", "sk": "e1", "state": "stored", "rows_in": "10",
            "rows_stored": "8", "rows_unchanged": "0", "rows_rejected": "2",
                "landed_at": time, "ingested_at": time,
            "first_event_time": time, "last_event_time": time, "run_id": "run",
            "error": error[:ERROR_TEXT_LIMIT],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("state", LESS)
@pytest.mark.parametrize("final", [FileState.STORED, FileState.QUARANTINED])
def test_less_never_replaces_what_is_final(
    ledger: Ledger, state: FileState, final: FileState
) -> None:
    key = f"feeds/{state.value}-{final.value}.csv"
    less = LedgerEntry(key, "e1", state, 0, 0, 0, NOW, NOW)
    ledger.record([less])
    assert ledger.known([(key, "e1")]) == {(key, "e1"): state}
    ledger.record([replace(STORED, file_key=key, state=final)])
    ledger.record([less])
    assert ledger.known([(key, "e1")]) == {(key, "e1"): final}
    assert ledger.entries(key)[0]["rows_in"] == "10"


def test_a_stored_line_replaces_a_stored_or_quarantined_one(ledger: Ledger) -> None:
    key = "feeds/repaired.csv"
    for state in (FileState.QUARANTINED, FileState.STORED, FileState.STORED):
        ledger.record([replace(STORED, file_key=key, state=state)])
    assert ledger.known([(key, "e1")]) == {(key, "e1"): FileState.STORED}


def test_of_several_lines_for_a_version_the_last_one_counts(ledger: Ledger) -> None:
    key = "feeds/twice.csv"
    gone = LedgerEntry(key, "e1", FileState.SUPERSEDED, 0, 0, 0, NOW, NOW)
    ledger.record([gone, replace(STORED, file_key=key), replace(STORED, file_key=key, etag="e2")])
    assert [(line["sk"], line["state"]) for line in ledger.entries(key)] == [
        ("e1", "stored"), ("e2", "stored"),
    ]  # fmt: skip


def test_known_answers_for_more_versions_than_one_request_holds(ledger: Ledger) -> None:
    keys = [f"feeds/many/{number:03}.csv" for number in range(230)]
    ledger.record([replace(STORED, file_key=key) for key in keys])
    asked = [(key, etag) for key in keys for etag in ("e1", "other")]
    assert ledger.known([*asked, *asked]) == {(key, "e1"): FileState.STORED for key in keys}
    assert ledger.known([]) == {}


def test_all_versions_of_a_file_are_listed_beyond_one_page(ledger: Ledger) -> None:
    # A page of DynamoDB's answer ends at 1 MB.
    key, etags = "feeds/rewritten.csv", [f"{number:04}" for number in range(600)]
    ledger.record([replace(STORED, file_key=key, etag=etag, error="x" * 2000) for etag in etags])
    assert [line["sk"] for line in ledger.entries(key)] == etags


def test_generation_is_the_tables_own(settings: Settings) -> None:
    made = provision(settings).generation
    ledger = Ledger(settings)
    assert ledger.generation() == made
    ledger.record([STORED])
    assert len(items(settings, settings.ledger_table)) == 2
    ledger.close()


def test_which_rows_of_a_file_are_repeated_is_said_anew(ledger: Ledger) -> None:
    key = "feeds/recounted.csv"
    ledger.record([replace(STORED, file_key=key, rows_stored=3, rows_unchanged=5)])
    ledger.recount(key, STORED.etag, 6, 2)
    ledger.recount(key, "another version", 1, 7)
    (line,) = ledger.entries(key)
    assert (line["rows_stored"], line["rows_unchanged"], line["rows_in"]) == ("6", "2", "10")


def test_of_a_file_that_failed_nothing_is_said_anew(ledger: Ledger) -> None:
    key = "feeds/failed.csv"
    failed = replace(
        STORED, file_key=key, state=FileState.FAILED, rows_in=0, rows_stored=0, rows_rejected=0
    )
    ledger.record([failed])
    ledger.recount(key, STORED.etag, 6, 2)
    (line,) = ledger.entries(key)
    assert (line["state"], line["rows_stored"]) == ("failed", "0")
