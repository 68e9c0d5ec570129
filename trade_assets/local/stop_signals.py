"""What signals mean to `up`: the first asks for an orderly stop, the next ones hurry it."""

import signal
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self

from trade_assets.local import leftovers

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """While the context lasts: the first stop signal raises KeyboardInterrupt in the main thread.

    Once the stop is under way no signal interrupts it any more (it would leave processes behind):
    the second kills everything but the stores, which save what they know, the third kills all.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._hurried = False
        self._stopping = False
        self._before: dict[signal.Signals, Any] = {}

    def begin_stop(self) -> None:
        """Say that the orderly stop has begun, for whatever reason."""
        self._stopping = True

    def _handle(self, *_: int | FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise KeyboardInterrupt
        leftovers.kill(self._home, spare_stores=not self._hurried)
        self._hurried = True

    def __enter__(self) -> Self:
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
