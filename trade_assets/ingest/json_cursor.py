"""Cursors of sensors: where looking stands, between two looks, as the text that Dagster keeps."""

from dataclasses import asdict, dataclass
from typing import Self

import orjson


@dataclass
class JsonCursor:
    """A cursor of plain fields with defaults, bounded in size; a subclass is a dataclass too."""

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """A stored cursor; a new one where there is none."""
        return cls(**orjson.loads(text)) if text else cls()

    def to_json(self) -> str:
        """For storage."""
        return orjson.dumps(asdict(self)).decode()
