"""Accounting for files: a line in the ledger for each, and quarantine for what is damaged."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from trade_assets.datasets.records import RejectedRow
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.reading import FileResult
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState, Ledger, LedgerEntry
from trade_assets.stores.s3.objects import ObjectInfo, ObjectStore

log = get_logger(__name__)

QUARANTINE_ROWS_LISTED: Final = 1000
"""Rejected rows that a quarantine report lists in full; the count is always whole."""


def account(
    objects: ObjectStore,
    ledger: Ledger,
    results: Sequence[FileResult],
    run_id: str | None,
    release: bool = False,
) -> None:
    """Write the ledger's lines of files that are through, and quarantine what was refused.

    To be called when both stores have the rows. A file that is whole ends the quarantine of its
    earlier versions; with `release` its own too, whether or not that was noted (a rerun).
    """
    quarantine_damaged(objects, results)
    ledger.quarantine.note(result.version.key for result in results if result.is_damaged)
    sound = _sound_keys(results)
    ended = ledger.quarantine.ended_by(sound)
    leaving = sorted({*ended, *(sound if release else ())})
    if leaving:
        _release(objects, leaving)
        ledger.quarantine.forget(ended)
    ledger.record([entry for result in results for entry in ledger_entries(result, run_id)])


def quarantine_damaged(objects: ObjectStore, results: Iterable[FileResult]) -> None:
    """Set damaged files aside for people, with their bad rows; the originals stay.

    One that the bucket refuses to set aside (a key that is too long with its prefix) is in the log
    and in the ledger, and holds up nobody.
    """
    for result in results:
        if result.is_damaged:
            try:
                _quarantine(objects, result)
            except StoreRejectedError as error:
                key = result.version.key
                log.error("damaged file not quarantined", file=key, error=str(error))


def release_sound(objects: ObjectStore, results: Iterable[FileResult]) -> None:
    """Take files that are whole out of quarantine."""
    keys = _sound_keys(results)
    if keys:
        _release(objects, keys)


def _release(objects: ObjectStore, keys: Sequence[str]) -> None:
    try:
        objects.release(keys)
    except StoreRejectedError as error:
        log.error("files not taken out of quarantine", files=len(keys), error=str(error))


def ledger_entries(result: FileResult, run_id: str | None) -> list[LedgerEntry]:
    """The ledger's line of a file version, and of the version it superseded."""
    now = datetime.now(UTC)
    version = result.version
    entry = LedgerEntry(
        file_key=version.key,
        etag=version.etag or "unknown",
        state=result.state,
        rows_in=result.rows_stored + len(result.rejected),
        rows_stored=result.rows_stored - result.rows_unchanged,
        rows_unchanged=result.rows_unchanged,
        rows_rejected=len(result.rejected),
        landed_at=version.landed_at,
        ingested_at=now,
        first_event_time=result.first_event_time,
        last_event_time=result.last_event_time,
        error=result.error or rejects_text(result.rejected),
        run_id=run_id,
    )
    if result.superseded is None:
        return [entry]
    gone = LedgerEntry(
        version.key, result.superseded, FileState.SUPERSEDED, 0, 0, 0, version.landed_at, now,
        error="rewritten before it was read", run_id=run_id,
    )  # fmt: skip
    return [gone, entry]


def rejects_text(rejected: Sequence[RejectedRow]) -> str | None:
    """Rejected rows in a sentence; None if there are none."""
    if not rejected:
        return None
    bad = [row for row in rejected if not row.duplicate]
    duplicates = len(rejected) - len(bad)
    texts = [
        _bad_rows_text(bad) if bad else "",
        f"{duplicates} duplicate rows, of which the last stays" if duplicates else "",
    ]
    return "; ".join(text for text in texts if text)


def _bad_rows_text(bad: Sequence[RejectedRow]) -> str:
    first, alike = bad[0], len({row.reason for row in bad}) == 1
    which = "all, from" if alike and len(bad) > 1 else "the first,"
    return f"{len(bad)} rows rejected; {which} row {first.row}: {first.reason}"


def _sound_keys(results: Iterable[FileResult]) -> list[str]:
    return [
        result.version.key
        for result in results
        if result.state is FileState.STORED and not result.is_damaged
    ]


def _quarantine(objects: ObjectStore, result: FileResult) -> None:
    version = result.version
    info = ObjectInfo(version.key, version.etag, result.size, version.landed_at)
    rows = [
        {"row": row.row, "reason": row.reason, "text": row.text}
        for row in result.rejected[:QUARANTINE_ROWS_LISTED]
    ]
    reason = result.error or rejects_text(result.rejected) or "refused"
    objects.quarantine(info, reason, rows, datetime.now(UTC))
