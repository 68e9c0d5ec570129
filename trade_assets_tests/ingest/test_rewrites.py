"""Following rewritten files, with a bucket whose keys are rewritten as the test says."""

from datetime import UTC, datetime

import pytest

from trade_assets.ingest.reading import FileResult, FileVersion, read_files
from trade_assets.ingest.rewrites import REWRITE_ROUNDS, RewrittenTooFastError, follow_rewrites
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets_tests.stores.samples import ledger_bytes, ledger_key
from trade_assets_tests.support.stores import Stores

KEY = ledger_key()


def put(objects: ObjectStore, *prices: float) -> FileVersion:
    """Write the file; the version that it has then."""
    etag = objects.put(KEY, ledger_bytes(prices))
    return FileVersion(KEY, etag, datetime.now(UTC))


def rows(results: list[FileResult]) -> list[int]:
    return [result.rows_stored for result in results]


def test_a_file_that_stays_needs_no_second_look(provisioned_stores: Stores) -> None:
    objects = provisioned_stores.objects
    read = read_files(provisioned_stores, [put(objects, 111.0)])
    assert list(follow_rewrites(provisioned_stores, read)) == []


def test_each_round_has_what_was_rewritten_since_the_one_before(
    provisioned_stores: Stores,
) -> None:
    objects = provisioned_stores.objects
    read = read_files(provisioned_stores, [put(objects, 111.0)])
    put(objects, 111.0, 112.0)
    rounds = []
    for newer in follow_rewrites(provisioned_stores, read):
        rounds.append(rows(newer))
        if len(rounds) == 1:
            put(objects, 111.0, 112.0, 113.0)
    assert rounds == [[2], [3]]


def test_a_file_that_never_rests_is_an_error_that_names_it(provisioned_stores: Stores) -> None:
    objects = provisioned_stores.objects
    read = read_files(provisioned_stores, [put(objects, 100.0)])
    put(objects, 99.0)
    rounds = follow_rewrites(provisioned_stores, read)
    for number in range(REWRITE_ROUNDS):
        assert rows(next(rounds)) == [1]
        put(objects, 100.0 + number)
    with pytest.raises(RewrittenTooFastError, match=KEY) as raised:
        next(rounds)
    assert [file.version.key for file in raised.value.files] == [KEY]
