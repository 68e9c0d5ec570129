"""The fault switch: what is wrong with the simulated API at the moment, and for how long.

What a fault does to an answer is in `app`.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What can be wrong."""

    LATENCY = "latency"  # every answer is late by `seconds`
    THROTTLE = "throttle"  # 429
    SERVER_ERROR = "server_error"  # 5xx
    DROP = "drop"  # the connection is cut in the middle of the answer
    EXPIRED_TOKEN = "expired_token"  # noqa: S105  # 401, and the token is worth nothing any more
    MALFORMED = "malformed"  # 200 with half the JSON, or with a page for people
    EMPTY_PAGE = "empty_page"  # a page without rows; the next one has them
    MAINTENANCE = "maintenance"  # 503


EDGE: Final = frozenset(
    {FaultKind.THROTTLE, FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.MAINTENANCE}
)
"""These meet every call, before anything of it is looked at."""

INNER: Final = frozenset({FaultKind.EXPIRED_TOKEN, FaultKind.MALFORMED, FaultKind.EMPTY_PAGE})
"""These meet calls that are in order."""


class Fault(BaseModel):
    """One fault, as the control endpoint takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: FaultKind
    service: str | None = Field(None, description="Only calls of this service.")
    endpoint: str | None = Field(None, description="Only calls of this endpoint.")
    count: int | None = Field(None, ge=1, description="So many calls; none: until cleared.")
    seconds: float | None = Field(
        None, gt=0, le=86_400, description="Latency: of each answer; others: how long it lasts."
    )
    status: int = Field(500, ge=500, le=599, description="Of a server error.")
    retry_after: float | None = Field(None, ge=0, description="Header of 429, 5xx, maintenance.")
    body: Literal["truncated", "html"] = Field("truncated", description="Of a malformed answer.")
    last: bool = Field(False, description="An empty page claims to be the last one.")

    @model_validator(mode="after")
    def _latency_has_seconds(self) -> Self:
        if self.fault is FaultKind.LATENCY and self.seconds is None:
            raise ValueError("a latency needs `seconds`")
        return self

    def meets(self, service: str, endpoint: str) -> bool:
        """Whether it is about calls of this endpoint."""
        return self.service in (None, service) and self.endpoint in (None, endpoint)


@dataclass
class _Active:
    number: int
    fault: Fault
    left: int | None
    until: float | None


class FaultBoard:
    """The faults that are on. One process, one thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._numbers = count(1)
        self._active: list[_Active] = []

    def add(self, fault: Fault) -> int:
        """Switch one on; its number."""
        lasts = fault.seconds is not None and fault.fault is not FaultKind.LATENCY
        until = self._monotonic() + (fault.seconds or 0.0) if lasts else None
        self._active.append(_Active(next(self._numbers), fault, fault.count, until))
        return self._active[-1].number

    def clear(self) -> None:
        """Switch all off."""
        self._active.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Those that are on: as added, with `number`, and `left` calls or `seconds_left`."""
        self._forget_the_over()
        now = self._monotonic()
        return [
            {
                "number": item.number,
                **item.fault.model_dump(mode="json", exclude_defaults=True),
                "left": item.left,
                "seconds_left": None if item.until is None else round(item.until - now, 1),
            }
            for item in self._active
        ]

    def take(self, kinds: Collection[FaultKind], service: str, endpoint: str) -> Fault | None:
        """The first fault of these kinds that meets a call; counts as one of its calls."""
        self._forget_the_over()
        for item in self._active:
            if item.fault.fault in kinds and item.fault.meets(service, endpoint):
                if item.left is not None:
                    item.left -= 1
                return item.fault
        return None

    def _forget_the_over(self) -> None:
        now = self._monotonic()
        self._active = [
            item
            for item in self._active
            if item.left != 0 and (item.until is None or item.until > now)
        ]
