"""The newest records of Redis in the memory of one process, each serialised once, for all that it
serves: an answer costs no call, and a change is fetched once for everybody.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from trade_assets.datasets.column_names import EVENT_TIME
from trade_assets.datasets.described import Described
from trade_assets.errors import TradeAssetsError
from trade_assets.logs import get_logger
from trade_assets.readers.typed_records import json_text, typed_record
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect_async
from trade_assets.stores.redis.followed_latest import Followed, FollowedLatest, Texts

log = get_logger(__name__)

WAIT_SECONDS: Final = 5.0
"""Length of a wait for a change; after each a lost Redis is noticed too."""
AGAIN_SECONDS: Final = 1.0
"""Between two tries while Redis is away."""
SERIALISED_AT_ONCE: Final = 500
"""Records between two turns of whoever else runs in the loop."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A newest record: `json` is the text of `typed_record`, `texts` are its fields as stored."""

    texts: Texts
    json: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a data set.

    Attributes:
        whole: everything was read anew: `changed` and `gone` are what differs from before.
        changed: keys of records that are new or say something else.
        gone: keys that have no record any more.
    """

    whole: bool
    changed: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass
class MirroredSet:
    """A data set as the mirror has it.

    Attributes:
        records: by record key.
        read_at: when it was read as a whole; None: not yet.
        away_since: since when Redis does not answer; None: it does. `records` are what was there.
        newest: the newest event time, ISO text; empty: there is none.
        version: counted up by every change.
    """

    dataset: Described
    records: dict[str, Mirrored] = field(default_factory=dict)
    read_at: datetime | None = None
    away_since: datetime | None = None
    newest: str = ""
    version: int = 0


Listener = Callable[[MirroredSet, Change], None]
"""Told of every change after it is in the mirror, in the mirror's loop; it must not wait."""


class Mirror:
    """Follows data sets. `run` in one task of the process; everything else in the same loop."""

    def __init__(self, settings: Settings, datasets: Iterable[Described]) -> None:
        self._settings = settings
        self._sets = {dataset.path: MirroredSet(dataset) for dataset in datasets}
        self._listeners: list[Listener] = []

    @property
    def sets(self) -> Mapping[str, MirroredSet]:
        """The data sets by their paths."""
        return self._sets

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a listener told from now on; returns what ends that."""
        self._listeners.append(listener)

        def end() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return end

    async def run(self) -> None:
        """Follow until cancelled; Redis going away is waited out."""
        async with asyncio.TaskGroup() as tasks:
            for mirrored in self._sets.values():
                tasks.create_task(self._follow(mirrored))

    async def _follow(self, mirrored: MirroredSet) -> None:
        # A connection each: a wait for one stream must not hold up another's, and on a cluster no
        # command reads two.
        client = connect_async(self._settings, WAIT_SECONDS * 2)
        try:
            while True:
                try:
                    follower = FollowedLatest(client, mirrored.dataset)
                    await self._follow_from_the_start(follower, mirrored)
                except TradeAssetsError as error:
                    if mirrored.away_since is None:
                        mirrored.away_since = datetime.now(UTC)
                        log.warning(
                            "mirror is behind", dataset=mirrored.dataset.path, error=str(error)
                        )
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            await client.aclose()

    async def _follow_from_the_start(self, follower: FollowedLatest, mirrored: MirroredSet) -> None:
        await self._take(mirrored, await follower.start())
        while True:
            found = await follower.next(WAIT_SECONDS)
            if found is not None:
                await self._take(mirrored, found)

    async def _take(self, mirrored: MirroredSet, found: Followed) -> None:
        changed = await self._taken_in(mirrored, found.records)
        gone = found.gone
        if found.whole:
            gone = frozenset(mirrored.records.keys() - found.records.keys())
            mirrored.read_at = datetime.now(UTC)
        gone &= mirrored.records.keys()
        for key in gone:
            del mirrored.records[key]
        mirrored.away_since = None
        if not changed and not gone and not found.whole:
            return
        mirrored.newest = _newest(mirrored, found, anew=found.whole or bool(gone))
        mirrored.version += 1
        change = Change(found.whole, tuple(changed), tuple(sorted(gone)))
        for listener in tuple(self._listeners):
            listener(mirrored, change)

    async def _taken_in(self, mirrored: MirroredSet, records: Mapping[str, Texts]) -> list[str]:
        """Put records into the mirror; keys of those that say something else than before."""
        changed = []
        for number, (key, texts) in enumerate(records.items(), 1):
            known = mirrored.records.get(key)
            if known is None or known.texts != texts:
                record = typed_record(mirrored.dataset, texts)
                mirrored.records[key] = Mirrored(texts, json_text(record))
                changed.append(key)
            if number % SERIALISED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return changed


def _newest(mirrored: MirroredSet, found: Followed, *, anew: bool) -> str:
    records = (item.texts for item in mirrored.records.values()) if anew else found.records.values()
    times = (texts.get(EVENT_TIME, "") for texts in records)
    newest = max(times, default="")
    return newest if anew else max(newest, mirrored.newest)
