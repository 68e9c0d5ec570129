"""Heartbeats of stream runs in Dagster's own books: tags of the runs, which cost no growth."""

import time
from dataclasses import asdict
from typing import Final

import dagster as dg
import orjson

from trade_assets.defs.shared.dagster_terms import UNFINISHED
from trade_assets.defs.shared.names import STREAM_JOB
from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.stream.heartbeats import BOOKS_SECONDS, StreamBeat
from trade_assets.logs import get_logger

log = get_logger(__name__)

BEAT_TAG: Final = "trade_assets/beat"
STALE_SECONDS: Final = 3 * BOOKS_SECONDS
"""Clocks of two machines are compared here, so it is long."""


class BookBeats:
    """Beats as tags of the runs of an instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def beat(self, beat: StreamBeat) -> None:
        """Note that a run is alive. Books that cannot be written cost the note."""
        text = orjson.dumps({**asdict(beat), "at": time.time()}).decode()
        try:
            self._instance.add_run_tags(beat.run_id, {BEAT_TAG: text})
        except Exception as error:  # whatever storage it is; Redis has the beat
            log.warning("no beat in the books", error=str(error))

    def alive(self) -> list[StreamBeat]:
        """Unfinished runs whose last beat is not stale.

        Raises:
            StoreUnavailableError: the books cannot be read.
        """
        try:
            records = self._instance.get_run_records(
                dg.RunsFilter(job_name=STREAM_JOB, statuses=UNFINISHED), limit=20
            )
        except Exception as error:  # whatever storage it is
            raise StoreUnavailableError(
                f"reading the stream's beats in the books: {error}"
            ) from error
        texts = [record.dagster_run.tags.get(BEAT_TAG) for record in records]
        beats = [orjson.loads(text) for text in texts if text]
        now = time.time()
        fresh = [beat for beat in beats if now - beat.pop("at") <= STALE_SECONDS]
        return [StreamBeat(**beat) for beat in fresh]


def has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run has ended by the books, whatever its process does: another one takes over.

    Not as far as anybody knows, while the books cannot be read.
    """
    try:
        run = instance.get_run_by_id(run_id)
    except Exception as error:  # whatever storage it is: it must not end the stream
        log.warning("books cannot be read", error=str(error))
        return False
    return run is not None and run.is_finished
