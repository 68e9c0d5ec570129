"""Files of the desk: which count, whether one is finished, and reading it whole.

What the files mean is the registry's matter, when to look at them `candidates`'.
"""

import fcntl
import os
import signal
import stat
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

UNPROVEN_QUIET_SECONDS: Final = 10.0
"""Quiet time of a file where the kernel does not tell whether a writer has it open (a file of
another user, a file system without leases) and no close was seen."""

_IGNORED_SUFFIXES: Final = (".tmp", ".part", "~")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's state; two equal ones mean that nobody changed it in between.

    Size and modification time alone miss a file that is replaced by one of the same size with its
    times kept (`mv`, `cp -p`, `rsync -t`); the change time and the inode do not.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """The stamp of a stat result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def age_seconds(self, now: float) -> float:
        """Seconds between the last change of the file and `now` (epoch seconds)."""
        return now - self.ctime_ns / 1e9


class Writers(Enum):
    """Whether anyone has a file open for writing."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"  # the kernel does not say


def is_ignored(name: str) -> bool:
    """Dotfiles and the usual names of files that are still being written or are backups."""
    return name.startswith(".") or name.endswith(_IGNORED_SUFFIXES)


def regular_stamp(path: Path) -> Stamp | None:
    """The stamp of a regular file, or None if there is no such file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None


def writers_of(descriptor: int) -> Writers:
    """Ask the kernel whether a file that we have open for reading is open for writing anywhere.

    A read lease is granted only while no writer has the file open; it is given back at once. A
    writer that opens the file in between waits those microseconds.
    """
    try:
        # The holder of a lease is signalled when it breaks. The default signal, SIGIO, would end
        # the process; SIGURG is ignored unless somebody handles it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return Writers.SOME
    except OSError:
        return Writers.UNKNOWN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Writers.NONE


def read_finished(path: Path, expected: Stamp, *, closed: bool) -> bytes | None:
    """The content of a finished file, or None while it is not finished.

    Finished: nobody has it open for writing, and it is as `expected` both before and after it was
    read. `closed` says that its writer was seen to close it, which stands in for the kernel's
    answer where there is none.

    Raises:
        OSError: it cannot be read; FileNotFoundError where it is gone.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if Stamp.of(os.fstat(descriptor)) != expected or not _settled(descriptor, expected, closed):
            return None
        data = file.read()
        return data if Stamp.of(os.fstat(descriptor)) == expected else None


def _settled(descriptor: int, stamp: Stamp, closed: bool) -> bool:
    writers = writers_of(descriptor)
    if writers is Writers.UNKNOWN:
        return closed or stamp.age_seconds(time.time()) >= UNPROVEN_QUIET_SECONDS
    return writers is Writers.NONE
