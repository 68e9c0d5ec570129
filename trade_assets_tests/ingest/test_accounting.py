"""What the ledger and quarantine say of files."""

from datetime import UTC, datetime
from typing import Any

from trade_assets.datasets.records import RejectedRow
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.accounting import account, ledger_entries, rejects_text
from trade_assets.ingest.reading import FileResult, FileVersion
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets_tests.stores.samples import spot_key
from trade_assets_tests.support.stores import Stores

NOW = datetime(2025, 7, 17, 20, tzinfo=UTC)
VERSION = FileVersion(spot_key(1), "new", NOW)
BAD = RejectedRow(7, "bid is no number", "odd,x")
TWICE = RejectedRow(8, "said again in row 9", "A,1", duplicate=True)


def test_rejected_rows_are_told_in_a_sentence() -> None:
    assert rejects_text(()) is None
    assert rejects_text([BAD]) == "1 rows rejected; the first, row 7: bid is no number"
    alike = RejectedRow(9, BAD.reason, "odder,x")
    assert rejects_text([BAD, alike]) == "2 rows rejected; all, from row 7: bid is no number"
    other = RejectedRow(9, "ask is no number", "odder,x")
    assert rejects_text([BAD, other]) == "2 rows rejected; the first, row 7: bid is no number"
    assert rejects_text([TWICE]) == "1 duplicate rows, of which the last stays"
    assert rejects_text([TWICE, BAD]) == (
        "1 rows rejected; the first, row 7: bid is no number; "
        "1 duplicate rows, of which the last stays"
    )


def test_a_version_that_was_superseded_has_a_line_of_its_own() -> None:
    result = FileResult(VERSION, rows_stored=3, rejected=(BAD,), superseded="old")
    gone, entry = ledger_entries(result, "run")
    assert (gone.etag, gone.state, gone.rows_in) == ("old", FileState.SUPERSEDED, 0)
    assert (entry.etag, entry.state) == ("new", FileState.STORED)
    assert (entry.rows_in, entry.rows_stored, entry.rows_rejected) == (4, 3, 1)
    assert "row 7" in str(entry.error)


def test_damaged_files_go_into_quarantine_and_a_sound_rerun_takes_them_out(
    provisioned_stores: Stores,
) -> None:
    stores = provisioned_stores
    etag = stores.objects.put(VERSION.key, b"the bytes of the desk")
    version = FileVersion(VERSION.key, etag, NOW)
    report = f"quarantine/{version.key}.error.json"
    damaged = FileResult(version, rows_stored=1, rejected=(BAD,))
    account(stores.objects, stores.ledger, [damaged], "run")
    assert stores.objects.get(f"quarantine/{version.key}").data == b"the bytes of the desk"
    assert b"bid is no number" in stores.objects.get(report).data

    stores.ledger.quarantine.forget([version.key])
    duplicates = FileResult(version, rows_stored=1, rejected=(TWICE,))
    account(stores.objects, stores.ledger, [duplicates], "run")
    assert stores.objects.head(report) is not None
    account(stores.objects, stores.ledger, [duplicates], "again", release=True)
    assert stores.objects.head(report) is None
    assert stores.objects.head(f"quarantine/{version.key}") is None


def test_a_later_version_that_is_whole_ends_the_quarantine_of_earlier_ones(
    provisioned_stores: Stores,
) -> None:
    stores = provisioned_stores
    hours = [VERSION.key.replace("/hh=19/", f"/hh={hour}/") for hour in (18, 19, 20)]
    assert len(set(hours)) == 3

    def through(key: str, *rejected: RejectedRow) -> None:
        version = FileVersion(key, stores.objects.put(key, b"bytes"), NOW)
        result = FileResult(version, rows_stored=1, rejected=rejected)
        account(stores.objects, stores.ledger, [result], "run")

    def set_aside() -> list[str]:
        listed = stores.objects.list_after("quarantine/")
        return [info.key for info in listed if not info.key.endswith(".error.json")]

    for key in (hours[0], hours[2]):
        through(key, BAD)
    assert set_aside() == [f"quarantine/{key}" for key in (hours[0], hours[2])]
    through(hours[1])
    assert set_aside() == [f"quarantine/{hours[2]}"]
    through(hours[2])
    assert set_aside() == []
    assert stores.ledger.quarantine.ended_by(hours) == []
    other = hours[2].replace(".csv", "_other.csv")
    through(hours[1], BAD)
    through(other)
    assert set_aside() == [f"quarantine/{hours[1]}"]


class NoQuarantine(ObjectStore):
    """A bucket that takes no file into quarantine, and lets none out."""

    def quarantine(self, *_: Any) -> None:
        raise StoreRejectedError("KeyTooLongError")

    def release(self, *_: Any) -> None:
        raise StoreRejectedError("AccessDenied")


def test_a_file_that_cannot_be_set_aside_is_accounted_for_and_holds_up_nobody(
    provisioned_stores: Stores,
) -> None:
    stores = provisioned_stores
    objects = NoQuarantine(stores.settings)
    damaged = FileResult(VERSION, rows_stored=1, rejected=(BAD,))
    sound = FileResult(FileVersion(spot_key(2), "1", NOW), rows_stored=1)
    account(objects, stores.ledger, [damaged, sound], "run", release=True)
    objects.close()
    lines = [stores.ledger.entries(key)[0] for key in (VERSION.key, spot_key(2))]
    assert [line["state"] for line in lines] == ["stored", "stored"]
