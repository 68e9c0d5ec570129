"""A pool of daemon threads. Not `ThreadPoolExecutor`: the interpreter waits for its threads, and
an upload that hangs on a dead network must not keep a stopped agent alive."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerPool(Generic[Task, Result]):
    """Runs `work(task)` on `count` threads, first come first served, and delivers what it gives.

    `deliver` is called on the worker's thread with the result, or with the exception where `work`
    raised one.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[Task], Result],
        deliver: Callable[[Result | Exception], None],
    ) -> None:
        self._work = work
        self._deliver = deliver
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"push-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._tasks.put(task)

    def stop(self, grace_seconds: float) -> bool:
        """Drop what is queued, let running tasks finish; True if they did in time."""
        try:
            while True:
                self._tasks.get_nowait()
        except Empty:
            pass
        for _ in self._threads:
            self._tasks.put(None)
        deadline = time.monotonic() + grace_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                result: Result | Exception = self._work(task)
            except Exception as error:  # a bug must reach the owner, not end a thread unseen
                result = error
            self._deliver(result)
