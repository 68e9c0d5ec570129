"""Stopping on SIGINT and SIGTERM, for the commands that run until they are stopped."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one ends the process at once.

    For the main thread. The handlers that were there come back at the end.
    """
    stop = threading.Event()

    def handle(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_now(code: int) -> None:
    """End the process without waiting for uploads that hang.

    Their threads are in native code; if one came back while the interpreter shuts down, the
    process would abort instead of ending with `code`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
