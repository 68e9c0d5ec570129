"""Hearing of changes in one folder, from the kernel (inotify). What it misses, a scan finds."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.inotify import InotifyObserver

from trade_assets.logs import get_logger

_EVENTS: Final[list[type[FileSystemEvent]]] = [FileCreatedEvent, FileClosedEvent, FileMovedEvent]
"""Asked of the kernel. Not `modified`: a busy writer causes thousands, and the stamps tell."""

Notify = Callable[[str, bool], None]
"""`notify(name, closed)`: a file appeared, or (closed) its writer closed it or moved it here."""

_log = get_logger(__name__)


class FolderWatch:
    """Reports changes of files in a folder, not below it, from a thread of its own."""

    def __init__(self, folder: Path, notify: Notify) -> None:
        self._folder = folder
        self._handler = _Handler(folder, notify)
        self._observer: InotifyObserver | None = None
        self._inode: int | None = None

    def ensure(self) -> None:
        """Watch the folder; again if it was replaced by another one. Cheap when all is well.

        Where the kernel refuses (too many watches), it is said once and rescans must do.
        """
        try:
            inode = self._folder.stat().st_ino
        except OSError:
            self.stop()
            return
        if inode != self._inode or not self._is_alive():
            self.stop()
            self._start(inode)

    def stop(self) -> None:
        """Stop watching."""
        observer, self._observer, self._inode = self._observer, None, None
        if observer is not None:
            observer.stop()
            observer.join()

    def _is_alive(self) -> bool:
        # Its thread ends with the folder, and a new folder may get the inode of the old one.
        return self._observer is None or all(item.is_alive() for item in self._observer.emitters)

    def _start(self, inode: int) -> None:
        # With full events a file moved in from elsewhere arrives as moved, not as created.
        observer = InotifyObserver(generate_full_events=True)
        observer.schedule(self._handler, str(self._folder), event_filter=_EVENTS)
        self._inode = inode
        try:
            observer.start()
        except OSError as error:
            _log.warning("folder is not watched, only rescanned", reason=str(error))
            return
        self._observer = observer


class _Handler(FileSystemEventHandler):
    def __init__(self, folder: Path, notify: Notify) -> None:
        self._folder = str(folder)
        self._notify = notify

    def on_created(self, event: FileSystemEvent) -> None:
        self._tell(event.src_path, closed=False)

    def on_closed(self, event: FileSystemEvent) -> None:
        self._tell(event.src_path, closed=True)

    def on_moved(self, event: FileSystemEvent) -> None:
        # Without a destination it was moved away.
        if event.dest_path:
            self._tell(event.dest_path, closed=True)

    def _tell(self, path: bytes | str, *, closed: bool) -> None:
        folder, name = os.path.split(os.fsdecode(path))
        if folder == self._folder:
            self._notify(name, closed)
