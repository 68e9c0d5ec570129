"""What every kind of snapshot promises: the raw document of a slot, and the data set made of it.

No kind belongs here, and no bytes are read or written (`document`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trade_assets.datasets.dataset import ParsedDataset
from trade_assets.datasets.records import ParsedFile
from trade_assets.tt.formats.slot_times import SLOT_FORMAT

TT_SOURCE: Final = "tt"
SNAPSHOT_GROUPS: Final = f"{TT_SOURCE}_snapshot_"
"""Names of groups of assets begin so."""


@dataclass(frozen=True, slots=True)
class AnswerInfo:
    """One answer of the API inside a document.

    Attributes:
        path: service and endpoint, e.g. `ttledger/orders`; no host, no credential.
        query: parameters that mattered, e.g. `{"minTimestamp": "1747328540354606867"}`.
        received_at: when the answer was complete (UTC). Of a cached one, when it was first given.
        size: bytes of the answer.
    """

    path: str
    query: Mapping[str, str]
    received_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a document says of itself.

    Attributes:
        environment: of the API.
        kind: name of the snapshot kind, e.g. `orders`.
        slot: the half minute that it was taken for (UTC).
        answers: in the order of the bodies.
        since_ns: fills only: fills at or after this time (epoch ns) were asked for.
        seen: fills only: ids of the fills at or after `since_ns` that an earlier snapshot has
            (`fills_chain`).
        truncated_at: fills only: times (epoch ns) that more fills share than a page holds, so that
            some may be missing.
        notes: what else a reader should know, e.g. an instrument that could not be fetched.
    """

    environment: str
    kind: str
    slot: datetime
    answers: tuple[AnswerInfo, ...]
    since_ns: int | None = None
    seen: tuple[str, ...] = ()
    truncated_at: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotDocument:
    """A raw snapshot: the exact bytes of every answer, and what they are."""

    manifest: Manifest
    bodies: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """How errors name it: its kind, and the file name of its key."""
        return f"{self.manifest.kind}/{self.manifest.slot.strftime(SLOT_FORMAT)}.json"


InstrumentNames = Mapping[str, str]
"""TT's name of an instrument (`ZNM5`) by TT's id of it."""

SnapshotReader = Callable[[SnapshotDocument, InstrumentNames], ParsedFile]
"""`read(document, names)`: every row of every answer is in the frame or rejected, with its row
number counted over all answers from 1. Raises `UnparsableFileError` where no row can be trusted."""


@dataclass(frozen=True, kw_only=True)
class Snapshot(ParsedDataset):
    """One kind of what the API is asked for in every slot.

    Attributes:
        read: a raw document to a typed frame.
    """

    read: SnapshotReader

    @property
    def kind(self) -> str:
        """Its name in keys of the bucket and in manifests: `name` without the source."""
        return self.name.removeprefix(f"{TT_SOURCE}_")

    @property
    def group(self) -> str:
        """By its kind; `tt_fills` are those of the ledger."""
        return f"{SNAPSHOT_GROUPS}{self.kind}"
