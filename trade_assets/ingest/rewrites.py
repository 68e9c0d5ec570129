"""Following files that are rewritten under their key between their reading and their writing."""

from collections.abc import Iterator, Sequence
from typing import Final

from trade_assets.errors import StoreUnavailableError
from trade_assets.ingest.reading import FileResult, FileVersion, read_files
from trade_assets.stores.connections import StoreBundle
from trade_assets.stores.s3.objects import ObjectStore

REWRITE_ROUNDS: Final = 20
"""Looks for a newer version of a key that keeps being rewritten, before that is an error."""


class RewrittenTooFastError(StoreUnavailableError):
    """Files are rewritten faster than they can be read; `files` is what was read last."""

    def __init__(self, files: Sequence[FileResult]) -> None:
        self.files = tuple(files)
        keys = ", ".join(file.version.key for file in files)
        super().__init__(f"rewritten faster than it can be read: {keys}")


def follow_rewrites(
    stores: StoreBundle, written: Sequence[FileResult]
) -> Iterator[list[FileResult]]:
    """Of files that were just written the current versions of those that were rewritten meanwhile,
    as read; round by round, each to be written before the next is asked for.

    Two writers may hold two versions of one key; the one that wrote last looks last, sees that its
    version is not the current one any more, and writes the current one.

    Raises:
        RewrittenTooFastError: there was something to write in every one of `REWRITE_ROUNDS`.
        StoreUnavailableError: S3 cannot be reached.
    """
    files = list(written)
    for _ in range(REWRITE_ROUNDS):
        stale = _stale_versions(stores.objects, files)
        if not stale:
            return
        read = read_files(stores, stale)
        yield read
        files = [result for result in read if result.records is not None]
    raise RewrittenTooFastError(files)


def _stale_versions(objects: ObjectStore, files: Sequence[FileResult]) -> list[FileVersion]:
    """The current versions of those files that were rewritten after they had been read."""
    current = objects.head_many([result.version.key for result in files])
    return [
        FileVersion(info.key, info.etag, info.landed_at)
        for result, info in zip(files, current, strict=True)
        if info is not None and info.etag != result.version.etag
    ]
