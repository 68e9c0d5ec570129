"""What the agent remembers across restarts: the version it last sent of each file, on disk.

One SQLite database per folder and destination, one row per file name, so its size follows the
folder and not the history. The rule that it serves: a file is sent if and only if the last version
sent under its name has other content. So A, then B, then A again is three uploads, and a file that
is touched, or seen again after a restart or a change of hour, is none.
"""

import fcntl
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from trade_assets.agent.folder_files import Stamp
from trade_assets.errors import PermanentError
from trade_assets.settings import AwsService, Settings

SCHEMA_VERSION: Final = 1
KEPT_AFTER_VANISHING_SECONDS: Final = 3 * 86_400.0
KEPT_AFTER_VANISHING_ROWS: Final = 50_000
"""Rows of files that are no longer in the folder, kept in case one comes back unchanged."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY,
    -- done: the last version that S3 acknowledged
    md5 TEXT, etag TEXT, key TEXT, done_at REAL,
    -- the file as it was when it held that version
    size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
    -- uploading: a version that may or may not have arrived
    next_md5 TEXT, next_key TEXT, next_at REAL,
    -- when the file was first missed in the folder
    vanished_at REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_vanished ON files (vanished_at) WHERE vanished_at IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """A version whose upload began and was not acknowledged. `since` is in epoch seconds."""

    md5: str
    key: str
    since: float


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a file name: the MD5 of the version last sent, and one under way."""

    md5: str | None = None
    pending: Pending | None = None


class Memory(Protocol):
    """What the uploader asks and tells; the journal, or nothing at all (`Forgetful`)."""

    def recall(self, name: str) -> Entry:
        """What is known of a file name."""

    def begin(self, name: str, pending: Pending) -> None:
        """An upload begins: it is `uploading` from now on."""

    def finish(self, name: str, pending: Pending, etag: str, stamp: Stamp | None) -> None:
        """An upload was acknowledged: it is `done`. `stamp` is the file's, if it holds that."""

    def settle(self, name: str, stamp: Stamp) -> None:
        """The file with this stamp holds the version that was last sent."""


class Forgetful:
    """Remembers nothing, so everything is sent."""

    def recall(self, name: str) -> Entry:
        """Nothing is known."""
        return Entry()

    def begin(self, name: str, pending: Pending) -> None:
        """Nothing is kept."""

    def finish(self, name: str, pending: Pending, etag: str, stamp: Stamp | None) -> None:
        """Nothing is kept."""

    def settle(self, name: str, stamp: Stamp) -> None:
        """Nothing is kept."""


class Journal:
    """The memory on disk. Thread-safe. Errors of the disk or the database are `PermanentError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=10
            )
            self._prepare()

    def recall(self, name: str) -> Entry:
        """What is known of a file name."""
        sql = "SELECT md5, next_md5, next_key, next_at FROM files WHERE name = ?"
        rows = self._run(sql, (name,))
        if not rows:
            return Entry()
        md5, next_md5, next_key, next_at = rows[0]
        return Entry(md5, Pending(next_md5, next_key, next_at) if next_key else None)

    def begin(self, name: str, pending: Pending) -> None:
        """Note that an upload begins, before it does."""
        self._run(
            "INSERT INTO files (name, next_md5, next_key, next_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET next_md5 = excluded.next_md5,"
            " next_key = excluded.next_key, next_at = excluded.next_at, vanished_at = NULL",
            (name, pending.md5, pending.key, pending.since),
        )

    def finish(self, name: str, pending: Pending, etag: str, stamp: Stamp | None) -> None:
        """Note that an upload was acknowledged; without a stamp the file is looked at again."""
        self._run(
            "UPDATE files SET md5 = ?, key = ?, etag = ?, done_at = ?,"
            " size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?,"
            " next_md5 = NULL, next_key = NULL, next_at = NULL WHERE name = ?",
            (pending.md5, pending.key, etag, time.time(), *_columns(stamp), name),
        )

    def settle(self, name: str, stamp: Stamp) -> None:
        """Note that the file with this stamp holds the version last sent; nothing is pending."""
        self._run(
            "UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, vanished_at = NULL,"
            " next_md5 = NULL, next_key = NULL, next_at = NULL WHERE name = ?",
            (*_columns(stamp), name),
        )

    def stamps(self) -> dict[str, Stamp | None]:
        """The files not known to have vanished: the stamp that needs no work, None if it does."""
        rows = self._run(
            "SELECT name, size, mtime_ns, ctime_ns, inode, next_key FROM files"
            " WHERE vanished_at IS NULL"
        )
        return {
            name: Stamp(*stamp) if stamp[0] is not None and next_key is None else None
            for name, *stamp, next_key in rows
        }

    def vanished(self, names: Iterable[str], now: float) -> None:
        """Note that files are no longer in the folder (`now` in epoch seconds)."""
        with self._errors(), self._lock, self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "UPDATE files SET vanished_at = ? WHERE name = ? AND vanished_at IS NULL",
                [(now, name) for name in names],
            )

    def prune(self, now: float) -> None:
        """Drop rows of files that vanished long ago, and the oldest beyond the number kept."""
        self._run("DELETE FROM files WHERE vanished_at < ?", (now - KEPT_AFTER_VANISHING_SECONDS,))
        self._run(
            "DELETE FROM files WHERE name IN (SELECT name FROM files WHERE vanished_at IS NOT NULL"
            " ORDER BY vanished_at DESC LIMIT -1 OFFSET ?)",
            (KEPT_AFTER_VANISHING_ROWS,),
        )

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _prepare(self) -> None:
        # NORMAL survives the loss of the process. Losing power may cost the last commits: those
        # files are sent again, none is lost. FULL would cost two fsyncs a file.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"it has layout {version}, not {SCHEMA_VERSION}")
        self._database.executescript(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _run(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._errors(), self._lock:
            return self._database.execute(sql, values).fetchall()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise PermanentError(
                f"push journal {self.path}: {error}; if it is damaged, move it away: the agent"
                " then sends everything in the folder once more"
            ) from error


def _columns(stamp: Stamp | None) -> tuple[int | None, ...]:
    if stamp is None:
        return (None, None, None, None)
    return (stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode)


class FolderLock:
    """Makes sure that one agent pushes a folder. Released with the process, however it ends."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            PermanentError: another agent holds it, or the file cannot be made.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise PermanentError(f"push lock {self._path}: {error}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise PermanentError(
                f"another push agent (process {owner or 'unknown'}) works on {self._folder};"
                " stop it first, or choose another folder"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def journal_path(settings: Settings, folder: Path) -> Path:
    """Where the journal of a folder is: `<home>/push/<digest>.sqlite`.

    The digest is of the absolute folder and of where it is pushed to: what one bucket has,
    another one has not.
    """
    endpoint = settings.aws_endpoint_of(AwsService.S3) or "aws"
    destination = f"{endpoint} {settings.stores.aws_region} {settings.bucket}"
    text = f"{folder.resolve()}\n{destination}".encode("utf-8", "surrogateescape")
    return settings.home_path / "push" / f"{hashlib.sha256(text).hexdigest()[:24]}.sqlite"
