"""One pass over a folder: its files and their stamps. Not below it."""

import os
import stat
from pathlib import Path

from trade_assets.agent.folder_files import Stamp, is_ignored
from trade_assets.logs import get_logger

_log = get_logger(__name__)


class FolderScan:
    """Lists a folder again and again, and says once when it cannot be read and once when it can."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readable = True

    def files(self) -> list[tuple[str, Stamp]] | None:
        """Names and stamps of the regular files that count, oldest first; None if unreadable."""
        try:
            with os.scandir(self._folder) as entries:
                found = [file for entry in entries if (file := _file(entry)) is not None]
        except OSError as error:
            if self._readable:
                _log.error("folder cannot be read, trying on", reason=str(error))
            self._readable = False
            return None
        if not self._readable:
            _log.info("folder can be read again")
        self._readable = True
        found.sort(key=lambda file: (file[1].mtime_ns, file[0]))
        return found


def _file(entry: os.DirEntry[str]) -> tuple[str, Stamp] | None:
    if is_ignored(entry.name):
        return None
    try:
        status = entry.stat()
    except OSError:
        return None  # gone since it was listed, or a link to nowhere
    return (entry.name, Stamp.of(status)) if stat.S_ISREG(status.st_mode) else None
